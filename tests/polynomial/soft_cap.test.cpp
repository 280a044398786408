// SPDX-License-Identifier: MIT
#include <cmath>
#include <string>

#include <doctest/doctest.h>

#include <sigmax/core/random.hpp>
#include <sigmax/polynomial/soft_cap.hpp>

using sigmax::soft_cap_polynomial;
using sigmax::soft_cap_strength;

namespace {

__extension__ using quad = __float128;  // 113 bits: what the guarantee is tested with

quad polynomial(quad alpha, quad x) {
  quad const a2x4 = alpha * alpha * x * x * x * x;
  quad const ax2 = alpha * x * x;
  return x * (1 - a2x4 * (3 - 3 * ax2 + ax2 * ax2));
}

std::string message_of(double sigma_max, double update_norm, double weight_decay) {
  try {
    soft_cap_strength(sigma_max, update_norm, weight_decay);
  } catch (sigmax::domain_error const& error) {
    return error.what();
  }
  return "";
}

bool contains(std::string const& text, char const* part) { return text.find(part) != std::string::npos; }

// A constant expression.
static_assert(soft_cap_strength(1, 0.1) > 0.1588 && soft_cap_strength(1, 0.1) < 0.1589);

}  // namespace

TEST_CASE("the strength has the digits of the paper's test vectors") {
  struct row {
    double sigma_max, update_norm, weight_decay, k, t, alpha, at_half, at_nine_tenths;
  };
  for (auto const& v :
       {row{1, .01, 0, 1.01, .0591914064, .0580251018497, .49968891, .89431155},
        {1, .1, 0, 1.1, .1922259472, .158864419151, .49772667, .86079810},
        {2, .05, 0, 2.05, .0946049914, .0225115981863, .99851365, 1.77331696},
        {6, .1, 0, 6.1, .0768558706, .00206546279522, 2.99694744, 5.34470252},
        {4, 1, 0, 5, .3026358804, .0121054352171, 1.98660221, 3.37369904},
        {1, .3, 0, 1.3, .3300183803, .195277148078, .49659670, .84256984},
        {2, .1, .02, 2.06, .1038791100, .0244790060336, .99824598, 1.76865475},
        {8, .05 * 1.14502 * 1.05, 0, 8.06011355, .0511634325, .000787548580404, 3.99811855, 7.16544689}}) {
    CAPTURE(v.sigma_max);
    CAPTURE(v.update_norm);
    double const alpha = soft_cap_strength(v.sigma_max, v.update_norm, v.weight_decay);
    CHECK(std::fabs(alpha / v.alpha - 1) <= 6e-12);  // twelve digits
    CHECK(std::fabs(alpha * v.k * v.k - v.t) <= 6e-11);
    auto const p = soft_cap_polynomial(alpha);
    CHECK(std::fabs(p(v.k) - v.sigma_max) <= 1e-12 * v.sigma_max);
    CHECK(std::fabs(p(v.sigma_max / 2) - v.at_half) <= 6e-9);
    CHECK(std::fabs(p(v.sigma_max * 0.9) - v.at_nine_tenths) <= 6e-9);
  }
  // The other table: sigma_max = 1.
  CHECK(soft_cap_strength(1, 0.01) == doctest::Approx(0.0580).epsilon(1e-3));
  CHECK(soft_cap_strength(1, 0.3) == doctest::Approx(0.1953).epsilon(1e-3));
}

TEST_CASE("the polynomial is the composition of the two cubics") {
  for (double const alpha : {0.0, 0.01, 0.05, 0.1953}) {
    for (double x = -1.3; x <= 1.3; x += 0.01) {
      double const y = x - alpha * x * x * x;
      CHECK(std::fabs(soft_cap_polynomial(alpha)(x) - (y + alpha * y * y * y)) <= 1e-15);
      CHECK(std::fabs(soft_cap_polynomial(static_cast<float>(alpha))(static_cast<float>(x)) -
                      static_cast<float>(y + alpha * y * y * y)) <= 4e-7f);
    }
  }
  // How far from the identity at 1.
  CHECK(1 - soft_cap_polynomial(0.05)(1.0) == doctest::Approx(0.007).epsilon(0.05));
  CHECK(1 - soft_cap_polynomial(0.1)(1.0) == doctest::Approx(0.027).epsilon(0.05));
  CHECK(1 - soft_cap_polynomial(0.2)(1.0) == doctest::Approx(0.098).epsilon(0.05));
}

