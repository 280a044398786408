// SPDX-License-Identifier: MIT
/// @file
/// What the tests of the fast eigendecomposition share.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdio>

#include <doctest/doctest.h>

#include <sigmax/backend/blocked_symmetric_eigen.hpp>
#include <sigmax/core/matrix.hpp>

#include "backend/symmetric_families.hpp"

namespace sigmax::test {

/// The largest errors seen, in units of m u.
struct worst_errors {
  double residual = 0;
  double orthogonality = 0;
};

/// ||V A V^T - D||_F <= 4 (m + 10) u ||A|| and the same for V V^T - I: what is owed. Each halving, each block of
/// reflections and the reduction are backward stable with a few u an element, which is c sqrt(m) u in this norm; what
/// is seen is printed.
template <class T, class B>
void check_decomposition(B const& on, symmetric_matrix const& given, worst_errors& worst, index_t every = 1) {
  index_t const m = given.rows();
  auto const a = rounded_to<T>(given);
  auto destroyed = a;
  sigmax::vector<T> values(m);
  sigmax::matrix<T> vectors(m, m);
  for (index_t i = 0; i < vectors.size(); ++i) vectors.data()[i] = std::numeric_limits<T>::quiet_NaN();
  sigmax::workspace memory;
  sigmax::blocked_symmetric_eigen(on, destroyed.view(), values.view(), vectors.view(), memory);
  auto const error = error_of_eigenpairs(a, values, vectors, every, m, norm_of(values));
  double const limit = 4 * (static_cast<double>(m) + 10);
  CHECK(error.residual <= limit);
  CHECK(error.orthogonality <= limit);
  worst.residual = std::max(worst.residual, error.residual / (static_cast<double>(m) + 10));
  worst.orthogonality = std::max(worst.orthogonality, error.orthogonality / (static_cast<double>(m) + 10));
}

}  // namespace sigmax::test
