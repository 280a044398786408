// SPDX-License-Identifier: MIT
// What the docstring of every constraint guarantees, after each of 50 steps of known norm, against singular values in
// long double.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <string>
#include <type_traits>
#include <vector>

#include <doctest/doctest.h>

#include <sigmax/certified/cholesky.hpp>
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
#include <sigmax/core/row_blocks.hpp>
#include <sigmax/polynomial/schedules.hpp>

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

/// What rounding to S, and in the arithmetic before it, adds to a norm of about `size`: u sqrt(rank), and 40 u of that
/// arithmetic.
template <class S>
long double rounding(index_t m, index_t n, long double size) {
  auto const rank = static_cast<long double>(std::min(m, n));
  return size * (roundoff<S>() * std::sqrt(rank) + 40 * roundoff<sigmax::compute_t<S>>());
}

/// Takes W through 50 steps of l2 norm step_norm and the constraint after each, and calls check(sigma before, sigma
/// after, W) with the singular values before and after the constraint.
template <class S, class C, class F>
void walk(C const& c, sigmax::matrix<S> w, double step_norm, F const& check) {
  for (int t = 0; t < steps; ++t) {
    exact moved = in_long_double(w);
    exact const d = step_from(moved, static_cast<std::uint64_t>(t), static_cast<long double>(step_norm));
    for (index_t i = 0; i < d.size(); ++i) moved.data()[i] += d.data()[i];
    w = rounded<S>(moved);
    auto const before = svd(w).sigma;
    // Rounding of W + dW belongs to the step.
    double const known = step_norm + static_cast<double>(rounding<S>(w.rows(), w.cols(), before.front()));
    auto const outcome = constraint::apply(c, w, {.learning_rate = 0.1, .update_norm = known});
    CAPTURE(t);
    check(before, svd(w).sigma, w, outcome);
  }
}

template <class S, class F>
void for_each_weight(F const& body) {
  for (auto const in : {norm::any(norm::l2), norm::any(norm::rms)}) {
    for (auto const shape : weight_shapes) {
      INFO(stored_name<S>(), " ", shape.rows, " x ", shape.cols, ", ", in.name());
      body(shape.rows, shape.cols, in);
    }
  }
}

}  // namespace

TEST_CASE_TEMPLATE("certified constraints: the stored weight provably satisfies the cap after every step", S, float,
                   double, sigmax::bf16) {
  constexpr double sigma_max = 0.75;
  long checks = 0;
  long violations = 0;
  auto const run = [&](auto const& c, index_t m, index_t n, norm::any in) {
    auto const unit = unit_of(in, m, n);
    // Far above the cap at the start, and steps of any size.
    for (double const size : {1e-3, 0.1, 2.0}) {
      walk<S>(c, random_weight<S>(m, n, 3, 3 * unit), size, [&](auto const&, auto const& after, auto const& w, auto o) {
        ++checks;
        CHECK(o.proven == 1);
        bool const holds = sigmax::prove_norm_at_most(w, static_cast<double>(sigma_max * unit) * (1 + 1e-15)) &&
                           after.front() <= sigma_max * unit;
        violations += holds ? 0 : 1;
      });
    }
  };
  for_each_weight<S>([&](index_t m, index_t n, norm::any in) {
    run(constraint::soft_cap{.sigma_max = sigma_max, .norm = in, .certified = true}, m, n, in);
    run(constraint::hard_cap{.sigma_max = sigma_max, .norm = in, .certified = true}, m, n, in);
    run(constraint::spectral_normalize{.sigma_max = sigma_max, .norm = in, .certified = true}, m, n, in);
    run(constraint::spectral_hammer{.sigma_max = sigma_max, .norm = in, .certified = true}, m, n, in);
    run(constraint::stiefel{.sigma_max = sigma_max, .norm = in, .certified = true}, m, n, in);
    run(constraint::sequence{constraint::weight_decay{.decay = 1.0},
                             constraint::spectral_normalize{.sigma_max = sigma_max, .norm = in, .certified = true}},
        m, n, in);
  });
  std::printf("  certified, %s: %ld checks, %ld violations\n", stored_name<S>(), checks, violations);
  CHECK(violations == 0);
}

