// SPDX-License-Identifier: MIT
/// @file
/// The least bound by Newton's method on a barrier: few, expensive steps, and an end that says how near the optimum is.
/// Nothing here proves anything.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

#include <sigmax/backend/concept.hpp>
#include <sigmax/bound/rounding.hpp>
#include <sigmax/config.hpp>
#include <sigmax/core/matrix.hpp>
#include <sigmax/core/workspace.hpp>
#include <sigmax/lipschitz/check/multiplier_proof.hpp>
#include <sigmax/lipschitz/check/slope_system.hpp>

namespace sigmax::inline SIGMAX_ABI::lipschitz::search {

/// Multiply-adds of one step of `interior_point` for this many inputs, neurons and outputs.
inline double interior_point_work(double inputs, double neurons, double outputs) {
  double const order = inputs + neurons + outputs;
  return order * order * order / 6 + order * order * (neurons + inputs / 2) + 2 * order * neurons * neurons +
         2 * order * neurons * inputs + neurons * neurons * neurons / 6;
}

/// Minimises F over Q(F, Lambda) > 0, the matrix of check::multipliers_prove, along the minimisers of
///     t F - log det Q(F, Lambda) - sum of log lambda over neurons with p > 0        (t -> infinity).
///
/// With u = e - alpha a and w = e - beta a for a neuron of row a, dQ / d lambda = (u w^T + w u^T) / 2, so for S = Q^-1
/// the gradient is -u^T S w and the Hessian ((U^T S U) o (W^T S W) + (U^T S W) o (U^T S W)^T) / 2, all from
/// L^-1 (U, W) with Q = L L^T. A minimiser at t is within order / t of the optimum (Boyd and Vandenberghe, 11.2.2).
/// Variables are scaled by the current point before each step.
template <class B>
class interior_point {
 public:
  /// `maps(i, j)` is the matrix A_ij or nullptr; source 0 has `inputs` elements.
  interior_point(B const& on, check::slope_system const& system, index_t inputs,
                 std::function<matrix<double> const*(std::size_t, std::size_t)> maps)
      : on_(sigmax::detail::with_scratch(on, memory_)), system_(system), maps_(std::move(maps)) {
    first_.push_back(0);
    first_.push_back(inputs);
    for (std::size_t k = 1; k <= system.blocks(); ++k) {
      first_.push_back(first_.back() + system.width(k));
      for (interval const s : system.slopes(k)) {
        auto const about = check::centred(s);
        low_.push_back(about.centre - about.radius);
        high_.push_back(about.centre + about.radius);
      }
    }
    inputs_ = inputs;
    neurons_ = static_cast<index_t>(low_.size());
    order_ = first_.back() + system.outputs();
    for (factored* const each : {&at_, &trial_}) {
      each->lower = matrix<double>(order_, order_);
      each->rows = matrix<double>(neurons_ + system.outputs(), order_);
    }
  }

  interior_point(interior_point const&) = delete;
  interior_point& operator=(interior_point const&) = delete;

  /// From a point inside, log F and log multipliers, which are improved in place until the path has moved log F by less
  /// than `least_gain` in a stage that divided 1 / t by three or more, or until `stopped` says so. The first minimiser
  /// sought is about 1 / `first_pressure` above the least F, relatively.
  /// @return true if the path was followed to that end.
  bool run(double& log_bound, std::vector<double>& theta, double least_gain, std::function<bool()> const& stopped,
           double first_pressure = 1) {
    double const parameter = static_cast<double>(order_ + neurons_);
    double pressure = first_pressure * parameter;  // t F
    double before_stage = infinity;
    for (int stage = 0; stage < 100; ++stage) {
      bool centred = false;
      anchor_ = theta;
      for (int step = 0; step < 200 && !centred; ++step) {
        if (stopped()) return false;
        double const before = log_bound;
        double const decrement = newton_step(log_bound, theta, pressure);
        if (!is_finite(decrement)) return false;
        centred = decrement < 0.5;
        // t stays as F falls, but is never so small that the barrier alone would rule.
        pressure = std::fmax(pressure * std::exp(log_bound - before), 0.6 * parameter);
      }
      if (!centred) return false;
      double const before = log_bound;
      double const kept = advance(log_bound, theta, pressure, 0.9);
      if (!(kept < 1)) return false;
      pressure *= std::exp(log_bound - before) / kept;
      if (kept < 0.34 && before_stage - before < least_gain) return true;
      before_stage = before;
    }
    return false;
  }

