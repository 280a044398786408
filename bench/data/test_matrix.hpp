// SPDX-License-Identifier: MIT
/// @file
/// Matrices of given singular values whose singular vectors are known too: what a spectral function makes of them is
/// known in double, at every size.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include <sigmax/core/matrix.hpp>

#include "data/rotations.hpp"

namespace bench {

using sigmax::index_t;

/// W = U diag(sigma) V^T, m x n with m <= n, U and V random and orthogonal.
class test_matrix {
 public:
  /// @throws std::invalid_argument unless m <= n and there are m singular values.
  test_matrix(index_t m, index_t n, std::vector<double> sigma, std::uint64_t seed = 1);

  index_t rows() const { return m_; }
  index_t cols() const { return n_; }
  std::vector<double> const& sigma() const { return sigma_; }
  double frobenius_norm() const;

  /// U diag(values) V^T, rounded once to T.
  template <class T>
  sigmax::matrix<T> with(std::vector<double> const& values) const;
  /// W itself.
  template <class T>
  sigmax::matrix<T> as() const {
    return with<T>(sigma_);
  }
  /// U^T Y V, which is diagonal if Y is a spectral function of W.
  template <class T>
  sigmax::matrix<double> diagonalized(sigmax::matrix_view<T const> y) const;

 private:
  index_t m_;
  index_t n_;
  std::vector<double> sigma_;
  rotations left_;
  rotations right_;
};

/// f of every value.
std::vector<double> mapped(std::vector<double> values, std::function<double(double)> const& f);

}  // namespace bench
