// SPDX-License-Identifier: MIT
/// @file
/// y = W x for every token.
#pragma once

#include <sigmax/backend/concept.hpp>
#include <sigmax/core/matrix.hpp>

namespace transformer {

/// A product that is scaled and added to something: what residuals fuse into.
template <class T>
struct scaled_sum {
  /// Factor of the product.
  T product = T(1);
  /// Factor of the addend, which is not read where this is 0.
  T addend = T(0);
};

/// Y = a X W^T + b C. X: N x in, W: out x in, C and Y: N x out; C may be Y.
template <class Backend, class T>
void linear_forward(Backend const& on, scaled_sum<T> by, sigmax::matrix_view<T const> x, sigmax::matrix<T> const& w,
                    sigmax::matrix_view<T const> c, sigmax::matrix_view<T> y) {
  on.multiply(by.product, x, w.view().transposed(), by.addend, c, y);
}

/// dX = a dY W + b C. C may be dX.
template <class Backend, class T>
void linear_backward(Backend const& on, scaled_sum<T> by, sigmax::matrix_view<T const> dy, sigmax::matrix<T> const& w,
                     sigmax::matrix_view<T const> c, sigmax::matrix_view<T> dx) {
  on.multiply(by.product, dy, w.view(), by.addend, c, dx);
}

/// dW += a dY^T X.
template <class Backend, class T>
void linear_gradient(Backend const& on, T factor, sigmax::matrix_view<T const> dy, sigmax::matrix_view<T const> x,
                     sigmax::matrix<T>& dw) {
  on.multiply(factor, dy.transposed(), x, T(1), dw.view(), dw.view());
}

}  // namespace transformer
