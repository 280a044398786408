// SPDX-License-Identifier: MIT
// Muon against its formulas in long double, and against numbers of its peers.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

#include <doctest/doctest.h>

#include <sigmax/constraint/soft_cap.hpp>
#include <sigmax/optimizer/muon.hpp>
#include <sigmax/polynomial/schedules.hpp>

#include "constraint/weights.hpp"
#include "spectral/figures.hpp"

using namespace sigmax::test;
using sigmax::adjustment;
using sigmax::index_t;
using sigmax::momentum_form;
using sigmax::muon_options;

namespace {

/// torch.optim.Muon in long double: lerp of the momentum, Nesterov's lerp, X / ||X||_F, the schedule, decay by the
/// learning rate as it is, update by the adjusted one.
struct reference {
  exact momentum;
  long double ratio;

  void step(exact& w, exact const& g, muon_options const& o) {
    auto const mu = static_cast<long double>(o.momentum);
    auto const rate = static_cast<long double>(o.learning_rate);
    exact direction = g;
    long double squares = 0;
    for (index_t i = 0; i < g.size(); ++i) {
      long double& m = momentum.data()[i];
      long double const x = g.data()[i];
      if (o.form_of_momentum == momentum_form::moving_average) {
        m = mu * m + (1 - mu) * x;
        direction.data()[i] = o.nesterov ? (1 - mu) * x + mu * m : m;
      } else {
        m = mu * m + x;
        direction.data()[i] = o.nesterov ? x + mu * m : m;
      }
      squares += direction.data()[i] * direction.data()[i];
    }
    long double const size = std::sqrt(squares);
    exact const update = svd_of(direction).apply([&](long double s) { return o.schedule(s / size); });
    for (index_t i = 0; i < w.size(); ++i) {
      w.data()[i] = (1 - rate * static_cast<long double>(o.weight_decay)) * w.data()[i] -
                    rate * ratio * static_cast<long double>(o.update_scale) * update.data()[i];
    }
  }
};

/// The largest difference to the reference over 6 steps with changing learning rates, relative to the learning rate.
template <class T>
long double worst_difference(muon_options options, index_t m, index_t n, long double ratio) {
  auto w = random_weight<T>(m, n, 7, 1);
  exact expected = in_long_double(w);
  reference torch{exact(m, n), ratio};
  sigmax::muon<T> opt(w, options);
  long double worst = 0;
  for (int t = 0; t < 6; ++t) {
    options.learning_rate = 0.02 / (1 + t);
    opt.set_learning_rate(options.learning_rate);
    auto const g = rounded<T>(gaussian(m, n, 20 + static_cast<std::uint64_t>(t)));
    torch.step(expected, in_long_double(g), options);
    opt.step(w, g);
    worst = std::max(worst, spectral_distance(w, expected));
  }
  CHECK(opt.steps() == 6);
  return worst;
}

}  // namespace

TEST_CASE_TEMPLATE("a step is that of torch.optim.Muon", T, float, double) {
  figure error(sizeof(T) == 4 ? "muon float: distance to torch's formulas after 6 steps"
                              : "muon double: distance to torch's formulas after 6 steps");
  for (auto const shape : weight_shapes) {
    auto const m = static_cast<long double>(shape.rows);
    auto const n = static_cast<long double>(shape.cols);
    struct {
      adjustment by;
      long double ratio;
    } const adjustments[] = {{adjustment::none, 1},
                             {adjustment::original, std::sqrt(std::max(1.0L, m / n))},
                             {adjustment::match_rms_adamw, 0.2L * std::sqrt(std::max(m, n))},
                             {adjustment::spectral_norm, std::sqrt(m / n)},
                             {adjustment::longest_side, std::sqrt(std::max(m, n))}};
    for (auto const& adjust : adjustments) {
      for (bool const nesterov : {true, false}) {
        for (auto const form : {momentum_form::moving_average, momentum_form::heavy_ball}) {
          CAPTURE(shape.rows);
          CAPTURE(nesterov);
          // Rounding is amplified by the slope of the polynomial, 485 at 0, in the smallest singular values.
          error.see(worst_difference<T>({.nesterov = nesterov,
                                         .form_of_momentum = form,
                                         .weight_decay = 0.1,
                                         .adjust = adjust.by,
                                         .update_scale = 0.5,
                                         .normalize_by = sigmax::normalization::frobenius,
                                         .form = sigmax::polynomial_form::standard},
                                        shape.rows, shape.cols, adjust.ratio),
                    adjust.ratio * 0.05L * 500 * roundoff<T>() + 10 * roundoff<T>());
        }
      }
    }
  }
}

