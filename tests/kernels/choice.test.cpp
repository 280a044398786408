// SPDX-License-Identifier: MIT
// Which level is chosen, which are refused, and what objects of one level have in common.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string>
#include <string_view>

#include <doctest/doctest.h>

#include <sigmax/backend/scalar.hpp>
#include <sigmax/backend/simd.hpp>
#include <sigmax/certified/spectral_norm.hpp>
#include <sigmax/core/error.hpp>
#include <sigmax/core/matrix.hpp>
#include <sigmax/core/random.hpp>
#include <sigmax/kernels.hpp>

#include "kernels/levels.hpp"

using namespace sigmax;
using namespace sigmax::test;

namespace {

/// What native(level) says where it refuses; empty where it does not.
std::string refusal_of(kernels::level level) {
  try {
    cpu::native const made(level);
    CHECK(made.level() == level);
    return "";
  } catch (unsupported_error const& e) {
    return e.what();
  }
}

bool has(std::string const& text, std::string const& part) { return text.find(part) != std::string::npos; }

template <class T>
bool same(matrix<T> const& x, matrix<T> const& y) {
  return std::memcmp(x.data(), y.data(), static_cast<std::size_t>(x.size()) * sizeof(T)) == 0;
}

template <class T>
matrix<T> normal(index_t rows, index_t cols, std::uint64_t seed) {
  matrix<T> w(rows, cols);
  fill_normal(w.view(), seed);
  return w;
}

}  // namespace

TEST_CASE("native: the last level that can be executed is chosen, the others are refused by name") {
  auto best = kernels::level::generic;
  for (auto const level : every_level) {
    std::string const name = kernels::name(level);
    std::string const refusal = refusal_of(level);
    if (kernels::compiled(level) == nullptr) {
      CHECK(has(refusal, "level is " + name + "; it is not among those"));
      CHECK(!kernels::is_executable(level));
    } else if (!kernels::is_executable(level)) {
      CHECK(has(refusal, "level is " + name + "; this processor executes at most " + cpu::native().architecture()));
      MESSAGE("level " << name << " is compiled, not tested: this processor lacks it");
    } else {
      CHECK(refusal == "");
      best = level;
    }
  }
  CHECK(cpu::native().level() == best);
  MESSAGE("cpu::native is " << std::string(cpu::native().architecture()) << ", this file is compiled for "
                            << std::string(architecture));
}

#if defined(__x86_64__)
// The compiler's own test of the processor, written by others. It has no name for some features of the levels.
TEST_CASE("native: the processor is read as the compiler reads it") {
  auto const executes = [](kernels::level level) { return kernels::is_executable(level); };
  CHECK(executes(kernels::level::x86_64));
  if (executes(kernels::level::x86_64_v2)) {
    CHECK(__builtin_cpu_supports("sse4.2"));
    CHECK(__builtin_cpu_supports("popcnt"));
  }
  bool const avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2");
  if (kernels::compiled(kernels::level::x86_64_v3) != nullptr) CHECK(executes(kernels::level::x86_64_v3) == avx2);
  bool const avx512 = avx2 && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512cd") &&
                      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
  if (kernels::compiled(kernels::level::x86_64_v4) != nullptr) CHECK(executes(kernels::level::x86_64_v4) == avx512);
}
#endif

TEST_CASE_TEMPLATE("native: objects of one level give the same bits", T, float, double) {
  auto const a = normal<T>(67, 131, 1);
  auto const b = normal<T>(131, 45, 2);
  on_every_level([&](cpu::native const& first) {
    cpu::native const second(first.level());
    matrix<T> of_first(67, 45), of_second(67, 45), gram(67, 67), gram_again(67, 67);
    first.multiply(T(1), a.view(), b.view(), T(0), of_first.view(), of_first.view());
    second.multiply(T(1), a.view(), b.view(), T(0), of_second.view(), of_second.view());
    CHECK(same(of_first, of_second));
    for (auto* const g : {&gram, &gram_again}) {
      (g == &gram ? first : second).gram(T(1), a.view(), T(0), g->view(), g->view());
      for (index_t i = 0; i < 67; ++i) (*g)(i, i) += T(1);
      CHECK((g == &gram ? first : second).cholesky(g->view()) == 67);
    }
    CHECK(same(gram, gram_again));
  });
}

// The order of sums is a matter of instructions, not of optimisation.
TEST_CASE("native: the level this file is compiled for computes as cpu::simd does") {
  std::string_view const here = architecture;
  if (here != "sse2" && here != "sse4_2" && here != "avx2_fma" && here != "avx512" && here != "neon") {
    MESSAGE("skipped: no level is " << std::string(here));
    return;
  }
  auto const a = normal<double>(40, 300, 3);
  matrix<double> expected(40, 40), computed(40, 40);
  cpu::simd<>{}.gram(1.0, a.view(), 0.0, expected.view(), expected.view());
  bool found = false;
  on_every_level([&](cpu::native const& be) {
    be.gram(1.0, a.view(), 0.0, computed.view(), computed.view());
    found = found || same(expected, computed);
  });
  CHECK(found);
}

TEST_CASE_TEMPLATE("native: other scalars are those of the reference", T, long double) {
  auto const a = normal<T>(9, 14, 4);
  matrix<T> expected(9, 9), computed(9, 9);
  cpu::scalar{}.gram(T(1), a.view(), T(0), expected.view(), expected.view());
  cpu::native{}.gram(T(1), a.view(), T(0), computed.view(), computed.view());
  for (index_t i = 0; i < 81; ++i) CHECK(computed.data()[i] == expected.data()[i]);
}

TEST_CASE_TEMPLATE("native: eigenvalues of a symmetric matrix", T, float, double) {
  constexpr index_t n = 23;
  auto const x = normal<T>(n, n, 5);
  matrix<T> a(n, n);
  for (index_t i = 0; i < n; ++i) {
    for (index_t j = 0; j < n; ++j) a(i, j) = (x(i, j) + x(j, i)) / 2;
  }
  on_every_level([&](cpu::native const& be) {
    auto destroyed = a;
    vector<T> values(n);
    matrix<T> v(n, n);
    be.symmetric_eigen(destroyed.view(), values.view(), v.view());
    // The bound of tests/backend/symmetric_eigen.test.cpp; ||A|| is below its Frobenius norm.
    T const size = std::sqrt(be.sum_squares(a.view()));
    T const limit = T(10 * (4 + n)) * size * std::numeric_limits<T>::epsilon() / 2;
    for (index_t k = 0; k < n; ++k) {
      for (index_t i = 0; i < n; ++i) {
        T residual = -values[k] * v(k, i);
        for (index_t j = 0; j < n; ++j) residual += a(i, j) * v(k, j);
        CHECK(std::fabs(residual) <= limit);
      }
    }
  });
}

TEST_CASE_TEMPLATE("native: every level proves the same norm", T, float, double) {
  auto const w = normal<T>(60, 90, 6);
  double lower = 0;
  double upper = infinity;
  on_every_level([&](cpu::native const& be) {
    auto const box = certified_spectral_norm(be, w);
    CHECK(box.upper() - box.lower() <= 1e-7 * box.upper());
    lower = std::max(lower, box.lower());
    upper = std::min(upper, box.upper());
  });
  CHECK(lower <= upper);
  CHECK(lower > 0);
}
