// SPDX-License-Identifier: MIT
/// @file
/// The reference backend: plain loops in one order. It is the definition of every primitive, the oracle of all other
/// backends, and the backend of scalar types that no instruction set knows.
#pragma once

#include <cmath>
#include <limits>

#include <sigmax/backend/concept.hpp>
#include <sigmax/backend/symmetric_eigen.hpp>
#include <sigmax/config.hpp>
#include <sigmax/core/matrix_view.hpp>
#include <sigmax/core/scalar.hpp>

namespace sigmax::inline SIGMAX_ABI::cpu {

/// Any `real` scalar, multiprecision included. Sums run in index order; nothing is allocated; one thread. Never inlined:
/// compilers contract products and sums into fused operations as the place of the call suggests, and the same input
/// has to give the same bits everywhere.
struct scalar {
  using space = host_space;
  static constexpr char const* name = "cpu::scalar";
  static constexpr bool standard_rounding = true;
  static constexpr bool fast_symmetric_eigen = false;

  /// g = alpha x x^T + beta c. x: m x n; c, g: m x m, c symmetric; c may be g, and is not read if beta is 0.
  /// m (m + 1) n FLOPs.
  template <real T>
  [[gnu::noinline]] void gram(std::type_identity_t<T> alpha, matrix_in<T> x, std::type_identity_t<T> beta,
                              matrix_in<T> c, matrix_view<T> g) const {
    for (index_t i = 0; i < x.rows(); ++i) {
      for (index_t j = 0; j <= i; ++j) {
        T const sum = T(alpha * dot(x.row(i), x.row(j)));
        g(i, j) = beta == T(0) ? sum : T(sum + beta * c(i, j));
      }
    }
    mirror_lower(g);
  }

  /// r = alpha p q + beta c for symmetric p and q that commute, so that r is symmetric. p, q, c, r: m x m;
  /// c may be r, and is not read if beta is 0. m^2 (m + 1) FLOPs.
  template <real T>
  [[gnu::noinline]] void symmetric_product(std::type_identity_t<T> alpha, matrix_in<T> p, matrix_in<T> q,
                                           std::type_identity_t<T> beta, matrix_in<T> c, matrix_view<T> r) const {
    for (index_t i = 0; i < p.rows(); ++i) {
      for (index_t j = 0; j <= i; ++j) {
        T const sum = T(alpha * dot(p.row(i), q.row(j)));
        r(i, j) = beta == T(0) ? sum : T(sum + beta * c(i, j));
      }
    }
    mirror_lower(r);
  }

  /// r = alpha a b + beta c. a: m x k, b: k x n, c, r: m x n; c may be r, and is not read if beta is 0. 2 m k n FLOPs.
  template <real T>
  [[gnu::noinline]] void multiply(std::type_identity_t<T> alpha, matrix_in<T> a, matrix_in<T> b,
                                  std::type_identity_t<T> beta, matrix_in<T> c, matrix_view<T> r) const {
    for (index_t i = 0; i < a.rows(); ++i) {
      for (index_t j = 0; j < b.cols(); ++j) {
        T const sum = T(alpha * dot(a.row(i), b.col(j)));
        r(i, j) = beta == T(0) ? sum : T(sum + beta * c(i, j));
      }
    }
  }

  /// y = alpha a x + beta y. a: m x n, x: n, y: m; y is not read if beta is 0. 2 m n FLOPs.
  template <real T>
  [[gnu::noinline]] void times_vector(std::type_identity_t<T> alpha, matrix_in<T> a, vector_in<T> x,
                                      std::type_identity_t<T> beta, vector_view<T> y) const {
    for (index_t i = 0; i < a.rows(); ++i) {
      T const sum = T(alpha * dot(a.row(i), x));
      y[i] = beta == T(0) ? sum : T(sum + beta * y[i]);
    }
  }

  /// y = x^T (x v), each row of x read once. x: m x n; v, y: n. 4 m n FLOPs.
  template <real T>
  [[gnu::noinline]] void gram_times_vector(matrix_in<T> x, vector_in<T> v, vector_view<T> y) const {
    for (index_t j = 0; j < x.cols(); ++j) y[j] = T(0);
    for (index_t i = 0; i < x.rows(); ++i) {
      auto const row = x.row(i);
      T const factor = dot(row, v);
      for (index_t j = 0; j < x.cols(); ++j) y[j] = T(y[j] + factor * row[j]);
    }
  }

