// SPDX-License-Identifier: MIT
/// @file
/// AdamW, with its update measured where a constraint asks for that.
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
#include <sigmax/certified/gram.hpp>
#include <sigmax/config.hpp>
#include <sigmax/constraint/none.hpp>
#include <sigmax/constraint/step_info.hpp>
#include <sigmax/constraint/weight_constraint.hpp>
#include <sigmax/core/error.hpp>
#include <sigmax/core/matrix.hpp>
#include <sigmax/core/row_blocks.hpp>
#include <sigmax/core/workspace.hpp>
#include <sigmax/optimizer/elementwise.hpp>
#include <sigmax/optimizer/rate_and_decay.hpp>
#include <sigmax/optimizer/transaction.hpp>
#include <sigmax/spectral/argument.hpp>

namespace sigmax::inline SIGMAX_ABI {

/// Options of `adamw`. Names and defaults are those of torch.optim.AdamW (beta1 and beta2 its `betas`, b1 and b2 of
/// optax.adamw, whose `weight_decay` and `eps` mean the same).
struct adamw_options {
  /// Of the next step; `adamw::set_learning_rate` changes it.
  double learning_rate = 1e-3;
  /// In [0, 1).
  double beta1 = 0.9;
  double beta2 = 0.999;
  /// Added to the root, at least 0.
  double eps = 1e-8;
  /// Decoupled: W <- (1 - learning_rate weight_decay) W before the update.
  double weight_decay = 1e-2;
  /// Divide the averages by 1 - beta^t. arXiv 2507.13338 does not.
  bool bias_correction = true;
  /// Heights of row blocks that the constraint takes one by one. Empty: the whole.
  std::vector<index_t> row_blocks = {};
  /// Scratch memory to share between optimizers; each has its own where none is given.
  workspace* scratch = nullptr;
};

namespace detail {

template <class = void>
void check_adamw_options(adamw_options const& o) {
  check_rate_and_decay("adamw", o.learning_rate, o.weight_decay);
  for (double const beta : {o.beta1, o.beta2}) {
    if (beta >= 0 && beta < 1) continue;
    raise<domain_error>({"adamw: beta1 is ", o.beta1, " and beta2 ", o.beta2, "; both must be at least 0 and below 1"});
  }
  if (!(o.eps >= 0) || !is_finite(o.eps)) {
    raise<domain_error>({"adamw: eps is ", o.eps, "; it must be finite and not negative"});
  }
}

}  // namespace detail

/// AdamW for one weight, or for a batch of them; W may be a matrix of one row. T: the scalar of the state and of all
/// arithmetic; weights and gradients may be stored in T or, for float, in bf16 and f16, and are rounded once a step. Space:
/// the memory they are in, and the state; that of a device is made by the constructor that is given a backend.
///
///     m <- beta1 m + (1 - beta1) G,   v <- beta2 v + (1 - beta2) G^2
///     W <- (1 - learning_rate weight_decay) W - learning_rate (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + eps)
///     W <- constraint(W)
///
/// One matrix of zeros among the gradients does not divide by zero for eps = 0: its update is 0.
/// Nothing is known of the norm of such an update beforehand. For constraints that ask for it (`soft_cap`) it is measured,
/// proven by Gram iteration on the update as computed.
///
/// A step is a transaction, deterministic, and allocates nothing once warm; a copy is a snapshot: as `muon`.
/// Cost of a step: about ten passes over W, and for `soft_cap` m^2 n + 5 m^3 FLOPs in double. Scratch: 3 m n scalars of T
/// for every matrix, 16-bit storage a copy more, and what the constraint takes.
/// Source: Loshchilov and Hutter 2019 (arXiv 1711.05101).
template <real T, class Space = host_space>
class adamw {
 public:
  /// For weights of the shape of W, the state zero. W is not kept.
  /// @throws domain_error for options out of range, shape_error for row blocks that do not add up to its rows.
  template <class A>
    requires(detail::parameter_of<A, T, host_space>&& std::same_as<Space, host_space>)
  explicit adamw(A const& w, adamw_options const& options = {}) : adamw(cpu::scalar(), w, options) {}
  /// The same in the memory of a backend.
  template <class B, class A>
    requires(detail::parameter_of<A, T, Space>&& std::same_as<typename B::space, Space>)
  adamw(B const& on, A const& w, adamw_options const& options = {})
      : options_(options), first_(detail::zeros_like<T>(on, w)), second_(detail::zeros_like<T>(on, w)) {
    detail::check_adamw_options(options_);
    for (auto const& each : first_) {
      if (!options_.row_blocks.empty()) detail::check_row_blocks("adamw", each.rows(), options_.row_blocks);
    }
  }

