// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cfenv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#if __has_include(<Eigen/Dense>)
#include <Eigen/Dense>
#define SIGMAX_TEST_HAS_EIGEN 1
#endif

#include <sigmax/core/matrix.hpp>
#include <sigmax/core/random.hpp>
#include <sigmax/lipschitz/certify.hpp>
#include <sigmax/lipschitz/combinators.hpp>
#include <sigmax/lipschitz/layers.hpp>
#include <sigmax/lipschitz/rules.hpp>

#include "support/singular_values.hpp"

using namespace sigmax;
using namespace sigmax::lipschitz;

namespace {

/// Layer by layer: the numbers expected here are products and sums of those of layers.
certify_options in_norm(norm::any n) { return {.norm = n, .attack = false, .methods = {.which = method::product}}; }

template <class T = double>
matrix<T> matrix_of(index_t rows, index_t cols, std::vector<double> const& values) {
  matrix<T> w(rows, cols);
  for (index_t i = 0; i < w.size(); ++i) w.data()[i] = T(values[static_cast<std::size_t>(i)]);
  return w;
}

matrix<double> random_matrix(index_t rows, index_t cols, std::uint64_t seed) {
  matrix<double> w(rows, cols);
  fill_normal(w.view(), seed);
  return w;
}

/// The reference, counting the factorisations it is asked for.
struct counting : cpu::scalar {
  int* factorisations;
  explicit counting(int& count) : factorisations(&count) {}
  template <real T>
  index_t cholesky(matrix_view<T> a) const {
    ++*factorisations;
    return cpu::scalar::cholesky(a);
  }
};

}  // namespace

TEST_CASE("an identity has bound 1, a zero map 0") {
  network const net({3, 4});
  auto const c = certify(net);
  CHECK(c.upper() == 1);
  CHECK(c.lower()->value <= 1);
  CHECK(c.lower()->value >= 0.999999);
  CHECK(c.layers().empty());
  CHECK(c.input_shape() == tensor_shape{3, 4});
  CHECK_FALSE(c.conditional());

  auto const zero = certify(sequential(linear(matrix<float>(3, 2)), relu()));
  CHECK(zero.upper() == 0);
  CHECK(zero.is_finite());
  CHECK(zero.lower()->value == 0);
  CHECK(zero.log10_upper() == -infinity);
}

TEST_CASE("group 16: branches add: x + x is 2, x - x is at least 0, a constant branch counts nothing") {
  network net({3});
  net.add(rules::weighted_sum({1.0, 1.0}), {0, 0});
  for (norm::any const n : {norm::any(norm::l2), norm::any(norm::linf)}) {
    auto const c = certify(net, {.norm = n});
    CHECK(c.upper() >= 2);
    CHECK(c.upper() <= 2 + 1e-14);
    CHECK(c.lower()->value >= 1.999);
  }
  network difference({3});
  difference.add(rules::weighted_sum({1.0, -1.0}), {0, 0});
  CHECK(certify(difference).upper() >= 0);
  CHECK(certify(difference).lower()->value <= 1e-9);

  network shifted({2});
  auto const stored = shifted.add(rules::constant({2}, {1.0, 2.0}), {});
  auto const image = shifted.add(exp(), {stored});  // refused on R, but of a constant only
  shifted.add(rules::weighted_sum({1.0, 3.0}), {0, image});
  auto const c = certify(shifted);
  CHECK(c.upper() <= 1 + 1e-14);
  CHECK(c.refused().empty());
  CHECK(c.layers().size() == 1);

  network fixed({2});
  fixed.add(rules::constant({2}, {1.0, 2.0}), {});
  CHECK(certify(fixed).upper() == 0);
}

