// SPDX-License-Identifier: MIT
// A step happens or it does not: refusals leave weight and state as they were; the same calls give the same bits; and
// nothing is allocated once warm.

#include <cfenv>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <sigmax/constraint/clipped_weight_decay.hpp>
#include <sigmax/constraint/hard_cap.hpp>
#include <sigmax/constraint/soft_cap.hpp>
#include <sigmax/constraint/spectral_hammer.hpp>
#include <sigmax/constraint/spectral_normalize.hpp>
#include <sigmax/constraint/spectral_weight_decay.hpp>
#include <sigmax/constraint/stiefel.hpp>
#include <sigmax/constraint/weight_decay.hpp>
#include <sigmax/optimizer/adamw.hpp>
#include <sigmax/optimizer/muon.hpp>

#include "constraint/weights.hpp"
#include "support/allocation_counter.hpp"

using namespace sigmax::test;
namespace constraint = sigmax::constraint;
using sigmax::index_t;

namespace {

/// All tensors and numbers of a state.
template <class O>
std::vector<double> state_of(O const& opt) {
  std::vector<double> result;
  opt.for_each_number([&](auto const&, double value) { result.push_back(value); });
  opt.for_each_tensor([&](auto const&, auto view) {
    for (index_t i = 0; i < view.rows(); ++i) {
      for (index_t j = 0; j < view.cols(); ++j) result.push_back(static_cast<double>(view(i, j)));
    }
  });
  return result;
}

/// Calls body(optimizer) with both, after two steps of the weight.
template <class S, class F>
void for_each_optimizer(F const& body) {
  auto const warmed = [&](auto opt) {
    auto w = random_weight<S>(9, 6, 1, 1);
    for (int t = 0; t < 2; ++t) opt.step(w, rounded<S>(gaussian(9, 6, 5 + static_cast<std::uint64_t>(t))));
    body(opt, w);
  };
  warmed(sigmax::muon<sigmax::compute_t<S>>(sigmax::matrix<S>(9, 6), {.learning_rate = 0.05}));
  warmed(sigmax::adamw<sigmax::compute_t<S>>(sigmax::matrix<S>(9, 6), {.learning_rate = 0.05}));
}

template <class F>
void for_each_constraint(F const& body) {
  body(constraint::none{});
  body(constraint::weight_decay{.decay = 1.0});
  body(constraint::spectral_weight_decay{.decay = 0.1});
  body(constraint::clipped_weight_decay{.decay = 0.1, .sigma_max = 0.5});
  for (bool const certified : {false, true}) {
    body(constraint::spectral_normalize{.sigma_max = 0.5, .certified = certified});
    body(constraint::stiefel{.sigma_max = 0.5, .certified = certified});
    body(constraint::hard_cap{.sigma_max = 0.5, .certified = certified});
    body(constraint::soft_cap{.sigma_max = 1.0, .norm = sigmax::norm::rms, .certified = certified});
    body(constraint::spectral_hammer{.sigma_max = 0.5, .certified = certified});
  }
}

}  // namespace

TEST_CASE_TEMPLATE("a gradient, weight or option that is none throws and leaves everything as it was", S, float, double,
                   sigmax::bf16) {
  float const nan = std::numeric_limits<float>::quiet_NaN();
  float const infinite = std::numeric_limits<float>::infinity();
  for_each_optimizer<S>([&](auto& opt, auto& w) {
    auto const g = rounded<S>(gaussian(9, 6, 9));
    auto const state = state_of(opt);
    auto const weight = w;
    auto const untouched = [&] {
      CHECK(state_of(opt) == state);
      CHECK(same_bits(w, weight));
    };
    for_each_constraint([&](auto const& c) {
      for (float const wrong : {nan, infinite, -infinite}) {
        auto bad = g;
        bad(8, 5) = S(wrong);
        CHECK_THROWS_AS(opt.step(w, bad, c), sigmax::numeric_error);
        untouched();
        auto broken = w;
        broken(0, 3) = S(wrong);
        CHECK_THROWS_AS(opt.step(broken, g, c), sigmax::numeric_error);
        CHECK(state_of(opt) == state);
      }
      CHECK_THROWS_AS(opt.step(w, sigmax::matrix<S>(6, 9), c), sigmax::shape_error);
      untouched();
      auto other = sigmax::matrix<S>(9, 7);
      CHECK_THROWS_AS(opt.step(other, g, c), sigmax::shape_error);
      std::vector<sigmax::matrix<S>> two = {w, w};
      CHECK_THROWS_AS(opt.step(two, g, c), sigmax::shape_error);
      CHECK_THROWS_AS(opt.step(w, two, c), sigmax::shape_error);
      untouched();
    });
    CHECK_THROWS_AS(opt.step(w, g, constraint::soft_cap{.sigma_max = -1}), sigmax::domain_error);
    CHECK_THROWS_AS(opt.step(w, g, constraint::hard_cap{.sigma_max = 1, .norm = sigmax::norm::linf}),
                    sigmax::domain_error);
    CHECK_THROWS_AS(opt.step(w, g, constraint::weight_decay{.decay = 1e3}), sigmax::domain_error);
    untouched();
    std::fesetround(FE_UPWARD);
    CHECK_THROWS_AS(opt.step(w, g, constraint::hard_cap{.sigma_max = 1, .certified = true}), sigmax::numeric_error);
    std::fesetround(FE_TONEAREST);
    untouched();
    for (double const wrong : {-1.0, static_cast<double>(nan), static_cast<double>(infinite)}) {
      CHECK_THROWS_AS(opt.set_learning_rate(wrong), sigmax::domain_error);
    }
    untouched();
    opt.step(w, g);  // and goes on
    CHECK(opt.steps() == 3);
  });
}