  /// y = alpha x + beta y, elementwise; x may be y; y is not read if beta is 0.
  template <real T>
  [[gnu::noinline]] void combine(std::type_identity_t<T> alpha, matrix_in<T> x, std::type_identity_t<T> beta,
                                 matrix_view<T> y) const {
    for (index_t i = 0; i < x.rows(); ++i) {
      for (index_t j = 0; j < x.cols(); ++j) {
        T const term = T(alpha * x(i, j));
        y(i, j) = beta == T(0) ? term : T(term + beta * y(i, j));
      }
    }
  }

  /// y = alpha x + beta y, elementwise, for matrices in any storage: computed in T and rounded once to the scalar of y; x
  /// may be y; y is not read if beta is 0.
  template <real T, class U, class S>
  [[gnu::noinline]] void combine_stored(T alpha, matrix_view<U> x, std::type_identity_t<T> beta,
                                        matrix_view<S> y) const {
    for (index_t i = 0; i < y.rows(); ++i) {
      for (index_t j = 0; j < y.cols(); ++j) {
        T const term = T(alpha * static_cast<T>(x(i, j)));
        y(i, j) = static_cast<S>(beta == T(0) ? term : T(term + beta * static_cast<T>(y(i, j))));
      }
    }
  }

  /// y = y / divisor, elementwise: where 1 / divisor may overflow.
  template <real T>
  [[gnu::noinline]] void divide(std::type_identity_t<T> divisor, matrix_view<T> y) const {
    for (index_t i = 0; i < y.rows(); ++i) {
      for (index_t j = 0; j < y.cols(); ++j) y(i, j) = T(y(i, j) / divisor);
    }
  }

  /// y_ij = 0 for j > i.
  template <real T>
  void clear_above_diagonal(matrix_view<T> y) const {
    for (index_t i = 0; i < y.rows(); ++i) {
      for (index_t j = i + 1; j < y.cols(); ++j) y(i, j) = T(0);
    }
  }

  /// y = x where x is in the memory of the backend and y in that of the host: here they are one. No overlap.
  template <class S, class T>
  void copy_to_host(matrix_view<S> x, matrix_view<T> y) const {
    convert(x, y);
  }
  /// The way back.
  template <class S, class T>
  void copy_from_host(matrix_view<S> x, matrix_view<T> y) const {
    convert(x, y);
  }

  /// y = x, elementwise, each rounded once to the scalar of y: from the storage of a matrix to what is computed in, and back.
  /// y may not overlap x.
  template <class S, class T>
  [[gnu::noinline]] void convert(matrix_view<S> x, matrix_view<T> y) const {
    for (index_t i = 0; i < y.rows(); ++i) {
      for (index_t j = 0; j < y.cols(); ++j) y(i, j) = static_cast<T>(x(i, j));
    }
  }

  /// y = y + shift I for a square y.
  template <real T>
  void add_to_diagonal(std::type_identity_t<T> shift, matrix_view<T> y) const {
    for (index_t i = 0; i < y.rows(); ++i) y(i, i) = T(y(i, i) + shift);
  }

  /// Sum of u_i v_i.
  template <class T, class U>
  [[gnu::noinline]] std::remove_const_t<T> dot(vector_view<T> u, vector_view<U> v) const {
    std::remove_const_t<T> sum(0);
    for (index_t i = 0; i < u.size(); ++i) sum = std::remove_const_t<T>(sum + u[i] * v[i]);
    return sum;
  }

  /// Sum of x_ij^2.
  template <class T>
  [[gnu::noinline]] std::remove_const_t<T> sum_squares(matrix_view<T> x) const {
    std::remove_const_t<T> sum(0);
    for (index_t i = 0; i < x.rows(); ++i) sum = std::remove_const_t<T>(sum + dot(x.row(i), x.row(i)));
    return sum;
  }

  /// Largest |x_ij|, 0 for an empty matrix, +infinity if any element is NaN or infinite. Of 16-bit storage too.
  template <class T>
  [[gnu::noinline]] compute_t<std::remove_const_t<T>> max_abs(matrix_view<T> x) const {
    using std::abs;
    using value = compute_t<std::remove_const_t<T>>;
    value largest(0);
    for (index_t i = 0; i < x.rows(); ++i) {
      for (index_t j = 0; j < x.cols(); ++j) {
        value const magnitude = value(abs(static_cast<value>(x(i, j))));
        if (!(magnitude <= std::numeric_limits<value>::max())) return std::numeric_limits<value>::infinity();
        if (largest < magnitude) largest = magnitude;
      }
    }
    return largest;
  }