TEST_CASE_TEMPLATE("soft_cap keeps the cap after every step of known norm and never falls to the hard cap", S, float,
                   double) {
  figure norm_after(joined({"soft_cap, ", stored_name<S>(), ": ||W|| / cap - 1"}));
  figure raised(joined({"soft_cap, ", stored_name<S>(), ": (s after - s before) / cap"}));
  figure small_moved(joined({"soft_cap, ", stored_name<S>(), ": loss of s <= cap / 4, relative"}));
  for_each_weight<S>([&](index_t m, index_t n, norm::any in) {
    auto const unit = unit_of(in, m, n);
    for (double const size : {1e-3, 0.02, 0.3}) {
      auto const cap = 0.75L * unit;
      walk<S>(constraint::soft_cap{.sigma_max = 0.75, .norm = in}, random_weight<S>(m, n, 5, cap),
              size * static_cast<double>(cap), [&](auto const& before, auto const& after, auto const&, auto o) {
                CHECK(o.hard_capped == 0);
                long double const slack = rounding<S>(m, n, 1);
                norm_after.see(after.front() / cap - 1, slack);
                for (std::size_t i = 0; i < before.size(); ++i) {
                  raised.see((after[i] - before[i]) / cap, slack);
                  // t = a k^2 <= 1/3 and k >= cap: the loss is at most 3 a^2 s^4 <= (s / cap)^4 / 3.
                  long double const share = before[i] / cap;
                  if (share > 0.25L || share < 1e-3L) continue;
                  small_moved.see((before[i] - after[i]) / before[i], std::pow(share, 4) / 3 + slack / share);
                }
              });
    }
  });
}

TEST_CASE("soft_cap falls to the hard cap outside its domain, and counts it") {
  constexpr double cap = 1;
  auto const start = random_weight<double>(12, 7, 1, 1.2);
  auto const fall = [&](double update_norm, double weight_decay = 0) {
    auto w = start;
    auto const o = constraint::apply(constraint::soft_cap{.sigma_max = cap}, w,
                                     {.weight_decay = weight_decay, .update_norm = update_norm});
    CHECK(o.matrices == 1);
    CHECK(svd(w).sigma.front() <= cap * (1 + 1e-14));
    return o.hard_capped;
  };
  CHECK(fall(0.3) == 0);
  CHECK(fall(0.3064) == 0);  // 81 / 62 = 1.30645...
  CHECK(fall(0.3065) == 1);
  CHECK(fall(0.35, 0.05) == 0);  // decay makes room for the step
  CHECK(fall(0.1) == 1);         // ||W|| = 1.2 > 1.1: it was above the cap before the step
  CHECK(fall(0) == 1);
  CHECK(fall(1e300) == 1);
  CHECK(fall(sigmax::infinity) == 1);  // nothing is known of the step
  // Within the cap nothing is to be done, and the bits stay.
  auto w = random_weight<double>(12, 7, 1, 0.99);
  auto const before = w;
  CHECK(constraint::apply(constraint::soft_cap{.sigma_max = cap}, w, {.update_norm = 0}).hard_capped == 0);
  CHECK(same_bits(w, before));
  CHECK(constraint::apply(constraint::soft_cap{.sigma_max = cap}, w).hard_capped == 1);
  CHECK(same_bits(w, before));
}

TEST_CASE("soft_cap has the strengths of the paper's test vectors") {
  struct {
    double sigma_max, update, decay, at_half, at_nine_tenths;
  } const vectors[] = {{1, .01, 0, .49968891, .89431155},          {1, .1, 0, .49772667, .86079810},
                       {2, .05, 0, .99851365, 1.77331696},         {6, .1, 0, 2.99694744, 5.34470252},
                       {4, 1, 0, 1.98660221, 3.37369904},          {1, .3, 0, .49659670, .84256984},
                       {2, .1, .02 / 2 * 2, .99824598, 1.76865475}};
  for (auto const& v : vectors) {
    CAPTURE(v.sigma_max);
    CAPTURE(v.update);
    double const k = v.sigma_max * (1 - v.decay) + v.update;
    sigmax::matrix<double> w(3, 4);
    w(0, 0) = k;
    w(1, 1) = 0.5 * v.sigma_max;
    w(2, 2) = 0.9 * v.sigma_max;
    constraint::apply(constraint::soft_cap{.sigma_max = v.sigma_max}, w,
                      {.weight_decay = v.decay, .update_norm = v.update});
    CHECK(w(0, 0) == doctest::Approx(v.sigma_max).epsilon(1e-12));
    CHECK(w(1, 1) == doctest::Approx(v.at_half).epsilon(1e-8));
    CHECK(w(2, 2) == doctest::Approx(v.at_nine_tenths).epsilon(1e-8));
  }
}

