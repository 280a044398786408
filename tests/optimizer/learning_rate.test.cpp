// SPDX-License-Identifier: MIT
#include <cmath>

#include <doctest/doctest.h>

#include <sigmax/optimizer/learning_rate.hpp>

using sigmax::index_t;
namespace rate = sigmax::learning_rate;

TEST_CASE("constant and warmup") {
  static_assert(rate::constant{.peak = 0.5}(7) == 0.5);
  constexpr rate::linear_warmup warmup{.peak = 0.5, .warmup_steps = 4, .initial = 0.1};
  static_assert(warmup(0) == 0.1 && warmup(4) == 0.5 && warmup(400) == 0.5);
  CHECK(warmup(1) == doctest::Approx(0.2));
  CHECK(warmup(3) == doctest::Approx(0.4));
  static_assert(rate::linear_warmup{.peak = 0.5}(0) == 0.5);
}

TEST_CASE("linear decay is peak (S - s) / S") {
  constexpr rate::linear_decay decay{.peak = 2, .total_steps = 8};
  for (index_t s = 0; s <= 8; ++s) CHECK(decay(s) == doctest::Approx(2.0 * static_cast<double>(8 - s) / 8));
  static_assert(decay(0) == 2 && decay(8) == 0 && decay(9) == 0);
  constexpr rate::linear_decay warm{.peak = 1, .warmup_steps = 10, .total_steps = 20, .final = 0.5};
  static_assert(warm(0) == 0 && warm(5) == 0.5 && warm(10) == 1 && warm(15) == 0.75 && warm(20) == 0.5);
  static_assert(warm(1000) == 0.5);
}

TEST_CASE("cosine is final + (peak - final) (1 + cos(pi x)) / 2") {
  rate::cosine const cosine{.peak = 3, .warmup_steps = 10, .total_steps = 110, .final = 1};
  CHECK(cosine(0) == 0);
  CHECK(cosine(5) == 1.5);
  CHECK(cosine(10) == 3);
  CHECK(cosine(60) == doctest::Approx(2));
  CHECK(cosine(35) == doctest::Approx(1 + (1 + std::sqrt(0.5))));
  CHECK(cosine(110) == 1);
  CHECK(cosine(111) == 1);
  for (index_t s = 10; s < 110; ++s) CHECK(cosine(s + 1) < cosine(s));
}

TEST_CASE("warmup, stable, decay") {
  // The NanoGPT runs of the paper: constant for 60 % of the steps, then on a line to a tenth.
  constexpr rate::warmup_stable_decay wsd{
      .peak = 1, .warmup_steps = 10, .decay_steps = 40, .total_steps = 100, .final = 0.1};
  static_assert(wsd(0) == 0 && wsd(5) == 0.5 && wsd(10) == 1 && wsd(59) == 1 && wsd(60) == 1);
  CHECK(wsd(80) == doctest::Approx(0.55));
  CHECK(wsd(100) == doctest::Approx(0.1));
  CHECK(wsd(1000) == doctest::Approx(0.1));
}

TEST_CASE("empty schedules keep their final value") {
  CHECK(rate::linear_decay{.peak = 1, .total_steps = 0, .final = 0.25}(0) == 0.25);
  CHECK(rate::cosine{.peak = 1, .total_steps = 0, .final = 0.25}(3) == 0.25);
  CHECK(rate::warmup_stable_decay{.peak = 1, .decay_steps = 0, .total_steps = 5, .final = 0.25}(4) == 1);
  CHECK(rate::warmup_stable_decay{.peak = 1, .decay_steps = 0, .total_steps = 5, .final = 0.25}(5) == 0.25);
}
