// SPDX-License-Identifier: MIT
/// @file
/// How much the output of one matrix of attention moves with queries, keys and values.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <vector>

#include <sigmax/bound/interval.hpp>
#include <sigmax/bound/rounding.hpp>
#include <sigmax/config.hpp>
#include <sigmax/lipschitz/rules/attention_mask.hpp>
#include <sigmax/lipschitz/rules/attention_weights.hpp>
#include <sigmax/lipschitz/rules/row_set.hpp>

namespace sigmax::inline SIGMAX_ABI::lipschitz::rules::detail {

/// Norms of the three parts of the derivative; see attention.
struct attention_slopes {
  double values = 0;
  double queries = 0;
  double keys = 0;
  /// >= |tau| times the deviation of the values in any row.
  double deviation = 0;
};

/// >= the largest standard deviation over p of a linear function of the rows whose dual norm is 1, for every
/// distribution p with p_j <= weights[j]: min over fixed points c of sqrt(sum_j p_j ||r_j - c||^2) by the shift invariance
/// of variances. 0 if one row has all the weight because the others have none.
template <class = void>
double deviation(std::span<double const> weights, row_set const& set, std::vector<double>& point) {
  double total = 0;
  std::size_t shown = 0;
  for (double const w : weights) {
    total += w;
    shown += w > 0 ? 1 : 0;
  }
  if (shown <= 1) return 0;
  if (!is_finite(set.spread)) return infinity;
  point.assign(set.width, 0.0);
  for (std::size_t j = 0; j < weights.size(); ++j) {
    double const share = weights[j] / total;
    for (std::size_t f = 0; f < set.width && share > 0; ++f) point[f] += share * set.middle[j * set.width + f];
  }
  double sum = 0;
  for (std::size_t j = 0; j < weights.size(); ++j) {
    if (weights[j] == 0) continue;
    double const distance = set.distance(j, point);
    sum = add_up(sum, multiply_up(weights[j], multiply_up(distance, distance)));
  }
  return min_up(set.spread, sqrt_up(sum));
}

/// The upper ends of the weights of one matrix, n x m. `scores` encloses the scores with their mask where it is not empty
/// (n x m); `first_row` is the number of row 0 among all rows of the tensor of scores.
template <class = void>
std::vector<double> largest_weights(row_set const& q, row_set const& k, double scale, attention_mask const& mask,
                                    std::size_t first_row, std::span<interval const> scores) {
  std::vector<double> result(q.rows * k.rows, 1.0);
  std::vector<interval> weights(k.rows);
  for (std::size_t i = 0; i < q.rows; ++i) {
    std::span<double> const row(result.data() + i * k.rows, k.rows);
    auto const mask_row = mask.row(first_row + i, i, k.rows);
    if (!scores.empty()) {
      enclose_weights(scores.subspan(i * k.rows, k.rows), mask_row, weights);
      for (std::size_t j = 0; j < k.rows; ++j) row[j] = weights[j].upper;
    }
    // |scale q.(k_j - k_l)| <= scale ||q|| 2 spread; a score that is replaced counts as 0, within scale ||q|| ||k||.
    double const reach = mask.replaces_scores() ? k.largest : k.spread;
    limit_weights(mask_row, multiply_up(scale, multiply_up(q.size[i], multiply_up(2.0, reach))), row);
  }
  return result;
}

/// Bounds of the derivative of y_i = sum_j p_ij v_j, p_i = softmax_j(tau q_i.k_j + b_ij), at every point of the sets:
///   dy_i = sum_j p_ij dv_j + Cov_{p_i}(v, tau (dq_i.k + q_i.dk)).
/// Proof of the identity: dp_ij = p_ij (ds_ij - sum_l p_il ds_il), so sum_j dp_ij v_j = E[v ds] - E[v] E[ds].
/// Cauchy-Schwarz: |a.Cov(v, s)| <= sd(a.v) sd(s) for every vector a, and with D_i >= sd(a.v) for all a of dual norm 1,
/// K_i >= sd(d.k) for all d of norm 1 (see deviation; where a mask replaces scores the second moment takes its place, as
/// ds = 0 there and the covariance with the rest is not invariant under shifts of k), S_i >= ||q_i||:
///   ||Cov(v, tau dq_i.k)|| <= |tau| D_i K_i ||dq_i||,
///   ||Cov(v, tau q_i.dk)|| <= |tau| D_i S_i sqrt(sum_j p_ij ||dk_j||^2).
/// Row by row (rms with Euclidean lengths, linf with |v|_inf, ||k||_1, ||q||_1) the last root is at most max_j ||dk_j||:
///   values 1, queries max_i |tau| D_i K_i, keys max_i |tau| D_i S_i.
/// Over all rows together (l2) the sum over i of c_i^2 sum_j p_ij ||dk_j||^2 is at most
/// (max_j sum_i c_i^2 p_ij) ||dK||_F^2: the weighted column sums of p. With c = 1 and the value rows convexity gives
/// ||sum_j p_ij dv_j||^2 <= sum_j p_ij ||dv_j||^2, hence values = sqrt(max_j sum_i p_ij).
/// `weights` is n x m from largest_weights.
template <class = void>
attention_slopes slopes_of_attention(row_set const& q, row_set const& k, row_set const& v, double scale,
                                     attention_mask const& mask, std::size_t first_row, std::span<double const> weights,
                                     bool all_rows_together) {
  std::size_t const m = k.rows;
  attention_slopes result;
  std::vector<double> mass(m, 0.0);
  std::vector<double> weighted(m, 0.0);
  std::vector<double> point;
  for (std::size_t i = 0; i < q.rows; ++i) {
    auto const row = weights.subspan(i * m, m);
    double const of_values = multiply_up(scale, deviation(row, v, point));
    result.deviation = max_up(result.deviation, of_values);
    double of_keys = 0;
    if (of_values == 0) {
      // No covariance: neither queries nor keys matter.
    } else if (mask.replaces_scores()) {
      auto const mask_row = mask.row(first_row + i, i, m);
      double sum = 0;
      double largest = 0;
      for (std::size_t j = 0; j < m; ++j) {
        if (mask_row.replaces(j) || row[j] == 0) continue;
        sum = add_up(sum, multiply_up(row[j], multiply_up(k.size[j], k.size[j])));
        largest = max_up(largest, k.size[j]);
      }
      of_keys = min_up(largest, sqrt_up(sum));
    } else {
      of_keys = deviation(row, k, point);
    }
    result.queries = max_up(result.queries, multiply_up(of_values, of_keys));
    double const own = multiply_up(of_values, q.size[i]);
    if (!all_rows_together) {
      result.values = 1;
      result.keys = max_up(result.keys, own);
      continue;
    }
    for (std::size_t j = 0; j < m; ++j) {
      mass[j] = add_up(mass[j], row[j]);
      weighted[j] = add_up(weighted[j], multiply_up(row[j], multiply_up(own, own)));
    }
  }
  if (all_rows_together && m > 0) {
    double heaviest = 0;
    double heaviest_weighted = 0;
    for (std::size_t j = 0; j < m; ++j) {
      heaviest = max_up(heaviest, mass[j]);
      heaviest_weighted = max_up(heaviest_weighted, weighted[j]);
    }
    result.values = sqrt_up(heaviest);
    result.keys = sqrt_up(heaviest_weighted);
  }
  return result;
}

}  // namespace sigmax::inline SIGMAX_ABI::lipschitz::rules::detail