TEST_CASE_TEMPLATE("hard_cap: min(s, cap) after any step", S, float, double, sigmax::bf16) {
  figure error(joined({"hard_cap, ", stored_name<S>(), ": |s after - min(s before, cap)| / cap"}));
  for_each_weight<S>([&](index_t m, index_t n, norm::any in) {
    auto const cap = 0.75L * unit_of(in, m, n);
    walk<S>(constraint::hard_cap{.sigma_max = 0.75, .norm = in}, random_weight<S>(m, n, 5, 3 * cap),
            0.2 * static_cast<double>(cap), [&](auto const& before, auto const& after, auto const&, auto) {
              for (std::size_t i = 0; i < before.size(); ++i) {
                error.see(std::fabs(after[i] - std::min(before[i], cap)) / cap,
                          1e-5L + rounding<S>(m, n, before.front() / cap));
              }
            });
  });
}

TEST_CASE_TEMPLATE("stiefel: every singular value becomes sigma_max", S, float, double, sigmax::bf16) {
  figure error(joined({"stiefel, ", stored_name<S>(), ": |s after - sigma_max| / sigma_max"}));
  figure below(joined({"stiefel by you_1024, ", stored_name<S>(), ": ||W|| / sigma_max - 1"}));
  for_each_weight<S>([&](index_t m, index_t n, norm::any in) {
    auto const cap = 1.5L * unit_of(in, m, n);
    walk<S>(constraint::stiefel{.sigma_max = 1.5, .norm = in}, random_weight<S>(m, n, 5, cap),
            0.1 * static_cast<double>(cap), [&](auto const&, auto const& after, auto const&, auto) {
              for (auto const s : after) error.see(std::fabs(s - cap) / cap, rounding<S>(m, n, 1));
            });
    walk<S>(constraint::stiefel{.sigma_max = 1.5, .norm = in, .schedule = sigmax::schedules::you_1024},
            random_weight<S>(m, n, 5, cap), 0.1 * static_cast<double>(cap),
            [&](auto const&, auto const& after, auto const&, auto) {
              below.see(after.front() / cap - 1, rounding<S>(m, n, 1));
            });
  });
}

TEST_CASE_TEMPLATE("spectral_normalize rescales the whole spectrum, and only from above", S, float, double) {
  figure error(joined({"spectral_normalize, ", stored_name<S>(), ": error of s"}));
  for_each_weight<S>([&](index_t m, index_t n, norm::any in) {
    auto const cap = 0.75L * unit_of(in, m, n);
    walk<S>(constraint::spectral_normalize{.sigma_max = 0.75, .norm = in}, random_weight<S>(m, n, 5, cap / 2),
            0.05 * static_cast<double>(cap), [&](auto const& before, auto const& after, auto const&, auto) {
              // The estimate is off by at most its tolerance, sqrt(u).
              long double const factor = std::min(1.0L, cap / before.front());
              for (std::size_t i = 0; i < before.size(); ++i) {
                error.see(std::fabs(after[i] - factor * before[i]) / cap,
                          2 * std::sqrt(static_cast<long double>(roundoff<S>())) + rounding<S>(m, n, 1));
              }
            });
  });
}

TEST_CASE_TEMPLATE("weight_decay keeps g / decay after steps of norm g learning_rate", S, float, double) {
  figure norm_after(joined({"weight_decay, ", stored_name<S>(), ": ||W|| decay / g - 1"}));
  for_each_weight<S>([&](index_t m, index_t n, norm::any) {
    // walk's learning rate is 0.1.
    walk<S>(constraint::weight_decay{.decay = 2.0}, random_weight<S>(m, n, 5, 0.5), 0.1,
            [&](auto const& before, auto const& after, auto const&, auto) {
              norm_after.see(after.front() * 2 - 1, rounding<S>(m, n, steps));
              for (std::size_t i = 0; i < before.size(); ++i) {
                CHECK(static_cast<double>(after[i]) ==
                      doctest::Approx(static_cast<double>(0.8L * before[i])).epsilon(1e-5));
              }
            });
  });
}

TEST_CASE_TEMPLATE("clipped_weight_decay keeps sigma_max + u (1 - decay) / decay", S, float, double) {
  figure norm_after(joined({"clipped_weight_decay, ", stored_name<S>(), ": ||W|| / b - 1"}));
  figure error(joined({"clipped_weight_decay, ", stored_name<S>(), ": error of s / cap"}));
  for_each_weight<S>([&](index_t m, index_t n, norm::any in) {
    auto const cap = 0.75L * unit_of(in, m, n);
    long double const update = 0.1L * cap;
    long double const bound = cap + update * (1 - 0.25L) / 0.25L;
    walk<S>(constraint::clipped_weight_decay{.decay = 0.25, .sigma_max = 0.75, .norm = in},
            random_weight<S>(m, n, 5, cap), static_cast<double>(update),
            [&](auto const& before, auto const& after, auto const&, auto) {
              norm_after.see(after.front() / bound - 1, 1e-5L + rounding<S>(m, n, steps));
              for (std::size_t i = 0; i < before.size(); ++i) {
                long double const expected = before[i] - 0.25L * std::max(0.0L, before[i] - cap);
                error.see(std::fabs(after[i] - expected) / cap, 1e-5L + rounding<S>(m, n, 2));
              }
            });
  });
}

