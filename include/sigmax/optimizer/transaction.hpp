// SPDX-License-Identifier: MIT
/// @file
/// What every optimizer's step shares: the shapes it was made for, the dense copies it computes in, and the moment it
/// writes, after which nothing can fail.
#pragma once

#include <concepts>
#include <cstddef>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <sigmax/backend/concept.hpp>
#include <sigmax/backend/stored.hpp>
#include <sigmax/config.hpp>
#include <sigmax/constraint/weight_constraint.hpp>
#include <sigmax/core/device_matrix.hpp>
#include <sigmax/core/error.hpp>
#include <sigmax/core/matrix.hpp>
#include <sigmax/core/matrix_batch.hpp>
#include <sigmax/core/matrix_like.hpp>
#include <sigmax/core/matrix_view.hpp>
#include <sigmax/core/workspace.hpp>
#include <sigmax/spectral/argument.hpp>

namespace sigmax::inline SIGMAX_ABI::detail {

/// A weight or a batch of them, or their gradients, in memory of Space, in any storage that is computed in T.
template <class A, class T, class Space>
concept parameter_of =
    (matrix_like<A> ||
     matrix_batch<A>)&&std::same_as<compute_t<argument_value_t<A>>, T>&& std::same_as<argument_space_t<A>, Space>;

/// The matrices an optimizer keeps.
template <class T, class Space>
using optimizer_state = std::vector<owned_matrix<T, Space>>;

/// Calls f(index, view) for the matrix, or for every matrix of the batch.
template <class A, class F>
void for_each_view(A& argument, F const& f) {
  if constexpr (matrix_like<A>) {
    f(index_t{0}, view_of(argument));
  } else {
    auto const size = static_cast<std::size_t>(argument.size());
    for (std::size_t b = 0; b < size; ++b) {
      auto&& element = argument[b];
      f(static_cast<index_t>(b), view_of(element));
    }
  }
}

/// Matrices of zeros in T, of the shapes of the argument and in its memory.
template <class T, class B, class A>
optimizer_state<T, typename B::space> zeros_like([[maybe_unused]] B const& on, A& argument) {
  optimizer_state<T, typename B::space> result;
  result.reserve(static_cast<std::size_t>(matrices_of(argument)));
  for_each_view(argument, [&](index_t, auto view) {
    if constexpr (works_on_host<B>) {
      result.emplace_back(view.rows(), view.cols());
    } else {
      auto& state = result.emplace_back(on.device_memory(), view.rows(), view.cols());
      matrix<T> const zeros(view.rows(), view.cols());
      if (!view.empty()) on.copy_from_host(zeros.view(), state.view());
    }
  });
  return result;
}

/// @throws shape_error unless the argument has the shapes of the state.
template <class A, class State>
void check_shapes(char const* optimizer, char const* what, A& argument, State const& state) {
  auto const count = static_cast<index_t>(state.size());
  if (matrices_of(argument) != count) {
    raise<shape_error>(
        {optimizer, ": ", what, " has ", matrices_of(argument), " matrices; the optimizer was made for ", count});
  }
  for_each_view(argument, [&](index_t b, auto view) {
    auto const& made_for = state[static_cast<std::size_t>(b)];
    if (view.rows() == made_for.rows() && view.cols() == made_for.cols()) return;
    raise<shape_error>({optimizer, ": ", what, " is ", view.rows(), " x ", view.cols(), "; the optimizer was made for ",
                        made_for.rows(), " x ", made_for.cols()});
  });
}

/// @throws numeric_error if an element is NaN or infinite; nothing was written then.
template <class B, real T>
void require_finite(B const& on, char const* optimizer, char const* what, matrix_view_on<B, T> x) {
  if (x.empty() || on.max_abs(x) <= std::numeric_limits<T>::max()) return;
  raise<numeric_error>({optimizer, ": ", what, " has an element that is NaN or infinite; nothing was written"});
}

/// Dense scratch matrices of the shapes of the state, in its memory.
template <class S, class M>
std::span<matrix_view<S, space_t<M>>> scratch_like(std::vector<M> const& state, workspace::frame& frame) {
  auto const views = frame.template vector<matrix_view<S, space_t<M>>>(static_cast<index_t>(state.size()));
  for (std::size_t b = 0; b < state.size(); ++b) {
    views[static_cast<index_t>(b)] = frame.template matrix<S, space_t<M>>(state[b].rows(), state[b].cols());
  }
  return {views.data(), state.size()};
}

/// to <- from, rounded to the storage scalar of `to`.
template <class B, class U, class S>
void copy_elements(B const& on, matrix_view_on<B, U> from, matrix_view_on<B, S> to) {
  using T = compute_t<S>;
  if (to.empty()) return;
  if constexpr (std::same_as<std::remove_const_t<U>, S>) {
    combine_stored(on, T(1), from, T(0), to);
  } else {
    on.convert(from, to);
  }
}

/// The row blocks of several matrices of one width of blocks, as one batch; the matrices where no heights are given.
template <class S, class Space = host_space>
class block_batch {
 public:
  block_batch(std::span<matrix_view<S, Space>> matrices, std::span<index_t const> heights)
      : matrices_(matrices), heights_(heights) {}

