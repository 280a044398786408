// SPDX-License-Identifier: MIT
/// @file
/// Matrices whose singular values crowd at a cap, and what a hard cap owes them.
#pragma once

#include <algorithm>
#include <cmath>
#include <string>

#include <doctest/doctest.h>

#include <sigmax/spectral/hard_cap.hpp>

#include "spectral/figures.hpp"
#include "support/spectra.hpp"

namespace sigmax::test {

/// Which singular values, besides those at cap (1 +- 10^-digits): the largest is ratio cap.
struct crowd {
  double ratio;
  int digits;
  bool rank_deficient;
};

/// One singular value of ratio cap; of every four others two at cap (1 +- 10^-digits), one far below and one anywhere from
/// the cap to ratio cap, or 0. Singular values above ratio cap are lowered to it.
inline exact crowded(index_t m, index_t n, std::uint64_t seed, long double cap, crowd const& c) {
  auto const distance = std::pow(10.0L, -static_cast<long double>(c.digits));
  auto const ratio = static_cast<long double>(c.ratio);
  auto const value = [&](index_t i) -> long double {
    if (i == 0) return ratio;
    switch (i % 4) {
      case 1:
        return 1 - distance;
      case 2:
        return std::min(1 + distance, ratio);
      case 3:
        return c.rank_deficient ? 0.0L : 0.3L / static_cast<long double>(i);
      default:
        return c.rank_deficient ? 0.0L : std::pow(ratio, 1 / static_cast<long double>(i));
    }
  };
  return with_singular_values(m, n, seed, [&](index_t i) { return cap * value(i); });
}

inline char const* name_of(hard_cap_path path) {
  switch (path) {
    case hard_cap_path::deflation:
      return "deflation";
    case hard_cap_path::eigenvectors:
      return "eigenvectors";
    case hard_cap_path::polynomial:
      return "polynomial";
    default:
      return "automatic";
  }
}

/// The two promises of hard_cap's docstring, in units of the cap.
struct cap_figures {
  explicit cap_figures(std::string const& place)
      : error(joined({place, "sup |f(s) - min(s, cap)| / cap"})), excess(joined({place, "(||f(W)|| / cap - 1) / u"})) {}

  /// Caps `w` at cap in the l2 norm and looks at the result. @return the path taken.
  template <class B, class T>
  hard_cap_path see(B const& on, sigmax::matrix<T> const& w, double cap, hard_cap_path path, double tolerance) {
    double const u = roundoff<T>();
    auto result = w;
    auto const taken = sigmax::hard_cap(on, result, {.sigma_max = cap, .tolerance = tolerance, .path = path});
    auto const level = static_cast<long double>(cap);
    auto const exact_svd = svd(w);
    exact const expected = exact_svd.apply([=](long double s) { return std::min(s, level); });
    // Rounding: in double, u ||W||; and to the storage of the result, which moves it by u sqrt(rank) cap at the most. Both
    // count only where they are not far below the tolerance.
    long double const in_double = 0x1p-53L * exact_svd.sigma.front() / level;
    auto const rank = static_cast<long double>(std::min(w.rows(), w.cols()));
    long double const rounding = in_double + (u > 0x1p-53 ? u * std::sqrt(rank) : 0);
    error.see(spectral_distance(result, expected) / level, tolerance + (rounding > tolerance / 40 ? rounding : 0));
    excess.see((spectral_norm(in_long_double(result)) / level - 1) / u, 4);
    return taken;
  }

  figure error, excess;
};

}  // namespace sigmax::test
