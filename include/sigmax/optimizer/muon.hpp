// SPDX-License-Identifier: MIT
/// @file
/// Muon: momentum, orthogonalized.
#pragma once

#include <cmath>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <sigmax/backend/default_backend.hpp>
#include <sigmax/bound/norm.hpp>
#include <sigmax/bound/rounding.hpp>
#include <sigmax/certified/scale_to.hpp>
#include <sigmax/config.hpp>
#include <sigmax/constraint/none.hpp>
#include <sigmax/constraint/step_info.hpp>
#include <sigmax/constraint/weight_constraint.hpp>
#include <sigmax/core/error.hpp>
#include <sigmax/core/matrix.hpp>
#include <sigmax/core/row_blocks.hpp>
#include <sigmax/core/workspace.hpp>
#include <sigmax/optimizer/adjustment.hpp>
#include <sigmax/optimizer/elementwise.hpp>
#include <sigmax/optimizer/muon_options.hpp>
#include <sigmax/optimizer/transaction.hpp>
#include <sigmax/polynomial/range.hpp>
#include <sigmax/spectral/argument.hpp>
#include <sigmax/spectral/cap.hpp>
#include <sigmax/spectral/orthogonalize.hpp>

namespace sigmax::inline SIGMAX_ABI {

namespace detail {

/// >= |p(x)| for x in what `orthogonalize` scales singular values to, for the schedule with its coefficients as they are
/// in T, proved. An empty schedule is the sign: 1. +infinity where nothing can be proved, under -ffast-math say.
template <real T>
double greatest_value(polynomial_schedule const& schedule) {
  if constexpr (strict_arithmetic<T>) {
    if (schedule.empty()) return 1;
    polynomial_schedule rounded(schedule.name(), {});
    for (auto const& step : schedule) rounded.append(step.template cast<T>().template cast<double>());
    auto const values = range(rounded, 0, std::fmin(schedule.upper(), 1.0));
    return max_up(values.upper, -values.lower);
  } else {
    return infinity;
  }
}

}  // namespace detail

/// Muon for one weight, or for a batch of them. T: the scalar of the state and of all arithmetic; weights and gradients
/// may be stored in T or, for float, in bf16 and f16, and are rounded once a step. Space: the memory they are in, and the
/// state; that of a device is made by the constructor that is given a backend.
///
///     M  <- mu M + (1 - mu) G,   G' = mu M + (1 - mu) G          (Nesterov; else G' = M)
///     W  <- (1 - learning_rate weight_decay) W - learning_rate adjustment update_scale p(G')
///     W  <- constraint(W)
///
/// with p(G') = U p(S) V^T, p the schedule, of every row block. torch.optim.Muon with normalize_by = frobenius, but for
/// its rounding of G' to bf16.
///
/// A step is a transaction: what is wrong with the gradient, the weight or an option throws before W or the state is
/// written. Deterministic: the same calls give the same bits. A warmed step allocates nothing. A copy of an optimizer is
/// a snapshot.
/// Cost of a step: that of `orthogonalize`, and about ten passes over W. Scratch: 2 m n scalars of T for every matrix,
/// 16-bit storage a copy more, and what `orthogonalize` and the constraint take.
/// Source: Jordan et al. 2024, "Muon"; Bernstein and Newhouse 2024 (arXiv 2409.20325); arXiv 2507.13338, section 3.
template <real T, class Space = host_space>
class muon {
 public:
  /// For weights of the shape of W, the state zero. W is not kept.
  /// @throws domain_error for options out of range, shape_error for row blocks that do not add up to its rows.
  template <class A>
    requires(detail::parameter_of<A, T, host_space>&& std::same_as<Space, host_space>)
  explicit muon(A const& w, muon_options const& options = {}) : muon(cpu::scalar(), w, options) {}
  /// The same in the memory of a backend.
  template <class B, class A>
    requires(detail::parameter_of<A, T, Space>&& std::same_as<typename B::space, Space>)
  muon(B const& on, A const& w, muon_options const& options = {})
      : options_(options),
        greatest_(detail::greatest_value<T>(options.schedule)),
        momentum_(detail::zeros_like<T>(on, w)) {
    detail::check_muon_options(options_);
    for (auto const& each : momentum_) {
      if (!options_.row_blocks.empty()) detail::check_row_blocks("muon", each.rows(), options_.row_blocks);
    }
  }

