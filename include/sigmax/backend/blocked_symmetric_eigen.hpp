// SPDX-License-Identifier: MIT
/// @file
/// All eigenvalues and eigenvectors of a symmetric matrix, fast: reduction to tridiagonal form, divide and conquer,
/// transformation back.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>

#include <sigmax/backend/concept.hpp>
#include <sigmax/backend/power_of_two.hpp>
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
  constexpr index_t block = 48;
  workspace::frame frame(memory);
  index_t const m = a.rows();
  auto const y_rows = frame.template matrix<T>(block, scratch_stride<T>(m));
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

/// The eigenvalues of a above `threshold` (as computed in double, before they are rounded to T), in no order, to the
/// first k elements of `values`, their unit eigenvectors to the first k rows of `vectors`; what the others hold is not
/// specified.
/// a: m x m, symmetric, destroyed; vectors: m x m. If an element of a is NaN or infinite, k = m and all results are NaN.
///
/// Measured on 19 families of matrices, m to 1024: ||V A V^T - diag(values)||_F / ||A|| and ||V V^T - I||_F stay below
/// 2.7 (m + 10) u for any m and below (m + 10) u for m > 500; the tests hold them to 4 (m + 10) u. Eigenvalues far below
/// ||A|| keep no relative accuracy, for which there is Jacobi's method.
/// Cost: 4/3 m^3 FLOPs, half of them at the speed of memory; 1/3 m^3 + k m^2 and 2 k m^2 in `on.multiply`, less where
/// eigenvalues cluster. Takes about 2 m^2 scalars from the workspace, m^2 more if the rows of a are not contiguous, and
/// as many if those of `vectors` are not.
/// @return k.
/// Source: Golub and Van Loan, Matrix Computations, 8.3 and 8.4.
template <class B, detail::register_scalar T>
index_t blocked_symmetric_eigen_above(B const& on, std::type_identity_t<T> threshold, matrix_view<T> a,
                                      vector_view<T> values, matrix_view<T> vectors, workspace& memory) {
  index_t const m = a.rows();
  if (m == 0) return 0;
  T const largest = on.max_abs(a);
  if (!(largest <= std::numeric_limits<T>::max())) {
    for (index_t i = 0; i < m; ++i) {
      values[i] = std::numeric_limits<T>::quiet_NaN();
      for (index_t j = 0; j < m; ++j) vectors(i, j) = std::numeric_limits<T>::quiet_NaN();
    }
    return m;
  }
  workspace::frame frame(memory);
  int const exponent = largest > T(0) ? std::ilogb(largest) : 0;
  auto const reduced = frame.template matrix<T>(m, detail::scratch_stride<T>(m)).block(0, 0, m, m);
  detail::scale_by_power_of_two<B, T>(on, a, -exponent, reduced);
  auto const d = frame.template vector<double>(m);
  auto const e = frame.template vector<double>(m);
  detail::reduce_to_tridiagonal(on, reduced, d.data(), e.data(), memory);

  auto const s = vectors.col_stride() == 1 ? vectors : frame.template matrix<T>(m, m);
  auto const packed = a.col_stride() == 1 ? a : frame.template matrix<T>(m, m);
  double const lowest = std::ldexp(static_cast<double>(threshold), -exponent);
  detail::diagonalize_tridiagonal(on, d.data(), e.data(), lowest, s, packed, memory);
  index_t count = 0;
  for (index_t i = 0; i < m; ++i) {
    if (!(d[i] > lowest)) continue;
    if (count < i) std::copy_n(s.row(i).data(), m, s.row(count).data());
    values[count++] = static_cast<T>(std::ldexp(d[i], exponent));
  }
  auto const found = s.block(0, 0, count, m);
  if (count > 0) detail::apply_reflections(on, reduced, found, memory);
  if (s.data() != vectors.data()) on.combine(T(1), found, T(0), vectors.block(0, 0, count, m));
  return count;
}

/// a = V^T diag(values) V with orthogonal V: row i of `vectors` (m x m) is the eigenvector of values[i], in no order.
/// `blocked_symmetric_eigen_above` without a threshold, and what is said there: at most 14/3 m^3 FLOPs.
template <class B, detail::register_scalar T>
void blocked_symmetric_eigen(B const& on, matrix_view<T> a, vector_view<T> values, matrix_view<T> vectors,
                             workspace& memory) {
  blocked_symmetric_eigen_above(on, -std::numeric_limits<T>::infinity(), a, values, vectors, memory);
}

}  // namespace sigmax::inline SIGMAX_ABI
