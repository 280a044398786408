// SPDX-License-Identifier: MIT
/// @file
/// Sums of matrices in any storage.
#pragma once

#include <concepts>
#include <type_traits>

#include <sigmax/backend/concept.hpp>
#include <sigmax/config.hpp>
#include <sigmax/core/scalar.hpp>

namespace sigmax::inline SIGMAX_ABI::detail {

/// y <- alpha X + beta Y, rounded to the storage scalar; x may be y. X in T or in the storage scalar.
template <class B, class S, class U, real T>
void combine_stored(B const& on, T alpha, matrix_view_on<B, U> x, T beta, matrix_view_on<B, S> y) {
  if constexpr (std::same_as<S, T> && std::same_as<std::remove_const_t<U>, T>) {
    on.combine(alpha, matrix_view_on<B, T const>(x), beta, y);
  } else {
    on.combine_stored(alpha, x, beta, y);
  }
}

}  // namespace sigmax::inline SIGMAX_ABI::detail
