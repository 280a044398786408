// SPDX-License-Identifier: MIT
/// @file
/// The walk through a network that makes its certificate, whoever finds the bounds of its segments. Nothing it includes
/// searches for anything but attacks.
#pragma once

#include <cmath>
#include <concepts>
#include <cstddef>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <sigmax/bound/extended.hpp>
#include <sigmax/bound/norm.hpp>
#include <sigmax/bound/rounding.hpp>
#include <sigmax/config.hpp>
#include <sigmax/core/error.hpp>
#include <sigmax/lipschitz/certificate.hpp>
#include <sigmax/lipschitz/certificate_text.hpp>
#include <sigmax/lipschitz/domain.hpp>
#include <sigmax/lipschitz/facts.hpp>
#include <sigmax/lipschitz/falsify.hpp>
#include <sigmax/lipschitz/method_runner.hpp>
#include <sigmax/lipschitz/network.hpp>
#include <sigmax/lipschitz/norm_prover.hpp>
#include <sigmax/lipschitz/range_pass.hpp>
#include <sigmax/lipschitz/rule.hpp>
#include <sigmax/lipschitz/segment_pass.hpp>
#include <sigmax/lipschitz/tensor_shape.hpp>

namespace sigmax::inline SIGMAX_ABI::lipschitz {

/// Hears how far the work on a certificate is, in the thread that does it.
struct progress_listener {
  void* self = nullptr;
  /// `done` of `all` steps of a stage ("layers", "attack", the name of a method) are over.
  void (*heard)(void* self, char const* stage, std::size_t done, std::size_t all) = nullptr;

  void tell(char const* stage, std::size_t done, std::size_t all) const {
    if (heard != nullptr) heard(self, stage, done, all);
  }
};

/// Options of `certify`.
struct certify_options {
  /// Norm of input and output: norm::l2, norm::linf or norm::rms (rows being the last axis of each).
  sigmax::norm::any norm = sigmax::norm::l2;
  /// The inputs to speak of: all of them, a ball in that norm, or a box.
  input_domain domain = {};
  /// Relative distance of the two ends of each certified spectral norm.
  double relative_gap = 1e-7;
  /// Look for a lower bound too, and compare.
  bool attack = true;
  attack_options attack_settings = {};
  progress_listener progress = {};
  /// How layers are put together.
  method_options methods = {};
};

namespace detail {

/// a / b for reading, 0 where there is no number.
inline double quotient_estimate(extended const& a, extended const& b) {
  if (a.is_zero() || b.is_zero() || a.is_infinite() || b.is_infinite()) return 0;
  double const exponent = static_cast<double>(a.exponent()) - static_cast<double>(b.exponent());
  return a.mantissa() / b.mantissa() * std::exp2(exponent);
}

struct certificate_maker {
  /// Walks the network once forwards for the bounds and once backwards for the shares.
  template <norm_tag N>
  static certificate_contents prove(network const& net, rule_context context, method_runner const& methods,
                                    certify_options const& options) {
    auto const count = static_cast<std::size_t>(net.size());
    auto const used = nodes_behind_output(net);
    range_pass ranges(net, used, options.domain, N{});
    segment_pass<N> pieces(net, used, ranges, methods, options.methods);
    std::vector<std::optional<facts<N>>> known(count);
    std::vector<sensitivities<N>> own(count);
    certificate_contents result;
    result.in = result.out = N{};
    result.domain = options.domain;
    known[0] = facts_of_input<N>();
    std::vector<tensor_shape> shapes;
    std::vector<facts<N> const*> inputs;
    for (std::size_t i = 1; i < count; ++i) {
      options.progress.tell("layers", i, count);
      if (used[i] == 0) continue;
      auto const& node = net.nodes()[i];
      shapes.clear();
      inputs.clear();
      for (node_id const from : node.inputs) {
        shapes.push_back(net[from].shape);
        inputs.push_back(&*known[static_cast<std::size_t>(from)]);
      }
      context.ranges = ranges.of_inputs(i);
      if (!ranges.varies(i)) {
        known[i] = facts_of_output<N>({}, {});  // of constants only: a constant
        pieces.constant(i);
        ranges.advance(i, shapes, context, extended());
        continue;
      }
      own[i] = bound_of<N>(node, shapes, context);
      joining const how = node.rule.joins(N{}, shapes);
      known[i] = facts_of_output<N>(own[i], inputs, how);
      pieces.advance(i, own[i], how, known, options.progress);
      ranges.advance(i, shapes, context, known[i]->lipschitz.extended_value());
      std::vector<extended> terms;
      for (auto const& b : own[i]) terms.push_back(b.extended_value());
      extended const sum = joined(how, terms);
      result.layers.push_back({node.name, node.rule.operator_name(), node.shape, sum.log10_up(),
                               known[i]->lipschitz.log10(), 0.0, node.rule.rule_name(N{}), ranges.log10_radius(i)});
      bool refused = own[i].size() != inputs.size();
      for (std::size_t k = 0; k < own[i].size() && k < inputs.size(); ++k) {
        refused = refused || (!own[i][k].is_finite() && !inputs[k]->lipschitz.extended_value().is_zero());
      }
      if (refused) result.refused.push_back({node.name, node.rule.operator_name(), node.rule.refusal(N{})});
    }
    auto const& output = known[static_cast<std::size_t>(net.output())]->lipschitz;
    result.upper = output.extended_value();
    result.tried = pieces.tried(net.output());
    result.method = pieces.winner();
    result.rests_on = output.rests_on();
    result.input_shape = net.input_shape();
    result.output_shape = net.output_shape();
    fill_shares<N>(net, used, ranges, own, pieces.layer_by_layer(), result);
    return result;
  }