  std::size_t size() const { return matrices_.size() * (heights_.empty() ? 1 : heights_.size()); }
  matrix_view<S, Space> operator[](std::integral auto b) const {
    auto const index = static_cast<std::size_t>(b);
    if (heights_.empty()) return matrices_[index];
    auto const& whole = matrices_[index / heights_.size()];
    auto const block = index % heights_.size();
    index_t first = 0;
    for (std::size_t i = 0; i < block; ++i) first += heights_[i];
    return whole.block(first, 0, heights_[block], whole.cols());
  }

 private:
  std::span<matrix_view<S, Space>> matrices_;
  std::span<index_t const> heights_;
};

/// Rounds the candidates to the storage of W, proves what the constraint asks of their blocks as they are stored, and
/// then writes. Everything that can throw comes before the first element is written.
template <class B, class A, class C, class M>
constraint::outcome store_candidates(B const& on, char const* optimizer, A& w, C const& c, std::vector<M> const& state,
                                     std::span<matrix_view_on<B, value_t<M>>> candidates,
                                     std::span<index_t const> heights, workspace& memory) {
  using S = argument_value_t<A>;
  using T = value_t<M>;
  workspace::frame frame(memory);
  auto rounded = [&] {
    if constexpr (std::same_as<S, T>) {
      return candidates;
    } else {
      return scratch_like<S>(state, frame);
    }
  }();
  if constexpr (!std::same_as<S, T>) {
    for (std::size_t b = 0; b < rounded.size(); ++b) {
      copy_elements(on, candidates[b], rounded[b]);
      if (rounded[b].empty() || on.max_abs(rounded[b]) <= std::numeric_limits<T>::max()) continue;
      raise<numeric_error>({optimizer, ": the step overflows the storage scalar of W; nothing was written"});
    }
  }
  block_batch<S, typename B::space> blocks(rounded, heights);
  auto const result = certify_constraint(c, on, blocks, memory);
  for_each_view(w, [&](index_t b, auto view) { copy_elements(on, rounded[static_cast<std::size_t>(b)], view); });
  return result;
}

/// Scratch memory of a value type: a copy begins without any.
class own_workspace {
 public:
  own_workspace() = default;
  own_workspace(own_workspace const&) {}
  own_workspace(own_workspace&&) noexcept = default;
  own_workspace& operator=(own_workspace const&) { return *this; }
  own_workspace& operator=(own_workspace&&) noexcept = default;
  ~own_workspace() = default;
  workspace& get(workspace* given) { return given != nullptr ? *given : memory_; }

 private:
  workspace memory_;
};

/// "momentum" of the only matrix, "momentum.3" of one of several.
inline std::string state_name(char const* name, std::size_t index, std::size_t count) {
  return count == 1 ? std::string(name) : std::string(name) + "." + std::to_string(index);
}

/// Calls f(name, view) for every matrix of a state.
template <class States, class F>
void for_each_state(States& states, char const* name, F const& f) {
  for (std::size_t b = 0; b < states.size(); ++b) f(state_name(name, b, states.size()), states[b].view());
}

/// Lets f(name, double&) see a number and change it, of an optimizer that is not constant.
/// @throws domain_error if a count becomes none.
template <class Number, class F>
void visit_number(F const& f, char const* optimizer, std::string_view name, Number& number) {
  auto value = static_cast<double>(number);
  f(name, value);
  if constexpr (!std::is_const_v<Number>) {
    if constexpr (std::integral<Number>) {
      bool const is_count = value >= 0 && value <= 0x1p53 && static_cast<double>(static_cast<Number>(value)) == value;
      if (!is_count) raise<domain_error>({optimizer, ": ", name, " would become ", value, "; it is a count"});
    }
    number = static_cast<Number>(value);
  }
}

/// Lets f see a number that must stay as it is. @throws domain_error if f changed it.
template <class F>
void visit_fixed(F const& f, char const* optimizer, std::string_view name, double number) {
  double value = number;
  f(name, value);
  if (value == number) return;
  raise<domain_error>({optimizer, ": ", name, " is ", number, " and would become ", value,
                       "; it is chosen when the optimizer is made"});
}

}  // namespace sigmax::inline SIGMAX_ABI::detail
