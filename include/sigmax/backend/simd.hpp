// SPDX-License-Identifier: MIT
/// @file
/// The vectorised backend: registers of xsimd for float and double, the reference for every other scalar. Products read
/// matrices in 16-bit storage too.
#pragma once

#include <algorithm>
#include <concepts>
#include <limits>
#include <type_traits>

#include <sigmax/backend/blocked_symmetric_eigen.hpp>
#include <sigmax/backend/concept.hpp>
#include <sigmax/backend/scalar.hpp>
#include <sigmax/backend/simd/block.hpp>
#include <sigmax/backend/simd/cholesky.hpp>
#include <sigmax/backend/simd/matrix_vector.hpp>
#include <sigmax/backend/simd/reduction.hpp>
#include <sigmax/backend/simd/sixteen_bits.hpp>
#include <sigmax/backend/simd/triangular.hpp>
#include <sigmax/backend/simd/xsimd_compat.hpp>
#include <sigmax/config.hpp>
#include <sigmax/core/matrix_view.hpp>
#include <sigmax/core/parallel.hpp>
#include <sigmax/core/scalar.hpp>
#include <sigmax/core/workspace.hpp>

namespace sigmax::inline SIGMAX_ABI::cpu {

/// The primitives of `cpu::scalar` (formulas, shapes and guarantees are stated there) on the registers of Arch.
///
/// Products (gram, symmetric_product, multiply) pack their operands, of any strides, but for small ones that can be read
/// as they lie. They run on the threads the backend was made with; so do the factorisations, which consist of them.
/// Everything else runs on the calling thread. The packed operands of small matrices (32 KiB) lie on the stack, those of
/// larger ones in the workspace the backend was given by `using_scratch`, as all algorithms do with theirs; without one
/// they are allocated and freed.
/// The order of each sum and the use of fused multiply-add are fixed by shapes, strides and Arch, never by addresses,
/// threads or by what the compiler makes of one call: the same input gives the same bits.
template <class Arch = xsimd::default_arch>
struct simd : scalar {
  static constexpr char const* name = "cpu::simd";
  static constexpr bool standard_rounding = true;
  static constexpr bool fast_symmetric_eigen = true;

  /// One thread.
  constexpr simd() = default;
  /// `simd<>(4)`: four threads where OpenMP is linked; or an executor with threads of the caller's.
  constexpr explicit simd(executor const& workers) : workers_(workers) {}

  /// The same backend, packing into `memory` from now on. It must outlive the result, and belongs to one call at a time.
  constexpr simd using_scratch(workspace& memory) const {
    simd result = *this;
    result.scratch_ = &memory;
    return result;
  }
  /// The same backend with other threads.
  constexpr simd using_workers(executor const& workers) const {
    simd result = *this;
    result.workers_ = workers;
    return result;
  }
  constexpr int threads() const { return workers_.threads(); }
  constexpr executor const& workers() const { return workers_; }
  constexpr workspace* scratch() const { return scratch_; }

  /// Bytes of scratch that one thread packs the operands of an m x k by k x n product into, for X X^T with `gram`: at most
  /// 3.3 MB for floats and 4.4 MB for doubles. 0 where the stack will do.
  template <real T>
  static constexpr index_t packing_bytes(index_t m, index_t n, index_t k, bool gram = false) {
    if constexpr (detail::vectorizable<T, Arch>) {
      index_t const size = detail::packing_size(detail::tiling_of<T, Arch>, m, n, k, gram);
      return size <= detail::stack_packing<T> ? 0 : size * static_cast<index_t>(sizeof(T));
    }
    return 0;
  }

  template <real T>
  [[gnu::noinline]] void gram(std::type_identity_t<T> alpha, matrix_in<T> x, std::type_identity_t<T> beta,
                              matrix_in<T> c, matrix_view<T> g) const {
    if constexpr (detail::vectorizable<T, Arch>) {
      multiply_by_transpose<T>(detail::tiling_of<T, Arch>, alpha, detail::as_operand(x), beta, c, g);
    } else {
      scalar::gram<T>(alpha, x, beta, c, g);
    }
  }