  /// One step, and then the constraint, of every row block by itself. W and the gradient have the shapes the optimizer was
  /// made for.
  /// @throws numeric_error if the gradient, W or a result is not finite, shape_error, and what the constraint throws. W
  /// and the state are untouched then.
  template <class B, writable_on<B> A, class G, constraint::weight_constraint C>
    requires(detail::parameter_of<A, T, Space>&& detail::parameter_of<G, T, Space>)
  constraint::outcome step(B const& given, A&& w, G const& gradient, C const& c) {
    detail::check_shapes("muon", "W", w, momentum_);
    detail::check_shapes("muon", "the gradient", gradient, momentum_);
    detail::require_certifiable<B, A>(c);
    auto& memory = own_.get(options_.scratch);
    auto const on = detail::with_scratch(given, memory);
    workspace::frame frame(memory);
    auto const next = detail::scratch_like<T>(momentum_, frame);
    auto const candidates = detail::scratch_like<T>(momentum_, frame);

    detail::for_each_view(gradient, [&](index_t b, auto view) {
      auto const i = static_cast<std::size_t>(b);
      detail::copy_elements(on, view, candidates[i]);
      detail::require_finite(on, "muon", "the gradient", candidates[i]);
      detail::average_gradient_on<B, T>(on, momentum_factors_of_step(), std::as_const(momentum_[i]).view(),
                                        candidates[i], next[i]);
      detail::require_finite(on, "muon", "the momentum", next[i]);
      detail::require_finite(on, "muon", "the direction", candidates[i]);
    });
    detail::block_batch<T, Space> blocks(candidates, options_.row_blocks);
    find_direction(on, blocks, memory);
    detail::for_each_view(w, [&](index_t b, auto view) { add_update(on, view, candidates, b); });

    auto result = constrain(on, blocks, c, memory);
    result += detail::store_candidates(on, "muon", w, c, momentum_, candidates, options_.row_blocks, memory);
    for (std::size_t i = 0; i < momentum_.size(); ++i) detail::copy_elements(on, next[i], momentum_[i].view());
    ++steps_;
    return result;
  }

  /// The same on the default backend.
  template <writable_argument A, class G, constraint::weight_constraint C, class B = default_backend<T>>
  constraint::outcome step(A&& w, G const& gradient, C const& c) {
    return step(B{}, w, gradient, c);
  }
  /// The same without a constraint.
  template <writable_argument A, class G, class B = default_backend<T>>
  constraint::outcome step(A&& w, G const& gradient) {
    return step(B{}, w, gradient, constraint::none{});
  }

  /// A bound of the norm of what the next step adds to W besides its decay, the largest of all row blocks:
  /// learning_rate adjustment update_scale max |p|, p on all singular values that normalisation leaves. Proved in interval
  /// arithmetic for the coefficients and the factor as they are in T, in exact arithmetic otherwise; with `certified`
  /// rounding in the direction is included. For columns and rows the Frobenius norm sqrt(m n) takes the place of max |p|.
  /// @throws domain_error unless `in` is l2 or rms.
  double update_norm(norm::any in = norm::l2) const {
    double largest = 0;
    for (auto const& each : momentum_) {
      for_each_shape(each.rows(), each.cols(), [&](index_t rows, index_t cols) {
        // ||dW|| <= u in l2 exactly if ||dW|| <= u / cap in the norm in which dW of l2 norm cap has norm 1.
        double const unit = detail::cap_in_l2("muon", 1, in, rows > 0 ? rows : 1, cols > 0 ? cols : 1);
        largest = max_up(largest, divide_up(update_norm_of(rows, cols), unit));
      });
    }
    return largest;
  }