  /// sums_i = sum_j |x_ij|. x: m x n, sums: m.
  template <real T>
  [[gnu::noinline]] void row_abs_sums(matrix_in<T> x, vector_view<T> sums) const {
    using std::abs;
    for (index_t i = 0; i < x.rows(); ++i) {
      T sum(0);
      for (index_t j = 0; j < x.cols(); ++j) sum = T(sum + abs(x(i, j)));
      sums[i] = sum;
    }
  }

  /// a = L L^T in place: reads and writes the lower triangle only. a: n x n. n^3 / 3 FLOPs.
  /// @return n on success; else the first k whose pivot is not a positive finite number (NaN included). Then rows
  ///         0..k-1 of the lower triangle and the first k elements of row k hold the factor.
  template <real T>
  [[gnu::noinline]] index_t cholesky(matrix_view<T> a) const {
    using std::sqrt;
    for (index_t i = 0; i < a.rows(); ++i) {
      for (index_t j = 0; j < i; ++j) {
        a(i, j) = T((a(i, j) - dot(a.row(i).segment(0, j), a.row(j).segment(0, j))) / a(j, j));
      }
      auto const done = a.row(i).segment(0, i);
      T const pivot = T(a(i, i) - dot(done, done));
      if (!(pivot > T(0)) || !(pivot <= std::numeric_limits<T>::max())) return i;
      a(i, i) = T(sqrt(pivot));
    }
    return a.rows();
  }

  /// b = l^-1 b by substitution. l: n x n lower triangular (the rest is not read), b: n x k. n^2 k FLOPs.
  template <real T>
  [[gnu::noinline]] void triangular_solve(matrix_in<T> l, matrix_view<T> b) const {
    for (index_t j = 0; j < b.cols(); ++j) {
      for (index_t i = 0; i < l.rows(); ++i) {
        b(i, j) = T((b(i, j) - dot(l.row(i).segment(0, i), b.col(j).segment(0, i))) / l(i, i));
      }
    }
  }

  /// b = l^-T b by substitution. Shapes as triangular_solve.
  template <real T>
  [[gnu::noinline]] void triangular_solve_transposed(matrix_in<T> l, matrix_view<T> b) const {
    for (index_t j = 0; j < b.cols(); ++j) {
      for (index_t i = l.rows() - 1; i >= 0; --i) {
        index_t const below = l.rows() - 1 - i;
        b(i, j) = T((b(i, j) - dot(l.col(i).segment(i + 1, below), b.col(j).segment(i + 1, below))) / l(i, i));
      }
    }
  }

  /// a = v^T diag(values) v with orthogonal v: row i of `vectors` (n x n) is the eigenvector of values[i], in no order.
  /// a: n x n, symmetric, destroyed. About 100 n^3 FLOPs (Jacobi's method).
  template <real T>
  void symmetric_eigen(matrix_view<T> a, vector_view<T> values, matrix_view<T> vectors) const {
    detail::jacobi_eigen(a, values, vectors);
  }

  /// The eigenpairs of a above `threshold` to the first elements of `values` and the first rows of `vectors`; what the
  /// others hold is not specified. a: n x n, symmetric, destroyed. @return how many. Cost as symmetric_eigen.
  template <real T>
  index_t symmetric_eigen_above(std::type_identity_t<T> threshold, matrix_view<T> a, vector_view<T> values,
                                matrix_view<T> vectors) const {
    symmetric_eigen(a, values, vectors);
    return detail::keep_eigenpairs_above(threshold, values, vectors);
  }

 protected:
  /// Copies the strictly lower triangle to the upper one.
  template <class T>
  static void mirror_lower(matrix_view<T> g) {
    for (index_t i = 0; i < g.rows(); ++i) {
      for (index_t j = 0; j < i; ++j) g(j, i) = g(i, j);
    }
  }
};

static_assert(backend<scalar, float> && certifying_backend<scalar, double>);

}  // namespace sigmax::inline SIGMAX_ABI::cpu
