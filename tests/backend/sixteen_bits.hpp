// SPDX-License-Identifier: MIT
/// @file
/// What a backend promises of 16-bit storage: the bits of the conversions of core/scalar.hpp, for every pattern.
#pragma once

#include <bit>
#include <cfenv>
#include <cmath>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <sigmax/core/matrix_view.hpp>
#include <sigmax/core/scalar.hpp>

#include "backend/storage.hpp"

namespace sigmax::test {

/// All 65536 patterns.
template <class S>
std::vector<S> every_pattern() {
  std::vector<S> all;
  for (std::uint32_t bits = 0; bits <= 0xffffu; ++bits) all.push_back(S::from_bits(static_cast<std::uint16_t>(bits)));
  return all;
}

/// Floats with all patterns of the upper 19 bits: every value of either type, what lies halfway between two of them, and the
/// floats next to both on either side; all zeros, subnormal numbers, infinities and NaN of any payload.
inline std::vector<float> every_halfway_case() {
  std::vector<float> all;
  for (std::uint32_t upper = 0; upper < (std::uint32_t{1} << 19); ++upper) {
    for (std::uint32_t const lower : {0x0000u, 0x0001u, 0x0fffu, 0x1000u, 0x1001u, 0x1fffu}) {
      all.push_back(std::bit_cast<float>((upper << 13) | lower));
    }
  }
  return all;
}

template <class T>
matrix_view<T> as_one_row(std::vector<T>& elements) {
  return matrix_view<T>(elements.data(), 1, static_cast<index_t>(elements.size()));
}

/// convert from and to S, all cases of both, in every rounding mode.
template <class S, class B>
void check_conversions(B const& be) {
  auto patterns = every_pattern<S>();
  auto floats = every_halfway_case();
  std::vector<float> read(patterns.size());
  std::vector<S> written(floats.size());
  std::fenv_t environment;
  std::fegetenv(&environment);
  for (int const mode : {FE_TONEAREST, FE_UPWARD, FE_DOWNWARD, FE_TOWARDZERO}) {
    std::fesetround(mode);
    be.convert(as_one_row(patterns), as_one_row(read));
    be.convert(as_one_row(floats), as_one_row(written));
    std::fesetenv(&environment);
    long wrong_reads = 0;
    for (std::size_t i = 0; i < patterns.size(); ++i) {
      wrong_reads +=
          std::bit_cast<std::uint32_t>(read[i]) != std::bit_cast<std::uint32_t>(static_cast<float>(patterns[i]));
    }
    long wrong_writes = 0;
    for (std::size_t i = 0; i < floats.size(); ++i) wrong_writes += written[i].bits != S(floats[i]).bits;
    CHECK(wrong_reads == 0);
    CHECK(wrong_writes == 0);
  }
}

/// convert of matrices of all storages and of lengths that leave a rest.
template <class S, class B>
void check_converted_matrices(B const& be) {
  number_source source(3);
  for (auto const from : every_layout) {
    for (auto const to : every_layout) {
      for (auto const& [m, n] : {std::pair<index_t, index_t>{1, 1}, {3, 5}, {17, 19}, {40, 33}, {0, 4}}) {
        stored_matrix<S> const x(m, n, from, source);
        stored_matrix<float> const y(m, n, to);
        stored_matrix<S> const back(m, n, from);
        be.convert(x.view(), y.view());
        be.convert(y.view(), back.view());
        long wrong = 0;
        for (index_t i = 0; i < m; ++i) {
          for (index_t j = 0; j < n; ++j) {
            wrong += y(i, j) != static_cast<float>(x(i, j)) || back(i, j).bits != x(i, j).bits;
          }
        }
        CHECK(wrong == 0);
        CHECK(y.gaps_intact());
      }
    }
  }
}

/// max_abs, and that it sees whatever is not finite, wherever it stands.
template <class S, class B>
void check_largest_of_16_bits(B const& be) {
  for (auto const order : every_layout) {
    number_source source(4);
    stored_matrix<S> const x(5, 37, order, source);
    x(4, 36) = S(-3.0f);
    CHECK(be.max_abs(x.view()) == 3.0f);
    for (float const poison : {std::numeric_limits<float>::infinity(), -std::numeric_limits<float>::infinity(),
                               std::numeric_limits<float>::quiet_NaN()}) {
      for (auto const& [i, j] : {std::pair<index_t, index_t>{0, 0}, {2, 17}, {4, 36}}) {
        S const before = x(i, j);
        x(i, j) = S(poison);
        CHECK(be.max_abs(x.view()) == std::numeric_limits<float>::infinity());
        x(i, j) = before;
      }
    }
    x(1, 1) = S::from_bits(1);
    CHECK(be.max_abs(x.view().block(1, 1, 1, 1)) == static_cast<float>(S::from_bits(1)));
  }
}

}  // namespace sigmax::test
