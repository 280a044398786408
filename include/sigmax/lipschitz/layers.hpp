// SPDX-License-Identifier: MIT
/// @file
/// Layers written in C++: `linear`, `scale`, `flatten`, `bounded`. Activations are layers as well
/// (rules/activation.hpp); `sequential` and `residual` join them (combinators.hpp). All are values.
#pragma once

#include <concepts>
#include <cstddef>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <sigmax/bound/norm.hpp>
#include <sigmax/bound/upper_bound.hpp>
#include <sigmax/config.hpp>
#include <sigmax/core/error.hpp>
#include <sigmax/core/matrix_like.hpp>
#include <sigmax/core/scalar.hpp>
#include <sigmax/lipschitz/layer.hpp>
#include <sigmax/lipschitz/network.hpp>
#include <sigmax/lipschitz/rules/add_constant.hpp>
#include <sigmax/lipschitz/rules/bounded.hpp>
#include <sigmax/lipschitz/rules/linear.hpp>
#include <sigmax/lipschitz/rules/rearrange.hpp>
#include <sigmax/lipschitz/rules/scale.hpp>
#include <sigmax/lipschitz/weight.hpp>

namespace sigmax::inline SIGMAX_ABI::lipschitz {

namespace detail {

/// Vectors of any library: a size and elements that are doubles without rounding.
template <class V>
concept vector_of_numbers = requires(V const& v) {
  { v.size() } -> std::convertible_to<index_t>;
  requires exact_in_double<std::remove_cvref_t<decltype(v[0])>>;
};

template <vector_of_numbers V>
std::vector<double> to_doubles(V const& values) {
  std::vector<double> result;
  result.reserve(static_cast<std::size_t>(values.size()));
  for (decltype(values.size()) i = 0; i < values.size(); ++i) result.push_back(static_cast<double>(values[i]));
  return result;
}

/// A named matrix is viewed, a temporary that owns its elements is moved in, a temporary view is copied as a view.
template <class M>
weight weight_of(M&& matrix) {
  using type = std::remove_cvref_t<M>;
  if constexpr (!std::is_reference_v<M> && !std::is_const_v<M> && sigmax::detail::owns_elements<type>()) {
    return weight::owning(std::move(matrix));
  } else {
    static_assert(std::is_reference_v<M> || !sigmax::detail::owns_elements<type>(),
                  "sigmax::linear: this constant temporary owns its elements and cannot be moved; give it a name");
    return weight::viewing(matrix);
  }
}

}  // namespace detail

/// y = W x + bias along the last axis.
class linear_layer {
 public:
  explicit linear_layer(rules::linear product, std::optional<std::vector<double>> bias = {})
      : product_(std::move(product)) {
    if (!bias) return;
    if (static_cast<index_t>(bias->size()) != product_.matrix().rows()) {
      sigmax::detail::raise<shape_error>({"linear: bias has ", bias->size(), " elements, W ", product_.matrix().rows(),
                                          " rows; the numbers must be equal"});
    }
    bias_.emplace(std::move(*bias));
  }

  // A template, so that a file that includes this and builds no network does not compile the proofs of its layers.
  template <std::same_as<network> Network>
  node_id append(Network& net, node_id input) const {
    node_id const product = net.add(product_, {input});
    return bias_ ? net.add(*bias_, {product}) : product;
  }
  std::optional<index_t> input_width() const { return product_.matrix().cols(); }

 private:
  rules::linear product_;
  std::optional<rules::add_constant> bias_;
};
static_assert(layer<linear_layer>);

/// y = W x, W out x in, of float, double, bf16 or f16. `linear(W)` views W, which must outlive the layer and everything
/// made of it; `linear(std::move(W))` owns it.
template <class M>
  requires matrix_like<M> && exact_in_double<value_t<M>> linear_layer linear(M&& w) {
    return linear_layer(rules::linear(detail::weight_of(std::forward<M>(w))));
  }

/// y = W x + bias; the bias (out elements) is copied. @throws shape_error if its size is not the number of rows,
/// numeric_error if an element is not finite.
template <class M, detail::vector_of_numbers V>
  requires matrix_like<M> && exact_in_double<value_t<M>> linear_layer linear(M&& w, V const& bias) {
    return linear_layer(rules::linear(detail::weight_of(std::forward<M>(w))), detail::to_doubles(bias));
  }

/// y = c x.
inline rules::scale scale(double c) { return rules::scale({c}); }

/// y_i = c_i x_i along the last axes.
inline rules::scale scale(std::vector<double> factors) { return rules::scale(std::move(factors)); }

/// The input as one axis.
struct flatten_layer {
  template <std::same_as<network> Network>
  node_id append(Network& net, node_id input) const {
    return net.add(rules::rearrange({element_count(net[input].shape)}, {}, "flatten"), {input});
  }
  bool keeps_width() const { return true; }  // of a vector, the only input whose shape need not be given
};
static_assert(layer<flatten_layer>);

inline flatten_layer flatten() { return {}; }

/// An opaque layer with a bound the caller brings; see rules::bounded.
template <norm_tag N>
rules::bounded bounded(upper_bound<op<N, N>> const& bound, std::string operator_name = "bounded",
                       std::optional<tensor_shape> output = {}) {
  return rules::bounded(bound, std::move(operator_name), std::move(output));
}

}  // namespace sigmax::inline SIGMAX_ABI::lipschitz