  double learning_rate() const { return options_.learning_rate; }
  /// @throws domain_error unless it is finite and not negative, and at most 1 / weight_decay.
  void set_learning_rate(double value) {
    detail::check_rate_and_decay("muon", value, options_.weight_decay);
    options_.learning_rate = value;
  }
  muon_options const& options() const { return options_; }
  /// Steps taken.
  index_t steps() const { return steps_; }

  /// f(name, matrix_view) for every tensor of the state: "momentum", or "momentum.0", "momentum.1", ... of a batch.
  template <class F>
  void for_each_tensor(F const& f) {
    detail::for_each_state(momentum_, "momentum", f);
  }
  template <class F>
  void for_each_tensor(F const& f) const {
    detail::for_each_state(momentum_, "momentum", f);
  }

  /// f(name, double&) for every number of state and options, which with the tensors determine all that follows. f may
  /// change the learning rate, momentum, weight decay, scale, inflation and steps; the others are part of what the
  /// optimizer was made as.
  /// @throws domain_error if f changed one of those, or a number is out of range then.
  template <class F>
  void for_each_number(F const& f) {
    visit_numbers(*this, f);
    detail::check_muon_options(options_);
  }
  template <class F>
  void for_each_number(F const& f) const {
    visit_numbers(*this, f);
  }

 private:
  template <class Self, class F>
  static void visit_numbers(Self& self, F const& f) {
    auto& o = self.options_;
    detail::visit_number(f, "muon", "steps", self.steps_);
    detail::visit_number(f, "muon", "learning_rate", o.learning_rate);
    detail::visit_number(f, "muon", "momentum_factor", o.momentum);
    detail::visit_number(f, "muon", "weight_decay", o.weight_decay);
    detail::visit_number(f, "muon", "update_scale", o.update_scale);
    detail::visit_number(f, "muon", "max_inflation", o.max_inflation);
    auto const fixed = [&](std::string_view name, auto value) {
      detail::visit_fixed(f, "muon", name, static_cast<double>(value));
    };
    fixed("nesterov", o.nesterov);
    fixed("form_of_momentum", o.form_of_momentum);
    fixed("adjust", o.adjust);
    fixed("normalize_by", o.normalize_by);
    fixed("form", o.form);
    fixed("gram_error", o.gram_error);
    fixed("dual_to", o.dual_to);
    fixed("certified", o.certified);
    fixed("row_blocks", o.row_blocks.size());
    for (std::size_t i = 0; i < o.row_blocks.size(); ++i) fixed("row_blocks." + std::to_string(i), o.row_blocks[i]);
    fixed("schedule", o.schedule.size());
    fixed("schedule.upper", o.schedule.upper());
    for (int t = 0; t < o.schedule.size(); ++t) {
      for (int k = 0; k < o.schedule[t].terms(); ++k) {
        fixed("schedule." + std::to_string(t) + "." + std::to_string(k), o.schedule[t][k]);
      }
    }
  }

  /// f(rows, cols) for the blocks of a matrix.
  template <class F>
  void for_each_shape(index_t rows, index_t cols, F const& f) const {
    if (options_.row_blocks.empty()) return f(rows, cols);
    for (index_t const height : options_.row_blocks) f(height, cols);
  }

  momentum_factors<T> momentum_factors_of_step() const {
    return {.decay = T(options_.momentum),
            .rest = T(1 - options_.momentum),
            .moving_average = options_.form_of_momentum == momentum_form::moving_average,
            .nesterov = options_.nesterov};
  }

  /// What the direction of a block is multiplied by.
  T rate_of(index_t rows, index_t cols) const {
    double const by_shape =
        options_.dual_to == duality::spectral ? adjustment_factor(options_.adjust, rows, cols) : 1.0;
    return T(options_.learning_rate * by_shape * options_.update_scale);
  }