  template <real T>
  [[gnu::noinline]] void symmetric_product(std::type_identity_t<T> alpha, matrix_in<T> p, matrix_in<T> q,
                                           std::type_identity_t<T> beta, matrix_in<T> c, matrix_view<T> r) const {
    if constexpr (detail::vectorizable<T, Arch>) {
      multiply_commuting<T>(detail::tiling_of<T, Arch>, alpha, detail::as_operand(p), detail::as_operand(q), beta, c,
                            r);
    } else {
      scalar::symmetric_product<T>(alpha, p, q, beta, c, r);
    }
  }

  template <real T>
  void multiply(std::type_identity_t<T> alpha, matrix_in<T> a, matrix_in<T> b, std::type_identity_t<T> beta,
                matrix_in<T> c, matrix_view<T> r) const {
    if constexpr (!detail::vectorizable<T, Arch>) {
      scalar::multiply<T>(alpha, a, b, beta, c, r);
    } else if (r.cols() == 1) {
      detail::multiply_vector<T, Arch>(alpha, a, b.col(0), beta, column(c), r.col(0));
    } else if (r.rows() == 1) {
      detail::multiply_vector<T, Arch>(alpha, b.transposed(), a.row(0), beta, column(c.transposed()), r.row(0));
    } else {
      multiply_whole<T, T>(alpha, detail::as_operand(a), detail::as_operand(b), beta, c, r);
    }
  }

  template <real T>
  void times_vector(std::type_identity_t<T> alpha, matrix_in<T> a, vector_in<T> x, std::type_identity_t<T> beta,
                    vector_view<T> y) const {
    if constexpr (detail::vectorizable<T, Arch>) {
      detail::multiply_vector<T, Arch>(alpha, a, x, beta, y, y);
    } else {
      scalar::times_vector<T>(alpha, a, x, beta, y);
    }
  }

  /// One sweep over memory for contiguous rows (v and y contiguous too) or contiguous columns; else the plain loops.
  template <real T>
  [[gnu::noinline]] void gram_times_vector(matrix_in<T> x, vector_in<T> v, vector_view<T> y) const {
    if constexpr (detail::vectorizable<T, Arch>) {
      gram_times_vector_of<T>(x, v, y);
    } else {
      scalar::gram_times_vector<T>(x, v, y);
    }
  }

  // The same products where matrices are in 16-bit storage, all of them or one beside a matrix of floats. Elements become
  // floats where they are packed, or loaded: sums and result are floats, with the bits of the product of converted copies,
  // which are never made. (`multiply` packs for results of one row or column too; `times_vector` gives those in one sweep.)

  template <class A>
    requires detail::some_in_16_bits<Arch, A>
  void gram(float alpha, matrix_view<A> x, float beta, matrix_in<float> c, matrix_view<float> g) const {
    using stored = std::remove_const_t<A>;
    multiply_by_transpose<float>(detail::tiling_of<float, Arch, stored, stored>, alpha, detail::as_operand(x), beta, c,
                                 g);
  }

  template <class A, class B>
    requires detail::some_in_16_bits<Arch, A, B>
  void symmetric_product(float alpha, matrix_view<A> p, matrix_view<B> q, float beta, matrix_in<float> c,
                         matrix_view<float> r) const {
    multiply_commuting<float>(detail::tiling_of<float, Arch, std::remove_const_t<A>, std::remove_const_t<B>>, alpha,
                              detail::as_operand(p), detail::as_operand(q), beta, c, r);
  }

  template <class A, class B>
    requires detail::some_in_16_bits<Arch, A, B>
  void multiply(float alpha, matrix_view<A> a, matrix_view<B> b, float beta, matrix_in<float> c,
                matrix_view<float> r) const {
    multiply_whole<std::remove_const_t<A>, std::remove_const_t<B>, float>(alpha, detail::as_operand(a),
                                                                          detail::as_operand(b), beta, c, r);
  }