 private:
  struct factored {
    bool positive = false;
    double log_determinant = 0;
    matrix<double> lower;
    matrix<double> rows;  // scaled maps: neuron n's row of z, then the outputs
  };

  /// Q scaled by the point itself, so that its diagonal is 1 before the terms of curvature; its factor.
  void factor(double log_bound, std::vector<double> const& theta, factored& result) {
    result.positive = false;
    result.log_determinant = 0;
    index_t const outputs = system_.outputs();
    set_zero(result.lower);
    std::vector<double> root(static_cast<std::size_t>(order_), 1.0);
    for (index_t i = 0; i < inputs_; ++i) root[static_cast<std::size_t>(i)] = std::exp(0.5 * log_bound);
    for (index_t n = 0; n < neurons_; ++n) {
      root[static_cast<std::size_t>(inputs_ + n)] = std::exp(0.5 * theta[static_cast<std::size_t>(n)]);
    }
    for (std::size_t j = 1; j <= system_.blocks() + 1; ++j) {
      for (std::size_t i = 0; i < j; ++i) {
        auto const* const a = maps_(i, j);
        if (a == nullptr) continue;
        for (index_t n = 0; n < a->rows(); ++n) {
          index_t const row = first_[j] + n;  // of the order; outputs follow the neurons
          double const own = root[static_cast<std::size_t>(row)];
          for (index_t c = 0; c < a->cols(); ++c) {
            index_t const at = first_[i] + c;
            result.rows(row - inputs_, at) = own * (*a)(n, c) / root[static_cast<std::size_t>(at)];
          }
        }
      }
    }
    auto& q = result.lower;
    bool curved = false;
    for (index_t n = 0; n < neurons_ + outputs; ++n) {
      double const centre = n < neurons_ ? -0.5 * (low(n) + high(n)) : 1.0;
      for (index_t c = 0; c < inputs_ + n; ++c) q(inputs_ + n, c) = centre * result.rows(n, c);
      curved = curved || (n < neurons_ && std::fabs(low(n) * high(n)) > 1e-14);
    }
    for (index_t i = 0; i < order_; ++i) q(i, i) += 1;
    if (curved) {
      if (weighted_.empty()) weighted_ = matrix<double>(neurons_, order_);
      for (index_t n = 0; n < neurons_; ++n) {
        for (index_t c = 0; c < order_; ++c) weighted_(n, c) = low(n) * high(n) * result.rows(n, c);
      }
      auto const a = result.rows.view().block(0, 0, neurons_, order_);
      on_.multiply(1.0, a.transposed(), weighted_.view(), 1.0, q.view(), q.view());
    }
    if (on_.cholesky(q.view()) != order_) return;
    result.positive = true;
    for (index_t i = 0; i < order_; ++i) {
      result.positive = result.positive && q(i, i) > 0;
      result.log_determinant += 2 * std::log(q(i, i));
    }
  }

  /// The multiplier of a neuron that hardly matters grows for ever at no price; a small linear one holds it.
  double holding(std::vector<double> const& theta, index_t n) const {
    auto const at = static_cast<std::size_t>(n);
    return 0.01 * std::exp(theta[at] - anchor_[at]);
  }

  double low(index_t n) const { return low_[static_cast<std::size_t>(n)]; }
  double high(index_t n) const { return high_[static_cast<std::size_t>(n)]; }
  bool needs_sign(index_t n) const { return low(n) * high(n) > 1e-14; }

