// SPDX-License-Identifier: MIT
// Layers of a user's own: certified on somebody's word, which the certificate prints and an attack can refute.
#include <cmath>
#include <cstddef>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <sigmax/core/error.hpp>
#include <sigmax/core/matrix.hpp>
#include <sigmax/core/random.hpp>
#include <sigmax/lipschitz/certify.hpp>
#include <sigmax/lipschitz/combinators.hpp>
#include <sigmax/lipschitz/layers.hpp>
#include <sigmax/lipschitz/rules.hpp>
#include <sigmax/lipschitz/rules/custom.hpp>

using namespace sigmax;
using namespace sigmax::lipschitz;

namespace {

matrix<double> random_matrix(index_t rows, index_t cols, std::uint64_t seed) {
  matrix<double> w(rows, cols);
  fill_normal(w.view(), seed);
  return w;
}

auto snake(double constant = 2) {
  return lipschitz::custom("snake", {.l2 = constant, .because = "|1 + sin 2x| <= 2"}, [](auto x) {
    using std::sin;
    return x + sin(x) * sin(x);
  });
}

/// Larger and smaller of neighbours: an isometry almost everywhere.
auto max_min() {
  return lipschitz::custom("max_min", {.l2 = 1, .linf = 1, .because = "sorts pairs"}, [](auto x, auto y) {
    using std::max, std::min;
    for (std::size_t i = 0; i + 1 < x.size(); i += 2) {
      y[i] = max(x[i], x[i + 1]);
      y[i + 1] = min(x[i], x[i + 1]);
    }
  });
}

}  // namespace

TEST_CASE("an elementwise layer of one's own has its constant in every norm, and the attack reaches it") {
  static_assert(rule<decltype(snake())> && layer<decltype(snake())>);
  for (norm::any const n : {norm::any(norm::l2), norm::any(norm::linf), norm::any(norm::rms)}) {
    auto const c = certify(network_of(snake(), {2, 3}), {.norm = n});
    CHECK(c.upper() == 2);
    CHECK(c.conditional());
    CHECK(c.rests_on().reasons() == std::vector<std::string>{"snake: |1 + sin 2x| <= 2"});
    REQUIRE(c.lower()->proven);
    CHECK(c.lower()->value <= 2);
    CHECK(c.lower()->value > 1.9);
  }
  auto const c = certify(sequential(linear(random_matrix(5, 3, 1)), snake(), linear(random_matrix(2, 5, 2))));
  CHECK(c.is_finite());
  CHECK(c.lower()->proven);
  CHECK(to_string(c).find("rests on: snake: |1 + sin 2x| <= 2") != std::string::npos);
  // Behind it the width is still known from the linear map.
  CHECK(network_of(sequential(snake(), linear(random_matrix(2, 5, 2)))).input_shape() == tensor_shape{5});
}

TEST_CASE("a layer of whole tensors: bounds in each norm, rms from the others, gradients by dual numbers") {
  network const net = network_of(sequential(linear(random_matrix(6, 4, 3)), max_min(), linear(random_matrix(3, 6, 4))));
  for (norm::any const n : {norm::any(norm::l2), norm::any(norm::linf), norm::any(norm::rms)}) {
    auto const c = certify(net, {.norm = n});
    CHECK(c.is_finite());
    REQUIRE(c.lower()->proven);
    CHECK(c.lower()->value <= c.upper());
    CHECK(c.lower()->value >= 0.3 * c.upper());
  }
  CHECK(certify(network_of(max_min(), {4}), {.norm = norm::rms}).upper() == 1);
  // Another shape, and a norm nobody vouched for.
  auto const mean = lipschitz::custom(
      "mean", {.linf = 1, .because = "a mean moves no more than its farthest element"},
      [](auto x, auto y) {
        y[0] = x[0];
        for (std::size_t i = 1; i < x.size(); ++i) y[0] += x[i];
        y[0] = (1.0 / static_cast<double>(x.size())) * y[0];
      },
      tensor_shape{1});
  auto const c = certify(network_of(mean, {4}), {.norm = norm::linf});
  CHECK(c.upper() == 1);
  CHECK(c.lower()->value > 0.999);
  CHECK(c.output_shape() == tensor_shape{1});
  auto const refused = certify(network_of(mean, {4}));
  REQUIRE(refused.refused().size() == 1);
  CHECK(refused.refused()[0].reason.find("in l2") != std::string::npos);
  CHECK(certify(network_of(mean, {4}), {.norm = norm::rms}).is_finite());
}

TEST_CASE("a constant that is too small is refuted by the attack") {
  CHECK_THROWS_AS(certify(network_of(snake(1.5), {3})), contradiction);
}

TEST_CASE("a layer of one's own says what is wrong with it") {
  auto const formula = [](auto x) { return x; };
  CHECK_THROWS_AS(lipschitz::custom("f", {.l2 = 1}, formula), domain_error);
  CHECK_THROWS_AS(lipschitz::custom("f", {.because = "a theorem"}, formula), domain_error);
  CHECK_THROWS_AS(lipschitz::custom("f", {.l2 = -1, .because = "a theorem"}, formula), domain_error);
  double const not_a_number = std::numeric_limits<double>::quiet_NaN();
  CHECK_THROWS_AS(lipschitz::custom("f", {.l2 = not_a_number, .because = "a theorem"}, formula), domain_error);
}
