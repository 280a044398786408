// SPDX-License-Identifier: MIT
/// @file
/// Functions of the symmetric polar factor: how singular values are raised as well as lowered.
#pragma once

#include <cmath>
#include <utility>

#include <sigmax/backend/concept.hpp>
#include <sigmax/backend/host_access.hpp>
#include <sigmax/config.hpp>
#include <sigmax/core/matrix_view.hpp>
#include <sigmax/core/workspace.hpp>
#include <sigmax/spectral/engine.hpp>
#include <sigmax/spectral/polar_iteration.hpp>

namespace sigmax::inline SIGMAX_ABI::detail {

/// X <- O = U V^T, h <- H = O X^T = U S U^T, for X = H O. H is what remains of the singular values; it is symmetric up
/// to rounding, and made so. `y` is scratch of the shape of x. Singular values below `floor` times the largest come out
/// too small, in O and in H. Polar iteration and 4 a units.
template <class B, real T>
void polar_decompose(B const& on, double floor, gram_buffers_on<B, T>& b, matrix_view_on<B, T>& x,
                     matrix_view_on<B, T>& y, matrix_view_on<B, T> h, workspace& memory) {
  workspace::frame frame(memory);
  auto const original = frame.template matrix<T, typename B::space>(x.rows(), x.cols());
  on.combine(T(1), x, T(0), original);
  polar_iteration(on, floor, b, x, y, memory);
  on.multiply(T(1), x, original.transposed(), T(0), b.next, b.product);
  on.combine(T(0.5), b.product, T(0), h);
  on.combine(T(0.5), b.product.transposed(), T(1), h);
}

/// X <- U f(S) V^T for O in x, H in h, through the eigenvectors of H. `h` is destroyed. An eigendecomposition and 4 a
/// units.
template <class B, real T, class F>
void apply_by_eigenvectors(B const& on, F const& f, gram_buffers_on<B, T>& b, matrix_view_on<B, T>& x,
                           matrix_view_on<B, T>& y, matrix_view_on<B, T> h, workspace& memory) {
  workspace::frame frame(memory);
  index_t const m = x.rows();
  auto const values = frame.template vector<T, typename B::space>(m);
  on.symmetric_eigen(h, values, b.q);
  auto const singular = on_host(on, values, frame);
  for (index_t i = 0; i < m; ++i) {
    T const sigma = singular[i] > T(0) ? singular[i] : T(0);
    on.combine(T(f(sigma)), as_row(b.q.row(i)), T(0), as_row(b.z.row(i)));
  }
  on.multiply(T(1), b.z, x, T(0), x, y);
  on.multiply(T(1), b.q.transposed(), y, T(0), y, x);
}

}  // namespace sigmax::inline SIGMAX_ABI::detail
