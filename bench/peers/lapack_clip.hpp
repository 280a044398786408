// SPDX-License-Identifier: MIT
/// @file
/// sigma -> min(sigma, cap) as one writes it with LAPACK, in float.
#pragma once

#include <vector>

#include <sigmax/core/matrix.hpp>

#include "peers/openblas.hpp"

namespace bench::peers {

/// Through the eigendecomposition of the Gram matrix, the fastest straightforward way: X X^T = Q L Q^T by ssyrk and
/// ssyevd, then X <- X + Q_k diag(cap / sqrt(l) - 1) Q_k^T X over the k eigenvalues l above cap^2 alone.
class eigenvector_clip {
 public:
  /// For m x n, m <= n.
  eigenvector_clip(index_t m, index_t n);
  /// Returns k. The result is in `result`.
  index_t run(float cap, matrix_view<float const> w);
  sigmax::matrix<float> result;

 private:
  sigmax::matrix<float> gram_;
  sigmax::matrix<float> along_;
  std::vector<float> values_;
  std::vector<float> work_;
  std::vector<int> integer_work_;
};

/// Through the singular value decomposition: W = U S V^T by sgesdd, then U min(S, cap) V^T by sgemm.
class svd_clip {
 public:
  svd_clip(index_t m, index_t n);
  void run(float cap, matrix_view<float const> w);
  sigmax::matrix<float> result;

 private:
  sigmax::matrix<float> copy_;
  sigmax::matrix<float> u_;
  sigmax::matrix<float> vt_;
  std::vector<float> values_;
  std::vector<float> work_;
  std::vector<int> integer_work_;
};

}  // namespace bench::peers