  double update_norm_of(index_t rows, index_t cols) const {
    double const rate = static_cast<double>(rate_of(rows, cols));
    if (options_.dual_to == duality::spectral) return multiply_up(rate, greatest_);
    // A column of RMS 1 has l2 norm sqrt(rows).
    double const frobenius = sqrt_up(multiply_up(static_cast<double>(rows), static_cast<double>(cols)));
    return multiply_up(rate, frobenius);
  }

  template <class B, class Blocks>
  void find_direction(B const& on, Blocks& blocks, workspace& memory) const {
    if (options_.dual_to == duality::spectral) {
      orthogonalize(on, blocks,
                    {.schedule = options_.schedule,
                     .normalize_by = options_.normalize_by,
                     .form = options_.form,
                     .gram_error = options_.gram_error,
                     .scratch = &memory});
      if constexpr (detail::certifiable_on<B, matrix_view<T, Space>>) {
        if (!options_.certified) return;
        for (std::size_t b = 0; b < blocks.size(); ++b) {
          if (!blocks[b].empty()) scale_to(on, blocks[b], greatest_, {.scratch = &memory});
        }
      }
      return;
    }
    for (std::size_t b = 0; b < blocks.size(); ++b) {
      auto const block = blocks[b];
      detail::normalize_rows_on<B, T>(on, T(1 / options_.max_inflation),
                                      options_.dual_to == duality::rows ? block : block.transposed());
    }
  }

  /// candidates[b] <- (1 - learning_rate weight_decay) W - rate candidates[b], by row blocks.
  template <class B, class S>
  void add_update(B const& on, matrix_view<S, Space> w, std::span<matrix_view<T, Space>> candidates, index_t b) const {
    auto const candidate = candidates[static_cast<std::size_t>(b)];
    T const kept = T(1 - options_.learning_rate * options_.weight_decay);
    index_t first = 0;
    for_each_shape(w.rows(), w.cols(), [&](index_t rows, index_t cols) {
      detail::combine_stored(on, kept, w.block(first, 0, rows, cols), T(-rate_of(rows, cols)),
                             candidate.block(first, 0, rows, cols));
      first += rows;
    });
    detail::require_finite(on, "muon", "W after the step", candidate);
  }

  /// The map of the constraint, on all blocks at once where they have one update norm, as threads share them then.
  template <class B, class Blocks, class C>
  constraint::outcome constrain(B const& on, Blocks& blocks, C const& c, workspace& memory) const {
    constraint::step_info info{.learning_rate = options_.learning_rate,
                               .weight_decay = options_.learning_rate * options_.weight_decay,
                               .scratch = &memory};
    double const first = blocks.size() > 0 ? update_norm_of(blocks[0].rows(), blocks[0].cols()) : 0.0;
    bool alike = true;
    for (std::size_t b = 0; b < blocks.size(); ++b) {
      alike = alike && update_norm_of(blocks[b].rows(), blocks[b].cols()) == first;
    }
    if (alike) {
      info.update_norm = first;
      return c.constrain(on, blocks, info);
    }
    constraint::outcome result;
    for (std::size_t b = 0; b < blocks.size(); ++b) {
      auto const block = blocks[b];
      info.update_norm = update_norm_of(block.rows(), block.cols());
      result += c.constrain(on, block, info);
    }
    return result;
  }

  muon_options options_;
  double greatest_;
  detail::optimizer_state<T, Space> momentum_;
  index_t steps_ = 0;
  detail::own_workspace own_;
};

/// The scalar of the state follows from the weight.
template <class A>
muon(A const&, muon_options const& = {}) -> muon<compute_t<detail::argument_value_t<A>>>;
template <class B, class A>
  requires(writable_argument<A>)
muon(B const&, A const&, muon_options const& = {})
->muon<compute_t<detail::argument_value_t<A>>, typename B::space>;

}  // namespace sigmax::inline SIGMAX_ABI
