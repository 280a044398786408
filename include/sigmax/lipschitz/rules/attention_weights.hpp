// SPDX-License-Identifier: MIT
/// @file
/// Enclosures of the weights of attention: softmax of a row of scores under a mask.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include <sigmax/bound/interval.hpp>
#include <sigmax/bound/interval_functions.hpp>
#include <sigmax/bound/rounding.hpp>
#include <sigmax/config.hpp>
#include <sigmax/lipschitz/rules/attention_mask.hpp>

namespace sigmax::inline SIGMAX_ABI::lipschitz::rules::detail {

/// p_j = e^s_j / sum e^s_l over the keys the mask shows, the mask already being part of the scores; 0 for the others.
/// Proof: with x_j = e^(s_j - c), p_j = x_j / (x_j + sum of the others) grows with x_j and falls with each of the others;
/// a sum minus one of its terms is rounded to the safe side. Scores without a bound give [0, 1].
template <class = void>
void enclose_weights(std::span<interval const> scores, attention_mask::row_view mask, std::span<interval> weights) {
  std::size_t const m = scores.size();
  double top = -infinity;
  for (std::size_t j = 0; j < m; ++j) {
    bool const shown = mask[j] != -infinity;
    weights[j] = shown ? interval(0.0, 1.0) : interval(0.0);
    if (shown && scores[j].upper > top) top = scores[j].upper;
  }
  if (!is_finite(top)) return;
  double sum_below = 0;
  double sum_above = 0;
  std::vector<interval> power(m);
  for (std::size_t j = 0; j < m; ++j) {
    if (mask[j] == -infinity) continue;
    power[j] = exp(scores[j] - interval(top));
    sum_below = add_down(sum_below, power[j].lower);
    sum_above = add_up(sum_above, power[j].upper);
  }
  for (std::size_t j = 0; j < m; ++j) {
    if (mask[j] == -infinity) continue;
    double const others_below = subtract_down(sum_below, power[j].lower);
    double const others_above = subtract_up(sum_above, power[j].upper);
    double const all_below = add_down(power[j].upper, others_below > 0 ? others_below : 0.0);
    double const all_above = add_up(power[j].lower, others_above > 0 ? others_above : 0.0);
    weights[j] = {clamped(divide_down(power[j].lower, all_above), 0.0, 1.0).lower,
                  clamped(divide_up(power[j].upper, all_below), 0.0, 1.0).upper};
  }
}

/// The same where the scores without the mask are known to differ by `spread` at most along the row:
///   p_j <= w_j / (w_j + e^-spread sum_(l != j) w_l),  w_l = e^(addend l).
/// Infinity (no knowledge) leaves p_j <= 1; nothing overflows since e^-spread goes to 0. `upper` is lowered, not raised.
template <class = void>
void limit_weights(attention_mask::row_view mask, double spread, std::span<double> upper) {
  std::size_t const m = upper.size();
  double top = -infinity;
  for (std::size_t j = 0; j < m; ++j) top = mask[j] > top ? mask[j] : top;
  double const least = is_finite(spread) ? exp(interval(-spread)).lower : 0.0;
  double sum_below = 0;
  std::vector<interval> power(m);
  for (std::size_t j = 0; j < m; ++j) {
    if (mask[j] == -infinity) continue;
    power[j] = mask[j] == top ? interval(1.0) : exp(interval(mask[j]) - interval(top));
    sum_below = add_down(sum_below, power[j].lower);
  }
  for (std::size_t j = 0; j < m; ++j) {
    if (mask[j] == -infinity) {
      upper[j] = 0;
      continue;
    }
    double const others = subtract_down(sum_below, power[j].lower);
    double const all = add_down(power[j].upper, multiply_down(least, others > 0 ? others : 0.0));
    upper[j] = min_up(upper[j], min_up(1.0, divide_up(power[j].upper, all)));
  }
}

}  // namespace sigmax::inline SIGMAX_ABI::lipschitz::rules::detail
