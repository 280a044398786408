// SPDX-License-Identifier: MIT
// What a matrix sees of a sum of terms: exact for tokens alone, never below a sum that occurs.
#include <cmath>
#include <vector>

#include <doctest/doctest.h>

#include "small_models.hpp"
#include "transformer/certificate/stream_terms.hpp"

using namespace transformer;
using namespace transformer::test;

namespace {

sigmax::cpu::native const on;

near_matrix random_near(index_t rows, index_t cols, std::uint64_t seed) {
  sigmax::matrix<float> w(rows, cols);
  fill(w, 1.0, seed);
  return scaled(1.0, w);
}

double length_of(std::vector<double> const& x) {
  double sum = 0;
  for (double const each : x) sum += each * each;
  return std::sqrt(sum);
}

std::vector<double> times(near_matrix const& a, std::vector<double> const& x) {
  std::vector<double> y(static_cast<std::size_t>(a.elements.rows()), 0.0);
  for (index_t i = 0; i < a.elements.rows(); ++i) {
    for (index_t j = 0; j < a.elements.cols(); ++j) {
      y[static_cast<std::size_t>(i)] += a.elements(i, j) * x[static_cast<std::size_t>(j)];
    }
  }
  return y;
}

std::vector<double> column(near_matrix const& a, index_t j) {
  std::vector<double> result;
  for (index_t i = 0; i < a.elements.rows(); ++i) result.push_back(a.elements(i, j));
  return result;
}

void add_to(std::vector<double>& x, double factor, std::vector<double> const& y) {
  for (std::size_t i = 0; i < x.size(); ++i) x[i] += factor * y[i];
}

/// A vector of this length, drawn at random.
std::vector<double> direction(std::size_t size, double length, std::uint64_t seed) {
  std::vector<double> result(size);
  sigmax::random_sequence const random(seed);
  for (std::size_t i = 0; i < size; ++i) result[i] = random.normal(i);
  double const own = length_of(result);
  for (double& each : result) each *= length / own;
  return result;
}

}  // namespace

TEST_CASE("of tokens alone the longest, and half of the largest distance, are seen") {
  auto const e = random_near(6, 9, 1);
  auto const a = random_near(4, 6, 2);
  stream_terms const stream(on, e);
  auto const seen = stream.seen_by(a, 1e9);
  double longest = 0;
  double farthest = 0;
  for (index_t i = 0; i < 9; ++i) {
    auto const image = times(a, column(e, i));
    longest = std::fmax(longest, length_of(image));
    for (index_t j = 0; j < i; ++j) {
      auto difference = image;
      add_to(difference, -1, times(a, column(e, j)));
      farthest = std::fmax(farthest, length_of(difference));
    }
  }
  CHECK(seen.value >= longest);
  CHECK(seen.value <= longest * (1 + 1e-12));
  CHECK(seen.slope >= farthest / 2);
  CHECK(seen.slope <= farthest / 2 * (1 + 1e-12));
  CHECK(seen.deviation >= farthest / 2);
  CHECK(seen.deviation <= longest * (1 + 1e-12));
  // A norm that says more counts.
  CHECK(stream.seen_by(a, 1e-3).value <= 1e-3 * stream.whole().value * (1 + 1e-12));
}