TEST_CASE("chains of ten thousand layers keep their digits") {
  for (double const factor : {1.1, 0.9}) {
    network net({1});
    for (int i = 0; i < 10000; ++i) net.add(rules::scale({factor}), {net.output()});
    auto const c = certify(net);
    double const truth = 10000 * std::log10(factor);
    CHECK(c.log10_upper() >= truth - 1e-9);
    CHECK(c.log10_upper() <= truth + 1e-6);
    CHECK(c.is_finite());
    CHECK(c.upper() > 0);
    CHECK(c.lower()->value <= c.upper());
    CHECK(c.decimal_upper().find(factor > 1 ? "e+413" : "e-458") != std::string::npos);
    CHECK(to_string(c).find(factor > 1 ? "e+413" : "e-458") != std::string::npos);
  }
}

TEST_CASE("matrices along the chain are multiplied, also where single norms are far from 1") {
  auto const small = matrix_of(1, 1, {1e-200});
  auto const large = matrix_of(1, 1, {1e250});
  auto const net = sequential(linear(small), linear(small), linear(large), linear(large));
  auto const c = certify(net, in_norm(norm::l2));
  CHECK(c.log10_upper() == doctest::Approx(100).epsilon(1e-7));
  CHECK(c.upper() >= 1e100 * (1 - 1e-12));
}

TEST_CASE("group 17: residual connections count both branches for every alpha") {
  auto const w = matrix_of(2, 2, {0.0, 3.0, -3.0, 0.0});
  for (double const alpha : {0.0, 0.3, 0.5, 1.0, 2.0, -0.7, 1e-20}) {
    CAPTURE(alpha);
    auto const c = certify(residual(alpha, linear(w)), in_norm(norm::l2));
    double const sum = std::fabs(1 - alpha) + std::fabs(alpha) * 3;
    CHECK(c.upper() >= sum * (1 - 1e-15));
    CHECK(c.upper() <= sum * (1 + 1e-6));
    // W turns by a right angle: the branches add as the sides of a right triangle, which methods see.
    double const truth = std::hypot(1 - alpha, 3 * alpha);
    double const least = certify(residual(alpha, linear(w)), {.attack = false}).upper();
    CHECK(least >= truth * (1 - 1e-15));
    CHECK(least <= truth * (1 + 1e-6));
  }
  CHECK(certify(residual(linear(w)), in_norm(norm::linf)).upper() <= 4 + 1e-6);
  CHECK_THROWS_AS(residual(std::numeric_limits<double>::quiet_NaN(), linear(w)), numeric_error);
  // 1 - 0.5 is exact and stays a point; 1 - 0.1 is not and becomes an interval around the true value.
  auto const coefficient = [](double alpha) {
    auto const net = network_of(residual(alpha, relu()), {1});
    return net[net.output()].rule.as<rules::weighted_sum>()->coefficients()[0];
  };
  CHECK(coefficient(0.5) == interval(0.5));
  CHECK(coefficient(1e-20).lower < 1);
  CHECK(coefficient(1e-20).upper >= 1);
  CHECK_FALSE(coefficient(1e-20).is_point());
}

TEST_CASE("a bound on trust makes the certificate conditional and prints the reason") {
  auto const w = random_matrix(3, 3, 4);
  auto const net = sequential(linear(w), bounded(trust<norm::spectral>(2.0, "measured by Alice"), "attention"), relu());
  auto const c = certify(net);
  CHECK(c.conditional());
  CHECK(c.rests_on().reasons() == std::vector<std::string>{"measured by Alice"});
  CHECK(c.is_finite());
  CHECK_FALSE(c.lower()->proven);
  CHECK(to_string(c).find("measured by Alice") != std::string::npos);
  CHECK(to_string(c).find("conditional") != std::string::npos);
  CHECK(c.upper_as<norm::l2_t>().rests_on().reasons().size() == 1);
  auto const other = certify(net, {.norm = norm::linf});
  CHECK_FALSE(other.is_finite());
  REQUIRE(other.refused().size() == 1);
  CHECK(other.refused()[0].op == "attention");
}

