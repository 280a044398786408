// SPDX-License-Identifier: MIT
/// @file
/// No constraint: what an optimizer does where none is named.
#pragma once

#include <sigmax/bound/rounding.hpp>
#include <sigmax/config.hpp>
#include <sigmax/constraint/step_info.hpp>
#include <sigmax/constraint/weight_constraint.hpp>
#include <sigmax/spectral/argument.hpp>

namespace sigmax::inline SIGMAX_ABI::constraint {

/// W stays as it is. Guarantee: none.
struct none {
  static constexpr char const* name = "constraint::none";
  static constexpr bool uses_update_norm = false;

  template <class B, writable_on<B> A>
  outcome constrain(B const&, A&&, step_info const&) const {
    return {};
  }

  double proven_cap(index_t, index_t) const { return infinity; }
};

}  // namespace sigmax::inline SIGMAX_ABI::constraint
