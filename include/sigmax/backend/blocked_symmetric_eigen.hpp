// SPDX-License-Identifier: MIT
/// @file
/// All eigenvalues and eigenvectors of a symmetric matrix, fast: reduction to tridiagonal form, divide and conquer,
/// transformation back.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>

#include <sigmax/backend/concept.hpp>
#include <sigmax/backend/short_vector.hpp>
#include <sigmax/backend/tridiagonal_divide_and_conquer.hpp>
#include <sigmax/backend/tridiagonal_reduction.hpp>
#include <sigmax/config.hpp>
#include <sigmax/core/matrix_view.hpp>
#include <sigmax/core/workspace.hpp>

namespace sigmax::inline SIGMAX_ABI {

namespace detail {

/// x <- x H_1 H_2 ... H_{m-1} for the reflections `reduce_to_tridiagonal` left in the rows of a; x: k x m.
///
/// By blocks: with the v_i of a block as the rows of Y, their product is I - Y^T L^-T Y, where L is the lower triangle
/// of Y Y^T with its diagonal halved. 2 k m^2 FLOPs in `on.multiply` and k m block more.
/// Source: Joffrain, Low, Quintana-Orti, van de Geijn, van Zee, "Accumulating Householder transformations, revisited",
/// ACM Trans. Math. Softw. 32, 2006.
template <class B, class T>
void apply_reflections(B const& on, matrix_view<T> a, matrix_view<T> x, workspace& memory) {
  constexpr index_t block = 64;
  workspace::frame frame(memory);
  index_t const m = a.rows();
  auto const y_rows = frame.template matrix<T>(block, whole_registers<T>(m));
  auto const triangles = frame.template matrix<T>(block, block);
  auto const products = frame.template matrix<T>(block, x.rows());
  for (index_t first = 1; first < m; first += block) {
    index_t const count = std::min(block, m - first);
    index_t const length = first + count - 1;
    auto const y = y_rows.block(0, 0, count, length);
    for (index_t i = 0; i < count; ++i) {
      T* const row = y.row(i).data();
      std::copy_n(a.row(first + i).data(), first + i, row);
      std::fill(row + first + i, row + length, T(0));
    }
    auto const l = triangles.block(0, 0, count, count);
    on.gram(T(1), y, T(0), l, l);
    for (index_t i = 0; i < count; ++i) l(i, i) = l(i, i) > T(0) ? l(i, i) / 2 : T(1);
    auto const z = products.block(0, 0, count, x.rows());
    auto const columns = x.block(0, 0, x.rows(), length);
    on.multiply(T(1), y, columns.transposed(), T(0), z, z);
    on.triangular_solve(l, z);
    on.multiply(T(-1), z.transposed(), y, T(1), columns, columns);
  }
}

}  // namespace detail

/// a = V^T diag(values) V with orthogonal V: row i of `vectors` (m x m) is the eigenvector of values[i], in no order.
/// a: m x m, symmetric, lower triangle read, destroyed. If an element of it is NaN or infinite, all results are NaN.
///
/// ||V^T diag(values) V - A|| and ||V V^T - I|| are a small multiple of u (times ||A||), as measured; eigenvalues far
/// below ||A|| keep no relative accuracy, for which there is Jacobi's method.
/// Cost: 14/3 m^3 FLOPs, two thirds of m^3 at the speed of memory and the rest in `on.multiply`; less where eigenvalues
/// cluster. Takes about 2 m^2 scalars from the workspace, 3 if the rows of a are not contiguous, one more if those of
/// `vectors` are not.
/// Source: Golub and Van Loan, Matrix Computations, 8.3 and 8.4.
template <class B, detail::register_scalar T>
void blocked_symmetric_eigen(B const& on, matrix_view<T> a, vector_view<T> values, matrix_view<T> vectors,
                             workspace& memory) {
  index_t const m = a.rows();
  if (m == 0) return;
  T const largest = on.max_abs(a);
  if (!(largest <= std::numeric_limits<T>::max())) {
    for (index_t i = 0; i < m; ++i) {
      values[i] = std::numeric_limits<T>::quiet_NaN();
      for (index_t j = 0; j < m; ++j) vectors(i, j) = std::numeric_limits<T>::quiet_NaN();
    }
    return;
  }
  workspace::frame frame(memory);
  // A power of two that brings the largest element near 1, in two factors: one might not be a T.
  int const exponent = largest > T(0) ? std::ilogb(largest) : 0;
  auto const reduced = frame.template matrix<T>(m, detail::whole_registers<T>(m)).block(0, 0, m, m);
  on.combine(std::ldexp(T(1), -(exponent / 2)), a, T(0), reduced);
  T const second = std::ldexp(T(1), -(exponent - exponent / 2));
  for (index_t i = 0; i < m; ++i) {
    for (index_t j = 0; j <= i; ++j) reduced(i, j) *= second;
  }
  auto const d = frame.template vector<double>(m);
  auto const e = frame.template vector<double>(m);
  detail::reduce_to_tridiagonal(on, reduced, d.data(), e.data(), memory);
  auto const s = vectors.col_stride() == 1 ? vectors : frame.template matrix<T>(m, m);
  auto const packed = a.col_stride() == 1 ? a : frame.template matrix<T>(m, m);
  detail::diagonalize_tridiagonal(on, d.data(), e.data(), s, packed, memory);
  detail::apply_reflections(on, reduced, s, memory);
  if (s.data() != vectors.data()) on.combine(T(1), s, T(0), vectors);
  for (index_t i = 0; i < m; ++i) values[i] = static_cast<T>(std::ldexp(d[i], exponent));
}

}  // namespace sigmax::inline SIGMAX_ABI
