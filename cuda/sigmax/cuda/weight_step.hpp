// SPDX-License-Identifier: MIT
/// @file
/// The step of all weights of a network on the device, as one CUDA graph: orthogonalize, update, soft cap.
#pragma once

#include <cmath>
#include <cstddef>
#include <span>
#include <utility>
#include <vector>

#include <sigmax/bound/norm.hpp>
#include <sigmax/config.hpp>
#include <sigmax/core/error.hpp>
#include <sigmax/cuda/error.hpp>
#include <sigmax/cuda/library/weight_step.hpp>
#include <sigmax/cuda/operand.hpp>
#include <sigmax/optimizer/adjustment.hpp>
#include <sigmax/polynomial/polynomial_schedule.hpp>
#include <sigmax/polynomial/schedules.hpp>
#include <sigmax/polynomial/soft_cap.hpp>
#include <sigmax/spectral/cap.hpp>
#include <sigmax/spectral/orthogonalize.hpp>
#include <sigmax/spectral/plan.hpp>

namespace sigmax::inline SIGMAX_ABI::gpu {

using SIGMAX_CUDA_LIBRARY::element_kind;

/// A weight W and its direction G (momentum or gradient), both rows x cols and row-major in device memory; strides in
/// elements, 0 for rows without a gap. G is read only; null: W is only capped.
struct weight_entry {
  void* weight = nullptr;
  void const* direction = nullptr;
  index_t rows = 0;
  index_t cols = 0;
  element_kind weight_kind = element_kind::f32;
  element_kind direction_kind = element_kind::f32;
  index_t weight_stride = 0;
  index_t direction_stride = 0;
};

/// Options of `weight_step`.
struct weight_step_options {
  /// What is multiplied. bf16: standard form. f16: Gram form with a restart after the second step, more exact at less
  /// work. tf32: the same forms, half the speed.
  operand_kind kind = operand_kind::f16;
  /// Cubics and quintics. Muon's own: schedules::muon.
  polynomial_schedule schedule = schedules::polar_express_5;
  normalization normalize_by = normalization::gram;
  double learning_rate = 1e-3;
  double weight_decay = 0.1;
  adjustment adjust = adjustment::original;
  /// The soft cap, in `norm`; 0: none. It takes back exactly what an update of the schedule's norm can add.
  double sigma_max = 0;
  norm::any norm = norm::l2;
};

namespace detail {

/// Of the products, beyond the schedule's own domain: how much rounding can add to a norm, and to the norm of a result.
constexpr double step_margin(operand_kind kind) { return kind == operand_kind::bf16 ? 0x1p-7 : 0x1p-9; }
constexpr double result_margin(operand_kind kind) { return kind == operand_kind::bf16 ? 0.02 : 0.04; }

/// How the schedule is carried out on operands of this kind (measured: bf16 does not survive the Gram form; the others do
/// with a restart after the second step and after every third at the most).
inline polynomial_plan step_plan(operand_kind kind, polynomial_schedule const& schedule, index_t rows, index_t cols) {
  plan_options options;
  options.form = kind == operand_kind::bf16 ? polynomial_form::standard : polynomial_form::automatic;
  options.unit_roundoff = 0x1p-11;
  options.gram_error = kind == operand_kind::bf16 ? 1e-30 : 0.6;
  return plan_polynomial(rows, cols, schedule, options);
}

}  // namespace detail

/// One step of a list of weights of mixed shapes, in groups of equal shape, as one CUDA graph without a decision of the
/// host in it:
///
///     O = p(G / s),  W <- (1 - lr wd) W - lr a O,  W <- soft_cap(W)
///
/// with s >= ||G||_2 from G's Gram matrix and its square (Wolkowicz, Styan) or ||G||_F, a the adjustment by shape, and the
/// soft cap of arXiv 2507.13338 whose strength is solved on the host from the norm an update can have.
///
/// Estimate, not a proof: everything is computed in 16-bit or tf32 products with sums in float; prove a bound of what is
/// stored with `prove_norm_at_most`. Precision: the singular values of O lie in the schedule's band up to about 1 % (f16)
/// or 2 % (bf16).
/// Failure: a reduction over all weights and directions runs before the first write; if an element is NaN or infinite no
/// weight of this launch is written, and `check` throws. Same input, same bits on one device model.
/// Memory: operands of the largest group twice, five squares of its short side, 32 MiB. Nothing is allocated by `launch`.
/// Not for two threads at a time; launches of one object must not overlap, nor weights share elements (not checked).
class weight_step {
 public:
  /// @throws shape_error for an empty list or extents not above 0, domain_error for a null pointer, a schedule with other than
  /// cubic or quintic steps or rates and caps out of range, cuda_error. Waits for the device.
  explicit weight_step(std::span<weight_entry const> weights, weight_step_options const& options = {})
      : entries_(weights.begin(), weights.end()), options_(options) {
    auto const settings = checked_settings();
    std::vector<library::step_weight> list;
    for (std::size_t i = 0; i < entries_.size(); ++i) list.push_back(checked_weight(i));
    numbers_ = numbers_for(options_.learning_rate, options_.weight_decay);
    detail::check(library::create_step_state(list.data(), static_cast<int>(list.size()), settings, &state_),
                  "weight_step");
  }
  weight_step(weight_step&& other) noexcept
      : entries_(std::move(other.entries_)),
        options_(std::move(other.options_)),
        numbers_(std::move(other.numbers_)),
        numbers_are_put_(other.numbers_are_put_),
        state_(std::exchange(other.state_, nullptr)) {}
  weight_step& operator=(weight_step&&) = delete;
  weight_step(weight_step const&) = delete;
  weight_step& operator=(weight_step const&) = delete;
  ~weight_step() { library::destroy_step_state(state_); }