TEST_CASE("a first step on a diagonal gradient gives the published values of the polynomials") {
  auto const stepped = [](sigmax::polynomial_schedule const& schedule) {
    sigmax::matrix<double> w(3, 3), g(3, 3);
    g(0, 0) = 0.5;
    g(1, 1) = -0.1;
    g(2, 2) = std::sqrt(1 - 0.26);  // ||G||_F = 1
    sigmax::muon opt(w, {.learning_rate = 1,
                         .weight_decay = 0,
                         .schedule = schedule,
                         .normalize_by = sigmax::normalization::frobenius});
    opt.step(w, g);
    return std::vector<double>{w(0, 0), w(1, 1)};
  };
  // p(0.5) and p(0.1) of Jordan's quintic, the five-step and the six-step table: paper, section 3.2.
  struct {
    sigmax::polynomial_schedule schedule;
    double at_half, at_tenth;
  } const published[] = {{sigmax::schedules::muon, 0.765439, 0.71212},
                         {sigmax::schedules::you, 0.985869, 1.01905},
                         {sigmax::schedules::you_1024, 0.996171, 0.996136}};
  for (auto const& each : published) {
    auto const w = stepped(each.schedule);
    CHECK(w[0] == doctest::Approx(-each.at_half).epsilon(1e-5));
    CHECK(w[1] == doctest::Approx(each.at_tenth).epsilon(1e-5));
  }
}

TEST_CASE("defaults are torch's") {
  muon_options const o;
  CHECK(o.learning_rate == 1e-3);
  CHECK(o.weight_decay == 0.1);
  CHECK(o.momentum == 0.95);
  CHECK(o.nesterov);
  CHECK(o.adjust == adjustment::original);
  CHECK(o.schedule.size() == 5);
  CHECK(o.schedule[4][0] == 3.4445);
  CHECK(o.schedule[0][1] == -4.7750);
  CHECK(o.schedule[0][2] == 2.0315);
}

TEST_CASE_TEMPLATE("update_norm bounds the step, and is reached within the band of the schedule", T, float, double) {
  figure excess(sizeof(T) == 4 ? "muon float: ||dW|| / update_norm - 1" : "muon double: ||dW|| / update_norm - 1");
  for (auto const& schedule :
       {sigmax::schedules::muon, sigmax::schedules::you, sigmax::schedules::you_1024, sigmax::schedules::polar_express,
        sigmax::schedules::hard_cap, sigmax::polynomial_schedule()}) {
    for (auto const adjust : {adjustment::original, adjustment::match_rms_adamw, adjustment::spectral_norm}) {
      for (auto const shape : weight_shapes) {
        CAPTURE(schedule.name());
        auto w = random_weight<T>(shape.rows, shape.cols, 1, 1);
        bool const certified = shape.rows == 20;
        sigmax::muon<T> opt(
            w,
            {.learning_rate = 0.02, .weight_decay = 0, .adjust = adjust, .schedule = schedule, .certified = certified});
        for (int t = 0; t < 5; ++t) {
          auto const before = w;
          opt.step(w, rounded<T>(gaussian(shape.rows, shape.cols, 50 + static_cast<std::uint64_t>(t))));
          long double const moved = spectral_distance(w, before);
          auto const bound = static_cast<long double>(opt.update_norm());
          // W is of size 1: its rounding is u sqrt(rank).
          excess.see(moved / bound - 1, 5 * roundoff<T>() / bound + 200 * roundoff<T>());
          CHECK(moved >= 0.4L * bound);
          long double const in_rms = static_cast<long double>(opt.update_norm(sigmax::norm::rms));
          CHECK(static_cast<double>(in_rms * unit_of(sigmax::norm::rms, shape.rows, shape.cols) / bound) ==
                doctest::Approx(1).epsilon(1e-12));
        }
      }
    }
  }
  sigmax::matrix<T> w(4, 3);
  // learning_rate * adjustment * 1.20237 for the default; the proven end of the schedule, not its rounded statement.
  CHECK(sigmax::muon<T>(w, {.learning_rate = 0.02}).update_norm() ==
        doctest::Approx(0.02 * std::sqrt(4.0 / 3) * 1.2023).epsilon(1e-4));
  CHECK_THROWS_AS(sigmax::muon<T>(w).update_norm(sigmax::norm::linf), sigmax::domain_error);
}