  /// One step, and then the constraint, of every row block by itself. W and the gradient have the shapes the optimizer was
  /// made for.
  /// @throws numeric_error if the gradient, W or a result is not finite, shape_error, and what the constraint throws. W
  /// and the state are untouched then.
  template <class B, writable_on<B> A, class G, constraint::weight_constraint C>
    requires(detail::parameter_of<A, T, Space>&& detail::parameter_of<G, T, Space>)
  constraint::outcome step(B const& given, A&& w, G const& gradient, C const& c) {
    detail::check_shapes("adamw", "W", w, first_);
    detail::check_shapes("adamw", "the gradient", gradient, first_);
    detail::require_certifiable<B, A>(c);
    auto& memory = own_.get(options_.scratch);
    auto const on = detail::with_scratch(given, memory);
    workspace::frame frame(memory);
    auto const next_first = detail::scratch_like<T>(first_, frame);
    auto const next_second = detail::scratch_like<T>(first_, frame);
    auto const candidates = detail::scratch_like<T>(first_, frame);
    auto const factors = factors_of_step(steps_ + 1);

    detail::for_each_view(gradient, [&](index_t b, auto view) {
      auto const i = static_cast<std::size_t>(b);
      detail::copy_elements(on, view, candidates[i]);
      detail::require_finite(on, "adamw", "the gradient", candidates[i]);
      detail::adam_update_on<B, T>(on, factors, std::as_const(first_[i]).view(), std::as_const(second_[i]).view(),
                                   candidates[i], next_first[i], next_second[i]);
      detail::require_finite(on, "adamw", "the first moment", next_first[i]);
      detail::require_finite(on, "adamw", "the second moment", next_second[i]);
    });
    detail::block_batch<T, Space> blocks(candidates, options_.row_blocks);
    double const measured = C::uses_update_norm ? measured_norm(on, blocks, memory) : infinity;
    T const kept = T(1 - options_.learning_rate * options_.weight_decay);
    detail::for_each_view(w, [&](index_t b, auto view) {
      auto const candidate = candidates[static_cast<std::size_t>(b)];
      detail::combine_stored(on, kept, view, T(-1), candidate);
      detail::require_finite(on, "adamw", "W after the step", candidate);
    });

    auto result = c.constrain(on, blocks,
                              {.learning_rate = options_.learning_rate,
                               .weight_decay = options_.learning_rate * options_.weight_decay,
                               .update_norm = measured,
                               .scratch = &memory});
    result += detail::store_candidates(on, "adamw", w, c, first_, candidates, options_.row_blocks, memory);
    for (std::size_t i = 0; i < first_.size(); ++i) {
      detail::copy_elements(on, next_first[i], first_[i].view());
      detail::copy_elements(on, next_second[i], second_[i].view());
    }
    update_norm_ = measured;
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

  /// A proven bound of the l2 norm of what the last step added to W besides its decay, the largest of all row blocks;
  /// +infinity where it was not measured, because no step was taken or its constraint did not ask.
  double update_norm() const { return update_norm_; }

  double learning_rate() const { return options_.learning_rate; }
  /// @throws domain_error unless it is finite and not negative, and at most 1 / weight_decay.
  void set_learning_rate(double value) {
    detail::check_rate_and_decay("adamw", value, options_.weight_decay);
    options_.learning_rate = value;
  }
  adamw_options const& options() const { return options_; }
  /// Steps taken.
  index_t steps() const { return steps_; }

  /// f(name, matrix_view) for every tensor of the state: "first_moment" and "second_moment", numbered in a batch.
  template <class F>
  void for_each_tensor(F const& f) {
    visit_tensors(*this, f);
  }
  template <class F>
  void for_each_tensor(F const& f) const {
    visit_tensors(*this, f);
  }

  /// f(name, double&) for every number of state and options, which with the tensors determine all that follows. f may
  /// change all but the row blocks and the bias correction, which are part of what the optimizer was made as.
  /// @throws domain_error if f changed one of those, or a number is out of range then.
  template <class F>
  void for_each_number(F const& f) {
    visit_numbers(*this, f);
    detail::check_adamw_options(options_);
  }
  template <class F>
  void for_each_number(F const& f) const {
    visit_numbers(*this, f);
  }

 private:
  template <class Self, class F>
  static void visit_tensors(Self& self, F const& f) {
    detail::for_each_state(self.first_, "first_moment", f);
    detail::for_each_state(self.second_, "second_moment", f);
  }

  template <class Self, class F>
  static void visit_numbers(Self& self, F const& f) {
    auto& o = self.options_;
    detail::visit_number(f, "adamw", "steps", self.steps_);
    detail::visit_number(f, "adamw", "learning_rate", o.learning_rate);
    detail::visit_number(f, "adamw", "beta1", o.beta1);
    detail::visit_number(f, "adamw", "beta2", o.beta2);
    detail::visit_number(f, "adamw", "eps", o.eps);
    detail::visit_number(f, "adamw", "weight_decay", o.weight_decay);
    auto const fixed = [&](std::string_view name, auto value) {
      detail::visit_fixed(f, "adamw", name, static_cast<double>(value));
    };
    fixed("bias_correction", o.bias_correction);
    fixed("row_blocks", o.row_blocks.size());
    for (std::size_t i = 0; i < o.row_blocks.size(); ++i) fixed("row_blocks." + std::to_string(i), o.row_blocks[i]);
  }

  /// Step t, counted from 1.
  adam_factors<T> factors_of_step(index_t t) const {
    auto const& o = options_;
    auto const power = static_cast<double>(t);
    double const correction1 = o.bias_correction ? 1 - std::pow(o.beta1, power) : 1.0;
    double const correction2 = o.bias_correction ? 1 - std::pow(o.beta2, power) : 1.0;
    return {.rest1 = T(1 - o.beta1),
            .beta2 = T(o.beta2),
            .rest2 = T(1 - o.beta2),
            .step_size = T(o.learning_rate / correction1),
            .root_correction = T(std::sqrt(correction2)),
            .eps = T(o.eps)};
  }

  /// The largest proven norm of the updates; +infinity where nothing is proved of them.
  template <class B, class Blocks>
  static double measured_norm([[maybe_unused]] B const& on, [[maybe_unused]] Blocks& blocks,
                              [[maybe_unused]] workspace& memory) {
    if constexpr (detail::certifiable_on<B, matrix_view<T, Space>>) {
      double largest = 0;
      for (std::size_t b = 0; b < blocks.size(); ++b) {
        auto const block = blocks[b];
        if (block.empty()) continue;
        detail::require_finite(on, "adamw", "the update", block);
        largest = max_up(largest, gram_bound(on, block, {.squarings = 5, .scratch = &memory}).value());
      }
      return largest;
    } else {
      return infinity;
    }
  }

  adamw_options options_;
  detail::optimizer_state<T, Space> first_;
  detail::optimizer_state<T, Space> second_;
  index_t steps_ = 0;
  double update_norm_ = infinity;
  detail::own_workspace own_;
};

/// The scalar of the state follows from the weight.
template <class A>
adamw(A const&, adamw_options const& = {}) -> adamw<compute_t<detail::argument_value_t<A>>>;
template <class B, class A>
  requires(writable_argument<A>)
adamw(B const&, A const&, adamw_options const& = {})
->adamw<compute_t<detail::argument_value_t<A>>, typename B::space>;

}  // namespace sigmax::inline SIGMAX_ABI