TEST_CASE("a contradiction carries its witness and is a numeric_error") {
  lower_bound witness{.value = 2, .proven = true, .estimate = 2, .x = {1}, .y = {0}};
  try {
    throw contradiction("certify: internal error: ...", witness);
  } catch (numeric_error const& problem) {
    auto const* const found = dynamic_cast<contradiction const*>(&problem);
    REQUIRE(found != nullptr);
    CHECK(found->witness().x == std::vector<double>{1});
  }
}

TEST_CASE("networks without a bound name the layer and the reason") {
  auto const w = random_matrix(3, 3, 4);
  auto const c = certify(sequential(linear(w), lipschitz::exp(), relu(), sign()));
  CHECK(c.upper() == infinity);
  CHECK_FALSE(c.is_finite());
  REQUIRE(c.refused().size() == 2);
  CHECK(c.refused()[0].op == "exp");
  CHECK(c.refused()[0].reason.find("not Lipschitz") != std::string::npos);
  CHECK(c.refused()[1].reason.find("discontinuous") != std::string::npos);
  CHECK(to_string(c).find("refused: exp") != std::string::npos);
  CHECK(c.decimal_upper() == "inf");
}

TEST_CASE("what is no number, and an unsound environment, are refused") {
  auto w = random_matrix(3, 3, 4);
  w(1, 1) = std::numeric_limits<double>::quiet_NaN();
  CHECK_THROWS_AS(certify(linear(w)), numeric_error);
  CHECK_THROWS_AS(certify(linear(w), in_norm(norm::linf)), numeric_error);
  w(1, 1) = infinity;
  CHECK_THROWS_AS(certify(linear(w)), numeric_error);
  w(1, 1) = -0.0;
  CHECK(certify(linear(w)).is_finite());
  CHECK_THROWS_AS(certify(relu()), domain_error);
  std::fesetround(FE_UPWARD);
  CHECK_THROWS_AS(certify(linear(w)), numeric_error);
  std::fesetround(FE_TONEAREST);
}

TEST_CASE("spectral norms are proved on the backend that is named") {
  auto const net = network_of(sequential(linear(random_matrix(7, 12, 1)), relu(), linear(random_matrix(5, 7, 2))));
  int factorisations = 0;
  auto const named = certify(counting(factorisations), net, in_norm(norm::l2));
  auto const expected = certify(net, in_norm(norm::l2));
  CHECK(factorisations >= 2);
  // Two proofs of two norms, each within a relative 1e-7 of the norm.
  CHECK(std::fabs(named.upper() - expected.upper()) <= 3e-7 * expected.upper());
  CHECK(named.layers().size() == expected.layers().size());

  int none = 0;
  CHECK(certify(counting(none), net, in_norm(norm::linf)).upper() == certify(net, in_norm(norm::linf)).upper());
  CHECK(none == 0);
  int of_layer = 0;
  CHECK(certify(counting(of_layer), linear(matrix_of(2, 2, {1, 2, 3, 4})), in_norm(norm::l2)).is_finite());
  CHECK(of_layer >= 1);
}

TEST_CASE("a certificate remembers its norms") {
  auto const w = matrix_of(2, 2, {1, -1, 2, -2});
  auto const c = certify(linear(w), in_norm(norm::l2));
  CHECK(c.upper() >= 3.1622776601683795);
  CHECK(c.upper() <= 3.16227767);
  CHECK(c.upper_as<norm::l2_t>().value() == c.upper());
  CHECK_THROWS_AS(c.upper_as<norm::linf_t>(), domain_error);
  CHECK(c.norm_in() == norm::any(norm::l2));
  auto const d = certify(linear(w), in_norm(norm::linf));
  CHECK(d.upper() >= 4);
  CHECK(d.upper() <= 4 + 1e-12);
  CHECK(d.upper_as<norm::linf_t>().value() == d.upper());
}

