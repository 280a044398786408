// SPDX-License-Identifier: MIT
/// @file
/// Matrix polynomials as one writes them with BLAS: every product a call, on memory that is reused.
#pragma once

#include <sigmax/core/matrix.hpp>

#include "peers/openblas.hpp"

namespace bench::peers {

/// How products with symmetric results are formed: in full, or one triangle that is mirrored.
enum class symmetric_products : unsigned char { by_gemm, by_syrk };

/// Memory for a matrix of m x n, m <= n.
template <class T>
struct iteration_memory {
  sigmax::matrix<T> x, y, gram, polynomial;
  iteration_memory(index_t m, index_t n) : x(m, n), y(m, n), gram(m, m), polynomial(m, m) {}
};

/// X <- W / ||W||_F, then `steps` times X <- a X + (b A + c A^2) X with A = X X^T: Newton-Schulz as published with Muon.
/// Leaves the result in memory.x. FLOPs: steps (4 m^2 n + 2 m^3), and with syrk a quarter and half less.
template <class T>
void newton_schulz(symmetric_products how, T a, T b, T c, int steps, matrix_view<T const> w,
                   iteration_memory<T>& memory);

/// X <- W, X <- X - alpha X X^T X, X <- X + alpha X X^T X: the soft cap as in the code of arXiv 2507.13338. The result
/// is left in memory.x.
template <class T>
void soft_cap(symmetric_products how, T alpha, matrix_view<T const> w, iteration_memory<T>& memory);

}  // namespace bench::peers