  static certificate seal(certificate_contents contents) { return certificate(std::move(contents)); }

  static std::vector<char> nodes_behind_output(network const& net) {
    std::vector<char> used(static_cast<std::size_t>(net.size()), 0);
    used[static_cast<std::size_t>(net.output())] = 1;
    for (std::size_t i = used.size(); i-- > 0;) {
      if (used[i] == 0) continue;
      for (node_id const from : net.nodes()[i].inputs) used[static_cast<std::size_t>(from)] = 1;
    }
    used[0] = 1;
    return used;
  }

 private:
  template <norm_tag N>
  static sensitivities<N> bound_of(network_node const& node, std::vector<tensor_shape> const& shapes,
                                   rule_context const& context) {
    try {
      return node.rule.template bound<N>(shapes, context);
    } catch (numeric_error const& problem) {
      sigmax::detail::raise<numeric_error>({"certify: node '", node.name, "': ", problem.what()});
    }
  }

  /// share_i = A_i P_i / P, P_i the bounds layer by layer and A_i the derivative of P with respect to P_i: methods that
  /// bound several layers together have no shares of them.
  template <norm_tag N>
  static void fill_shares(network const& net, std::vector<char> const& used, range_pass const& ranges,
                          std::vector<sensitivities<N>> const& own, std::vector<extended> const& by_layers,
                          certificate_contents& result) {
    std::vector<extended> weight_of(own.size());
    auto const out = static_cast<std::size_t>(net.output());
    weight_of[out] = extended(1.0);
    auto row = result.layers.size();
    for (std::size_t i = own.size(); i-- > 1;) {
      if (used[i] == 0 || !ranges.varies(i)) continue;
      result.layers[--row].share = quotient_estimate(weight_of[i] * by_layers[i], by_layers[out]);
      auto const& inputs = net.nodes()[i].inputs;
      std::vector<tensor_shape> shapes;
      for (node_id const from : inputs) shapes.push_back(net[from].shape);
      joining const how = net.nodes()[i].rule.joins(N{}, shapes);
      for (std::size_t k = 0; k < inputs.size() && k < own[i].size(); ++k) {
        auto const from = static_cast<std::size_t>(inputs[k]);
        // d sqrt(sum t^2) / d t_k = t_k / sqrt(sum t^2); of a maximum 1 where it is attained.
        double slope = 1;
        if (how != joining::sum) slope = quotient_estimate(own[i][k].extended_value() * by_layers[from], by_layers[i]);
        if (how == joining::maximum) slope = slope > 1 - 1e-9 ? 1.0 : 0.0;
        weight_of[from] = weight_of[from] + weight_of[i] * own[i][k].extended_value() * extended(slope);
      }
    }
  }
};

/// `certify`, stated below, with spectral norms proved by `prover`, or by the default backend where it is null.
template <std::same_as<network> Network>
certificate certify_with(norm_prover const* prover, method_runner const& methods, Network const& net,
                         certify_options const& options) {
  SIGMAX_DETAIL_REQUIRE_STRICT_ARITHMETIC(Network);
  if (!arithmetic_environment_is_sound()) {
    sigmax::detail::raise<numeric_error>(
        {"certify: this thread does not round to nearest with gradual underflow (fesetround, "
         "flush-to-zero, a library built with -ffast-math?); nothing can be proved in it"});
  }
  remembered_norms norms(prover);
  rule_context const context{.relative_gap = options.relative_gap, .prover = &norms.prover()};
  auto contents =
      options.norm.visit([&]<norm_tag N>(N) { return certificate_maker::prove<N>(net, context, methods, options); });
  if (options.attack) {
    options.progress.tell("attack", 0, 1);
    contents.lower = falsify(net, options.norm, options.attack_settings, options.domain);
    if (contents.lower->proven && contents.lower->value > contents.upper.to_double_up()) {
      throw contradiction(std::string("certify: internal error: the attack proves L >= ") +
                              short_lower(contents.lower->value) + ", the upper bound is " +
                              short_upper(contents.upper) +
                              (contents.rests_on.empty() ? "; please report this network"
                                                         : "; a reason given to trust is false, or please report"),
                          *std::move(contents.lower));
    }
  }
  return certificate_maker::seal(std::move(contents));
}

}  // namespace detail

}  // namespace sigmax::inline SIGMAX_ABI::lipschitz
