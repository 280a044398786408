// SPDX-License-Identifier: MIT
/// @file
/// The same work as one writes it with Eigen, straight from the formula.
#pragma once

#include <string>

#include <sigmax/core/matrix_view.hpp>

namespace bench::peers {

#if defined(SIGMAX_BENCH_HAS_EIGEN)
inline constexpr bool has_eigen = true;
#else
inline constexpr bool has_eigen = false;
#endif

// What follows is defined where there is Eigen. Matrices are dense and row-major.

void set_eigen_threads(int threads);

/// C = A B
template <class T>
void eigen_product(sigmax::matrix_view<T const> a, sigmax::matrix_view<T const> b, sigmax::matrix_view<T> c);

/// C = A A^T
template <class T>
void eigen_gram(sigmax::matrix_view<T const> a, sigmax::matrix_view<T> c);

/// X <- W / ||W||_F, then `steps` times X <- a X + (b A + c A^2) X with A = X X^T.
template <class T>
void eigen_newton_schulz(T a, T b, T c, int steps, sigmax::matrix_view<T const> w, sigmax::matrix_view<T> result);

/// X <- W - alpha W W^T W, then X + alpha X X^T X.
template <class T>
void eigen_soft_cap(T alpha, sigmax::matrix_view<T const> w, sigmax::matrix_view<T> result);

}  // namespace bench::peers