TEST_CASE("shares say which part of the bound passes through a layer") {
  auto const w = matrix_of(1, 1, {3});
  network net({1});
  auto const a = net.add(rules::linear(weight::viewing(w)), {0}, "a");
  auto const b = net.add(rules::weighted_sum({1.0, 1.0}), {0, a}, "b");
  net.add(rules::scale({5.0}), {b}, "c");
  net.set_output(net.size() - 1);
  net.add(relu(), {b}, "unused");
  net.set_output(net.size() - 2);
  auto const c = certify(net, in_norm(norm::l2));
  REQUIRE(c.layers().size() == 3);
  CHECK(c.layers()[0].share == doctest::Approx(0.75));
  CHECK(c.layers()[1].share == doctest::Approx(1));
  CHECK(c.layers()[2].share == doctest::Approx(1));
  CHECK(c.layers()[2].log10_lipschitz == doctest::Approx(std::log10(20.0)));
  CHECK(c.layers()[0].log10_sensitivity == doctest::Approx(std::log10(3.0)));
}

TEST_CASE("text is aligned, rounded outwards and independent of the stream") {
  auto const w = random_matrix(3, 2, 1);
  auto const c = certify(sequential(linear(w, std::vector<double>{1, 2, 3}), gelu()));
  std::ostringstream stream;
  stream << c;
  CHECK(stream.str() == to_string(c));
  CHECK(stream.str().find("real-arithmetic") != std::string::npos);
  CHECK(stream.str().find("upper / lower") != std::string::npos);
  using lipschitz::detail::short_lower;
  using lipschitz::detail::short_upper;
  sigmax::random_sequence const numbers(1);
  for (std::uint64_t i = 0; i < 2000; ++i) {
    double const value =
        std::ldexp(numbers.uniform(2 * i) + 1e-3, static_cast<int>(numbers.bits(2 * i + 1) % 200) - 100);
    CHECK(std::stod(short_upper(extended(value))) >= value);
    CHECK(std::stod(short_upper(extended(value))) <= value * (1 + 2e-9));
    CHECK(std::stod(short_lower(value)) <= value);
    CHECK(std::stod(short_lower(value)) >= value * (1 - 2e-9));
  }
  CHECK(short_upper(extended(9.99999999999)) == "10.00000000");
  CHECK(short_upper(extended(0.5, 3318)).find("e+998") != std::string::npos);
}

TEST_CASE("a named matrix is viewed, a moved one owned") {
  auto w = matrix_of(1, 1, {2});
  auto const viewed = linear(w);
  auto const viewed_view = linear(w.view());
  auto const owned = linear(matrix_of(1, 1, {2}));
  auto other = matrix_of(1, 1, {2});
  auto const moved = linear(std::move(other));
  w(0, 0) = 5;
  CHECK(certify(viewed).upper() >= 5);
  CHECK(certify(viewed_view).upper() >= 5);
  CHECK(certify(owned).upper() == doctest::Approx(2));
  CHECK(certify(moved).upper() == doctest::Approx(2));
  CHECK_THROWS_AS(linear(w, std::vector<float>{1, 2}), shape_error);
}

TEST_CASE("the width of the input comes from the first linear map") {
  auto const w = random_matrix(4, 3, 1);
  CHECK(network_of(sequential(relu(), flatten(), residual(tanh()), linear(w))).input_shape() == tensor_shape{3});
  CHECK(network_of(sequential(flatten(), linear(w)), {1, 3}).output_shape() == tensor_shape{4});
  CHECK_THROWS_AS(network_of(sequential(bounded(trust<norm::spectral>(1, "x")), linear(w))), domain_error);
  CHECK_THROWS_AS(network_of(sequential(linear(w), linear(w))), shape_error);
}

#if defined(SIGMAX_TEST_HAS_EIGEN)

