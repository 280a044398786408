// SPDX-License-Identifier: MIT
/// @file
/// What is proven about one value of a network.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include <sigmax/bound/extended.hpp>
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

/// The terms of several inputs as one number; a term beside zeros stays as it is.
inline extended joined(joining how, std::span<extended const> terms) {
  extended total;
  extended largest;
  int count = 0;
  for (extended const& term : terms) {
    if (!term.is_zero()) ++count;
    largest = largest < term ? term : largest;
    total = total + (how == joining::root_of_squares ? term * term : term);
  }
  if (count <= 1 || how == joining::maximum) return largest;
  return how == joining::root_of_squares ? sqrt_up(total) : total;
}

/// The facts of an operator's output: L = sum_i b_i L_i, or what `how` makes of these terms, b_i its sensitivities, L_i
/// the facts of its inputs. `inputs[i]` points to the facts of input i. An operator without inputs is constant: L = 0.
template <norm_tag N>
facts<N> facts_of_output(sensitivities<N> const& b, std::span<facts<N> const* const> inputs,
                         joining how = joining::sum) {
  SIGMAX_DETAIL_REQUIRE_STRICT_ARITHMETIC(N);
  // Proof: ||f(v_1(x), ..) - f(v_1(y), ..)|| <= sum b_i ||v_i(x) - v_i(y)|| <= sum b_i L_i ||x - y||. Where L_i = 0,
  // v_i(x) = v_i(y) and the term is 0 even if b_i is infinite. A missing sensitivity is no bound.
  if (b.size() != inputs.size()) return {sigmax::detail::proof::log_upper<op<N, N>>(extended(infinity))};
  auto total = sigmax::detail::proof::log_upper<op<N, N>>(extended(0.0));
  std::vector<extended> terms;
  for (std::size_t i = 0; i < b.size(); ++i) {
    auto const term = b[i] * inputs[i]->lipschitz;
    terms.push_back(term.extended_value());
    total = total + term;
  }
  if (how == joining::sum) return {total};
  // Proof: of the rule, that its outputs differ by at most this combination of the terms.
  return {sigmax::detail::proof::log_upper<op<N, N>>(joined(how, terms), total.rests_on())};
}

}  // namespace sigmax::inline SIGMAX_ABI::lipschitz
