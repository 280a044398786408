// SPDX-License-Identifier: MIT
/// @file
/// What is proven about one value of a network.
#pragma once

#include <cstddef>
#include <span>

#include <sigmax/bound/log_upper_bound.hpp>
#include <sigmax/bound/norm.hpp>
#include <sigmax/config.hpp>
#include <sigmax/lipschitz/rule.hpp>

namespace sigmax::inline SIGMAX_ABI::lipschitz {

/// The value as a function v of the network's input: ||v(x) - v(y)||_N <= lipschitz ||x - y||_N for all x, y.
template <norm_tag N>
struct facts {
  log_upper_bound<op<N, N>> lipschitz;
};

/// The facts of the network's input.
template <norm_tag N>
facts<N> facts_of_input() {
  SIGMAX_DETAIL_REQUIRE_STRICT_ARITHMETIC(N);
  // Proof: ||x - y|| <= 1 ||x - y||.
  return {sigmax::detail::proof::log_upper<op<N, N>>(extended(1.0))};
}

/// The facts of an operator's output: L = sum_i b_i L_i, b_i its sensitivities, L_i the facts of its inputs.
/// `inputs[i]` points to the facts of input i. An operator without inputs is constant: L = 0.
template <norm_tag N>
facts<N> facts_of_output(sensitivities<N> const& b, std::span<facts<N> const* const> inputs) {
  SIGMAX_DETAIL_REQUIRE_STRICT_ARITHMETIC(N);
  // Proof: ||f(v_1(x), ..) - f(v_1(y), ..)|| <= sum b_i ||v_i(x) - v_i(y)|| <= sum b_i L_i ||x - y||. Where L_i = 0,
  // v_i(x) = v_i(y) and the term is 0 even if b_i is infinite. A missing sensitivity is no bound.
  if (b.size() != inputs.size()) return {sigmax::detail::proof::log_upper<op<N, N>>(extended(infinity))};
  auto total = sigmax::detail::proof::log_upper<op<N, N>>(extended(0.0));
  for (std::size_t i = 0; i < b.size(); ++i) total = total + b[i] * inputs[i]->lipschitz;
  return {total};
}

}  // namespace sigmax::inline SIGMAX_ABI::lipschitz
