// SPDX-License-Identifier: MIT
/// @file
/// What "at most sigma_max" means for a weight.
#pragma once

#include <concepts>
#include <type_traits>

#include <sigmax/bound/norm.hpp>
#include <sigmax/bound/rounding.hpp>
#include <sigmax/config.hpp>
#include <sigmax/core/error.hpp>
#include <sigmax/core/matrix_view.hpp>
#include <sigmax/core/scalar.hpp>

namespace sigmax::inline SIGMAX_ABI::detail {

/// c with ||W||_2 <= c where the operator norm of W is at most sigma_max in `in`: sigma_max itself for norm::l2, and
/// sigma_max sqrt(rows / cols) for norm::rms, because ||W||_{RMS->RMS} = sqrt(cols / rows) ||W||_2 for a W that maps
/// columns to rows. @throws domain_error unless sigma_max is finite and above 0 and the norm is one of the two.
inline double cap_in_l2(char const* function, double sigma_max, norm::any in, index_t rows, index_t cols) {
  if (!(sigma_max > 0) || !(sigma_max - sigma_max == 0)) {
    raise<domain_error>({function, ": sigma_max is ", sigma_max, "; it must be finite and above 0"});
  }
  if (in == norm::any(norm::linf)) {
    raise<domain_error>({function, ": norm is linf; singular values are capped in the norms l2 and rms"});
  }
  if (in == norm::any(norm::l2) || rows == cols) return sigma_max;
  // Downwards, so that what is proved of c is true of sigma_max.
  return multiply_down(sigma_max, sqrt_down(divide_down(static_cast<double>(rows), static_cast<double>(cols))));
}

/// The scalar a cap is computed in. X X^T squares the ratio of ||W|| to the cap: float would leave no digits of a cap
/// that is a hundredth of the norm, double leaves eleven.
template <real T>
using cap_scalar = std::conditional_t<std::same_as<T, float>, double, T>;

}  // namespace sigmax::inline SIGMAX_ABI::detail