  /// Of the launches that follow. @throws domain_error for rates out of range or a step too large for the cap.
  void set_rates(double learning_rate, double weight_decay) {
    numbers_ = numbers_for(learning_rate, weight_decay);
    numbers_are_put_ = false;
  }

  /// Puts the step on the stream and returns.
  void launch(library::stream on) {
    if (!numbers_are_put_) {
      detail::check(library::put_step_numbers(state_, on, numbers_.data()), "weight_step");
      numbers_are_put_ = true;
    }
    detail::check(library::launch_step(state_, on), "weight_step");
  }

  /// Waits for the stream. @throws numeric_error naming the first weight with an element not finite, in it or in its
  /// direction, since the last check: no weight was written by those launches.
  void check(library::stream on) {
    int bad = -1;
    detail::check(library::check_step(state_, on, &bad), "weight_step");
    if (bad >= 0) {
      sigmax::detail::raise<numeric_error>({"weight_step: weight ", bad,
                                            " or its direction has an element that is NaN "
                                            "or infinite; no weight was changed"});
    }
  }

  std::size_t memory_bytes() const { return library::step_memory_bytes(state_); }

  /// FLOPs of a launch, as units of the plans say: a symmetric result costs half.
  double flops() const {
    double sum = 0;
    for (auto const& e : entries_) {
      auto const m = static_cast<double>(e.rows < e.cols ? e.rows : e.cols);
      auto const a = static_cast<double>(e.rows < e.cols ? e.cols : e.rows) / m;
      if (e.direction != nullptr) sum += detail::step_plan(options_.kind, options_.schedule, e.rows, e.cols).flops();
      if (options_.sigma_max > 0) sum += (3 * a + 2) * m * m * m;
    }
    return sum;
  }