  template <class A>
    requires detail::some_in_16_bits<Arch, A>
  void times_vector(float alpha, matrix_view<A> a, vector_in<float> x, float beta, vector_view<float> y) const {
    detail::multiply_vector<float, Arch>(alpha, matrix_view<std::remove_const_t<A> const>(a), x, beta, y, y);
  }

  template <class A>
    requires detail::some_in_16_bits<Arch, A>
  void gram_times_vector(matrix_view<A> x, vector_in<float> v, vector_view<float> y) const {
    gram_times_vector_of<float>(matrix_view<std::remove_const_t<A> const>(x), v, y);
  }

  /// y = x, elementwise, rounded to the scalar of y: 16 bits and floats by registers.
  template <class S, class T>
  void convert(matrix_view<S> x, matrix_view<T> y) const {
    if constexpr (detail::is_converted_by_registers<Arch, std::remove_const_t<S>, T>) {
      if (x.col_stride() != 1 && x.row_stride() == 1 && y.row_stride() == 1) {
        x = x.transposed();
        y = y.transposed();
      }
      if (!detail::has_contiguous_rows(x) || !detail::has_contiguous_rows(y)) return scalar::convert(x, y);
      for (index_t i = 0; i < y.rows(); ++i) detail::convert<Arch>(x.row(i).data(), y.row(i).data(), y.cols());
    } else {
      scalar::convert(x, y);
    }
  }

  template <real T>
  [[gnu::noinline]] void combine(std::type_identity_t<T> alpha, matrix_in<T> x, std::type_identity_t<T> beta,
                                 matrix_view<T> y) const {
    if constexpr (detail::vectorizable<T, Arch>) {
      if (x.col_stride() != 1 && x.row_stride() == 1 && y.row_stride() == 1) {
        x = x.transposed();
        y = y.transposed();
      }
      if (!detail::has_contiguous_rows(x) || !detail::has_contiguous_rows(matrix_in<T>(y))) {
        return detail::combine<T>(alpha, x, beta, y);
      }
      bool const dense = detail::is_dense(x) && detail::is_dense(matrix_in<T>(y));
      index_t const rows = dense ? 1 : y.rows();
      index_t const cols = dense ? y.size() : y.cols();
      for (index_t i = 0; i < rows; ++i) {
        detail::combine<T, Arch>(alpha, x.row(i).data(), beta, y.row(i).data(), cols);
      }
    } else {
      scalar::combine<T>(alpha, x, beta, y);
    }
  }

  template <class T, class U>
  std::remove_const_t<T> dot(vector_view<T> u, vector_view<U> v) const {
    using value = std::remove_const_t<T>;
    if constexpr (detail::vectorizable<value, Arch> && std::same_as<value, std::remove_const_t<U>>) {
      return detail::dot_of_any_strides<value, Arch>(u, v);
    } else {
      return scalar::dot(u, v);
    }
  }

  template <class T>
  [[gnu::noinline]] std::remove_const_t<T> sum_squares(matrix_view<T> x) const {
    using value = std::remove_const_t<T>;
    if constexpr (detail::vectorizable<value, Arch>) {
      auto const rows = detail::along_storage(matrix_in<value>(x));
      value total(0);
      for (index_t i = 0; i < rows.rows(); ++i) total += dot(rows.row(i), rows.row(i));
      return total;
    } else {
      return scalar::sum_squares(x);
    }
  }

  template <class T>
  compute_t<std::remove_const_t<T>> max_abs(matrix_view<T> x) const {
    using stored = std::remove_const_t<T>;
    if constexpr (detail::vectorizable<compute_t<stored>, Arch>) {
      return max_abs_of_constant<compute_t<stored>, stored>(x);
    } else {
      return scalar::max_abs(x);
    }
  }

