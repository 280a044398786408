// SPDX-License-Identifier: MIT
/// @file
/// x <- (1 - alpha) x + alpha W_out GELU(W_in x) / divisor.
#pragma once

#include <sigmax/core/matrix.hpp>

#include "linear.hpp"
#include "model_options.hpp"
#include "on_threads.hpp"
#include "parameters.hpp"
#include "pointwise.hpp"

namespace transformer {

/// Of the forward pass, N x mlp_width each: what W_out is applied to, and the slopes of GELU.
template <class T>
struct mlp_activations {
  sigmax::matrix<T> hidden, slope;

  mlp_activations(index_t tokens, model_shape const& shape)
      : hidden(tokens, shape.mlp_width), slope(tokens, shape.mlp_width) {}
};

/// x, y: N x d.
template <class Backend, class T>
void mlp_forward(Backend const& on, T alpha, block_parameters<T> const& w, sigmax::matrix_view<T const> x,
                 mlp_activations<T>& kept, sigmax::matrix_view<T> y) {
  auto const hidden = kept.hidden.view();
  linear_forward(on, {}, x, w.mlp_in, {}, hidden);
  for_ranges(hidden.rows(), workers_of(on), [&](index_t first, index_t last, int) {
    gelu_forward(&hidden(first, 0), &hidden(first, 0), &kept.slope(first, 0), (last - first) * hidden.cols(),
                 T(gelu_divisor));
  });
  linear_forward(on, {alpha, T(1 - alpha)}, sigmax::matrix_view<T const>(hidden), w.mlp_out, x, y);
}

/// dx from dy; adds to the gradients of W_in and W_out. d_hidden: N x mlp_width of scratch.
template <class Backend, class T>
void mlp_backward(Backend const& on, T alpha, block_parameters<T> const& w, sigmax::matrix_view<T const> x,
                  mlp_activations<T> const& kept, sigmax::matrix_view<T const> dy, block_parameters<T>& gradient,
                  sigmax::matrix_view<T> d_hidden, sigmax::matrix_view<T> dx) {
  linear_gradient(on, alpha, dy, kept.hidden.view(), gradient.mlp_out);
  linear_backward(on, {alpha, T(0)}, dy, w.mlp_out, {}, d_hidden);
  for_ranges(d_hidden.rows(), workers_of(on), [&](index_t first, index_t last, int) {
    gelu_backward(&kept.slope(first, 0), &d_hidden(first, 0), (last - first) * d_hidden.cols());
  });
  sigmax::matrix_view<T const> const d_inner = d_hidden;
  linear_gradient(on, T(1), d_inner, x, gradient.mlp_in);
  linear_backward(on, {T(1), T(1 - alpha)}, d_inner, w.mlp_in, dy, dx);
}

}  // namespace transformer