TEST_CASE("what overflows is refused as a whole") {
  for_each_optimizer<float>([](auto& opt, auto& w) {
    auto const state = state_of(opt);
    auto g = rounded<float>(gaussian(9, 6, 9));
    for (index_t i = 0; i < g.size(); ++i) g.data()[i] = std::numeric_limits<float>::max();
    auto const weight = w;
    if constexpr (requires { opt.options().beta1; }) {  // its square overflows
      CHECK_THROWS_AS(opt.step(w, g), sigmax::numeric_error);
      CHECK(same_bits(w, weight));
      CHECK(state_of(opt) == state);
    } else {  // Muon's momentum is an average, and its direction has no size
      opt.step(w, g);
    }
  });
  // float steps of a weight near the end of the range of f16
  sigmax::matrix<sigmax::f16> w(2, 2);
  w(0, 0) = sigmax::f16(65504.0f);
  sigmax::matrix<float> g(2, 2);
  g(0, 0) = -1;
  sigmax::muon<float> opt(w, {.learning_rate = 1000, .weight_decay = 0});
  CHECK_THROWS_AS(opt.step(w, g), sigmax::numeric_error);
  CHECK(static_cast<float>(w(0, 0)) == 65504.0f);
  CHECK(opt.steps() == 0);
}

TEST_CASE("options out of range are named") {
  sigmax::matrix<float> const w(4, 4);
  double const nan = std::numeric_limits<double>::quiet_NaN();
  using muon = sigmax::muon<float>;
  using adamw = sigmax::adamw<float>;
  for (double const wrong : {-1.0, nan}) {
    CHECK_THROWS_AS(muon(w, {.learning_rate = wrong}), sigmax::domain_error);
    CHECK_THROWS_AS(muon(w, {.momentum = wrong}), sigmax::domain_error);
    CHECK_THROWS_AS(muon(w, {.weight_decay = wrong}), sigmax::domain_error);
    CHECK_THROWS_AS(muon(w, {.update_scale = wrong}), sigmax::domain_error);
    CHECK_THROWS_AS(muon(w, {.gram_error = wrong}), sigmax::domain_error);
    CHECK_THROWS_AS(muon(w, {.max_inflation = wrong}), sigmax::domain_error);
    CHECK_THROWS_AS(adamw(w, {.learning_rate = wrong}), sigmax::domain_error);
    CHECK_THROWS_AS(adamw(w, {.beta1 = wrong}), sigmax::domain_error);
    CHECK_THROWS_AS(adamw(w, {.beta2 = wrong}), sigmax::domain_error);
    CHECK_THROWS_AS(adamw(w, {.eps = wrong}), sigmax::domain_error);
    CHECK_THROWS_AS(adamw(w, {.weight_decay = wrong}), sigmax::domain_error);
  }
  CHECK_THROWS_AS(muon(w, {.momentum = 1}), sigmax::domain_error);
  CHECK_THROWS_AS(adamw(w, {.beta2 = 1}), sigmax::domain_error);
  CHECK_THROWS_AS(muon(w, {.learning_rate = 2, .weight_decay = 1}), sigmax::domain_error);
  CHECK_THROWS_AS(muon(w, {.row_blocks = {2, 3}}), sigmax::shape_error);
  CHECK_THROWS_AS(adamw(w, {.row_blocks = {2, 3}}), sigmax::shape_error);
}

TEST_CASE_TEMPLATE("the same calls give the same bits, and a copy continues as the original", S, float, double,
                   sigmax::bf16) {
  for_each_optimizer<S>([](auto& opt, auto& w) {
    for_each_constraint([&](auto const& c) {
      auto first = opt;
      auto second = opt;
      auto w1 = w;
      auto w2 = w;
      for (int t = 0; t < 4; ++t) {
        auto const g = rounded<S>(gaussian(9, 6, 30 + static_cast<std::uint64_t>(t)));
        auto const o = first.step(w1, g, c);
        CHECK(second.step(w2, g, c) == o);
      }
      CHECK(same_bits(w1, w2));
      CHECK(state_of(first) == state_of(second));
    });
  });
}

TEST_CASE_TEMPLATE("a warmed step allocates nothing", S, float, double, sigmax::bf16) {
  for_each_optimizer<S>([](auto& opt, auto& w) {
    for_each_constraint([&](auto const& c) {
      auto warmed = opt;
      auto weight = w;
      auto g = rounded<S>(gaussian(9, 6, 30));
      for (int t = 0; t < 4; ++t) {
        long const before = allocations;
        warmed.step(weight, g, c);
        long const during = allocations - before;
        CAPTURE(c.name);
        CAPTURE(t);
        // The first step fills the workspace; the second may meet another path of the constraint.
        if (t >= 2) CHECK(during == 0);
      }
    });
  });
  // Batches with row blocks, one workspace for two optimizers.
  sigmax::workspace scratch;
  std::vector<sigmax::matrix<S>> weights = {random_weight<S>(12, 8, 1, 1), random_weight<S>(12, 5, 2, 1)};
  std::vector<sigmax::matrix<S>> g = {rounded<S>(gaussian(12, 8, 3)), rounded<S>(gaussian(12, 5, 4))};
  sigmax::muon opt(weights, {.learning_rate = 0.05, .row_blocks = {4, 6, 2}, .certified = true, .scratch = &scratch});
  sigmax::adamw other(weights, {.row_blocks = {4, 6, 2}, .scratch = &scratch});
  for (int t = 0; t < 4; ++t) {
    long const before = allocations;
    opt.step(weights, g, constraint::soft_cap{.sigma_max = 1, .certified = true});
    other.step(weights, g, constraint::soft_cap{.sigma_max = 1, .certified = true});
    if (t >= 2) CHECK(allocations == before);
  }
}
