// SPDX-License-Identifier: MIT
/// @file
/// Recognises scaled dot-product attention that exporters wrote as products, masks and softmax, and self-attention
/// around it. Node by node these are products of computed values; as one rule they have the bounds of attention.hpp.
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include <sigmax/bound/interval.hpp>
#include <sigmax/bound/rounding.hpp>
#include <sigmax/config.hpp>
#include <sigmax/lipschitz/network.hpp>
#include <sigmax/lipschitz/rewrite/gelu.hpp>
#include <sigmax/lipschitz/rewrite/reductions.hpp>
#include <sigmax/lipschitz/rewrite/replace_nodes.hpp>
#include <sigmax/lipschitz/rules/add_constant.hpp>
#include <sigmax/lipschitz/rules/attention.hpp>
#include <sigmax/lipschitz/rules/attention_mask.hpp>
#include <sigmax/lipschitz/rules/linear.hpp>
#include <sigmax/lipschitz/rules/masked.hpp>
#include <sigmax/lipschitz/rules/matrix_product.hpp>
#include <sigmax/lipschitz/rules/rearrange.hpp>
#include <sigmax/lipschitz/rules/scale.hpp>
#include <sigmax/lipschitz/rules/self_attention.hpp>
#include <sigmax/lipschitz/rules/softmax.hpp>
#include <sigmax/lipschitz/weight.hpp>

namespace sigmax::inline SIGMAX_ABI::lipschitz::rewrite {

/// A node seen through rearrangements and common factors: element i is factor times element map[i] of `node`.
struct scaled_view {
  node_id node = 0;
  std::vector<index_t> map;
  interval factor = 1.0;

  /// @return false at padding.
  template <class = void>
  bool step_behind(network const& net) {
    seen_through behind{node, std::move(map)};
    while (true) {
      if (!behind.step_behind(net)) return false;
      auto const more = common_factor(net, behind.node);
      if (!more) break;
      factor = *more * factor;
      behind.node = net[behind.node].inputs[0];
    }
    node = behind.node;
    map = std::move(behind.map);
    return true;
  }

