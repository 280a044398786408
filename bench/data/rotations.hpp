// SPDX-License-Identifier: MIT
/// @file
/// Random orthogonal matrices that cost O(n log n) to apply, so that every test matrix has known singular vectors.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include <sigmax/core/matrix_view.hpp>
#include <sigmax/core/scalar.hpp>

namespace bench {

/// Q = L_k ... L_1, each L a set of n / 2 plane rotations by random angles of randomly paired coordinates. A layer at
/// most doubles the coordinates that one depends on; 2 log2(n) layers leave a dense matrix with entries of about equal
/// size. Orthogonal to a few roundoffs of double, equal for equal seeds.
class rotations {
 public:
  rotations(sigmax::index_t n, std::uint64_t seed);

  /// A <- Q A
  void apply(sigmax::matrix_view<double> a) const { rotate_columns(a, false); }
  /// A <- Q^T A
  void apply_transposed(sigmax::matrix_view<double> a) const { rotate_columns(a, true); }

 private:
  struct rotation {
    std::size_t i, j;
    double cosine, sine;
  };

  void rotate_columns(sigmax::matrix_view<double> a, bool backwards) const;

  sigmax::index_t size_;
  std::vector<rotation> rotations_;
};

}  // namespace bench
