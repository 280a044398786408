// SPDX-License-Identifier: MIT
#include <cmath>
#include <cstddef>
#include <stdexcept>
#include <utility>

#include "data/test_matrix.hpp"

namespace bench {

test_matrix::test_matrix(index_t m, index_t n, std::vector<double> sigma, std::uint64_t seed)
    : m_(m), n_(n), sigma_(std::move(sigma)), left_(m, 2 * seed), right_(n, 2 * seed + 1) {
  if (m > n || static_cast<index_t>(sigma_.size()) != m) {
    throw std::invalid_argument("test_matrix: it takes m <= n and m singular values");
  }
}

double test_matrix::frobenius_norm() const {
  double sum = 0;
  for (double const s : sigma_) sum += s * s;
  return std::sqrt(sum);
}

template <class T>
sigmax::matrix<T> test_matrix::with(std::vector<double> const& values) const {
  sigmax::matrix<double> w(m_, n_);
  for (index_t i = 0; i < m_; ++i) w(i, i) = values[static_cast<std::size_t>(i)];
  left_.apply(w.view());
  right_.apply(w.view().transposed());  // (V (U S)^T)^T
  sigmax::matrix<T> result(m_, n_);
  for (index_t i = 0; i < w.size(); ++i) result.data()[i] = static_cast<T>(w.data()[i]);
  return result;
}

template <class T>
sigmax::matrix<double> test_matrix::diagonalized(sigmax::matrix_view<T const> y) const {
  sigmax::matrix<double> d(m_, n_);
  for (index_t i = 0; i < m_; ++i) {
    for (index_t j = 0; j < n_; ++j) d(i, j) = static_cast<double>(y(i, j));
  }
  left_.apply_transposed(d.view());
  right_.apply_transposed(d.view().transposed());
  return d;
}

std::vector<double> mapped(std::vector<double> values, std::function<double(double)> const& f) {
  for (double& value : values) value = f(value);
  return values;
}

template sigmax::matrix<float> test_matrix::with<float>(std::vector<double> const&) const;
template sigmax::matrix<double> test_matrix::with<double>(std::vector<double> const&) const;
template sigmax::matrix<double> test_matrix::diagonalized<float>(sigmax::matrix_view<float const>) const;
template sigmax::matrix<double> test_matrix::diagonalized<double>(sigmax::matrix_view<double const>) const;

}  // namespace bench