  template <real T>
  void row_abs_sums(matrix_in<T> x, vector_view<T> sums) const {
    if constexpr (detail::vectorizable<T, Arch>) {
      if (detail::has_contiguous_rows(x)) {
        for (index_t i = 0; i < x.rows(); ++i) sums[i] = detail::sum_abs<T, Arch>(x.row(i).data(), x.cols());
        return;
      }
      if (x.row_stride() == 1 && sums.stride() == 1) {
        std::fill_n(sums.data(), x.rows(), T(0));
        for (index_t j = 0; j < x.cols(); ++j) detail::add_abs<T, Arch>(x.col(j).data(), x.rows(), sums.data());
        return;
      }
    }
    scalar::row_abs_sums<T>(x, sums);
  }

  template <real T>
  [[gnu::noinline]] index_t cholesky(matrix_view<T> a) const {
    if constexpr (detail::vectorizable<T, Arch>) {
      return detail::factor_by_halves<T, Arch>(*this, a);
    } else {
      return scalar::cholesky(a);
    }
  }

  template <real T>
  void triangular_solve(matrix_in<T> l, matrix_view<T> b) const {
    if constexpr (detail::vectorizable<T, Arch>) {
      detail::solve_by_halves<T, Arch>(*this, l, b);
    } else {
      scalar::triangular_solve<T>(l, b);
    }
  }

  /// With the order of all rows and columns reversed, l^T is lower triangular: the same substitution solves it.
  template <real T>
  void triangular_solve_transposed(matrix_in<T> l, matrix_view<T> b) const {
    if constexpr (detail::vectorizable<T, Arch>) {
      if (b.empty()) return;
      index_t const last = l.rows() - 1;
      auto const reversed = matrix_in<T>::unchecked(l.data() + last * (l.row_stride() + l.col_stride()), l.rows(),
                                                    l.cols(), -l.col_stride(), -l.row_stride());
      triangular_solve(reversed, matrix_view<T>::unchecked(b.data() + last * b.row_stride(), b.rows(), b.cols(),
                                                           -b.row_stride(), b.col_stride()));
    } else {
      scalar::triangular_solve_transposed<T>(l, b);
    }
  }

  /// By reduction to tridiagonal form, divide and conquer for matrices of some size (`blocked_symmetric_eigen`), where
  /// eigenvalues far below the largest keep no relative accuracy; by Jacobi's method for small ones.
  template <real T>
  void symmetric_eigen(matrix_view<T> a, vector_view<T> values, matrix_view<T> vectors) const {
    if constexpr (detail::vectorizable<T, Arch>) {
      if (a.rows() >= smallest_blocked_eigen) {
        sigmax::detail::scratch memory(scratch_);
        return blocked_symmetric_eigen(using_scratch(memory.get()), a, values, vectors, memory.get());
      }
    }
    scalar::symmetric_eigen<T>(a, values, vectors);
  }

  /// The eigenvalues above `threshold` and their eigenvectors, first; the rest of `values` and `vectors` is not specified.
  /// @return how many. a: n x n, symmetric, destroyed. Up to 2 n^3 FLOPs less than `symmetric_eigen` if they are few.
  template <real T>
  index_t symmetric_eigen_above(std::type_identity_t<T> threshold, matrix_view<T> a, vector_view<T> values,
                                matrix_view<T> vectors) const {
    if constexpr (detail::vectorizable<T, Arch>) {
      if (a.rows() >= smallest_blocked_eigen) {
        sigmax::detail::scratch memory(scratch_);
        return blocked_symmetric_eigen_above(using_scratch(memory.get()), threshold, a, values, vectors, memory.get());
      }
    }
    return scalar::symmetric_eigen_above<T>(threshold, a, values, vectors);
  }

 private:
  template <class T, class S>
  void gram_times_vector_of(matrix_view<S const> x, vector_view<T const> v, vector_view<T> y) const {
    if (detail::has_contiguous_rows(x) && v.stride() == 1 && y.stride() == 1) {
      return detail::gram_times_vector_by_rows<T, Arch>(x, v.data(), y.data());
    }
    if (x.row_stride() == 1) return detail::gram_times_vector_by_columns<T, Arch>(x, v, y);
    detail::gram_times_vector_by_elements<T>(x, v, y);
  }

