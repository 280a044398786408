// SPDX-License-Identifier: MIT
/// @file
/// Attention written in C++.
#pragma once

#include <optional>
#include <utility>
#include <vector>

#include <sigmax/bound/interval.hpp>
#include <sigmax/config.hpp>
#include <sigmax/core/error.hpp>
#include <sigmax/lipschitz/layer.hpp>
#include <sigmax/lipschitz/layers.hpp>
#include <sigmax/lipschitz/rules/attention.hpp>
#include <sigmax/lipschitz/rules/attention_mask.hpp>
#include <sigmax/lipschitz/rules/rotary_embedding.hpp>
#include <sigmax/lipschitz/rules/self_attention.hpp>
#include <sigmax/lipschitz/weight.hpp>

namespace sigmax::inline SIGMAX_ABI::lipschitz {

/// Options of multi_head_attention.
struct attention_options {
  index_t heads = 1;
  /// The factor of the scores; 1 / sqrt(width of a head's queries) if not given.
  std::optional<interval> scale = {};
  /// Added to the scores (..., heads, n, n).
  rules::attention_mask mask = {};
  /// Of queries and keys, head by head.
  std::optional<rules::rotary_embedding> rotation = {};
};

namespace detail {

/// Self-attention of stacked weights: rows h d to (h + 1) d of each belong to head h.
template <class = void>
rules::self_attention stacked_attention(weight const& query, weight const& key, weight const& value,
                                        std::optional<weight> output, attention_options const& options) {
  index_t const heads = options.heads;
  bool const fit = heads > 0 && query.rows() > 0 && query.rows() == key.rows() && query.rows() % heads == 0 &&
                   value.rows() % heads == 0;
  if (!fit) {
    sigmax::detail::raise<shape_error>({"multi_head_attention: W_Q, W_K and W_V have ", query.rows(), ", ", key.rows(),
                                        " and ", value.rows(), " rows for ", heads,
                                        " heads; the first two must be equal, and all multiples of the heads"});
  }
  index_t const d_k = query.rows() / heads;
  index_t const d_v = value.rows() / heads;
  std::vector<rules::attention_head> parts;
  for (index_t h = 0; h < heads; ++h) {
    parts.push_back({{query.block(h * d_k, d_k, 1, 0, query.cols())},
                     {key.block(h * d_k, d_k, 1, 0, key.cols())},
                     {value.block(h * d_v, d_v, 1, 0, value.cols())}});
  }
  interval const scale = options.scale ? *options.scale : interval(1.0) / sqrt(interval(static_cast<double>(d_k)));
  return rules::self_attention(std::move(parts), std::move(output), scale, options.mask, options.rotation);
}

}  // namespace detail

/// x (..., n, d) -> W_O concat_h softmax(tau q_h k_h^T + mask) v_h with q_h = W_Q,h x and so on; W_Q and W_K (H d_k) x d, W_V
/// (H d_v) x d, W_O out x (H d_v), head h being successive rows; q_h and k_h are rotated where a rotary embedding is given. A
/// layer; see rules::self_attention for its bound.
/// Matrices are viewed or owned as in `linear`. @throws shape_error if they do not fit.
template <class Q, class K, class V, class O>
  requires matrix_like<Q> && matrix_like<K> && matrix_like<V> && matrix_like<O> rules::self_attention
  multi_head_attention(Q&& query, K&& key, V&& value, O&& output, attention_options const& options = {}) {
    return detail::stacked_attention(detail::weight_of(std::forward<Q>(query)), detail::weight_of(std::forward<K>(key)),
                                     detail::weight_of(std::forward<V>(value)),
                                     detail::weight_of(std::forward<O>(output)), options);
  }

}  // namespace sigmax::inline SIGMAX_ABI::lipschitz