 private:
  library::step_settings checked_settings() const {
    if (entries_.empty()) sigmax::detail::raise<shape_error>({"weight_step: the list of weights is empty"});
    auto const& schedule = options_.schedule;
    if (schedule.empty()) sigmax::detail::raise<domain_error>({"weight_step: schedule is empty; it must have a step"});
    library::step_settings settings;
    settings.kind = options_.kind;
    settings.steps = schedule.size();
    settings.margin = static_cast<float>(1 + detail::step_margin(options_.kind));
    settings.normalize_by_frobenius = options_.normalize_by == normalization::frobenius;
    settings.cap = options_.sigma_max > 0;
    double const domain = schedule.upper() < 1 ? schedule.upper() : 1.0;
    for (int t = 0; t < schedule.size(); ++t) {
      if (schedule[t].terms() < 1 || schedule[t].terms() > 3) {
        sigmax::detail::raise<domain_error>({"weight_step: step ", t + 1, " of the schedule has degree ",
                                             schedule[t].degree(), "; it must be at most 5"});
      }
      auto const p = t == 0 ? schedule[t].scaled(1, 1 / domain) : schedule[t];
      for (int k = 0; k < 3; ++k) settings.polynomial[t][k] = static_cast<float>(p[k]);
    }
    return settings;
  }

  library::step_weight checked_weight(std::size_t i) const {
    auto const& e = entries_[i];
    auto const place = static_cast<index_t>(i);
    if (e.rows <= 0 || e.cols <= 0) {
      sigmax::detail::raise<shape_error>(
          {"weight_step: weight ", place, " is ", e.rows, " x ", e.cols, "; extents must be above 0"});
    }
    if (e.weight == nullptr) sigmax::detail::raise<domain_error>({"weight_step: weight ", place, " is null"});
    index_t const weight_stride = e.weight_stride == 0 ? e.cols : e.weight_stride;
    index_t const direction_stride = e.direction_stride == 0 ? e.cols : e.direction_stride;
    if (weight_stride < e.cols || direction_stride < e.cols) {
      sigmax::detail::raise<shape_error>({"weight_step: the row strides of weight ", place, " are ", weight_stride,
                                          " and ", direction_stride, "; they must be at least its ", e.cols,
                                          " columns"});
    }
    detail::require_device_pointer(e.weight, "weight_step", "weight");
    if (e.direction != nullptr) detail::require_device_pointer(e.direction, "weight_step", "direction");
    library::step_weight result{
        e.weight, e.direction, e.weight_kind, e.direction_kind, e.rows, e.cols, weight_stride, direction_stride, {}};
    auto const plan = detail::step_plan(options_.kind, options_.schedule, e.rows, e.cols);
    for (int t = 0; t < plan.steps; ++t) result.starts_segment[t] = plan.starts_segment[t];
    return result;
  }

  std::vector<library::step_numbers> numbers_for(double learning_rate, double weight_decay) const {
    if (!(learning_rate >= 0) || !std::isfinite(learning_rate) || !(weight_decay >= 0) ||
        !(learning_rate * weight_decay <= 1)) {
      sigmax::detail::raise<domain_error>({"weight_step: learning_rate is ", learning_rate, " and weight_decay ",
                                           weight_decay, "; neither may be negative, their product at most 1"});
    }
    double const greatest = options_.schedule.greatest() * (1 + detail::result_margin(options_.kind));
    std::vector<library::step_numbers> all;
    for (auto const& e : entries_) {
      library::step_numbers n;
      bool const moves = e.direction != nullptr;
      double const move = moves ? learning_rate * adjustment_factor(options_.adjust, e.rows, e.cols) : 0.0;
      double const decay = moves ? learning_rate * weight_decay : 0.0;
      n.keep = static_cast<float>(1 - decay);
      n.move = static_cast<float>(-move);
      if (options_.sigma_max > 0) {
        double const cap = sigmax::detail::cap_in_l2("weight_step", options_.sigma_max, options_.norm, e.rows, e.cols);
        double const alpha = soft_cap_strength(1, move * greatest / cap, decay);
        auto const p = soft_cap_polynomial<double>(alpha);
        n.cap_width = static_cast<float>(cap);
        for (int k = 0; k < 3; ++k) n.cap[k] = static_cast<float>(p[k + 2]);
      }
      all.push_back(n);
    }
    return all;
  }

  std::vector<weight_entry> entries_;
  weight_step_options options_;
  std::vector<library::step_numbers> numbers_;
  bool numbers_are_put_ = false;
  library::step_state* state_ = nullptr;
};

}  // namespace sigmax::inline SIGMAX_ABI::gpu
