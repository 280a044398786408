// SPDX-License-Identifier: MIT
/// @file
/// What tests of spectral functions share: matrices of prescribed singular values, and the layouts a function has to
/// treat alike. Made in long double and rounded once.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <sigmax/core/matrix.hpp>
#include <sigmax/core/random.hpp>

#include "support/svd.hpp"

namespace sigmax::test {

/// Gaussian m x n, singular values about sqrt(m) + sqrt(n) at the most.
inline exact gaussian(index_t m, index_t n, std::uint64_t seed) {
  exact a(m, n);
  sigmax::fill_normal(a.view(), seed);
  return a;
}

/// n x k with orthonormal columns, uniformly distributed, from k Householder reflections of Gaussian vectors
/// (Stewart, SIAM J. Numer. Anal. 17, 1980).
inline exact orthonormal(index_t n, index_t k, std::uint64_t seed) {
  exact q(n, k);
  exact const directions = gaussian(k, n, seed);
  random_sequence const signs(seed + 1);
  std::vector<long double> x(static_cast<std::size_t>(n));
  std::vector<long double> along(static_cast<std::size_t>(k));
  for (index_t r = k - 1; r >= 0; --r) {
    // The reflection of coordinates r .. n - 1, to which only columns r .. k - 1 have come so far.
    q(r, r) = signs.uniform(static_cast<std::uint64_t>(r)) < 0.5 ? -1 : 1;
    long double squares = 0;
    for (index_t i = r; i < n; ++i) x[static_cast<std::size_t>(i)] = directions(r, i);
    for (index_t i = r; i < n; ++i) squares += directions(r, i) * directions(r, i);
    std::fill(along.begin(), along.end(), 0.0L);
    for (index_t i = r; i < n; ++i) {
      for (index_t j = r; j < k; ++j) along[static_cast<std::size_t>(j)] += x[static_cast<std::size_t>(i)] * q(i, j);
    }
    for (index_t i = r; i < n; ++i) {
      long double const factor = 2 / squares * x[static_cast<std::size_t>(i)];
      for (index_t j = r; j < k; ++j) q(i, j) -= factor * along[static_cast<std::size_t>(j)];
    }
  }
  return q;
}

/// U diag(sigma(0), sigma(1), ...) V^T with random orthonormal factors; sigma(i) for i < min(m, n), in any order.
template <class F>
exact with_singular_values(index_t m, index_t n, std::uint64_t seed, F const& sigma) {
  index_t const r = std::min(m, n);
  exact u = orthonormal(m, r, 2 * seed);
  for (index_t i = 0; i < m; ++i) {
    for (index_t k = 0; k < r; ++k) u(i, k) *= static_cast<long double>(sigma(k));
  }
  return product(u, transposed(orthonormal(n, r, 2 * seed + 1)));
}

/// A family of singular values: value(i, r) is the i-th of r.
struct spectrum {
  char const* name;
  long double (*value)(index_t i, index_t r);  ///< null: a Gaussian matrix divided by sqrt(m) + sqrt(n)
};

inline constexpr spectrum standard_spectra[] = {
    {"gaussian", nullptr},
    {"geometric 1 to 1e-3",
     [](index_t i, index_t r) {
       return r == 1 ? 1.0L : std::pow(10.0L, -3.0L * static_cast<long double>(i) / static_cast<long double>(r - 1));
     }},
    {"flat", [](index_t, index_t) { return 1.0L; }},
    {"half of them zero",
     [](index_t i, index_t r) { return 2 * i < r ? 1.0L / static_cast<long double>(i + 1) : 0.0L; }},
    {"one dominant", [](index_t i, index_t) { return i == 0 ? 1.0L : 1e-2L / static_cast<long double>(i); }},
};

/// Every singular value at level (1 +- 10^-digits), alternating.
inline auto clustered(long double level, int digits) {
  long double const distance = std::pow(10.0L, static_cast<long double>(-digits));
  return [=](index_t i) { return level * (i % 2 == 0 ? 1 + distance : 1 - distance); };
}

/// An m x n matrix of that family, times `scale`.
inline exact of_spectrum(spectrum const& family, index_t m, index_t n, std::uint64_t seed, long double scale = 1) {
  index_t const r = std::min(m, n);
  if (family.value != nullptr) {
    return with_singular_values(m, n, seed, [&](index_t i) { return scale * family.value(i, r); });
  }
  exact a = gaussian(m, n, seed);
  for (index_t i = 0; i < a.size(); ++i) {
    a.data()[i] *= scale / (std::sqrt(static_cast<long double>(m)) + std::sqrt(static_cast<long double>(n)));
  }
  return a;
}

struct extents {
  index_t rows, cols;
};

/// Square, wide, tall, one row, one column, one element.
inline constexpr extents standard_shapes[] = {{12, 12}, {9, 31}, {31, 9}, {1, 13}, {13, 1}, {1, 1}};

/// A matrix laid out in memory in one of several ways, with elements around and between that nobody may read (they are
/// NaN) or write.
template <class T>
class laid_out {
 public:
  laid_out(sigmax::matrix<T> const& w, char const* name, index_t row_stride, index_t col_stride)
      : memory_(1, 2 + (w.rows() - 1) * std::abs(row_stride) + (w.cols() - 1) * std::abs(col_stride)), name_(name) {
    for (index_t i = 0; i < memory_.size(); ++i) memory_.data()[i] = T(std::numeric_limits<float>::quiet_NaN());
    index_t const first = 1 + (row_stride < 0 ? (1 - w.rows()) * row_stride : 0);
    view_ = sigmax::matrix_view<T>(memory_.data() + first, w.rows(), w.cols(), row_stride, col_stride);
    for (index_t i = 0; i < w.rows(); ++i) {
      for (index_t j = 0; j < w.cols(); ++j) view_(i, j) = w(i, j);
    }
  }
  laid_out(laid_out const&) = delete;

  sigmax::matrix_view<T> view() const { return view_; }
  char const* name() const { return name_; }

  /// As many elements are no numbers as there were.
  bool is_intact() const {
    index_t foreign = 0;
    for (index_t i = 0; i < memory_.size(); ++i) foreign += memory_.data()[i] == memory_.data()[i] ? 0 : 1;
    return foreign == memory_.size() - view_.size();
  }

 private:
  sigmax::matrix<T> memory_;
  sigmax::matrix_view<T> view_;
  char const* name_;
};

/// Calls body(view) for W (with elements) row-major, column-major (the transpose of a row-major matrix), as a block of
/// a larger matrix of either order, with strides in both directions, and bottom up.
template <class T, class F>
void for_each_layout(sigmax::matrix<T> const& w, F const& body) {
  index_t const m = w.rows();
  index_t const n = w.cols();
  laid_out<T> const layouts[] = {{w, "row-major", n, 1},         {w, "column-major", 1, m},
                                 {w, "block of rows", n + 3, 1}, {w, "block of columns", 1, m + 5},
                                 {w, "strided", 2 * n + 3, 2},   {w, "bottom up", -n - 2, 1}};
  for (auto const& each : layouts) {
    INFO(std::string(each.name()), ", ", m, " x ", n);
    body(each.view());
    CHECK(each.is_intact());
  }
}

}  // namespace sigmax::test