TEST_CASE("Eigen matrices of both orders give the same certificate") {
  using row_major = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  Eigen::MatrixXf const a = Eigen::MatrixXf::Random(7, 5);
  Eigen::MatrixXf const b = Eigen::MatrixXf::Random(2, 7);
  row_major const ar = a;
  row_major const br = b;
  Eigen::VectorXf const bias = Eigen::VectorXf::Random(7);
  for (norm::any const n : {norm::any(norm::l2), norm::any(norm::linf)}) {
    auto const c = certify(sequential(linear(a, bias), relu(), linear(b)), {.norm = n});
    auto const d = certify(sequential(linear(ar, bias), relu(), linear(br)), {.norm = n});
    CHECK(c.upper() == doctest::Approx(d.upper()).epsilon(1e-6));
    CHECK(c.lower()->value == doctest::Approx(d.lower()->value).epsilon(1e-6));
  }
  auto const block = certify(linear(a.topLeftCorner(3, 3)), in_norm(norm::l2));
  CHECK(block.input_shape() == tensor_shape{3});
  auto const owned = linear(Eigen::MatrixXf(a));
  CHECK(certify(owned).upper() == doctest::Approx(certify(linear(a)).upper()));
}

namespace {

/// The largest spectral norm over all patterns of a hidden ReLU layer. Every pattern occurs, because the first matrix
/// has full row rank.
double worst_pattern(Eigen::MatrixXd const& first, Eigen::MatrixXd const& second, double skip) {
  auto const hidden = static_cast<unsigned>(first.rows());
  double worst = 0;
  for (unsigned pattern = 0; pattern < (1u << hidden); ++pattern) {
    Eigen::VectorXd mask(hidden);
    for (unsigned k = 0; k < hidden; ++k) mask(k) = (pattern >> k) & 1u;
    Eigen::MatrixXd jacobian = second * mask.asDiagonal() * first;
    if (skip != 0) jacobian += skip * Eigen::MatrixXd::Identity(jacobian.rows(), jacobian.cols());
    worst = std::max(worst, oracle::largest_singular_value(jacobian));
  }
  return worst;
}

}  // namespace

TEST_CASE("golden networks: between attack and certificate lies the maximum over all activation patterns") {
  for (unsigned seed = 1; seed <= 25; ++seed) {
    std::srand(seed);
    Eigen::MatrixXd const first = Eigen::MatrixXd::Random(4, 6);
    Eigen::MatrixXd const second = Eigen::MatrixXd::Random(6, 4);
    Eigen::VectorXd const bias = Eigen::VectorXd::Random(4);
    auto const f = sequential(linear(first, bias), relu(), linear(second));
    auto const c = certify(f);
    double const truth = worst_pattern(first, second, 0);
    CHECK(c.upper() >= truth * (1 - 1e-12));
    CHECK(c.lower()->proven);
    CHECK(c.lower()->value <= truth * (1 + 1e-12));
    CHECK(c.lower()->value >= 0.6 * truth);

    auto const r = certify(residual(-0.5, f));
    double const residual_truth = worst_pattern(first, -0.5 * second, 1.5);
    CHECK(r.upper() >= residual_truth * (1 - 1e-12));
    CHECK(r.lower()->value <= residual_truth * (1 + 1e-12));
    CHECK(r.lower()->value >= 0.6 * residual_truth);
  }
}

TEST_CASE("group 17: a residual branch that folds one side back still has bound 1 or more") {
  // x + W2 relu(W1 x) with W2 = -2 W1' / ||W1||^2: a reflection where the neuron is active, the identity elsewhere.
  Eigen::MatrixXd const w1 = Eigen::MatrixXd::Random(1, 5);
  Eigen::MatrixXd const w2 = -2 * w1.transpose() / w1.squaredNorm();
  auto const c = certify(residual(sequential(linear(w1), relu(), linear(w2))));
  CHECK(c.upper() >= 1);
  CHECK(c.lower()->value <= 1 + 1e-9);
  CHECK(c.lower()->value >= 0.99);
}

#endif