  /// The barrier's value at a point; the determinant without the scaling of the point.
  double value(double log_bound, std::vector<double> const& theta, double pressure, double reference) {
    factor(log_bound, theta, trial_);
    if (!trial_.positive) return infinity;
    double result =
        pressure * std::exp(log_bound - reference) - trial_.log_determinant - static_cast<double>(inputs_) * log_bound;
    for (index_t n = 0; n < neurons_; ++n) {
      result += holding(theta, n) - (needs_sign(n) ? 2 : 1) * theta[static_cast<std::size_t>(n)];
    }
    return result;
  }

  /// The barrier's gradient and the Cholesky factor of its Hessian, and what they are made of.
  struct model {
    matrix<double> hessian, gradient, y, s00, uu, ww, uw, wu, u0, w0;
    bool usable = false;

    model(index_t inputs, index_t neurons, index_t order)
        : hessian(neurons + 1, neurons + 1),
          gradient(neurons + 1, 1),
          y(inputs + 2 * neurons, order),
          s00(inputs, inputs),
          uu(neurons, neurons),
          ww(neurons, neurons),
          uw(neurons, neurons),
          wu(neurons, neurons),
          u0(neurons, inputs),
          w0(neurons, inputs) {}
  };

  /// The model at the point that `at_` holds.
  model const& model_of(std::vector<double> const& theta, double pressure) {
    if (!model_) model_.emplace(inputs_, neurons_, order_);
    auto& [hessian, gradient, y, s00, uu, ww, uw, wu, u0, w0, usable] = *model_;
    auto const& at = at_;
    index_t const n_all = neurons_ + 1;
    // Y^T = (I_0, U, W)^T L^-T
    set_zero(y);
    for (index_t i = 0; i < inputs_; ++i) y(i, i) = 1;
    for (index_t n = 0; n < neurons_; ++n) {
      y(inputs_ + n, inputs_ + n) = 1;
      y(inputs_ + neurons_ + n, inputs_ + n) = 1;
      for (index_t c = 0; c < inputs_ + n; ++c) {
        y(inputs_ + n, c) -= low(n) * at.rows(n, c);
        y(inputs_ + neurons_ + n, c) -= high(n) * at.rows(n, c);
      }
    }
    on_.triangular_solve(at.lower.view(), y.view().transposed());
    auto const y0 = y.view().block(0, 0, inputs_, order_);
    auto const yu = y.view().block(inputs_, 0, neurons_, order_);
    auto const yw = y.view().block(inputs_ + neurons_, 0, neurons_, order_);
    on_.gram(1.0, y0, 0.0, s00.view(), s00.view());
    on_.gram(1.0, yu, 0.0, uu.view(), uu.view());
    on_.gram(1.0, yw, 0.0, ww.view(), ww.view());
    on_.multiply(1.0, yu, yw.transposed(), 0.0, uw.view(), uw.view());
    on_.multiply(1.0, yu, y0.transposed(), 0.0, u0.view(), u0.view());
    on_.multiply(1.0, yw, y0.transposed(), 0.0, w0.view(), w0.view());
    // Read by rows below.
    on_.combine(1.0, uw.view().transposed(), 0.0, wu.view());
    double trace = 0;
    for (index_t i = 0; i < inputs_; ++i) trace += s00(i, i);
    gradient(neurons_, 0) = pressure - trace;
    hessian(neurons_, neurons_) = on_.sum_squares(s00.view());
    for (index_t n = 0; n < neurons_; ++n) {
      gradient(n, 0) = holding(theta, n) - uw(n, n) - (needs_sign(n) ? 1 : 0);
      for (index_t m = 0; m <= n; ++m) hessian(n, m) = 0.5 * (uu(n, m) * ww(n, m) + uw(n, m) * wu(n, m));
      hessian(n, n) += needs_sign(n) ? 1 : 0;
      double cross = 0;
      for (index_t i = 0; i < inputs_; ++i) cross += u0(n, i) * w0(n, i);
      hessian(neurons_, n) = cross;
    }
    for (index_t n = 0; n < n_all; ++n) hessian(n, n) *= 1 + 1e-13;
    usable = on_.cholesky(hessian.view()) == n_all;
    return *model_;
  }

