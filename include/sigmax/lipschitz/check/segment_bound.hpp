// SPDX-License-Identifier: MIT
/// @file
/// Bounds of a segment in the norm of a certificate, from bounds of its slope system.
#pragma once

#include <concepts>
#include <cstddef>

#include <sigmax/bound/extended.hpp>
#include <sigmax/bound/norm.hpp>
#include <sigmax/bound/rounding.hpp>
#include <sigmax/config.hpp>
#include <sigmax/lipschitz/network.hpp>
#include <sigmax/lipschitz/row_norm.hpp>
#include <sigmax/lipschitz/rules/rms_conversion.hpp>
#include <sigmax/lipschitz/tensor_shape.hpp>

namespace sigmax::inline SIGMAX_ABI::lipschitz::check {

/// >= the bound in rms of a map between tensors of these shapes whose system has the bound `bound` in l2 or linf.
/// Proof: a map of rows has sqrt(w_in / w_out) times its own bound in l2; else see rms_from_others.
template <norm_tag N>
extended converted_to_rms(double bound, bool row_wise, tensor_shape const& in, tensor_shape const& out) {
  auto const width_in = static_cast<double>(row_norm::row_width(in));
  auto const width_out = static_cast<double>(row_norm::row_width(out));
  extended const value(bound);
  if constexpr (std::same_as<N, norm::linf_t>) {
    return extended(lipschitz::detail::sqrt_of_ratio_up(width_in, 1.0)) * value;
  } else {
    auto const whole = row_wise ? width_in : static_cast<double>(element_count(in));
    return extended(lipschitz::detail::sqrt_of_ratio_up(whole, width_out)) * value;
  }
}

/// The bound in the norm N of a certificate that follows from `bound`, one of the system in l2 (or in linf).
template <norm_tag N, norm_tag System>
extended segment_bound(double bound, bool row_wise, tensor_shape const& in, tensor_shape const& out) {
  if constexpr (std::same_as<N, norm::rms_t>) {
    return converted_to_rms<System>(bound, row_wise, in, out);
  } else {
    static_assert(std::same_as<N, System>, "sigmax: a bound in one norm says nothing here about the other");
    return extended(bound);
  }
}

}  // namespace sigmax::inline SIGMAX_ABI::lipschitz::check
