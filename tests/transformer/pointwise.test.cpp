// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cmath>
#include <vector>

#include <doctest/doctest.h>

#include <sigmax/core/random.hpp>

#include "transformer/pointwise.hpp"

using namespace transformer;
namespace kernels = transformer::pointwise_kernels;

namespace {

std::vector<kernels::table const*> executable_tables() {
  std::vector<kernels::table const*> result{&kernels::generic()};
  if (&kernels::best() != result.front()) result.push_back(&kernels::best());
  return result;
}

std::vector<float> normal_numbers(index_t n, float scale, std::uint64_t seed) {
  sigmax::random_sequence const sequence(seed);
  std::vector<float> x;
  for (index_t i = 0; i < n; ++i)
    x.push_back(scale * static_cast<float>(sequence.normal(static_cast<std::uint64_t>(i))));
  return x;
}

std::vector<double> widened(std::vector<float> const& x) { return {x.begin(), x.end()}; }

}  // namespace

TEST_CASE(
    "GELU of floats and its slope are within 4e-7 (1 + |x|) of those of doubles, on every level and for every tail") {
  for (auto const* table : executable_tables()) {
    double worst = 0;
    for (index_t n : {0, 1, 3, 15, 16, 17, 31, 100000}) {
      auto x = normal_numbers(n, 4, 1);
      if (n > 10) x[3] = 0, x[4] = -0.0f, x[5] = 100, x[6] = -100, x[7] = 1e-30f, x[8] = -14, x[9] = 14;
      std::vector<float> y(x.size() + 1, 7.0f), slope(x.size() + 1, 7.0f);
      table->gelu(x.data(), y.data(), slope.data(), n, 1.129f);
      REQUIRE(y.back() == 7.0f);
      REQUIRE(slope.back() == 7.0f);
      auto const exact = widened(x);
      std::vector<double> value(x.size()), derivative(x.size());
      gelu_forward(exact.data(), value.data(), derivative.data(), n, double{1.129f});
      for (std::size_t i = 0; i < x.size(); ++i) {
        double const allowed = 4e-7 * (1 + std::fabs(exact[i]));
        worst = std::max({worst, std::fabs(y[i] - value[i]) / allowed, std::fabs(slope[i] - derivative[i]) / allowed});
      }
    }
    CHECK(worst <= 1);
    MESSAGE("worst error over 4e-7 (1 + |x|): " << worst);
  }
}

TEST_CASE("GELU of floats hands NaN on") {
  for (auto const* table : executable_tables()) {
    std::vector<float> x(40, NAN), y(40), slope(40);
    table->gelu(x.data(), y.data(), slope.data(), 40, 1.0f);
    for (float const each : y) CHECK(std::isnan(each));
  }
}

TEST_CASE("softmax of floats is that of doubles to a few units of rounding, on every level and for every tail") {
  for (auto const* table : executable_tables()) {
    for (index_t n : {1, 2, 15, 16, 17, 33, 64, 255, 1000}) {
      auto x = normal_numbers(n, 30, 2);
      auto exact = widened(x);
      x.push_back(7);
      table->softmax(x.data(), n, 0.3f);
      softmax_forward(exact.data(), n, double{0.3f});
      CHECK(x.back() == 7);
      double worst = 0;
      // The argument of the exponential, at most 60, is rounded twice: relative error 2 |argument| u.
      for (std::size_t i = 0; i < exact.size(); ++i) {
        double const allowed = exact[i] * (2 * 60 * 0x1p-24 + 6e-7) + 1e-37;
        worst = std::max(worst, std::fabs(x[i] - exact[i]) / allowed);
      }
      CHECK(worst <= 1);
    }
  }
}

TEST_CASE("the derivative of softmax in floats is that in doubles") {
  for (auto const* table : executable_tables()) {
    for (index_t n : {1, 7, 16, 50, 256}) {
      auto p = normal_numbers(n, 1, 3);
      table->softmax(p.data(), n, 1.0f);
      auto dp = normal_numbers(n, 1, 4);
      auto exact = widened(dp);
      softmax_backward(widened(p).data(), exact.data(), n, double{0.7f});
      table->softmax_backward(p.data(), dp.data(), n, 0.7f);
      for (std::size_t i = 0; i < exact.size(); ++i) CHECK(std::fabs(dp[i] - exact[i]) <= 4e-6 * p[i] + 1e-37);
    }
  }
}

TEST_CASE("cross-entropy of floats, its derivative and the hit are those of doubles") {
  for (auto const* table : executable_tables()) {
    for (index_t n : {1, 5, 16, 65, 256}) {
      for (index_t target : {index_t(0), n / 2, n - 1}) {
        auto x = normal_numbers(n, 3, 5);
        auto exact = widened(x);
        bool hit = false;
        bool hit_of_doubles = false;
        double const loss = cross_entropy(exact.data(), n, target, 0.25, hit_of_doubles);
        float const found = table->cross_entropy(x.data(), n, target, 0.25f, &hit);
        CHECK(std::fabs(found - loss) <= 2e-6 * (1 + loss));
        CHECK(hit == hit_of_doubles);
        for (std::size_t i = 0; i < exact.size(); ++i) CHECK(std::fabs(x[i] - exact[i]) <= 2.5e-7);
      }
    }
  }
}

TEST_CASE("of equal logits the first is the prediction") {
  std::vector<float> x(10, 1.0f);
  bool hit = false;
  cross_entropy(x.data(), 10, 0, 1.0f, hit);
  CHECK(hit);
  x.assign(10, 1.0f);
  cross_entropy(x.data(), 10, 9, 1.0f, hit);
  CHECK_FALSE(hit);
}
