// SPDX-License-Identifier: MIT
/// @file
/// x <- (1 - alpha) x + alpha W_out GELU(W_in x) / divisor.
#pragma once

#include <sigmax/core/matrix.hpp>

#include "linear.hpp"
#include "memory.hpp"
#include "model_options.hpp"
#include "on_threads.hpp"
#include "parameters.hpp"
#include "pointwise.hpp"

namespace transformer {

/// Of the forward pass, N x mlp_width each: what W_out is applied to, and the slopes of GELU.
template <class T, class Space = sigmax::host_space>
struct mlp_activations {
  matrix_in<T, Space> hidden, slope;

  template <class Backend>
  mlp_activations(Backend const& on, index_t tokens, model_shape const& shape)
      : hidden(zeros<T>(on, tokens, shape.mlp_width)), slope(zeros<T>(on, tokens, shape.mlp_width)) {}
  mlp_activations(index_t tokens, model_shape const& shape) : mlp_activations(sigmax::cpu::scalar(), tokens, shape) {}
};

/// GELU of X and its slope, N x mlp_width each; X in place.
template <class Backend, class T>
void activate(Backend const& on, sigmax::matrix_view<T> x, sigmax::matrix_view<T> slope) {
  for_ranges(x.rows(), workers_of(on), [&](index_t first, index_t last, int) {
    gelu_forward(&x(first, 0), &x(first, 0), &slope(first, 0), (last - first) * x.cols(), T(gelu_divisor));
  });
}
template <class Backend, class T>
void activate(Backend const& on, sigmax::matrix_view<T, sigmax::device_space> x,
              sigmax::matrix_view<T, sigmax::device_space> slope) {
  on.gelu_forward(T(gelu_divisor), x, slope);
}

/// dx = slope dy, in place.
template <class Backend, class T>
void activate_backward(Backend const& on, sigmax::matrix_view<T const> slope, sigmax::matrix_view<T> dy) {
  for_ranges(dy.rows(), workers_of(on), [&](index_t first, index_t last, int) {
    gelu_backward(&slope(first, 0), &dy(first, 0), (last - first) * dy.cols());
  });
}
template <class Backend, class T>
void activate_backward(Backend const& on, sigmax::matrix_view<T const, sigmax::device_space> slope,
                       sigmax::matrix_view<T, sigmax::device_space> dy) {
  on.multiply_elements(slope, dy);
}

/// x, y: N x d.
template <class Backend, class T, class Space>
void mlp_forward(Backend const& on, T alpha, block_parameters<T, Space> const& w, sigmax::matrix_view<T const, Space> x,
                 mlp_activations<T, Space>& kept, sigmax::matrix_view<T, Space> y) {
  auto const hidden = kept.hidden.view();
  linear_forward(on, {}, x, w.mlp_in, {}, hidden);
  activate(on, hidden, kept.slope.view());
  linear_forward(on, {alpha, T(1 - alpha)}, sigmax::matrix_view<T const, Space>(hidden), w.mlp_out, x, y);
}

/// dx from dy; adds to the gradients of W_in and W_out. d_hidden: N x mlp_width of scratch.
template <class Backend, class T, class Space>
void mlp_backward(Backend const& on, T alpha, block_parameters<T, Space> const& w,
                  sigmax::matrix_view<T const, Space> x, mlp_activations<T, Space> const& kept,
                  sigmax::matrix_view<T const, Space> dy, block_parameters<T, Space>& gradient,
                  sigmax::matrix_view<T, Space> d_hidden, sigmax::matrix_view<T, Space> dx) {
  linear_gradient(on, alpha, dy, kept.hidden.view(), gradient.mlp_out);
  linear_backward(on, {alpha, T(0)}, dy, w.mlp_out, {}, d_hidden);
  activate_backward(on, kept.slope.view(), d_hidden);
  sigmax::matrix_view<T const, Space> const d_inner = d_hidden;
  linear_gradient(on, T(1), d_inner, x, gradient.mlp_in);
  linear_backward(on, {T(1), T(1 - alpha)}, d_inner, w.mlp_in, dy, dx);
}

}  // namespace transformer
