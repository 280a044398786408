// SPDX-License-Identifier: MIT
/// @file
/// The backend of programs that have Eigen and its tuned products anyway: products and Cholesky by Eigen's kernels, on
/// maps of the views. Everything else, and every scalar but float and double, is the reference's.
#pragma once

#include <algorithm>
#include <concepts>
#include <limits>
#include <type_traits>

// GCC 12 reports variables of its own AVX-512 header as uninitialised wherever Eigen is instantiated (GCC bug 105593).
#if defined(__GNUC__) && !defined(__clang__) && defined(__AVX512F__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#include <Eigen/Cholesky>
#include <Eigen/Core>
#include <Eigen/Eigenvalues>
#if defined(__GNUC__) && !defined(__clang__) && defined(__AVX512F__)
#pragma GCC diagnostic pop
#endif

#include <sigmax/backend/concept.hpp>
#include <sigmax/backend/scalar.hpp>
#include <sigmax/config.hpp>
#include <sigmax/core/matrix_view.hpp>
#include <sigmax/core/scalar.hpp>

namespace sigmax::inline SIGMAX_ABI::cpu {

namespace detail {

template <class T>
using eigen_matrix = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// A view of contiguous rows, as Eigen sees it. It is the only type Eigen's kernels are instantiated for: each storage
/// order more would double their number, and they are most of the time it takes to compile this header.
template <class T>
using eigen_rows =
    Eigen::Map<std::conditional_t<std::is_const_v<T>, eigen_matrix<std::remove_const_t<T>> const, eigen_matrix<T>>, 0,
               Eigen::OuterStride<>>;

template <class T>
bool eigen_can_map(matrix_view<T> x) {
  return (x.col_stride() == 1 || x.cols() <= 1) && (x.row_stride() >= x.cols() || x.rows() <= 1);
}

template <class T>
eigen_rows<T> map_rows(matrix_view<T> x) {
  return eigen_rows<T>(x.data(), x.rows(), x.cols(), Eigen::OuterStride<>(std::max(x.row_stride(), x.cols())));
}

/// A matrix as contiguous rows: where it is, or as a copy.
template <class T>
class eigen_operand {
 public:
  explicit eigen_operand(matrix_view<T const> x) : copy_(copy_unless_mapped(x)), rows_(map_rows(mapped(x))) {}
  eigen_operand(eigen_operand const&) = delete;
  eigen_operand& operator=(eigen_operand const&) = delete;
  eigen_rows<T const> const& rows() const { return rows_; }

 private:
  static eigen_matrix<T> copy_unless_mapped(matrix_view<T const> x) {
    if (eigen_can_map(x)) return {};
    eigen_matrix<T> copy(x.rows(), x.cols());
    for (index_t i = 0; i < x.rows(); ++i) {
      for (index_t j = 0; j < x.cols(); ++j) copy(i, j) = x(i, j);
    }
    return copy;
  }
  matrix_view<T const> mapped(matrix_view<T const> x) const {
    return eigen_can_map(x) ? x : matrix_view<T const>::unchecked(copy_.data(), x.rows(), x.cols(), x.cols(), 1);
  }

  eigen_matrix<T> copy_;
  eigen_rows<T const> rows_;
};

template <class T>
matrix_view<T> view_of_rows(eigen_matrix<T>& x) {
  return matrix_view<T>::unchecked(x.data(), x.rows(), x.cols(), x.cols(), 1);
}

}  // namespace detail

/// The primitives of `cpu::scalar` (formulas, shapes and guarantees are stated there) by Eigen.
///
/// These allocate: Eigen's packing does; operands without contiguous rows are copied; and the product is made in a
/// temporary where beta is not 0 or the output has neither contiguous rows nor columns. One thread unless Eigen was
/// given more. Each entry is a sum of its products in the order of Eigen's blocking; alpha and beta act on that sum.
struct eigen : scalar {
  static constexpr char const* name = "cpu::eigen";
  static constexpr bool standard_rounding = true;
  static constexpr bool fast_symmetric_eigen = true;

  template <real T>
  void gram(std::type_identity_t<T> alpha, matrix_in<T> x, std::type_identity_t<T> beta, matrix_in<T> c,
            matrix_view<T> g) const {
    if constexpr (supports<T>) {
      if (x.empty()) return scalar::gram<T>(alpha, x, beta, c, g);  // Eigen dereferences the data of empty operands
      detail::eigen_matrix<T> sum = detail::eigen_matrix<T>::Zero(g.rows(), g.cols());
      sum.template selfadjointView<Eigen::Lower>().rankUpdate(detail::eigen_operand<T>(x).rows());
      for (index_t i = 0; i < g.rows(); ++i) {
        for (index_t j = 0; j <= i; ++j) g(i, j) = finished<T>(alpha, sum(i, j), beta, c, i, j);
      }
      mirror_lower(g);
    } else {
      scalar::gram<T>(alpha, x, beta, c, g);
    }
  }

  /// The full product p q, of which the lower triangle is kept. 2 m^3 FLOPs.
  template <real T>
  void symmetric_product(std::type_identity_t<T> alpha, matrix_in<T> p, matrix_in<T> q, std::type_identity_t<T> beta,
                         matrix_in<T> c, matrix_view<T> r) const {
    if constexpr (supports<T>) {
      multiply(alpha, p, q, beta, c, r);
      mirror_lower(r);
    } else {
      scalar::symmetric_product<T>(alpha, p, q, beta, c, r);
    }
  }

