// SPDX-License-Identifier: MIT
/// @file
/// Scaling by powers of two, which rounds nothing.
#pragma once

#include <cmath>
#include <concepts>

#include <sigmax/backend/concept.hpp>
#include <sigmax/config.hpp>
#include <sigmax/core/matrix_view.hpp>
#include <sigmax/core/scalar.hpp>

namespace sigmax::inline SIGMAX_ABI::detail {

/// 2^k for any real scalar.
template <real T>
T power_of_two(int k) {
  if constexpr (std::floating_point<T>) {
    return std::ldexp(T(1), k);
  } else {
    T result(1);
    for (; k > 0; --k) result = T(result * T(2));
    for (; k < 0; ++k) result = T(result / T(2));
    return result;
  }
}

/// y = 2^k x, exact unless it underflows. Two factors, because 2^k alone may not exist as a T.
template <class B, real T>
void scale_by_power_of_two(B const& on, matrix_view_on<B, T const> x, int k, matrix_view_on<B, T> y) {
  int const half = k / 2;
  bool const at_once = k > -100 && k < 100;
  on.combine(power_of_two<T>(at_once ? k : half), x, T(0), y);
  if (!at_once) on.combine(power_of_two<T>(k - half), matrix_view_on<B, T const>(y), T(0), y);
}

}  // namespace sigmax::inline SIGMAX_ABI::detail