  std::size_t operator[](std::size_t i) const { return map.empty() ? i : static_cast<std::size_t>(map[i]); }
};

/// What was found of softmax(scores) values: views of q (count, n, d), k (count, m, d) and v (count, m, e).
struct found_attention {
  scaled_view q;
  scaled_view k;
  scaled_view v;
  std::size_t count = 0;
  std::size_t n = 0;
  std::size_t m = 0;
  std::size_t d = 0;
  std::size_t e = 0;
  interval scale = 1.0;
  rules::attention_mask mask;
};

/// The scores behind a softmax: the product of queries and keys, its factor and its mask.
struct found_scores {
  node_id product = 0;
  interval factor = 1.0;
  std::vector<double> addends;
  std::vector<char> replaces;
};

/// Takes in factors of 0 and 1 in front of what is added: where the factor is 0 the addend stands in place of the score.
template <class = void>
bool choose(rules::scale const& factors, found_scores& scores) {
  auto const& chosen = factors.factors();
  bool const zeros_and_ones = factors.how() == rules::scale::operation::multiply &&
                              std::all_of(chosen.begin(), chosen.end(), [](double c) { return c == 0 || c == 1; });
  if (!zeros_and_ones) return false;
  if (scores.addends.empty()) scores.addends.assign(1, 0.0);
  std::size_t const size = std::max(chosen.size(), scores.addends.size());
  if (size % chosen.size() != 0 || size % scores.addends.size() != 0) return false;
  std::vector<double> addends(size);
  scores.replaces.assign(size, 0);
  for (std::size_t i = 0; i < size; ++i) {
    addends[i] = scores.addends[i % scores.addends.size()];
    scores.replaces[i] = chosen[i % chosen.size()] == 0 ? 1 : 0;
  }
  scores.addends = std::move(addends);
  return true;
}

/// Walks from the input of a softmax through factors, one mask and reshapes to a product. Behind a mask, seen from the
/// softmax, there may be factors; in front of it none, since they would multiply the mask as well.
template <class = void>
std::optional<found_scores> scores_behind(network const& net, node_id node) {
  found_scores result;
  bool masked = false;
  while (net[node].rule.as<rules::matrix_product>() == nullptr) {
    if (net[node].inputs.size() != 1) return std::nullopt;
    auto const* const scaled = net[node].rule.as<rules::scale>();
    if (auto const factor = common_factor(net, node)) {
      result.factor = *factor * result.factor;
    } else if (scaled != nullptr) {
      if (!result.replaces.empty() || result.factor != interval(1.0) || !choose(*scaled, result)) return std::nullopt;
      masked = true;
    } else if (auto const* added = net[node].rule.as<rules::add_constant>()) {
      if (masked || added->coefficient() != 1 || result.factor != interval(1.0)) return std::nullopt;
      result.addends = added->values();
      masked = true;
    } else if (auto const* mask = net[node].rule.as<rules::masked>()) {
      if (masked || mask->mask().is_causal() || result.factor != interval(1.0)) return std::nullopt;
      result.addends.assign(mask->mask().addends().begin(), mask->mask().addends().end());
      result.replaces.assign(mask->mask().replaces().begin(), mask->mask().replaces().end());
      masked = true;
    } else if (auto const* moved = net[node].rule.as<rules::rearrange>()) {
      // Only reshapes that keep rows: the mask and the softmax are those of the same rows then.
      auto const& from = net[net[node].inputs[0]].shape;
      auto const& to = net[node].shape;
      if (!moved->map().empty() || from.size() < 2 || to.size() < 2 || from.back() != to.back() ||
          from[from.size() - 2] != to[to.size() - 2]) {
        return std::nullopt;
      }
    } else {
      return std::nullopt;
    }
    node = net[node].inputs[0];
  }
  result.product = node;
  return result;
}

/// The view of transposed matrices: element (c, i, j) of count x rows x cols is element (c, j, i) of the value.
template <class = void>
scaled_view transposed_view(node_id node, std::size_t count, std::size_t rows, std::size_t cols) {
  scaled_view result{node, std::vector<index_t>(count * rows * cols), 1.0};
  for (std::size_t i = 0; i < result.map.size(); ++i) {
    std::size_t const c = i / (rows * cols);
    std::size_t const row = i / cols % rows;
    result.map[i] = static_cast<index_t>((c * cols + i % cols) * rows + row);
  }
  return result;
}

/// The node as softmax over the last axis of masked, scaled q k^T times v.
template <class = void>
std::optional<found_attention> attention_at(network const& net, node_id node) {
  if (net[node].rule.as<rules::matrix_product>() == nullptr) return std::nullopt;
  seen_through weights{net[node].inputs[0], {}};
  tensor_shape const product = net[weights.node].shape;
  if (!weights.step_behind(net) || !weights.map.empty()) return std::nullopt;
  auto const* const softmax = net[weights.node].rule.as<rules::softmax>();
  if (softmax == nullptr || softmax->temperature() != 1) return std::nullopt;
  tensor_shape const& shape = net[weights.node].shape;
  auto const rank = static_cast<index_t>(shape.size());
  auto const is_last = [&](index_t axis) { return axis == -1 || axis == rank - 1; };
  if (rank < 2 || product.back() != shape.back() || product[product.size() - 2] != shape[shape.size() - 2] ||
      !is_last(softmax->axes().first) || !is_last(softmax->axes().last) || softmax->axes().groups != 1) {
    return std::nullopt;
  }
  auto const scores = scores_behind(net, net[weights.node].inputs[0]);
  if (!scores) return std::nullopt;

  auto const extent = [](index_t value) { return static_cast<std::size_t>(value); };
  found_attention result;
  result.n = extent(shape[shape.size() - 2]);
  result.m = extent(shape.back());
  result.d = extent(net[net[scores->product].inputs[0]].shape.back());
  result.e = extent(net[node].shape.back());
  auto const elements = [&](node_id which) { return extent(element_count(net[which].shape)); };
  if (result.n * result.m == 0 || result.d == 0) return std::nullopt;
  result.count = elements(weights.node) / (result.n * result.m);
  result.q.node = net[scores->product].inputs[0];
  node_id const keys = net[scores->product].inputs[1];
  result.v.node = net[node].inputs[1];
  // Nothing is broadcast.
  if (elements(result.q.node) != result.count * result.n * result.d ||
      elements(keys) != result.count * result.m * result.d ||
      elements(result.v.node) != result.count * result.m * result.e ||
      elements(node) != result.count * result.n * result.e) {
    return std::nullopt;
  }
  result.k = transposed_view(keys, result.count, result.m, result.d);
  if (!result.q.step_behind(net) || !result.k.step_behind(net)) return std::nullopt;
  seen_through values{result.v.node, {}};
  if (!values.step_behind(net)) return std::nullopt;
  result.v.node = values.node;
  result.v.map = std::move(values.map);
  result.scale = scores->factor * result.q.factor * result.k.factor;
  if (!result.scale.is_bounded()) return std::nullopt;
  result.mask = rules::attention_mask(scores->addends, scores->replaces);
  try {
    auto const size = [](std::size_t value) { return static_cast<index_t>(value); };
    result.mask.require_fit({size(result.count), size(result.n), size(result.m)});
  } catch (error const&) {
    return std::nullopt;  // a row without keys: left as it is, and refused there
  }
  return result;
}

/// The rearrangement that makes a view a tensor of this shape.
template <class = void>
std::vector<any_rule> gathered(scaled_view view, tensor_shape const& from, tensor_shape shape) {
  bool in_order = element_count(from) == element_count(shape);
  for (std::size_t i = 0; i < view.map.size() && in_order; ++i) in_order = view[i] == i;
  if (in_order && from == shape) return {};
  return {rules::rearrange(std::move(shape), in_order ? std::vector<index_t>{} : std::move(view.map),
                           in_order ? "reshape" : "transpose")};
}

/// The core by itself.
template <class = void>
std::optional<replacement> as_attention(network const& net, node_id node) {
  auto found = attention_at(net, node);
  if (!found) return std::nullopt;
  auto const shape = [&](std::size_t rows, std::size_t width) {
    return tensor_shape{static_cast<index_t>(found->count), static_cast<index_t>(rows), static_cast<index_t>(width)};
  };
  replacement result{rules::attention(found->scale, found->mask), {found->q.node, found->k.node, found->v.node}};
  result.before.push_back(gathered(std::move(found->q), net[result.inputs[0]].shape, shape(found->n, found->d)));
  result.before.push_back(gathered(std::move(found->k), net[result.inputs[1]].shape, shape(found->m, found->d)));
  result.before.push_back(gathered(std::move(found->v), net[result.inputs[2]].shape, shape(found->m, found->e)));
  if (net[node].shape != shape(found->n, found->e)) result.after.push_back(rules::rearrange(net[node].shape));
  return result;
}

/// Where the rows of one head's projection lie: an affine map of the tokens x.
struct found_projections {
  node_id x = 0;
  std::vector<rules::projection> heads;
};

/// A view of count x n x width elements as affine maps of tokens, one for each of `heads` parts: matrix number
/// b heads + h holds rows first_h, first_h + step_h, .. of W x_t + bias for the tokens t = b n + i.
template <class = void>
std::optional<found_projections> projections_at(network const& net, scaled_view view, std::size_t count, std::size_t n,
                                                std::size_t width) {
  std::vector<double> bias;
  if (auto const* added = net[view.node].rule.as<rules::add_constant>()) {
    if (added->coefficient() != 1) return std::nullopt;
    bias = added->values();
    seen_through behind{net[view.node].inputs[0], {}};
    // A bias is added where the map has written it, or behind a reshape that keeps the order.
    if (!behind.step_behind(net) || !behind.map.empty()) return std::nullopt;
    view.node = behind.node;
  }
  auto const* const map = net[view.node].rule.as<rules::linear>();
  if (map == nullptr || map->coefficient() != 1) return std::nullopt;
  auto const out = static_cast<std::size_t>(map->matrix().rows());
  if (!bias.empty() && bias.size() != out) return std::nullopt;
  std::size_t const tokens = static_cast<std::size_t>(element_count(net[view.node].shape)) / out;
  if (n == 0 || width == 0 || tokens % n != 0 || count % (tokens / n) != 0) return std::nullopt;
  std::size_t const heads = count / (tokens / n);
  found_projections result{net[view.node].inputs[0], {}};
  tensor_shape const& input = net[result.x].shape;
  if (tokens != n && (input.size() < 2 || input[input.size() - 2] != static_cast<index_t>(n))) return std::nullopt;
  for (std::size_t h = 0; h < heads; ++h) {
    std::size_t const first = view[h * n * width] % out;
    std::size_t const second = width > 1 ? view[h * n * width + 1] % out : first + 1;
    if (second <= first) return std::nullopt;
    std::size_t const step = second - first;
    if (first + (width - 1) * step >= out) return std::nullopt;
    for (std::size_t b = 0; b < tokens / n; ++b) {
      for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t f = 0; f < width; ++f) {
          std::size_t const at = ((b * heads + h) * n + i) * width + f;
          if (view[at] != (b * n + i) * out + first + f * step) return std::nullopt;
        }
      }
    }
    rules::projection part{map->matrix().block(static_cast<index_t>(first), static_cast<index_t>(width),
                                               static_cast<index_t>(step), 0, map->matrix().cols())};
    for (std::size_t f = 0; f < width && !bias.empty(); ++f) part.bias.push_back(bias[first + f * step]);
    result.heads.push_back(std::move(part));
  }
  return result;
}

