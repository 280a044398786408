// SPDX-License-Identifier: MIT
/// @file
/// OpenBLAS and the LAPACK inside it, for dense row-major matrices of float and double.
#pragma once

#include <string>

#include <sigmax/core/matrix_view.hpp>

namespace bench::peers {

#if defined(SIGMAX_BENCH_HAS_OPENBLAS)
inline constexpr bool has_openblas = true;
/// Version, kernels and threading of the library, as it reports them.
std::string openblas_name();
#else
inline constexpr bool has_openblas = false;
inline std::string openblas_name() { return "none"; }
#endif

using sigmax::index_t;
using sigmax::matrix_view;

// What follows is defined where there is OpenBLAS.

enum class transpose : bool { no, yes };

/// C = alpha op(A) op(B) + beta C
template <class T>
void gemm(transpose of_a, transpose of_b, T alpha, matrix_view<T const> a, matrix_view<T const> b, T beta,
          matrix_view<T> c);

/// The lower triangle of C = alpha A A^T + beta C; the upper one is left alone.
template <class T>
void syrk(T alpha, matrix_view<T const> a, T beta, matrix_view<T> c);

/// Copies the lower triangle to the upper one.
template <class T>
void mirror(matrix_view<T> c);

/// y = alpha op(A) x + beta y
template <class T>
void gemv(transpose of_a, T alpha, matrix_view<T const> a, T const* x, T beta, T* y);

/// The lower Cholesky factor in place. True if C is positive definite.
template <class T>
bool potrf(matrix_view<T> c);

/// ||A||_F
template <class T>
T frobenius_norm(matrix_view<T const> a);

}  // namespace bench::peers