  /// Order from which divide and conquer was measured to be faster than Jacobi's method.
  static constexpr index_t smallest_blocked_eigen = 16;

  template <class T, class S>
  [[gnu::noinline]] T max_abs_of_constant(matrix_view<S const> x) const {
    auto const rows = detail::along_storage(x);
    if (!detail::has_contiguous_rows(rows)) return scalar::max_abs(x);
    T largest(0);
    for (index_t i = 0; i < rows.rows(); ++i) {
      T const of_row = detail::max_abs<T, Arch>(rows.row(i).data(), rows.cols());
      largest = largest < of_row ? of_row : largest;
    }
    return largest;
  }

  // The products of matrices of any storage that `tiling` packs.

  template <class T>
  void multiply_by_transpose(detail::tiling<T> const& tiling, T alpha, detail::operand const& x, T beta,
                             matrix_view<T const> c, matrix_view<T> g) const {
    detail::product<T> product{alpha, x, x, beta, c, g, 0, true};
    multiply_symmetric(tiling, product, true);
  }

  template <class T>
  void multiply_commuting(detail::tiling<T> const& tiling, T alpha, detail::operand const& p, detail::operand const& q,
                          T beta, matrix_view<T const> c, matrix_view<T> r) const {
    detail::product<T> product{alpha, p, q, beta, c, r, 0, true};
    bool const is_square = product.is_gram();
    // Q is symmetric: a small one is read along the rows it has.
    product.b = q.transposed();
    if (!detail::is_unpacked(tiling, product)) product.b = q;
    multiply_symmetric(tiling, product, is_square);
  }

  /// r = alpha a b + beta c for a stored in A and b in B, written along the storage of r.
  template <class A, class B, class T>
  void multiply_whole(T alpha, detail::operand const& a, detail::operand const& b, T beta, matrix_view<T const> c,
                      matrix_view<T> r) const {
    detail::product<T> p{alpha, a, b.transposed(), beta, c, r, r.cols()};
    if (r.col_stride() == 1 || r.row_stride() != 1) {
      return detail::multiply_in_parallel<T>(detail::tiling_of<T, Arch, A, B>, p, workers_, scratch_);
    }
    p = {alpha, b.transposed(), a, beta, c.transposed(), r.transposed(), r.rows()};
    detail::multiply_in_parallel<T>(detail::tiling_of<T, Arch, B, A>, p, workers_, scratch_);
  }

  /// The lower triangle, mirrored. Where the result has contiguous columns its transpose is written, which is the same; p
  /// is left changed then.
  template <class T>
  void multiply_symmetric(detail::tiling<T> const& tiling, detail::product<T>& p, bool is_square) const {
    if (p.r.col_stride() != 1 && p.r.row_stride() == 1) {
      p.r = p.r.transposed();
      p.c = p.c.transposed();
    }
    detail::multiply_in_parallel<T>(tiling, p, workers_, scratch_);
    if (p.r.col_stride() != 1) return mirror_lower(p.r);
    // Beyond the diagonal a tile of a square (X X^T, or P P for symmetric P) has sums of the same products in the same
    // order as below it, and c is symmetric.
    detail::mirror_in_parallel<T>(tiling, p.r, is_square, workers_);
  }

  /// Column 0 of a matrix that need not have elements: c is not read where beta is 0.
  template <class T>
  static vector_view<T> column(matrix_view<T> c) {
    return vector_view<T>::unchecked(c.data(), c.rows(), c.row_stride());
  }

  executor workers_;
  workspace* scratch_ = nullptr;
};

static_assert(backend<simd<>, float> && certifying_backend<simd<>, double>);

}  // namespace sigmax::inline SIGMAX_ABI::cpu
