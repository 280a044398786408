// SPDX-License-Identifier: MIT
/// @file
/// Bounds in rms from bounds in other norms.
#pragma once

#include <cmath>
#include <cstddef>
#include <span>
#include <utility>

#include <sigmax/bound/extended.hpp>
#include <sigmax/bound/log_upper_bound.hpp>
#include <sigmax/bound/norm.hpp>
#include <sigmax/bound/rounding.hpp>
#include <sigmax/config.hpp>
#include <sigmax/lipschitz/row_norm.hpp>
#include <sigmax/lipschitz/rule.hpp>
#include <sigmax/lipschitz/tensor_shape.hpp>

namespace sigmax::inline SIGMAX_ABI::lipschitz {

namespace detail {

/// >= sqrt(numerator / denominator) of two counts, exact where both are squares of integers with an exact quotient, so
/// that equal widths cost nothing.
inline double sqrt_of_ratio_up(double numerator, double denominator) {
  if (numerator == denominator) return 1.0;
  double const root = std::sqrt(numerator / denominator);
  double const back = root * root * denominator;
  double const whole = std::nearbyint(root);
  if (whole == root && back == numerator && whole < 0x1p26 && denominator < 0x1p26) return root;
  return sqrt_up(divide_up(numerator, denominator));
}

/// The sensitivities in rms that follow from those in l2 and in linf, the smaller of both.
/// Proof, for an output with rows of d and an input of n elements with rows of w: ||y||_rms <= ||y||_2 / sqrt(d) and
/// ||x||_2 <= sqrt(n) ||x||_rms; ||y||_rms <= ||y||_inf and ||x||_inf <= sqrt(w) ||x||_rms.
template <class = void>
sensitivities<norm::rms_t> rms_from_others(sensitivities<norm::l2_t> const& l2, sensitivities<norm::linf_t> const& linf,
                                           std::span<tensor_shape const> inputs, tensor_shape const& output) {
  using rms = op<norm::rms_t, norm::rms_t>;
  using sigmax::detail::proof;
  SIGMAX_DETAIL_REQUIRE_STRICT_ARITHMETIC(rms);
  sensitivities<norm::rms_t> result;
  if (l2.size() != inputs.size() || linf.size() != inputs.size()) return result;
  auto const width = static_cast<double>(row_norm::row_width(output));
  for (std::size_t k = 0; k < inputs.size(); ++k) {
    extended const by_length(sqrt_of_ratio_up(static_cast<double>(element_count(inputs[k])), width));
    extended const by_largest(sqrt_of_ratio_up(static_cast<double>(row_norm::row_width(inputs[k])), 1.0));
    result.push_back(tighter(proof::log_upper<rms>(by_length * l2[k].extended_value(), l2[k].rests_on()),
                             proof::log_upper<rms>(by_largest * linf[k].extended_value(), linf[k].rests_on())));
  }
  return result;
}

}  // namespace detail

}  // namespace sigmax::inline SIGMAX_ABI::lipschitz
