// SPDX-License-Identifier: MIT
/// @file
/// What tests of the transformer's kernels compare: inputs, memory that shows what is read before it is written, and numbers
/// with the magnitudes their rounding goes by.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <utility>
#include <vector>

#include <sigmax/core/matrix.hpp>
#include <sigmax/core/random.hpp>
#include <sigmax/cuda/device_matrix.hpp>
#include <sigmax/cuda/stream.hpp>

namespace transformer::test {

using sigmax::index_t;
using sigmax::matrix;
namespace gpu = sigmax::gpu;

using wide = long double;

template <class T>
matrix<T> filled(index_t rows, index_t cols, T value) {
  matrix<T> result(rows, cols);
  std::fill(result.data(), result.data() + result.size(), value);
  return result;
}

template <class T>
matrix<T> random(index_t rows, index_t cols, std::uint64_t seed, T scale = T(1)) {
  matrix<T> result(rows, cols);
  fill_normal(result.view(), seed);
  for (index_t i = 0; i < result.size(); ++i) result.data()[i] *= scale;
  return result;
}

/// Memory in which whatever is read before it is written shows.
template <class T>
gpu::device_matrix<T> poisoned(gpu::stream const& on, index_t rows, index_t cols) {
  return gpu::device_matrix<T>::copy_of(filled(rows, cols, std::numeric_limits<T>::quiet_NaN()), on);
}

template <class T>
bool same_bits(matrix<T> const& a, matrix<T> const& b) {
  return a.empty() || std::memcmp(a.data(), b.data(), static_cast<std::size_t>(a.size()) * sizeof(T)) == 0;
}

/// A number and the sum of the magnitudes of what it is computed from.
struct term {
  wide value = 0;
  wide magnitude = 0;

  void add(wide x) { add(x, std::fabs(x)); }
  void add(wide x, wide size) {
    value += x;
    magnitude += size;
  }
};

/// |x - expected| <= 50 unit roundoffs of the magnitude: chains of n roundings err by some sqrt(n) of them, and n is
/// some hundreds.
template <class T>
bool is_near(T x, term const& expected) {
  wide const unit = std::numeric_limits<T>::epsilon() / 2;
  return std::fabs(static_cast<wide>(x) - expected.value) <= 50 * unit * expected.magnitude;
}

/// Elements of x that are not near, expected(i, j) being a term.
template <class T, class F>
index_t far_elements(matrix<T> const& x, F const& expected) {
  index_t result = 0;
  for (index_t i = 0; i < x.rows(); ++i) {
    for (index_t j = 0; j < x.cols(); ++j) result += is_near(x(i, j), expected(i, j)) ? 0 : 1;
  }
  return result;
}

inline std::vector<int> some_tokens(index_t count, index_t vocabulary) {
  sigmax::random_sequence const sequence(7);
  std::vector<int> result;
  for (index_t i = 0; i < count; ++i) {
    result.push_back(
        static_cast<int>(sequence.bits(static_cast<std::uint64_t>(i)) % static_cast<unsigned>(vocabulary)));
  }
  return result;
}

/// A matrix in the middle of a larger one, which is NaN around it.
template <class T>
struct inner_block {
  gpu::device_matrix<T> around;
  index_t rows, cols;

  inner_block(gpu::stream const& on, matrix<T> const& x) : rows(x.rows()), cols(x.cols()) {
    auto larger = filled(rows + 2, cols + 5, std::numeric_limits<T>::quiet_NaN());
    for (index_t i = 0; i < rows; ++i) std::copy_n(&x(i, 0), cols, &larger(i + 1, 2));
    around = gpu::device_matrix<T>::copy_of(larger, on);
  }
  auto view() { return around.view().block(1, 2, rows, cols); }
  /// The block; how many elements around it were written.
  std::pair<matrix<T>, index_t> fetch() const {
    auto const larger = around.to_host();
    matrix<T> x(rows, cols);
    index_t numbers = 0;
    for (index_t i = 0; i < rows; ++i) std::copy_n(&larger(i + 1, 2), cols, &x(i, 0));
    for (index_t i = 0; i < larger.size(); ++i) numbers += std::isnan(larger.data()[i]) ? 0 : 1;
    return {std::move(x), numbers - rows * cols};
  }
};

}  // namespace transformer::test
