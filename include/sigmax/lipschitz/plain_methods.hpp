// SPDX-License-Identifier: MIT
/// @file
/// The methods that need no search.
#pragma once

#include <concepts>
#include <vector>

#include <sigmax/backend/concept.hpp>
#include <sigmax/bound/norm.hpp>
#include <sigmax/config.hpp>
#include <sigmax/lipschitz/check/absolute_product.hpp>
#include <sigmax/lipschitz/check/dynamic_program.hpp>
#include <sigmax/lipschitz/check/segment_bound.hpp>
#include <sigmax/lipschitz/check/slope_system.hpp>
#include <sigmax/lipschitz/method.hpp>
#include <sigmax/lipschitz/method_runner.hpp>
#include <sigmax/lipschitz/tensor_shape.hpp>

namespace sigmax::inline SIGMAX_ABI::lipschitz::detail {

/// Appends what the dynamic program and absolute products prove of a system in the norm N.
template <norm_tag N, certifying_backend<double> B>
void plain_results(B const& on, check::slope_system const& system, bool row_wise, tensor_shape const& in,
                   tensor_shape const& out, method_options const& options, std::vector<segment_result<N>>& results) {
  auto const add = [&](method how, auto const& bound) {
    results.push_back({how, check::segment_bound<N>(bound, row_wise, in, out)});
  };
  constexpr bool in_l2 = !std::same_as<N, norm::linf_t>;
  constexpr bool in_linf = !std::same_as<N, norm::l2_t>;
  if (includes(options.which, method::dynamic_program) && check::dynamic_program_work(system) < options.multiply_adds) {
    if constexpr (in_l2) {
      add(method::dynamic_program, check::dynamic_program_bound<norm::l2_t>(on, system));
    }
    if constexpr (in_linf) {
      add(method::dynamic_program, check::dynamic_program_bound<norm::linf_t>(on, system));
    }
  }
  if (includes(options.which, method::absolute)) {
    if constexpr (in_l2) add(method::absolute, check::absolute_product_bound<norm::l2_t>(system));
    if constexpr (in_linf) add(method::absolute, check::absolute_product_bound<norm::linf_t>(system));
  }
}

}  // namespace sigmax::inline SIGMAX_ABI::lipschitz::detail
