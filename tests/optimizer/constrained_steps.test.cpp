// SPDX-License-Identifier: MIT
// Every constraint with Muon and AdamW for 50 random steps: what the constraint guarantees holds of the stored weights
// after each, proven where it is certified.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <string>
#include <type_traits>
#include <vector>

#include <doctest/doctest.h>

#include <sigmax/certified/cholesky.hpp>
#include <sigmax/certified/spectral_norm.hpp>
#include <sigmax/constraint/clipped_weight_decay.hpp>
#include <sigmax/constraint/hard_cap.hpp>
#include <sigmax/constraint/none.hpp>
#include <sigmax/constraint/sequence.hpp>
#include <sigmax/constraint/soft_cap.hpp>
#include <sigmax/constraint/spectral_hammer.hpp>
#include <sigmax/constraint/spectral_normalize.hpp>
#include <sigmax/constraint/spectral_weight_decay.hpp>
#include <sigmax/constraint/stiefel.hpp>
#include <sigmax/constraint/weight_decay.hpp>
#include <sigmax/optimizer/adamw.hpp>
#include <sigmax/optimizer/learning_rate.hpp>
#include <sigmax/optimizer/muon.hpp>
#include <sigmax/spectral/cap.hpp>

#include "constraint/weights.hpp"
#include "spectral/figures.hpp"

using namespace sigmax::test;
namespace constraint = sigmax::constraint;
namespace norm = sigmax::norm;
using sigmax::index_t;

namespace {

constexpr int steps = 50;

template <class S>
constexpr char const* stored_name() {
  if constexpr (std::is_same_v<S, sigmax::bf16>) return "bf16";
  return std::is_same_v<S, float> ? "float" : "double";
}

/// Gradients that pull one way, as a loss does, with noise.
template <class S>
sigmax::matrix<S> gradient(index_t m, index_t n, int t) {
  exact g = gaussian(m, n, 1000);
  exact const noise = gaussian(m, n, 2000 + static_cast<std::uint64_t>(t));
  for (index_t i = 0; i < g.size(); ++i) g.data()[i] += 0.5L * noise.data()[i];
  return rounded<S>(g);
}

template <class S>
std::vector<sigmax::matrix<S>> gradients(std::vector<sigmax::matrix<S>> const& weights, int t) {
  std::vector<sigmax::matrix<S>> result;
  for (auto const& w : weights) result.push_back(gradient<S>(w.rows(), w.cols(), t));
  return result;
}

/// Tall, wide, square and a batch of all, of norm `size` in the norm; 50 steps at a falling learning rate.
/// check(weight, step, outcome, optimizer) after each step, for each weight.
template <class S, class Make, class C, class F>
constraint::outcome train(Make const& make, C const& c, norm::any in, double size, F const& check) {
  constraint::outcome all;
  sigmax::learning_rate::cosine const rate{.peak = 0.05, .warmup_steps = 5, .total_steps = steps, .final = 1e-3};
  auto const start = [&](index_t m, index_t n, std::uint64_t seed) {
    return random_weight<S>(m, n, seed, size * unit_of(in, m, n));
  };
  for (int batch = 0; batch < 4; ++batch) {
    std::vector<sigmax::matrix<S>> weights;
    if (batch == 0 || batch == 3) weights.push_back(start(20, 8, 1));
    if (batch == 1 || batch == 3) weights.push_back(start(8, 20, 2));
    if (batch == 2 || batch == 3) weights.push_back(start(12, 12, 3));
    auto opt = make(weights);
    for (int t = 0; t < steps; ++t) {
      CAPTURE(batch);
      CAPTURE(t);
      opt.set_learning_rate(rate(t));
      auto const o = opt.step(weights, gradients(weights, t), c);
      all += o;
      for (auto const& w : weights) check(w, o, opt);
    }
  }
  return all;
}

template <class S>
auto muon_for(norm::any in) {
  bool const in_rms = in == norm::any(norm::rms);
  return [=](auto const& weights) {
    return sigmax::muon<sigmax::compute_t<S>>(
        weights,
        {.weight_decay = 0.01, .adjust = in_rms ? sigmax::adjustment::spectral_norm : sigmax::adjustment::original});
  };
}

template <class S>
auto adamw() {
  return [](auto const& weights) { return sigmax::adamw<sigmax::compute_t<S>>(weights); };
}

/// Calls body(optimizer's name, maker, norm).
template <class S, class F>
void for_each_optimizer(F const& body) {
  for (auto const in : {norm::any(norm::l2), norm::any(norm::rms)}) {
    INFO(in.name());
    body("muon", muon_for<S>(in), in);
    body("adamw", adamw<S>(), in);
  }
}

}  // namespace

