// SPDX-License-Identifier: MIT
/// @file
/// logits = W_3 phi(W_2 phi(W_1 x + b_1) + b_2) + b_3, forwards and backwards.
#pragma once

#include <span>
#include <string>
#include <vector>

#include <sigmax/core/matrix.hpp>
#include <sigmax/kernels.hpp>
#include <sigmax/lipschitz/network.hpp>

namespace robust_mlp {

using sigmax::index_t;

/// Both are 1-Lipschitz; |x| keeps the length of gradients, too.
enum class activation : unsigned char { relu, absolute };

struct classifier {
  /// out x in, and 1 x out.
  std::vector<sigmax::matrix<float>> weights, biases;
  activation between = activation::relu;

  /// Zero, of widths.front() inputs and widths.back() logits.
  classifier(std::vector<index_t> const& widths, activation phi);
  index_t layers() const { return static_cast<index_t>(weights.size()); }
};

/// What a batch leaves behind, allocated once.
class layer_values {
 public:
  layer_values(classifier const& of, index_t batch);

  sigmax::matrix_view<float> input() { return values_.front().view(); }
  sigmax::matrix_view<float> logits() { return values_.back().view(); }

  /// Logits of `input()`.
  void forward(sigmax::cpu::native const& on, classifier const& of);
  /// From derivatives by the logits in `d_logits()` to those by the input, N x in, and, added to `gradient` where it is
  /// given, by weights and biases.
  sigmax::matrix_view<float const> backward(sigmax::cpu::native const& on, classifier const& of, classifier* gradient);
  sigmax::matrix_view<float> d_logits() { return derivatives_.back().view(); }

 private:
  /// Of the input and of each layer, after phi; and the signs or slopes that phi had.
  std::vector<sigmax::matrix<float>> values_, slopes_, derivatives_;
};

/// In real arithmetic with the stored numbers, for certificates. Views the weights, which must outlive it.
sigmax::lipschitz::network network_of(classifier const& of);

}  // namespace robust_mlp
