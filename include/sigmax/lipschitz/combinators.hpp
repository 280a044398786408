// SPDX-License-Identifier: MIT
/// @file
/// Layers made of layers: one after another, and around a skip connection.
#pragma once

#include <optional>
#include <tuple>
#include <utility>

#include <sigmax/bound/interval.hpp>
#include <sigmax/config.hpp>
#include <sigmax/core/error.hpp>
#include <sigmax/lipschitz/layer.hpp>
#include <sigmax/lipschitz/network.hpp>
#include <sigmax/lipschitz/rules/support.hpp>
#include <sigmax/lipschitz/rules/weighted_sum.hpp>

namespace sigmax::inline SIGMAX_ABI::lipschitz {

/// f_k o ... o f_1.
template <layer... Layers>
class sequential_layer {
 public:
  explicit sequential_layer(Layers... layers) : layers_(std::move(layers)...) {}

  node_id append(network& net, node_id input) const {
    std::apply([&](auto const&... each) { ((input = lipschitz::append(each, net, input)), ...); }, layers_);
    return input;
  }
  /// That of the first layer that says so, as far as the layers before it keep the width.
  std::optional<index_t> input_width() const {
    std::optional<index_t> width;
    bool open = true;
    auto const look = [&](auto const& each) {
      if (open) width = lipschitz::input_width(each);
      open = open && !width && lipschitz::keeps_width(each);
    };
    std::apply([&](auto const&... each) { (look(each), ...); }, layers_);
    return width;
  }
  bool keeps_width() const {
    return std::apply([](auto const&... each) { return (lipschitz::keeps_width(each) && ...); }, layers_);
  }

 private:
  std::tuple<Layers...> layers_;
};

/// The layers one after another: sequential(f, g)(x) = g(f(x)). Bound: the product of theirs.
template <layer... Layers>
sequential_layer<Layers...> sequential(Layers... layers) {
  return sequential_layer<Layers...>(std::move(layers)...);
}

/// skip x + branch f(x).
template <layer L>
class residual_layer {
 public:
  residual_layer(interval skip, interval branch, L f) : sum_({skip, branch}, "residual"), f_(std::move(f)) {}

  node_id append(network& net, node_id input) const {
    return net.add(sum_, {input, lipschitz::append(f_, net, input)});
  }
  std::optional<index_t> input_width() const { return lipschitz::input_width(f_); }
  bool keeps_width() const { return true; }

 private:
  rules::weighted_sum sum_;
  L f_;
};

/// x + f(x). Bound: 1 + L_f.
template <layer L>
residual_layer<L> residual(L f) {
  return {1.0, 1.0, std::move(f)};
}

/// (1 - alpha) x + alpha f(x) for any finite alpha. Bound: |1 - alpha| + |alpha| L_f, 1 - alpha rounded outwards where
/// it is no double. @throws numeric_error if alpha is not finite.
template <layer L>
residual_layer<L> residual(double alpha, L f) {
  // The error of fl(1 - alpha) is itself a double (TwoSum, Knuth 1969); where it is 0, the difference is exact.
  double const skip = 1.0 - alpha;
  double const back = skip - 1.0;
  bool const exact = (1.0 - (skip - back)) + (-alpha - back) == 0;
  return {exact ? interval(skip) : interval(1.0) - interval(alpha), alpha, std::move(f)};
}

}  // namespace sigmax::inline SIGMAX_ABI::lipschitz