TEST_CASE_TEMPLATE("certified: every stored weight is proven to satisfy its cap after every step", S, float, double,
                   sigmax::bf16) {
  constexpr double sigma_max = 0.75;
  for_each_optimizer<S>([&](std::string const& optimizer, auto const& make, norm::any in) {
    long checks = 0;
    long violations = 0;
    constraint::outcome total;
    auto const run = [&](auto const& c) {
      CAPTURE(c.name);
      for (double const size : {0.5, 3.0}) {
        total += train<S>(make, c, in, size, [&](auto const& w, auto const& o, auto const&) {
          double const cap = sigmax::detail::cap_in_l2("test", sigma_max, in, w.rows(), w.cols());
          bool const holds = sigmax::prove_norm_at_most(w, cap);
          CHECK(holds);
          ++checks;
          violations += holds ? 0 : 1;
          CHECK(o.proven == o.matrices);
        });
      }
    };
    run(constraint::soft_cap{.sigma_max = sigma_max, .norm = in, .certified = true});
    run(constraint::hard_cap{.sigma_max = sigma_max, .norm = in, .certified = true});
    run(constraint::spectral_normalize{.sigma_max = sigma_max, .norm = in, .certified = true});
    run(constraint::spectral_hammer{.sigma_max = sigma_max, .norm = in, .certified = true});
    run(constraint::stiefel{.sigma_max = sigma_max, .norm = in, .certified = true});
    run(constraint::sequence{constraint::clipped_weight_decay{.decay = 0.1, .sigma_max = sigma_max, .norm = in},
                             constraint::spectral_normalize{.sigma_max = sigma_max, .norm = in, .certified = true}});
    CHECK(total.proven == checks);
    std::printf("  %-6s %-5s %-3s 6 certified constraints: %ld weights looked at, %ld violations (%ld rescaled)\n",
                stored_name<S>(), optimizer.c_str(), in.name(), checks, violations, static_cast<long>(total.rescaled));
  });
}

