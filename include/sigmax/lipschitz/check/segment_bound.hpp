// SPDX-License-Identifier: MIT
/// @file
/// Bounds of a segment in the norm of a certificate, from bounds of its slope system.
#pragma once

#include <concepts>
#include <cstddef>

#include <sigmax/bound/extended.hpp>
#include <sigmax/bound/log_upper_bound.hpp>
#include <sigmax/bound/norm.hpp>
#include <sigmax/bound/upper_bound.hpp>
#include <sigmax/config.hpp>
#include <sigmax/lipschitz/network.hpp>
#include <sigmax/lipschitz/row_norm.hpp>
#include <sigmax/lipschitz/rules/rms_conversion.hpp>
#include <sigmax/lipschitz/tensor_shape.hpp>

namespace sigmax::inline SIGMAX_ABI::lipschitz::check {

/// The bound in the norm N of a certificate that follows from one of the system in l2 or linf.
/// Proof in rms: a map of rows has sqrt(w_in / w_out) times its own bound in l2; else see rms_from_others.
template <norm_tag N, norm_tag System>
log_upper_bound<op<N, N>> segment_bound(upper_bound<op<System, System>> const& bound, [[maybe_unused]] bool row_wise,
                                        [[maybe_unused]] tensor_shape const& in,
                                        [[maybe_unused]] tensor_shape const& out) {
  if constexpr (std::same_as<N, System>) {
    return bound;
  } else {
    static_assert(std::same_as<N, norm::rms_t>, "sigmax: a bound in one norm says nothing here about the other");
    auto const width_in = static_cast<double>(row_norm::row_width(in));
    double factor = 0;
    if constexpr (std::same_as<System, norm::linf_t>) {
      factor = lipschitz::detail::sqrt_of_ratio_up(width_in, 1.0);
    } else {
      double const whole = row_wise ? width_in : static_cast<double>(element_count(in));
      factor = lipschitz::detail::sqrt_of_ratio_up(whole, static_cast<double>(row_norm::row_width(out)));
    }
    return sigmax::detail::proof::log_upper<op<N, N>>(extended(factor) * extended(bound.value()), bound.rests_on());
  }
}

}  // namespace sigmax::inline SIGMAX_ABI::lipschitz::check
