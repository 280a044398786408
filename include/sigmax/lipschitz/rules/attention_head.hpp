// SPDX-License-Identifier: MIT
/// @file
/// One head of self-attention: its weights, and what is proven about it.
#pragma once

#include <cmath>
#include <cstddef>
#include <span>
#include <utility>
#include <vector>

#include <sigmax/bound/interval.hpp>
#include <sigmax/bound/norm.hpp>
#include <sigmax/bound/rounding.hpp>
#include <sigmax/config.hpp>
#include <sigmax/lipschitz/norm_prover.hpp>
#include <sigmax/lipschitz/rule.hpp>
#include <sigmax/lipschitz/rules/attention.hpp>
#include <sigmax/lipschitz/rules/linear.hpp>
#include <sigmax/lipschitz/rules/product_norm.hpp>
#include <sigmax/lipschitz/rules/rotary_embedding.hpp>
#include <sigmax/lipschitz/rules/rotated_product_norm.hpp>
#include <sigmax/lipschitz/value_range.hpp>
#include <sigmax/lipschitz/weight.hpp>

namespace sigmax::inline SIGMAX_ABI::lipschitz::rules {

/// An affine map of tokens: W x + bias; an empty bias is none.
struct projection {
  weight matrix;
  std::vector<double> bias = {};
};

/// Queries, keys and values of one head.
struct attention_head {
  projection query;
  projection key;
  projection value;
};

namespace detail {

/// What the bounds of one head are made of, for inputs x_1, .., x_n in R^d that move by dx.
struct head_bound {
  /// >= |y| / |dx|, y the output of the head: Euclidean lengths, or largest entries in linf.
  double output = infinity;
  /// >= |z| / |dx|, where y = W_V z (Euclidean lengths only).
  double mixed = infinity;
  /// The slopes of the core, and the norms of W_Q, W_K (as rotated) and W_V.
  attention_slopes slopes = {};
  double norm_q = infinity;
  double norm_k = infinity;
  double norm_v = infinity;
  /// >= the length of each query, of all rows of all matrices.
  std::vector<double> query_sizes = {};
};

/// The range of W x + bias; rows of x are tokens.
template <class = void>
value_range projected_range(projection const& p, value_range const& x, tensor_shape const& shape,
                            rule_context const& context) {
  value_range result;
  rules::linear const product(p.matrix);
  std::vector<tensor_shape> const shapes{shape};
  tensor_shape const to = product.output_shape(shapes);
  auto const evaluated = [&](std::vector<interval> const& from) {
    std::vector<interval> values(static_cast<std::size_t>(element_count(to)));
    std::span<interval const> const inputs[] = {from};
    product.evaluate<interval>(inputs, shapes, values);
    return values;
  };
  if (!x.box.empty()) result.box = evaluated(x.box);
  if (!x.centre.empty()) result.centre = evaluated(x.centre);
  value_range const* const ranges[] = {&x};
  rule_context own = context;
  own.ranges = ranges;
  product.refine(shapes, own, result);
  if (!p.bias.empty()) {
    std::vector<interval> const bias(p.bias.begin(), p.bias.end());
    for (auto* const part : {&result.box, &result.centre}) {
      for (std::size_t i = 0; i < part->size(); ++i) (*part)[i] += bias[i % bias.size()];
    }
    result.longest_row = add_up(result.longest_row, lipschitz::detail::row_length_up(bias));
  }
  lipschitz::detail::sharpen(result, to);
  return result;
}

/// The range of rows that are rotated by their positions.
template <class = void>
void rotate_range(rotary_embedding const& rotation, tensor_shape const& shape, rule_context const& context,
                  value_range& range) {
  std::vector<tensor_shape> const shapes{shape};
  value_range result;
  for (auto part : {&value_range::box, &value_range::centre}) {
    if ((range.*part).empty()) continue;
    (result.*part).resize((range.*part).size());
    std::span<interval const> const inputs[] = {range.*part};
    rotation.evaluate<interval>(inputs, shapes, result.*part);
  }
  value_range const* const ranges[] = {&range};
  rule_context own = context;
  own.ranges = ranges;
  rotation.refine(shapes, own, result);
  lipschitz::detail::sharpen(result, shape);
  range = std::move(result);
}

/// Rows of which nothing but their lengths counts: their deviations are about 0.
inline row_set about_origin(row_set rows) {
  rows.middle.assign(rows.middle.size(), 0.0);
  rows.radius = rows.size;
  rows.spread = rows.largest;
  return rows;
}

/// >= ||W^T b||_2.
template <class = void>
double transposed_length_up(weight const& w, std::vector<double> const& b) {
  if (b.empty()) return 0;
  std::vector<interval> const x(b.begin(), b.end());
  std::vector<interval> y(static_cast<std::size_t>(w.cols()));
  w.transposed().visit(
      [&](auto const& elements) { matrix_times(elements, std::span<interval const>(x), std::span<interval>(y)); });
  return lipschitz::detail::row_length_up(y);
}

/// The bounds of head number `head` of `heads`, the largest over all matrices of tokens x (.., n, d) of which `x` is
/// known. Two proofs:
///  - in every norm, from the slopes of attention (see slopes_of_attention) at the ranges of q = W_Q x + b_Q and so on:
///      |dy| <= (values |W_V| + queries |W_Q| + keys |W_K|) |dx|.
///  - in Euclidean lengths, seeing that q, k and v come from one x: with A = tau W_Q^T W_K and c = tau W_K^T b_Q the score
///    is x_i.A x_j + c.x_j plus what does not depend on j, so that
///      dy_i = W_V (sum_j p_ij dx_j + Cov_{p_i}(x, dx_i.A x + (A^T x_i + c).dx)) = W_V dz_i,
///    the slopes of attention with x in place of keys and values and A^T x_i + c, at most a ||x_i|| + ||c|| long with
///    a = ||A||, in place of the queries:  |dz| <= (values + a queries + keys) |dx|, |dy| <= ||W_V|| |dz|.
///    (Not where a mask replaces scores: then b_K does not cancel.)
/// With rotations R_i of queries and keys, W_Q becomes R_i W_Q and so on. In the first proof norms grow by that of R_i; in
/// the second A depends on i and j, a = max ||tau W_Q^T R_i^T R_j W_K|| (rotated_product_norm_up), and since A_ij x_j is
/// no longer one linear function of x_j, its deviation is bounded by its second moment: sd(dx_i.A_ij x_j) <=
/// a ||dx_i|| sqrt(sum_j p_ij ||x_j||^2). (Not with a bias of W_Q or W_K.)
template <class = void>
head_bound bound_of_head(attention_head const& head, std::size_t number, std::size_t heads, interval scale,
                         attention_mask const& mask, value_range const& x, tensor_shape const& shape,
                         rule_context const& context, norm::any asked, rotary_embedding const* rotation = nullptr) {
  bool const largest = asked == norm::linf;
  bool const together = asked == norm::l2;
  auto const n = static_cast<std::size_t>(shape[shape.size() - 2]);
  auto const d = static_cast<std::size_t>(shape.back());
  auto const d_k = static_cast<std::size_t>(head.query.matrix.rows());
  auto const d_v = static_cast<std::size_t>(head.value.matrix.rows());
  std::size_t const count = static_cast<std::size_t>(element_count(shape)) / (n * d);
  value_range q = projected_range(head.query, x, shape, context);
  value_range k = projected_range(head.key, x, shape, context);
  value_range const v = projected_range(head.value, x, shape, context);
  auto const norm_of = [&](weight const& w) {
    return largest ? prove_operator_norm<norm::linf_t>(w, context).value()
                   : prove_operator_norm<norm::l2_t>(w, context).value();
  };
  head_bound result{.output = 0};
  result.norm_q = norm_of(head.query.matrix);
  result.norm_k = norm_of(head.key.matrix);
  result.norm_v = norm_of(head.value.matrix);
  if (rotation != nullptr) {
    tensor_shape rows = shape;
    rows.back() = head.query.matrix.rows();
    rotate_range(*rotation, rows, context, q);
    rotate_range(*rotation, rows, context, k);
    double const stretch = largest ? rotation->row_sum_norm() : rotation->euclidean_norm();
    result.norm_q = multiply_up(result.norm_q, stretch);
    result.norm_k = multiply_up(result.norm_k, stretch);
  }
  bool const biased = !head.query.bias.empty() || !head.key.bias.empty();
  bool const joint = !largest && !mask.replaces_scores() && (rotation == nullptr || !biased);
  double const tau = scale.magnitude();
  double a = infinity;
  double c = infinity;
  if (joint && rotation != nullptr) {
    a = multiply_up(tau,
                    rotated_product_norm_up(head.query.matrix, head.key.matrix, *rotation, mask.is_causal(), context));
    c = 0;
  } else if (joint) {
    a = multiply_up(tau, product_norm_up(head.query.matrix.transposed(), head.key.matrix, context));
    c = multiply_up(tau, transposed_length_up(head.key.matrix, head.query.bias));
  }

  result.mixed = joint ? 0 : infinity;
  row_measure const of_rows = largest ? row_measure::sum : row_measure::length;
  for (std::size_t batch = 0; batch < count; ++batch) {
    std::size_t const first_row = (batch * heads + number) * n;
    auto const q_rows = row_set_of(&q, batch, n, d_k, of_rows);
    auto const k_rows = row_set_of(&k, batch, n, d_k, of_rows);
    auto const v_rows = row_set_of(&v, batch, n, d_v, largest ? row_measure::largest : row_measure::length);
    std::vector<interval> scores;
    if (!q.box.empty() && !k.box.empty()) {
      scores = attention_scores(std::span<interval const>(q.box).subspan(batch * n * d_k, n * d_k),
                                std::span<interval const>(k.box).subspan(batch * n * d_k, n * d_k), d_k, scale, mask,
                                first_row);
    }
    auto const weights = largest_weights(q_rows, k_rows, tau, mask, first_row, scores);
    auto const own = slopes_of_attention(q_rows, k_rows, v_rows, tau, mask, first_row, weights, together);
    double const apart = add_up(multiply_up(own.values, result.norm_v),
                                add_up(multiply_up(own.queries, result.norm_q), multiply_up(own.keys, result.norm_k)));
    result.output = max_up(result.output, apart);
    result.slopes.values = max_up(result.slopes.values, own.values);
    result.slopes.queries = max_up(result.slopes.queries, own.queries);
    result.slopes.keys = max_up(result.slopes.keys, own.keys);
    result.slopes.deviation = max_up(result.slopes.deviation, own.deviation);
    result.query_sizes.insert(result.query_sizes.end(), q_rows.size.begin(), q_rows.size.end());
    if (!joint) continue;
    auto const tokens = row_set_of(&x, batch, n, d, row_measure::length);
    auto shifted = tokens;
    for (double& size : shifted.size) size = add_up(multiply_up(a, size), c);
    auto const at_once = slopes_of_attention(shifted, rotation != nullptr ? about_origin(tokens) : tokens, tokens, 1.0,
                                             mask, first_row, weights, together);
    double const moved = add_up(at_once.values, add_up(multiply_up(a, at_once.queries), at_once.keys));
    result.mixed = max_up(result.mixed, moved);
  }
  if (joint) result.output = min_up(result.output, multiply_up(result.norm_v, result.mixed));
  return result;
}

}  // namespace detail

}  // namespace sigmax::inline SIGMAX_ABI::lipschitz::rules