  /// The point after a relative step of this length; false where it leaves the positive numbers.
  bool move(matrix<double> const& step, double length, double& log_bound, std::vector<double>& theta) const {
    log_bound = moved(log_bound, -length * step(neurons_, 0));
    bool inside = is_finite(log_bound);
    for (std::size_t n = 0; n < theta.size(); ++n) {
      theta[n] = moved(theta[n], -length * step(static_cast<index_t>(n), 0));
      inside = inside && is_finite(theta[n]);
    }
    return inside;
  }

  bool is_inside(double log_bound, std::vector<double> const& theta) {
    factor(log_bound, theta, trial_);
    return trial_.positive;
  }

  /// Along the tangent of the path of minimisers, as a function of 1 / t, by up to `part` of the way to 1 / t = 0. (A step
  /// of Newton for a much larger t would overshoot by the factor of t.) @return the factor by which 1 / t was changed.
  double advance(double& log_bound, std::vector<double>& theta, double pressure, double part) {
    factor(log_bound, theta, at_);
    if (!at_.positive) return infinity;
    auto const& here = model_of(theta, pressure);
    if (!here.usable) return infinity;
    matrix<double> step(neurons_ + 1, 1);
    step(neurons_, 0) = pressure;
    on_.triangular_solve(here.hessian.view(), step.view());
    on_.triangular_solve_transposed(here.hessian.view(), step.view());
    for (int trial = 0; trial < 20; ++trial, part *= 0.75) {
      double next_bound = log_bound;
      auto next = theta;
      if (!move(step, part / 0.95, next_bound, next) || !is_inside(next_bound, next)) continue;
      next_bound = log_bound;
      next = theta;
      move(step, part, next_bound, next);
      if (!is_inside(next_bound, next)) continue;
      log_bound = next_bound;
      theta = std::move(next);
      return 1 - part;
    }
    return infinity;
  }

  /// One step of Newton's method. @return its decrement, +infinity where the point is not inside.
  double newton_step(double& log_bound, std::vector<double>& theta, double pressure) {
    factor(log_bound, theta, at_);
    if (!at_.positive) return infinity;
    auto const& here = model_of(theta, pressure);
    if (!here.usable) return infinity;
    matrix<double> step = here.gradient;
    on_.triangular_solve(here.hessian.view(), step.view());
    double const decrement = std::sqrt(on_.sum_squares(step.view()));
    on_.triangular_solve_transposed(here.hessian.view(), step.view());
    double const before = value_of(at_, log_bound, theta, pressure);
    double length = 1;
    for (int trial = 0; trial < 14; ++trial, length *= 0.5) {
      double next_bound = log_bound;
      auto next = theta;
      if (!move(step, length, next_bound, next)) continue;
      if (!(value(next_bound, next, pressure, log_bound) < before + 1e-9 * std::fabs(before))) continue;
      log_bound = next_bound;
      theta = std::move(next);
      return decrement;
    }
    return infinity;
  }

  double value_of(factored const& at, double log_bound, std::vector<double> const& theta, double pressure) const {
    double result = pressure - at.log_determinant - static_cast<double>(inputs_) * log_bound;
    for (index_t n = 0; n < neurons_; ++n) {
      result += holding(theta, n) - (needs_sign(n) ? 2 : 1) * theta[static_cast<std::size_t>(n)];
    }
    return result;
  }

  static void set_zero(matrix<double>& x) { std::fill_n(x.data(), x.size(), 0.0); }

  /// log(e^t (1 + relative))
  static double moved(double t, double relative) { return relative > -1 ? t + std::log1p(relative) : -infinity; }

  workspace memory_;
  B on_;
  check::slope_system const& system_;
  std::function<matrix<double> const*(std::size_t, std::size_t)> maps_;
  std::vector<index_t> first_;  // of each source and the output in the order of all
  std::vector<double> low_;
  std::vector<double> high_;
  std::vector<double> anchor_;
  index_t inputs_ = 0;
  index_t neurons_ = 0;
  index_t order_ = 0;
  // Memory of all steps: to allocate it for each would take a fifth of their time.
  factored at_;
  factored trial_;
  std::optional<model> model_;
  matrix<double> weighted_;
};

}  // namespace sigmax::inline SIGMAX_ABI::lipschitz::search
