// SPDX-License-Identifier: MIT
#include <string>
#include <utility>
#include <vector>

#include <sigmax/lipschitz/attention_layers.hpp>
#include <sigmax/lipschitz/rules/activation.hpp>
#include <sigmax/lipschitz/rules/ball_projection.hpp>
#include <sigmax/lipschitz/rules/linear.hpp>
#include <sigmax/lipschitz/rules/rotary_embedding.hpp>
#include <sigmax/lipschitz/rules/weighted_sum.hpp>

#include "forward_constants.hpp"
#include "network.hpp"

namespace transformer {

namespace {

namespace rules = sigmax::lipschitz::rules;
using sigmax::lipschitz::weight;

template <class T>
std::vector<double> numbers_of(sigmax::matrix<T> const& m) {
  std::vector<double> result;
  for (index_t i = 0; i < m.size(); ++i) result.push_back(static_cast<double>(m.data()[i]));
  return result;
}

/// Causal, with what positions add to scores.
template <class T>
rules::attention_mask mask_of(index_t length, sigmax::matrix<T> const& position) {
  if (position.size() == 0) return rules::attention_mask::causal();
  std::vector<double> addends;
  addends.reserve(static_cast<std::size_t>(position.rows() * length * length));
  for (index_t h = 0; h < position.rows(); ++h) {
    for (index_t i = 0; i < length; ++i) {
      for (index_t j = 0; j < length; ++j) {
        addends.push_back(j > i ? 0.0 : static_cast<double>(position(h, position.cols() - 1 - i + j)));
      }
    }
  }
  return rules::attention_mask(std::move(addends), {}, true);
}

}  // namespace

template <class T>
rules::rotary_embedding rotation_of(rotary_table<T> const& table) {
  return {table.cosine.rows(), table.cosine.cols(), numbers_of(table.cosine), numbers_of(table.sine)};
}

template <class T>
sigmax::lipschitz::network network_of_model(model<T> const& of, parameters<T> const& w) {
  auto const constants = constants_of(of);
  sigmax::lipschitz::network net({of.attention.length, of.shape.width}, "vectors of tokens");
  sigmax::lipschitz::node_id stream = sigmax::lipschitz::network::input();
  sigmax::lipschitz::attention_options attention{.heads = of.shape.heads,
                                                 .scale = sigmax::interval(constants.scale),
                                                 .mask = {},
                                                 .rotation = rotation_of(of.attention.rotation)};
  for (std::size_t i = 0; i < w.blocks.size(); ++i) {
    auto const& block = w.blocks[i];
    std::string const prefix = "blocks." + std::to_string(i) + ".";
    auto const add = [&](sigmax::lipschitz::node_id branch, sigmax::interval factor, std::string const& name) {
      stream = net.add(rules::weighted_sum({constants.skip, factor}, "residual"), {stream, branch}, prefix + name);
      if (constants.ball_radius > 0) {
        stream = net.add(rules::ball_projection(constants.ball_radius), {stream}, prefix + name + ".ball");
      }
    };
    attention.mask = mask_of(of.attention.length, block.position);
    auto const attended = net.add(multi_head_attention(block.query, block.key, block.value, block.output, attention),
                                  {stream}, prefix + "attention");
    add(attended, constants.attention, "attention.residual");
    auto node = net.add(rules::linear(weight::viewing(block.mlp_in)), {stream}, prefix + "mlp.in");
    node = net.add(sigmax::lipschitz::gelu(), {node}, prefix + "mlp.gelu");
    node = net.add(rules::linear(weight::viewing(block.mlp_out)), {node}, prefix + "mlp.out");
    add(node, constants.mlp, "mlp.residual");
  }
  net.add(rules::linear(weight::viewing(w.head), constants.logits), {stream}, "head");
  return net;
}

template rules::rotary_embedding rotation_of(rotary_table<float> const&);
template rules::rotary_embedding rotation_of(rotary_table<double> const&);
template sigmax::lipschitz::network network_of_model(model<float> const&, parameters<float> const&);
template sigmax::lipschitz::network network_of_model(model<double> const&, parameters<double> const&);

}  // namespace transformer