TEST_CASE("no sum of tokens and terms exceeds what is seen, mixed, scaled and projected") {
  double closest = 0;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    auto const e = random_near(5, 7, 10 * seed);
    auto const mix_a = random_near(5, 3, 10 * seed + 1);
    auto const mix_b = random_near(3, 5, 10 * seed + 2);
    stream_term const heads{random_near(5, 4, 10 * seed + 3), {0.5, 1.5}, {2, 0.25}};
    stream_term const rest{random_near(5, 3, 10 * seed + 4), {0.75}, {1.25}};
    auto const a = random_near(6, 5, 10 * seed + 5);
    bool const projects = seed % 2 == 0;
    stream_terms stream(on, e);
    stream.add(0.5, heads, {1e9, 1e9, 1e9});
    if (projects) stream.project(1.5 / std::sqrt(5.0));
    stream.add(0.25, mix_a, mix_b, rest, {1e9, 1e9, 1e9});
    auto const seen = stream.seen_by(a, 1e9);
    for (std::uint64_t sample = 0; sample < 300; ++sample) {
      auto const draw = 7919 * sample + seed;
      // x = 0.25 p(0.5 e_v + H h) + A B p(...) + R r, and a difference of the same form.
      auto const at_first = [&](std::vector<double> token, double first, double second) {
        for (double& each : token) each *= 0.5;
        auto z = direction(2, first, draw + 1);
        auto const z_of_second = direction(2, second, draw + 2);
        z.insert(z.end(), z_of_second.begin(), z_of_second.end());
        add_to(token, 1, times(heads.by, z));
        return token;
      };
      auto x = at_first(column(e, static_cast<index_t>(draw % 7)), 0.5, 1.5);
      double const own = length_of(x);
      if (projects && own > 1.5) {
        for (double& each : x) each *= 1.5 / own;
      }
      auto difference = column(e, static_cast<index_t>(draw % 7));
      add_to(difference, -1, column(e, static_cast<index_t>(draw / 7 % 7)));
      for (double& each : difference) each /= 2;
      difference = at_first(difference, 2, 0.25);
      auto const at_last = [&](std::vector<double> const& before, double size) {
        std::vector<double> result(before.size(), 0.0);
        add_to(result, 0.25, before);
        add_to(result, 1, times(mix_a, times(mix_b, before)));
        add_to(result, 1, times(rest.by, direction(3, size, draw + 3)));
        return result;
      };
      double const value = length_of(times(a, at_last(x, 0.75)));
      double const slope = length_of(times(a, at_last(difference, 1.25)));
      CHECK(value <= seen.value);
      CHECK(slope <= seen.slope);
      closest = std::fmax(closest, std::fmax(value / seen.value, slope / seen.slope));
    }
  }
  CHECK(closest > 0.5);
}