  template <real T>
  void multiply(std::type_identity_t<T> alpha, matrix_in<T> a, matrix_in<T> b, std::type_identity_t<T> beta,
                matrix_in<T> c, matrix_view<T> r) const {
    if constexpr (supports<T>) {
      if (a.empty() || b.empty()) return scalar::multiply<T>(alpha, a, b, beta, c, r);
      // A vector can be mapped either way; then the way that copies fewer operands is taken.
      bool const by_columns = detail::eigen_can_map(r.transposed()) &&
                              (!detail::eigen_can_map(r) || copies(b.transposed(), a.transposed()) < copies(a, b));
      if (by_columns) {
        product<T>(alpha, b.transposed(), a.transposed(), beta, c.transposed(), r.transposed());
      } else {
        product<T>(alpha, a, b, beta, c, r);
      }
    } else {
      scalar::multiply<T>(alpha, a, b, beta, c, r);
    }
  }

  template <real T>
  void times_vector(std::type_identity_t<T> alpha, matrix_in<T> a, vector_in<T> x, std::type_identity_t<T> beta,
                    vector_view<T> y) const {
    if constexpr (supports<T>) {
      auto const right = matrix_in<T>::unchecked(x.data(), x.size(), 1, x.stride(), 1);
      auto const result = matrix_view<T>::unchecked(y.data(), y.size(), 1, y.stride(), 1);
      multiply(alpha, a, right, beta, result, result);
    } else {
      scalar::times_vector<T>(alpha, a, x, beta, y);
    }
  }

  /// By Eigen's LLT: in place where rows are contiguous, else on a copy.
  template <real T>
  index_t cholesky(matrix_view<T> a) const {
    if constexpr (supports<T>) {
      if (detail::eigen_can_map(a)) return factor<T>(detail::map_rows(a));
      detail::eigen_matrix<T> copy = detail::eigen_matrix<T>::Zero(a.rows(), a.cols());
      for (index_t i = 0; i < a.rows(); ++i) {
        for (index_t j = 0; j <= i; ++j) copy(i, j) = a(i, j);
      }
      index_t const done = factor<T>(detail::map_rows(detail::view_of_rows(copy)));
      for (index_t i = 0; i < a.rows(); ++i) {
        for (index_t j = 0; j <= i; ++j) a(i, j) = copy(i, j);
      }
      return done;
    } else {
      return scalar::cholesky(a);
    }
  }

  /// By Eigen's tridiagonalisation and QL iteration, eigenvalues ascending. About 9 n^3 FLOPs.
  template <real T>
  void symmetric_eigen(matrix_view<T> a, vector_view<T> values, matrix_view<T> vectors) const {
    if constexpr (supports<T>) {
      if (a.empty()) return;
      detail::eigen_matrix<T> const copy = detail::eigen_operand<T>(a).rows();
      Eigen::SelfAdjointEigenSolver<detail::eigen_matrix<T>> const solver(copy);
      for (index_t i = 0; i < a.rows(); ++i) {
        values[i] = solver.eigenvalues()[i];
        for (index_t j = 0; j < a.cols(); ++j) vectors(i, j) = solver.eigenvectors()(j, i);
      }
    } else {
      scalar::symmetric_eigen<T>(a, values, vectors);
    }
  }

  template <real T>
  index_t symmetric_eigen_above(std::type_identity_t<T> threshold, matrix_view<T> a, vector_view<T> values,
                                matrix_view<T> vectors) const {
    symmetric_eigen(a, values, vectors);
    return detail::keep_eigenpairs_above(threshold, values, vectors);
  }

 private:
  template <class T>
  static constexpr bool supports = std::same_as<T, float> || std::same_as<T, double>;

  template <class T>
  static int copies(matrix_view<T> a, matrix_view<T> b) {
    return (detail::eigen_can_map(a) ? 0 : 1) + (detail::eigen_can_map(b) ? 0 : 1);
  }

  /// r = alpha a b + beta c
  template <class T>
  static void product(T alpha, matrix_in<T> a, matrix_in<T> b, T beta, matrix_in<T> c, matrix_view<T> r) {
    detail::eigen_operand<T> const left(a);
    detail::eigen_operand<T> const right(b);
    if (beta == T(0) && detail::eigen_can_map(r)) {
      auto target = detail::map_rows(r);
      target.noalias() = left.rows() * right.rows();
      target *= alpha;
      return;
    }
    detail::eigen_matrix<T> sum(r.rows(), r.cols());
    auto target = detail::map_rows(detail::view_of_rows(sum));
    target.noalias() = left.rows() * right.rows();
    for (index_t i = 0; i < r.rows(); ++i) {
      for (index_t j = 0; j < r.cols(); ++j) r(i, j) = finished<T>(alpha, sum(i, j), beta, c, i, j);
    }
  }

  template <class T>
  static T finished(T alpha, T sum, T beta, matrix_in<T> c, index_t i, index_t j) {
    T const term = alpha * sum;
    return beta == T(0) ? term : term + beta * c(i, j);
  }

  /// Eigen::LLT does not tell where it failed, so this calls the function behind it. That one takes a NaN or an
  /// infinite pivot for a positive one and goes on; what it writes after such a pivot k stands in columns k and later,
  /// hence the first bad element of the diagonal is the pivot that failed, and everything before it is the factor.
  template <class T>
  static index_t factor(detail::eigen_rows<T> a) {
    index_t const failed = Eigen::internal::llt_inplace<T, Eigen::Lower>::blocked(a);
    index_t const factored = failed < 0 ? a.rows() : failed;
    for (index_t k = 0; k < factored; ++k) {
      if (!(a(k, k) > T(0)) || !(a(k, k) <= std::numeric_limits<T>::max())) return k;
    }
    return factored;
  }
};

static_assert(backend<eigen, float> && certifying_backend<eigen, double>);

}  // namespace sigmax::inline SIGMAX_ABI::cpu
