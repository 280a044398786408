// SPDX-License-Identifier: MIT
/// @file
/// Matrices in double that are proven to be near those that are meant.
#pragma once

#include <sigmax/bound/interval.hpp>
#include <sigmax/core/matrix.hpp>
#include <sigmax/kernels.hpp>

namespace transformer {

using sigmax::index_t;

struct near_matrix {
  sigmax::matrix<double> elements;
  /// >= the Frobenius norm of the difference.
  double error = 0;
};

/// c W for every c in the interval. Transposed if asked.
near_matrix scaled(sigmax::interval factor, sigmax::matrix<float> const& w, bool transposed = false);

/// >= ||M||_F of the matrix that is meant.
double frobenius_up(near_matrix const& m);

/// >= ||M||_2 of columns [first, first + count) of what is meant. A proof of a norm.
double norm_up(sigmax::cpu::native const& on, near_matrix const& m, index_t first, index_t count);

/// A B. The computed product is off by gamma_(n+2) ||A||_F ||B||_F in the Frobenius norm, n its inner extent, in any order of
/// summation (Higham, section 3.5), plus what underflows; the errors of A and B come to it.
near_matrix product_of(sigmax::cpu::native const& on, near_matrix const& a, near_matrix const& b);

/// c A + B, off by 2 roundings of each element.
near_matrix sum_of(double factor, near_matrix const& a, near_matrix const& b);

}  // namespace transformer