TEST_CASE("images of tokens through heads: no sum exceeds what is seen, and orthogonal ones add up as squares") {
  double closest = 0;
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    auto const e = random_near(6, 5, 20 * seed);
    // Two layers of two heads with values as outputs, x <- 0.5 x + sum_h (A_h mean_h(x) + r_h), and a mixed layer behind them.
    std::vector<near_matrix> heads;
    for (std::uint64_t h = 0; h < 4; ++h) heads.push_back(random_near(6, 6, 20 * seed + 1 + h));
    auto const mix_a = random_near(6, 3, 20 * seed + 6);
    auto const mix_b = random_near(3, 6, 20 * seed + 7);
    auto const a = random_near(4, 6, 20 * seed + 8);
    stream_terms stream(on, e);
    REQUIRE(stream.has_room_for_images(2));
    CHECK_FALSE(stream.has_room_for_images(100));
    near_matrix outputs{sigmax::matrix<double>(6, 12)};
    for (index_t i = 0; i < 6; ++i) outputs.elements(i, i) = outputs.elements(i, i + 6) = 1;
    auto const add_layer = [&](std::size_t first) {
      std::vector<near_matrix> images;
      // Without images a head would be a term of unknown direction; 0.1 of it does not come from the stream.
      stream_term term{outputs, {1e3, 1e3}, {1e3, 1e3}, {}};
      for (std::size_t h = first; h < first + 2; ++h) {
        term.rest.push_back(stream.seen_by(heads[h], 1e9).rest + 0.1);
        for (auto& each : stream.images_of_tokens(heads[h])) images.push_back(each);
      }
      stream.add(0.5, term, {1e9, 1e9, 1e9, 1e9}, std::move(images));
    };
    add_layer(0);
    add_layer(2);
    stream.add(0.5, mix_a, mix_b, {random_near(6, 1, 1), {1}, {0}}, {1e9, 1e9, 1e9});
    auto const seen = stream.seen_by(a, 1e9);
    for (std::uint64_t sample = 0; sample < 500; ++sample) {
      sigmax::random_sequence const random(991 * sample + seed);
      std::uint64_t next = 0;
      auto const token_difference = [&] {
        auto result = column(e, static_cast<index_t>(random.bits(next++) % 5));
        add_to(result, -1, column(e, static_cast<index_t>(random.bits(next++) % 5)));
        for (double& each : result) each /= 2;
        return result;
      };
      auto const left_over = [&] { return direction(6, 0.1, random.bits(next++)); };
      // Another token at each place that is looked at, and what its own heads have looked at.
      auto const after_one = [&] {
        std::vector<double> x(6, 0.0);
        add_to(x, 0.5, token_difference());
        add_to(x, 1, times(heads[0], token_difference()));
        add_to(x, 1, times(heads[1], token_difference()));
        add_to(x, 1, left_over());
        add_to(x, 1, left_over());
        return x;
      };
      std::vector<double> x(6, 0.0);
      add_to(x, 0.5, after_one());
      add_to(x, 1, times(heads[2], after_one()));
      add_to(x, 1, times(heads[3], after_one()));
      add_to(x, 1, left_over());
      add_to(x, 1, left_over());
      std::vector<double> y(6, 0.0);
      add_to(y, 0.5, x);
      add_to(y, 1, times(mix_a, times(mix_b, x)));
      double const slope = length_of(times(a, y));
      CHECK(slope <= seen.slope);
      closest = std::fmax(closest, slope / seen.slope);
    }
  }
  CHECK(closest > 0.3);

  // Where images are orthogonal their squares add up.
  near_matrix e{sigmax::matrix<double>(4, 2)};
  e.elements(0, 0) = 1;
  e.elements(0, 1) = -1;
  near_matrix turn{sigmax::matrix<double>(4, 4)};
  turn.elements(1, 0) = 3;
  stream_terms stream(on, e);
  auto images = stream.images_of_tokens(turn);
  stream.add(1, {turn, {3}, {3}, {0}}, {1e9, 1e9, 1e9}, std::move(images));
  near_matrix identity{sigmax::matrix<double>(4, 4)};
  for (index_t i = 0; i < 4; ++i) identity.elements(i, i) = 1;
  CHECK(stream.seen_by(identity, 1e9).slope >= std::sqrt(10.0));
  CHECK(stream.seen_by(identity, 1e9).slope <= std::sqrt(10.0) * (1 + 1e-12));
}

TEST_CASE("products, sums and multiples are as near as they say") {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    sigmax::matrix<float> w(3, 4);
    fill(w, 1.0, seed);
    auto const a = scaled(sigmax::interval(0.1, 0.1000001), w);
    CHECK(a.error >= 5e-8 * 0.5);
    CHECK(a.error <= 1e-6);
    CHECK(scaled(0.5, w).error == 0);
    auto const transposed = scaled(0.1, w, true);
    CHECK(transposed.elements(3, 2) == doctest::Approx(a.elements(2, 3)).epsilon(1e-5));
    auto const b = random_near(4, 5, seed + 100);
    auto const product = product_of(on, scaled(1.0 / 3, w), b);
    auto const sum = sum_of(1.0 / 7, product, random_near(3, 5, seed + 200));
    long double squares = 0;
    for (index_t i = 0; i < 3; ++i) {
      for (index_t j = 0; j < 5; ++j) {
        long double exact = 0;
        for (index_t k = 0; k < 4; ++k) {
          exact += static_cast<long double>(w(i, k)) * (1.0 / 3) * static_cast<long double>(b.elements(k, j));
        }
        exact = exact * (1.0 / 7) + static_cast<long double>(random_near(3, 5, seed + 200).elements(i, j));
        squares += (exact - static_cast<long double>(sum.elements(i, j))) *
                   (exact - static_cast<long double>(sum.elements(i, j)));
      }
    }
    CHECK(std::sqrt(squares) <= static_cast<long double>(sum.error));
    CHECK(sum.error <= 1e-13);
    CHECK(norm_up(on, b, 1, 3) <= frobenius_up(b));
  }
}
