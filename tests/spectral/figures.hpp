// SPDX-License-Identifier: MIT
/// @file
/// What tests of spectral functions report and compare besides tests/support/spectra.hpp: the worst figure of a sweep,
/// and the bits of a matrix.
#pragma once

#include <cmath>
#include <cstdio>
#include <cstring>
#include <initializer_list>
#include <limits>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <sigmax/core/matrix.hpp>

namespace sigmax::test {

/// u of a storage scalar.
template <class S>
double roundoff() {
  if constexpr (std::is_same_v<S, bf16>) {
    return 0x1p-8;
  } else if constexpr (std::is_same_v<S, f16>) {
    return 0x1p-11;
  } else {
    return static_cast<double>(std::numeric_limits<S>::epsilon()) / 2;
  }
}

/// A quantity that must stay within its limit, which may depend on the case. The worst one seen is printed at the end.
class figure {
 public:
  explicit figure(std::string what) : what_(std::move(what)) {}
  figure(figure const&) = delete;
  ~figure() {
    std::printf("  %-76s worst %.4g of %.4g (%d cases)\n", what_.c_str(), static_cast<double>(worst_),
                static_cast<double>(limit_), cases_);
  }

  void see(long double value, long double limit) {
    INFO(what_);
    CHECK(value <= limit);
    ++cases_;
    if (cases_ > 1 && !(value * limit_ > worst_ * limit)) return;
    worst_ = value;
    limit_ = limit;
  }

 private:
  std::string what_;
  long double worst_ = 0;
  long double limit_ = 0;
  int cases_ = 0;
};

/// The texts as one. Out of line: GCC 12 takes appended literals for overlong copies where it inlines them (GCC 105651).
[[gnu::noinline]] inline std::string joined(std::initializer_list<std::string_view> parts) {
  std::string result;
  for (auto const& part : parts) result.append(part);
  return result;
}

/// "float" or "double".
template <class T>
char const* name_of() {
  return std::is_same_v<T, float> ? "float" : std::is_same_v<T, double> ? "double" : "";
}

/// "cpu::simd float: ": where a figure was seen.
template <class Case>
std::string place() {
  return joined({Case::backend::name, " ", name_of<typename Case::scalar>(), ": "});
}

/// Every element of a matrix in order, to be compared bit by bit.
template <class M>
auto elements_of(M const& w) {
  auto const from = sigmax::const_view(w);
  std::vector<sigmax::value_t<M>> result;
  for (index_t i = 0; i < from.rows(); ++i) {
    for (index_t j = 0; j < from.cols(); ++j) result.push_back(from(i, j));
  }
  return result;
}

/// The same shape and, for scalars without padding, the same bits.
template <class A, class B>
bool same_bits(A const& a, B const& b) {
  auto const first = elements_of(a);
  auto const second = elements_of(b);
  return a.rows() == b.rows() && a.cols() == b.cols() && first.size() == second.size() &&
         (first.empty() || std::memcmp(first.data(), second.data(), first.size() * sizeof first[0]) == 0);
}

}  // namespace sigmax::test
