// SPDX-License-Identifier: MIT
/// @file
/// Convolutions as layers written in C++.
#pragma once

#include <concepts>
#include <cstddef>
#include <utility>
#include <vector>

#include <sigmax/config.hpp>
#include <sigmax/core/error.hpp>
#include <sigmax/core/matrix_like.hpp>
#include <sigmax/core/scalar.hpp>
#include <sigmax/lipschitz/layer.hpp>
#include <sigmax/lipschitz/layers.hpp>
#include <sigmax/lipschitz/network.hpp>
#include <sigmax/lipschitz/rules/channel.hpp>
#include <sigmax/lipschitz/rules/convolution.hpp>

namespace sigmax::inline SIGMAX_ABI::lipschitz {

/// y = K * x + bias, one element of the bias an output channel.
template <class Rule>
class convolution_layer {
 public:
  /// @throws shape_error if the bias has another size than there are output channels.
  explicit convolution_layer(Rule product, std::vector<double> bias = {})
      : product_(std::move(product)), bias_(std::move(bias)) {
    if (!bias_.empty() && static_cast<index_t>(bias_.size()) != product_.out_channels()) {
      sigmax::detail::raise<shape_error>({Rule::name(), ": bias has ", bias_.size(), " elements for ",
                                          product_.out_channels(), " output channels; the numbers must be equal"});
    }
  }

  template <std::same_as<network> Network>
  node_id append(Network& net, node_id input) const {
    node_id const product = net.add(product_, {input});
    if (bias_.empty()) return product;
    index_t plane = 1;
    auto const& shape = net[product].shape;
    for (std::size_t axis = shape.size() - product_.kernel().size(); axis < shape.size(); ++axis) plane *= shape[axis];
    return net.add(rules::channel::shift({bias_.begin(), bias_.end()}, plane), {product});
  }

 private:
  Rule product_;
  std::vector<double> bias_;
};

/// y = K * x over images (..., channels, extents). K: c_out rows, (c_in / groups) * taps columns, viewed or owned as by
/// `linear`; `kernel` are its spatial extents. See rules::convolution_rule.
template <class M>
  requires matrix_like<M> && exact_in_double<value_t<M>>
auto convolution(M&& k, tensor_shape kernel, rules::convolution_options const& options = {}) {
  return convolution_layer(rules::convolution(detail::weight_of(std::forward<M>(k)), std::move(kernel), options));
}

/// The same with a bias, which is copied.
template <class M, detail::vector_of_numbers V>
  requires matrix_like<M> && exact_in_double<value_t<M>>
auto convolution(M&& k, tensor_shape kernel, rules::convolution_options const& options, V const& bias) {
  return convolution_layer(rules::convolution(detail::weight_of(std::forward<M>(k)), std::move(kernel), options),
                           detail::to_doubles(bias));
}

/// The adjoint of a convolution with the same options. K: c_in rows, (c_out / groups) * taps columns.
template <class M>
  requires matrix_like<M> && exact_in_double<value_t<M>>
auto transposed_convolution(M&& k, tensor_shape kernel, rules::convolution_options const& options = {}) {
  return convolution_layer(
      rules::transposed_convolution(detail::weight_of(std::forward<M>(k)), std::move(kernel), options));
}

/// The same with a bias, which is copied.
template <class M, detail::vector_of_numbers V>
  requires matrix_like<M> && exact_in_double<value_t<M>>
auto transposed_convolution(M&& k, tensor_shape kernel, rules::convolution_options const& options, V const& bias) {
  return convolution_layer(
      rules::transposed_convolution(detail::weight_of(std::forward<M>(k)), std::move(kernel), options),
      detail::to_doubles(bias));
}

}  // namespace sigmax::inline SIGMAX_ABI::lipschitz