/// The concatenated heads of self-attention behind a value: the rule without W_O, and its input.
struct found_heads {
  std::vector<rules::attention_head> heads;
  found_attention core;
  node_id x = 0;
};

/// Row b n + i of the value is the concatenation over h of row i of matrix b H + h of an attention whose queries, keys
/// and values are affine maps of one x.
template <class = void>
std::optional<found_heads> heads_behind(network const& net, node_id value) {
  node_id front = value;
  int steps = 0;
  for (; steps < most_steps && net[front].rule.as<rules::rearrange>() != nullptr; ++steps) front = net[front].inputs[0];
  if (net[front].rule.as<rules::matrix_product>() == nullptr) return std::nullopt;
  seen_through concatenated{value, {}};
  if (!concatenated.step_behind(net)) return std::nullopt;
  auto core = attention_at(net, concatenated.node);
  if (!core || core->n != core->m) return std::nullopt;
  auto const q = projections_at(net, core->q, core->count, core->n, core->d);
  if (!q) return std::nullopt;
  auto const k = projections_at(net, core->k, core->count, core->n, core->d);
  if (!k || k->x != q->x) return std::nullopt;
  auto const v = projections_at(net, core->v, core->count, core->n, core->e);
  if (!v || v->x != q->x || k->heads.size() != q->heads.size() || v->heads.size() != q->heads.size()) {
    return std::nullopt;
  }
  std::size_t const heads = q->heads.size();
  std::size_t const elements = core->count * core->n * core->e;
  if (static_cast<std::size_t>(element_count(net[value].shape)) != elements ||
      static_cast<std::size_t>(net[value].shape.back()) != heads * core->e) {
    return std::nullopt;
  }
  for (std::size_t at = 0; at < elements; ++at) {
    std::size_t const f = at % core->e;
    std::size_t const h = at / core->e % heads;
    std::size_t const token = at / (core->e * heads);
    std::size_t const from = ((token / core->n * heads + h) * core->n + token % core->n) * core->e + f;
    std::size_t const seen = concatenated.map.empty() ? at : static_cast<std::size_t>(concatenated.map[at]);
    if (seen != from) return std::nullopt;
  }
  found_heads result;
  result.x = q->x;
  for (std::size_t h = 0; h < heads; ++h) result.heads.push_back({q->heads[h], k->heads[h], v->heads[h]});
  result.core = *std::move(core);
  return result;
}