TEST_CASE_TEMPLATE("spectral_weight_decay raises no singular value and lowers the largest", S, float, double) {
  figure raised(joined({"spectral_weight_decay, ", stored_name<S>(), ": (s after - s before) / s_1"}));
  for_each_weight<S>([&](index_t m, index_t n, norm::any) {
    walk<S>(constraint::spectral_weight_decay{.decay = 0.1}, random_weight<S>(m, n, 5, 1), 0.1,
            [&](auto const& before, auto const& after, auto const&, auto) {
              for (std::size_t i = 0; i < before.size(); ++i) {
                raised.see((after[i] - before[i]) / before.front(), rounding<S>(m, n, 1));
              }
              CHECK(after.front() < before.front());
            });
  });
}

TEST_CASE_TEMPLATE("spectral_hammer, one-sided, raises no singular value; two-sided hits the cap", S, float, double) {
  figure raised(joined({"spectral_hammer, ", stored_name<S>(), ": (s after - s before) / s_1"}));
  for_each_weight<S>([&](index_t m, index_t n, norm::any in) {
    auto const cap = 0.75L * unit_of(in, m, n);
    constraint::spectral_hammer const one_sided{.sigma_max = 0.75, .norm = in, .mode = sigmax::hammer_mode::one_sided};
    walk<S>(one_sided, random_weight<S>(m, n, 5, 2 * cap), 0.05 * static_cast<double>(cap),
            [&](auto const& before, auto const& after, auto const&, auto) {
              for (std::size_t i = 0; i < before.size(); ++i) {
                raised.see((after[i] - before[i]) / before.front(), rounding<S>(m, n, 1));
              }
            });
    walk<S>(constraint::spectral_hammer{.sigma_max = 0.75, .norm = in}, random_weight<S>(m, n, 5, cap / 2),
            0.05 * static_cast<double>(cap), [&](auto const&, auto const& after, auto const&, auto) {
              // Some singular value is at the cap; the second may be above.
              long double nearest = 1;
              for (auto const s : after) nearest = std::min(nearest, std::fabs(s / cap - 1));
              CHECK(nearest <= 1e-3);
            });
  });
}

TEST_CASE("a batch and row blocks are constrained one by one, as the single matrices are") {
  auto const each = [&](auto const& c) {
    std::vector<sigmax::matrix<float>> batch = {random_weight<float>(20, 8, 1, 1.1),
                                                random_weight<float>(8, 20, 2, 0.4), sigmax::matrix<float>(3, 3)};
    constraint::step_info const step{.learning_rate = 0.1, .update_norm = 0.2};
    auto singly = batch;
    constraint::outcome sum;
    for (auto& w : singly) sum += constraint::apply(c, w, step);
    auto const together = constraint::apply(c, batch, step);
    CHECK(same_bits(batch, singly));
    CHECK(together == sum);

    auto fused = random_weight<float>(12, 8, 4, 2);
    auto parts = fused;
    constraint::apply(c, sigmax::row_blocks(fused, 3), step);
    for (index_t b = 0; b < 3; ++b) constraint::apply(c, parts.view().block(4 * b, 0, 4, 8), step);
    CHECK(same_bits(fused, parts));
    index_t const heights[] = {2, 6, 4};
    constraint::apply(c, sigmax::row_blocks(fused, heights), step);
    constraint::apply(c, parts.view().block(0, 0, 2, 8), step);
    constraint::apply(c, parts.view().block(2, 0, 6, 8), step);
    constraint::apply(c, parts.view().block(8, 0, 4, 8), step);
    CHECK(same_bits(fused, parts));
  };
  each(constraint::none{});
  each(constraint::weight_decay{.decay = 1.0});
  each(constraint::spectral_weight_decay{.decay = 0.1});
  each(constraint::clipped_weight_decay{.decay = 0.1, .sigma_max = 0.5});
  each(constraint::spectral_normalize{.sigma_max = 0.5});
  each(constraint::spectral_normalize{.sigma_max = 0.5, .certified = true});
  each(constraint::stiefel{.certified = true});
  each(constraint::hard_cap{.sigma_max = 0.5, .certified = true});
  each(constraint::soft_cap{.sigma_max = 1.0, .norm = norm::rms, .certified = true});
  each(constraint::spectral_hammer{.sigma_max = 0.5, .certified = true});
}