TEST_CASE("row blocks step as matrices of their own, and a batch as its matrices") {
  index_t const heights[] = {6, 2, 4};
  auto fused = random_weight<float>(12, 5, 3, 0.9);
  sigmax::muon opt(fused, {.learning_rate = 0.05, .row_blocks = {6, 2, 4}});
  std::vector<sigmax::matrix<float>> parts, singles;
  for (index_t first = 0; auto const height : heights) {
    parts.push_back(sigmax::matrix<float>::copy_of(fused.view().block(first, 0, height, 5)));
    first += height;
  }
  singles = parts;
  sigmax::muon of_parts(parts, {.learning_rate = 0.05});
  std::vector<sigmax::muon<float>> of_singles;
  for (auto const& each : singles) of_singles.emplace_back(each, muon_options{.learning_rate = 0.05});
  sigmax::constraint::soft_cap const cap{.sigma_max = 1, .norm = sigmax::norm::rms, .certified = true};
  for (int t = 0; t < 8; ++t) {
    auto const g = rounded<float>(gaussian(12, 5, 70 + static_cast<std::uint64_t>(t)));
    std::vector<sigmax::matrix<float>> g_parts;
    for (index_t first = 0; auto const height : heights) {
      g_parts.push_back(sigmax::matrix<float>::copy_of(g.view().block(first, 0, height, 5)));
      first += height;
    }
    auto const together = opt.step(fused, g, cap);
    CHECK(of_parts.step(parts, g_parts, cap) == together);
    CHECK(together.matrices == 3);
    CHECK(together.proven == 3);
    for (std::size_t i = 0; i < 3; ++i) of_singles[i].step(singles[i], g_parts[i], cap);
    CHECK(same_bits(parts, singles));
    for (index_t b = 0, first = 0; b < 3; first += heights[b++]) {
      CHECK(same_bits(sigmax::matrix<float>::copy_of(fused.view().block(first, 0, heights[b], 5)),
                      parts[static_cast<std::size_t>(b)]));
    }
  }
}

TEST_CASE("embeddings move by columns or rows of RMS 1, inflated at most 16 times") {
  sigmax::matrix<double> g(4, 3);
  for (index_t i = 0; i < 4; ++i) {
    g(i, 0) = i % 2 == 0 ? 3 : -1;  // RMS sqrt(5)
    g(i, 2) = i == 0 ? 0.02 : 0.0;  // RMS 0.01: multiplied by 16
  }
  sigmax::matrix<double> w(4, 3);
  muon_options options{.learning_rate = 0.5, .momentum = 0, .weight_decay = 0, .dual_to = sigmax::duality::columns};
  sigmax::muon opt(w, options);
  opt.step(w, g);
  for (index_t i = 0; i < 4; ++i) {
    CHECK(w(i, 0) == doctest::Approx(-0.5 * g(i, 0) / std::sqrt(5.0)).epsilon(1e-15));
    CHECK(w(i, 1) == 0);
    CHECK(w(i, 2) == doctest::Approx(-0.5 * 16 * g(i, 2)).epsilon(1e-15));
  }
  CHECK(static_cast<double>(svd(w).sigma.front()) <= opt.update_norm());
  options.dual_to = sigmax::duality::rows;
  sigmax::matrix<double> transposed_w(3, 4);
  sigmax::muon by_rows(transposed_w, options);
  by_rows.step(transposed_w, g.view().transposed());
  CHECK(same_bits(sigmax::matrix<double>::copy_of(transposed_w.view().transposed()), w));
}

TEST_CASE_TEMPLATE("16-bit weights and gradients are rounded once a step", S, sigmax::bf16, sigmax::f16) {
  auto stored = random_weight<S>(9, 6, 3, 1);
  sigmax::matrix<float> wide(9, 6);
  sigmax::muon opt(stored, {.learning_rate = 0.1});
  sigmax::muon of_wide(wide, {.learning_rate = 0.1});
  for (int t = 0; t < 5; ++t) {
    auto const g = rounded<S>(gaussian(9, 6, 10 + static_cast<std::uint64_t>(t)));
    for (index_t i = 0; i < stored.size(); ++i) wide.data()[i] = static_cast<float>(stored.data()[i]);
    opt.step(stored, g);
    of_wide.step(wide, g);
    for (index_t i = 0; i < stored.size(); ++i) CHECK(stored.data()[i] == S(wide.data()[i]));
  }
}

TEST_CASE("any layout of weight and gradient gives the same bits, and only the weight is written") {
  auto const w = random_weight<float>(7, 5, 3, 1);
  auto const g = rounded<float>(gaussian(7, 5, 4));
  auto expected = w;
  sigmax::muon(w).step(expected, g);
  for_each_layout(w, [&](auto view) {
    for_each_layout(g, [&](auto gradient) {
      auto const before = sigmax::matrix<float>::copy_of(view);
      sigmax::muon opt(view);
      opt.step(view, gradient);
      CHECK(same_bits(sigmax::matrix<float>::copy_of(view), expected));
      for (index_t i = 0; i < 7; ++i) {
        for (index_t j = 0; j < 5; ++j) view(i, j) = before(i, j);
      }
    });
  });
}
