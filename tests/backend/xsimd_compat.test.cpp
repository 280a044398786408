// SPDX-License-Identifier: MIT
#include <cmath>
#include <cstddef>
#include <limits>

#include <doctest/doctest.h>

#include <sigmax/backend/simd/xsimd_compat.hpp>

namespace detail = sigmax::cpu::detail;

// Powers of two with distinct exponents: a sum of any of them is exact and tells which ones it holds.
TEST_CASE_TEMPLATE("register sums hold the elements of their own row, each once", T, float, double) {
  using batch = detail::batch<T, xsimd::default_arch>;
  constexpr std::size_t size = batch::size;
  batch rows[size];
  T expected[size];
  for (std::size_t i = 0; i < size; ++i) {
    T elements[size];
    expected[i] = 0;
    for (std::size_t j = 0; j < size; ++j) {
      elements[j] = std::ldexp(T(1), static_cast<int>(j)) * static_cast<T>(i + 1);
      expected[i] += elements[j];
    }
    rows[i] = detail::load<T, xsimd::default_arch>(elements);
    CHECK(detail::sum(rows[i]) == expected[i]);
  }
  T sums[size];
  detail::store_sums(rows, sums);
  for (std::size_t i = 0; i < size; ++i) CHECK(sums[i] == expected[i]);
}

TEST_CASE_TEMPLATE("multiply_add is one rounding where the processor has it", T, float, double) {
  using batch = detail::batch<T, xsimd::default_arch>;
  T const above_one = T(1) + std::numeric_limits<T>::epsilon();
  T const below_one = T(1) - std::numeric_limits<T>::epsilon();
  T product[batch::size];
  detail::store(detail::multiply_add(batch(above_one), batch(below_one), batch(T(-1))), product);
#if defined(__FMA__) || defined(__AVX512F__) || defined(__ARM_FEATURE_FMA)
  T const expected = -std::numeric_limits<T>::epsilon() * std::numeric_limits<T>::epsilon();
#else
  T const expected = 0;
#endif
  for (T const element : product) CHECK(element == expected);
}
