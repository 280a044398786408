// SPDX-License-Identifier: MIT
/// @file
/// A rule that tells when its bound was computed, and is another rule otherwise.
#pragma once

#include <span>
#include <string>
#include <utility>

#include <sigmax/bound/norm.hpp>
#include <sigmax/lipschitz/network.hpp>
#include <sigmax/lipschitz/rule.hpp>
#include <sigmax/lipschitz/rules/any_rule.hpp>
#include <sigmax/lipschitz/tensor_shape.hpp>

#include "heartbeat.hpp"

namespace certify_program {

class watched_rule {
 public:
  watched_rule(sigmax::lipschitz::any_rule inner, progress& work) : inner_(std::move(inner)), work_(&work) {}

  std::string operator_name() const { return inner_.operator_name(); }
  std::string rule_name(sigmax::norm::any asked) const { return inner_.rule_name(asked); }
  std::string refusal(sigmax::norm::any asked) const { return inner_.refusal(asked); }
  sigmax::lipschitz::tensor_shape output_shape(std::span<sigmax::lipschitz::tensor_shape const> shapes) const {
    return inner_.output_shape(shapes);
  }
  double multiply_adds(std::span<sigmax::lipschitz::tensor_shape const> shapes) const {
    return inner_.multiply_adds(shapes);
  }
  template <sigmax::norm_tag N>
  sigmax::lipschitz::sensitivities<N> bound(std::span<sigmax::lipschitz::tensor_shape const> shapes,
                                            sigmax::lipschitz::rule_context const& context) const {
    auto result = inner_.bound<N>(shapes, context);
    ++work_->done;
    return result;
  }
  template <class T>
  void evaluate(std::span<std::span<T const> const> inputs, std::span<sigmax::lipschitz::tensor_shape const> shapes,
                std::span<T> output) const {
    inner_.evaluate<T>(inputs, shapes, output);
  }
  void pull_back(std::span<std::span<double const> const> inputs,
                 std::span<sigmax::lipschitz::tensor_shape const> shapes, std::span<double const> output_gradient,
                 std::span<std::span<double> const> input_gradients) const {
    inner_.pull_back(inputs, shapes, output_gradient, input_gradients);
  }

 private:
  sigmax::lipschitz::any_rule inner_;
  progress* work_;
};

/// The same network, which counts in `work` as its layers are certified. `work` must outlive it.
inline sigmax::lipschitz::network watched(sigmax::lipschitz::network const& net, progress& work) {
  sigmax::lipschitz::network result(net.input_shape(), net[net.input()].name);
  std::size_t layers = 0;
  for (sigmax::lipschitz::node_id id = 1; id < net.size(); ++id) {
    result.add(watched_rule(net[id].rule, work), net[id].inputs, net[id].name);
    // Constants have no bound to compute.
    if (!net[id].inputs.empty()) ++layers;
  }
  result.set_output(net.output());
  work.all = layers;
  return result;
}

}  // namespace certify_program
