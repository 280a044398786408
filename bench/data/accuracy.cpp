// SPDX-License-Identifier: MIT
#include <cmath>
#include <cstddef>

#include <sigmax/core/random.hpp>

#include "data/accuracy.hpp"

namespace bench {

namespace {

using numbers = std::vector<long double>;

template <class T>
numbers times(sigmax::matrix_view<T const> a, numbers const& x) {
  numbers y(static_cast<std::size_t>(a.rows()), 0.0L);
  for (index_t i = 0; i < a.rows(); ++i) {
    long double sums[4] = {};
    for (index_t j = 0; j < a.cols(); ++j) {
      sums[j % 4] += static_cast<long double>(a(i, j)) * x[static_cast<std::size_t>(j)];
    }
    y[static_cast<std::size_t>(i)] = sums[0] + sums[1] + (sums[2] + sums[3]);
  }
  return y;
}

}  // namespace

double spectral_result::error(std::vector<double> const& expected) const {
  double errors = off_diagonal * off_diagonal;
  double squares = 0;
  for (std::size_t i = 0; i < sigma.size(); ++i) {
    errors += (sigma[i] - expected[i]) * (sigma[i] - expected[i]);
    squares += expected[i] * expected[i];
  }
  return std::sqrt(errors / squares);
}

double spectral_result::error_up_to_scaling(std::function<double(double)> const& p, std::vector<double> const& input,
                                            double norm) const {
  auto const error_for = [&](double margin) {
    return error(mapped(input, [&](double s) { return p(s / (norm * (1 + margin))); }));
  };
  // Margins are roundoffs or nothing: the least error on a logarithmic grid, refined once.
  double best = 0;
  double least = error_for(0);
  for (double const step : {1.5, 1.05, 1.003}) {
    double const centre = best;
    for (int k = -40; k <= 40; ++k) {
      double const margin = (centre > 0 ? centre : 1e-5) * std::pow(step, k);
      if (margin > 0.01) break;
      double const found = error_for(margin);
      if (found < least) {
        least = found;
        best = margin;
      }
    }
    if (!(best > 0)) break;
  }
  return least;
}

template <class T>
spectral_result in_singular_vectors(test_matrix const& w, sigmax::matrix_view<T const> y) {
  auto const d = w.diagonalized(y);
  spectral_result result;
  double squares = 0;
  for (index_t i = 0; i < d.rows(); ++i) {
    result.sigma.push_back(d(i, i));
    for (index_t j = 0; j < d.cols(); ++j) squares += i == j ? 0.0 : d(i, j) * d(i, j);
  }
  result.off_diagonal = std::sqrt(squares);
  return result;
}

template <class T>
double product_error(sigmax::matrix_view<T const> a, sigmax::matrix_view<T const> b, sigmax::matrix_view<T const> c) {
  constexpr std::uint64_t samples = 4;
  sigmax::random_sequence const random(7);
  long double errors = 0;
  long double squares = 0;
  for (std::uint64_t sample = 0; sample < samples; ++sample) {
    numbers z(static_cast<std::size_t>(c.cols()));
    for (std::size_t j = 0; j < z.size(); ++j) z[j] = random.bits(sample * z.size() + j) % 2 == 0 ? 1.0L : -1.0L;
    auto const wanted = times(a, times(b, z));
    auto const found = times(c, z);
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      errors += (found[i] - wanted[i]) * (found[i] - wanted[i]);
      squares += wanted[i] * wanted[i];
    }
  }
  return static_cast<double>(std::sqrt(errors / squares));
}

#define SIGMAX_BENCH_INSTANTIATE(T)                                                                                    \
  template spectral_result in_singular_vectors<T>(test_matrix const&, sigmax::matrix_view<T const>);                   \
  template double product_error<T>(sigmax::matrix_view<T const>, sigmax::matrix_view<T const>,                         \
                                   sigmax::matrix_view<T const>);
SIGMAX_BENCH_INSTANTIATE(float)
SIGMAX_BENCH_INSTANTIATE(double)
#undef SIGMAX_BENCH_INSTANTIATE

}  // namespace bench
