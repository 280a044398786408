// SPDX-License-Identifier: MIT
/// @file
/// y = W x for every token.
#pragma once

#include <type_traits>

#include <sigmax/backend/concept.hpp>
#include <sigmax/core/matrix.hpp>
#include <sigmax/core/matrix_view.hpp>

#include "memory.hpp"

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
template <class Backend, class T, class Space>
void linear_forward(Backend const& on, std::type_identity_t<scaled_sum<T>> by, sigmax::matrix_view<T const, Space> x,
                    matrix_in<T, Space> const& w, std::type_identity_t<sigmax::matrix_view<T const, Space>> c,
                    std::type_identity_t<sigmax::matrix_view<T, Space>> y) {
  on.multiply(by.product, x, w.view().transposed(), by.addend, c, y);
}

/// dX = a dY W + b C. C may be dX.
template <class Backend, class T, class Space>
void linear_backward(Backend const& on, std::type_identity_t<scaled_sum<T>> by, sigmax::matrix_view<T const, Space> dy,
                     matrix_in<T, Space> const& w, std::type_identity_t<sigmax::matrix_view<T const, Space>> c,
                     std::type_identity_t<sigmax::matrix_view<T, Space>> dx) {
  on.multiply(by.product, dy, w.view(), by.addend, c, dx);
}

/// dW += a dY^T X.
template <class Backend, class T, class Space>
void linear_gradient(Backend const& on, std::type_identity_t<T> factor, sigmax::matrix_view<T const, Space> dy,
                     std::type_identity_t<sigmax::matrix_view<T const, Space>> x, matrix_in<T, Space>& dw) {
  on.multiply(factor, dy.transposed(), x, T(1), dw.view(), dw.view());
}

}  // namespace transformer