TEST_CASE_TEMPLATE("not certified: the guarantees hold up to rounding", S, float, double) {
  constexpr double sigma_max = 0.75;
  figure soft(joined({"soft_cap, ", stored_name<S>(), ": ||W|| / cap - 1"}));
  figure hard(joined({"hard_cap, ", stored_name<S>(), ": ||W|| / cap - 1"}));
  figure flat(joined({"stiefel, ", stored_name<S>(), ": |s / cap - 1|"}));
  figure decayed(joined({"weight_decay, ", stored_name<S>(), ", muon: ||W|| decay learning_rate / update_norm - 1"}));
  figure clipped(joined({"clipped_weight_decay, ", stored_name<S>(), ", muon: ||W|| / b - 1"}));
  auto const slack = 100 * static_cast<long double>(roundoff<S>());
  for_each_optimizer<S>([&](std::string const& optimizer, auto const& make, norm::any in) {
    CAPTURE(optimizer);
    auto const cap_of = [&](auto const& w) { return sigma_max * unit_of(in, w.rows(), w.cols()); };
    auto const soft_capped = train<S>(make, constraint::soft_cap{.sigma_max = sigma_max, .norm = in}, in, 0.7,
                                      [&](auto const& w, auto const&, auto const&) {
                                        soft.see(spectral_norm(in_long_double(w)) / cap_of(w) - 1, slack);
                                      });
    // Muon's steps, of norm 0.06 to 0.09 sigma_max, are within the domain from the first to the last.
    if (optimizer == "muon") CHECK(soft_capped.hard_capped == 0);
    train<S>(make, constraint::hard_cap{.sigma_max = sigma_max, .norm = in}, in, 2,
             [&](auto const& w, auto const&, auto const&) {
               hard.see(spectral_norm(in_long_double(w)) / cap_of(w) - 1, slack);
             });
    train<S>(make, constraint::stiefel{.sigma_max = sigma_max, .norm = in}, in, 2,
             [&](auto const& w, auto const&, auto const&) {
               auto const sigma = svd(w).sigma;
               for (auto const s : sigma) flat.see(std::fabs(s / cap_of(w) - 1), slack);
             });
  });
  for (auto const in : {norm::any(norm::l2), norm::any(norm::rms)}) {
    // g / decay with g = update_norm / learning_rate: 1.3 to 2.
    train<S>(muon_for<S>(in), constraint::weight_decay{.decay = 2.0}, in, 0.5,
             [&](auto const& w, auto const&, auto const& opt) {
               if (opt.learning_rate() == 0) return;
               long double const bound = opt.update_norm() / opt.learning_rate() / 2.0;
               decayed.see(spectral_norm(in_long_double(w)) / bound - 1, slack);
             });
    // The largest update norm of the run bounds all.
    double largest = 0;
    train<S>(muon_for<S>(in), constraint::clipped_weight_decay{.decay = 0.25, .sigma_max = sigma_max, .norm = in}, in,
             0.7, [&](auto const& w, auto const&, auto const& opt) {
               largest = std::max(largest, opt.update_norm(in));
               long double const bound = (sigma_max + largest * 0.75L / 0.25L) * unit_of(in, w.rows(), w.cols());
               clipped.see(spectral_norm(in_long_double(w)) / bound - 1, 1e-5L + slack);
             });
  }
}

TEST_CASE_TEMPLATE("the optimizer applies to W + dW what apply does, bit for bit", S, float, double) {
  auto const same = [](auto const& c, auto opt) {
    auto w = random_weight<S>(10, 6, 4, 1);
    auto free = w;
    auto unconstrained = opt;
    for (int t = 0; t < 5; ++t) {
      auto const g = gradient<S>(10, 6, t);
      auto candidate = w;
      unconstrained = opt;  // a copy is a snapshot
      unconstrained.step(candidate, g);
      opt.step(w, g, c);
      double const rate = opt.learning_rate();
      // AdamW's measured norm is of that step; Muon's is of the next, which has the same learning rate.
      constraint::apply(
          c, candidate,
          {.learning_rate = rate, .weight_decay = rate * opt.options().weight_decay, .update_norm = opt.update_norm()});
      CHECK(same_bits(candidate, w));
    }
  };
  auto const w = random_weight<S>(10, 6, 4, 1);
  auto const each = [&](auto const& c) {
    same(c, sigmax::muon<S>(w, {.learning_rate = 0.05}));
    same(c, sigmax::adamw<S>(w, {.learning_rate = 0.02}));
  };
  each(constraint::none{});
  each(constraint::weight_decay{.decay = 1.0});
  each(constraint::spectral_weight_decay{.decay = 0.1});
  each(constraint::clipped_weight_decay{.decay = 0.1, .sigma_max = 0.5});
  each(constraint::spectral_normalize{.sigma_max = 0.5});
  each(constraint::stiefel{.sigma_max = 0.5, .certified = true});
  each(constraint::hard_cap{.sigma_max = 0.5});
  each(constraint::soft_cap{.sigma_max = 1.0, .certified = true});
  each(constraint::spectral_hammer{.sigma_max = 0.5});
}
