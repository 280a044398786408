// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cmath>
#include <cstddef>

#include "data/spectrum.hpp"

namespace bench::spectrum {

/// Eigenvalues x of G G^T / n, G m x n Gaussian, y = m / n: density sqrt((b - x)(x - a)) / (2 pi x y) on [a, b], a, b =
/// (1 -+ sqrt y)^2. With x = c - r cos t (c the middle, r half the length) the mass up to t is smooth in t, also at
/// the ends, and is summed up by trapezoids.
std::vector<double> gaussian(index_t m, index_t n) {
  constexpr int steps = 1 << 16;
  double const pi = 3.14159265358979323846;
  double const y = static_cast<double>(m) / static_cast<double>(n);
  double const middle = 1 + y;
  double const half = 2 * std::sqrt(y);
  auto const x_at = [&](int k) { return middle - half * std::cos(pi * k / steps); };
  std::vector<double> mass(steps + 1, 0.0);
  for (int k = 1; k <= steps; ++k) {
    // sqrt((b - x)(x - a)) = r sin t and dx = r sin t dt; for y = 1 the quotient has a limit at t = 0.
    double const t = pi * (k - 0.5) / steps;
    double const x = middle - half * std::cos(t);
    mass[static_cast<std::size_t>(k)] =
        mass[static_cast<std::size_t>(k) - 1] + half * half * std::sin(t) * std::sin(t) / x;
  }
  std::vector<double> sigma;
  int k = 0;
  for (index_t i = 0; i < m; ++i) {
    double const wanted = (static_cast<double>(i) + 0.5) / static_cast<double>(m) * mass.back();
    while (mass[static_cast<std::size_t>(k) + 1] < wanted) ++k;
    double const low = mass[static_cast<std::size_t>(k)];
    double const share = (wanted - low) / (mass[static_cast<std::size_t>(k) + 1] - low);
    double const x = x_at(k) + share * (x_at(k + 1) - x_at(k));
    sigma.push_back(std::sqrt(x) / (1 + std::sqrt(y)));
  }
  std::reverse(sigma.begin(), sigma.end());
  return sigma;
}

std::vector<double> geometric(index_t m, double last) {
  std::vector<double> sigma;
  for (index_t i = 0; i < m; ++i) {
    sigma.push_back(m == 1 ? 1.0 : std::pow(last, static_cast<double>(i) / static_cast<double>(m - 1)));
  }
  return sigma;
}

std::vector<double> rank_one_and_noise(index_t m, index_t n, double noise) {
  auto sigma = scaled_to(noise, gaussian(m, n));
  sigma.front() = 1;
  return sigma;
}

std::vector<double> flat(index_t m) { return std::vector<double>(static_cast<std::size_t>(m), 1.0); }

std::vector<double> scaled_to(double norm, std::vector<double> of) {
  double const factor = norm / *std::max_element(of.begin(), of.end());
  for (double& sigma : of) sigma *= factor;
  return of;
}

}  // namespace bench::spectrum