TEST_CASE("no strength where weight decay already suffices, and only there") {
  CHECK(soft_cap_strength(1, 0) == 0);
  CHECK(soft_cap_strength(1, 0.02, 0.1) == 0);  // the published solver returns 1 here
  CHECK(soft_cap_strength(1, 0.02, 0.02) == 0);
  CHECK(soft_cap_strength(4, 0.25, 0.0625) == 0);
  CHECK(soft_cap_strength(4, std::nextafter(0.25, 1.0), 0.0625) > 0);
  CHECK(soft_cap_strength(4, 0.25, std::nextafter(0.0625, 0.0)) > 0);
  CHECK(soft_cap_strength(1, 1e-300) > 0);
  CHECK(soft_cap_strength(0x1p200, 5e-324) > 0);
  CHECK(soft_cap_strength(1, 5e-324, 0.5) == 0);
  CHECK(soft_cap_strength(1, 0, 5e-324) == 0);
  sigmax::random_sequence const numbers(11);
  for (std::uint64_t i = 0; i < 20000; ++i) {
    // update_norm = the rounded product: above, below or at the exact one.
    double const sigma = std::ldexp(1 + numbers.uniform(2 * i), static_cast<int>(i % 40) - 20);
    double const decay = numbers.uniform(2 * i + 1);
    double const update = sigma * decay;
    bool const exceeds = static_cast<quad>(update) > static_cast<quad>(sigma) * static_cast<quad>(decay);
    CHECK((soft_cap_strength(sigma, update, decay) > 0) == exceeds);
  }
}

TEST_CASE("p(x) <= sigma_max for every x <= k, and no less strength would do") {
  sigmax::random_sequence const numbers(5);
  for (std::uint64_t i = 0; i < 20000; ++i) {
    CAPTURE(i);
    double const sigma = std::ldexp(1 + numbers.uniform(4 * i), static_cast<int>(numbers.bits(4 * i + 1) % 60) - 30);
    // From 1e-13 sigma to the limit; every eighth next to the limit.
    double const size = i % 8 == 0 ? 19.0 / 62.0 * (1 - 0x1p-50 * static_cast<double>(i % 5))
                                   : std::pow(10.0, -13 * numbers.uniform(4 * i + 2)) * 0.3;
    double const decay = i % 3 == 0 ? numbers.uniform(4 * i + 3) * 0.1 : 0.0;
    double const update = sigma * (size + decay);
    if (62 * (update - sigma * decay) > 19 * sigma * (1 - 1e-15)) continue;
    double const alpha = soft_cap_strength(sigma, update, decay);
    quad const k =
        static_cast<quad>(sigma) - static_cast<quad>(sigma) * static_cast<quad>(decay) + static_cast<quad>(update);
    if (k <= static_cast<quad>(sigma)) continue;
    REQUIRE(alpha > 0);
    CHECK(polynomial(alpha, k) <= static_cast<quad>(sigma));
    for (double const fraction : {0.999999999, 0.999, 0.9, 0.5}) {
      CHECK(polynomial(alpha, k * static_cast<quad>(fraction)) <= static_cast<quad>(sigma));
    }
    CHECK(polynomial(alpha * (1 - 1e-14), k) > static_cast<quad>(sigma));
  }
  // Tiny steps, where differences of k and sigma_max would have lost everything.
  for (double const update : {1e-12, 1e-14, 1e-16, 1e-20, 1e-100}) {
    double const alpha = soft_cap_strength(1, update);
    CHECK(alpha == doctest::Approx(std::sqrt(update / 3)).epsilon(2 * std::sqrt(update) + 1e-14));
  }
  // At the limit itself: k = 81/62 sigma_max exactly.
  double const alpha = soft_cap_strength(62, 19);
  CHECK(alpha * 81 * 81 == doctest::Approx(1.0 / 3).epsilon(1e-14));
  for (int i = 0; i <= 8100; ++i) CHECK(polynomial(alpha, static_cast<quad>(i) / 100) <= static_cast<quad>(62));
}

TEST_CASE("what a soft cap cannot take back is refused with the limit") {
  for (double const update : {0.3065, 0.5, 1.0, 2.0, 1e300}) {
    std::string const message = message_of(1, update, 0);
    CAPTURE(message);
    CHECK(contains(message, "update_norm "));
    CHECK(contains(message, "at most 81/62"));
  }
  CHECK(contains(message_of(2, 1, 0.0625), "let singular values reach 2.875, 1.4375 times sigma_max 2"));
  CHECK(message_of(1, 0.3064, 0) == "");
  CHECK(message_of(1, 0.5, 0.2) == "");
  double const nan = std::nan("");
  for (double const sigma : {0.0, -1.0, nan, HUGE_VAL, 1e-300}) {
    CHECK(contains(message_of(sigma, 0.1, 0), "sigma_max is "));
  }
  for (double const update : {-1e-300, -1.0, nan, HUGE_VAL})
    CHECK(contains(message_of(1, update, 0), "update_norm is "));
  for (double const decay : {-0.1, 1.1, nan}) CHECK(contains(message_of(1, 0.1, decay), "weight_decay is "));
}
