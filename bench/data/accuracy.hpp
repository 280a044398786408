// SPDX-License-Identifier: MIT
/// @file
/// How far results are from what they should be.
#pragma once

#include <functional>
#include <vector>

#include <sigmax/core/matrix.hpp>

#include "data/test_matrix.hpp"

namespace bench {

/// Y = f(W) in the singular vectors of W: U^T Y V, where all that is not on the diagonal is error.
struct spectral_result {
  /// u_i^T Y v_i: what became of singular value i.
  std::vector<double> sigma;
  /// Frobenius norm of the rest.
  double off_diagonal = 0;

  /// || Y - U diag(expected) V^T ||_F / || expected ||_2.
  double error(std::vector<double> const& expected) const;

  /// The same for sigma -> p(sigma / b) with the b in [norm, 1.01 norm] that fits best: how X is scaled into the domain
  /// of p is a contender's own affair (a rounding margin, an epsilon added to the norm), what it then computes is not.
  double error_up_to_scaling(std::function<double(double)> const& p, std::vector<double> const& input,
                             double norm) const;
};

/// U^T Y V, in double.
template <class T>
spectral_result in_singular_vectors(test_matrix const& w, sigmax::matrix_view<T const> y);

/// || C - A B ||_F / || A B ||_F, estimated without forming A B: || E z || averages to || E ||_F over random signs z.
/// In long double, so that nothing of it is the oracle's.
template <class T>
double product_error(sigmax::matrix_view<T const> a, sigmax::matrix_view<T const> b, sigmax::matrix_view<T const> c);

}  // namespace bench