/// The tokens must stand in rows of a tensor of two or more axes.
template <class = void>
bool holds_rows(tensor_shape const& shape, std::size_t n) {
  return shape.size() >= 2 && (shape[shape.size() - 2] == static_cast<index_t>(n));
}

/// W_O times concatenated heads.
template <class = void>
std::optional<replacement> as_self_attention(network const& net, node_id node) {
  auto const* const output = net[node].rule.as<rules::linear>();
  bool const projected = output != nullptr && output->coefficient() == 1;
  if (!projected && net[node].rule.as<rules::rearrange>() == nullptr) return std::nullopt;
  auto found = heads_behind(net, projected ? net[node].inputs[0] : node);
  if (!found || !holds_rows(net[found->x].shape, found->core.n)) return std::nullopt;
  auto weight_of_output = projected ? std::optional<weight>(output->matrix()) : std::nullopt;
  rules::self_attention rule(std::move(found->heads), std::move(weight_of_output), found->core.scale, found->core.mask);
  std::vector<tensor_shape> const shapes{net[found->x].shape};
  bool const same = rule.output_shape(shapes) == net[node].shape;
  replacement result{std::move(rule), {found->x}};
  if (!same) result.after.push_back(rules::rearrange(net[node].shape));
  return result;
}

/// Self-attention where queries, keys and values come from one value, the core elsewhere.
template <std::same_as<network> Network>
network with_attention(Network const& net) {
  auto const whole = replace_nodes(net, as_self_attention<>);
  return replace_nodes(whole, as_attention<>);
}

}  // namespace sigmax::inline SIGMAX_ABI::lipschitz::rewrite
