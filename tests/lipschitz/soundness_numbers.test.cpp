// SPDX-License-Identifier: MIT
// Whole-network certificates on what has broken other certifiers: numbers. Groups 23 (exponents), 24 (absorption) and
// 26 (printing).
#include <charconv>
#include <clocale>
#include <cmath>
#include <cstddef>
#include <cstdlib>
#include <locale>
#include <sstream>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <sigmax/core/matrix.hpp>
#include <sigmax/core/random.hpp>
#include <sigmax/lipschitz/certify.hpp>
#include <sigmax/lipschitz/combinators.hpp>
#include <sigmax/lipschitz/layers.hpp>
#include <sigmax/lipschitz/rules.hpp>

#if defined(SIGMAX_TEST_HAS_MPFR)
#include "support/oracle.hpp"
#endif

using namespace sigmax;
using namespace sigmax::lipschitz;

namespace {

matrix<double> one_by_one(double value) {
  matrix<double> w(1, 1);
  w(0, 0) = value;
  return w;
}

certificate of_chain(std::vector<double> const& factors, norm::any n = norm::l2) {
  network net({1});
  for (double const each : factors) net.add(rules::linear(weight::owning(one_by_one(each))), {net.output()});
  return certify(net, {.norm = n, .attack = false});
}

/// Digits with a comma and groups, as in many languages.
struct commas : std::numpunct<char> {
  char do_decimal_point() const override { return ','; }
  char do_thousands_sep() const override { return '.'; }
  std::string do_grouping() const override { return "\3"; }
};

/// The number behind "L <= " in the text of a certificate, as mantissa and power of ten.
std::pair<double, long> printed_bound(std::string const& text) {
  std::size_t const at = text.find("L <= ");
  REQUIRE(at != std::string::npos);
  char const* const first = text.data() + at + 5;
  double digits = 0;
  auto const parsed = std::from_chars(first, text.data() + text.size(), digits, std::chars_format::fixed);
  REQUIRE(parsed.ec == std::errc());
  long exponent = 0;
  if (*parsed.ptr == 'e')
    std::from_chars(parsed.ptr + (parsed.ptr[1] == '+' ? 2 : 1), text.data() + text.size(), exponent);
  return {digits, exponent};
}

}  // namespace

TEST_CASE("group 23: ten thousand matrices of norm 1.1 and 0.9, in all norms, within 1e-6 of the logarithm") {
  for (double const factor : {1.1, 0.9}) {
    for (norm::any const n : {norm::any(norm::l2), norm::any(norm::linf), norm::any(norm::rms)}) {
      auto const c = of_chain(std::vector<double>(10000, factor), n);
      long double const truth = 10000 * std::log10(static_cast<long double>(factor));
      CHECK(c.is_finite());
      CHECK(static_cast<long double>(c.log10_upper()) >= truth);
      // A relative 1e-7 a layer is what a certified norm may cost in general; of 1 x 1 it costs next to nothing.
      CHECK(static_cast<long double>(c.log10_upper()) <= truth + 1e-6L);
      CHECK(c.upper() > 0);
      CHECK_FALSE(is_nan(c.upper()));
      CHECK(c.layers().size() == 10000);
    }
  }
}

TEST_CASE("group 23: a bound of 10^264 and its square, and 1e-5 before 1e5") {
  auto const large = of_chain(std::vector<double>(24, 1e11));
  CHECK(large.log10_upper() >= 264);
  CHECK(large.log10_upper() <= 264 + 1e-6);
  CHECK(is_finite(large.upper()));
  auto const squared = of_chain(std::vector<double>(48, 1e11));
  CHECK(squared.upper() == infinity);
  CHECK(squared.is_finite());
  CHECK(squared.log10_upper() >= 528);
  CHECK(squared.log10_upper() <= 528 + 1e-6);
  CHECK(squared.decimal_upper().find("e+528") != std::string::npos);
  std::vector<double> down_and_up(200, 1e-5);
  down_and_up.insert(down_and_up.end(), 200, 1e5);
  auto const back = of_chain(down_and_up);
  // 1e-5 is not the decimal number: its nearest double is off by up to 2^-53, two hundred times.
  CHECK(back.upper() >= 1 - 1e-13);
  CHECK(back.upper() <= 1 + 1e-4);
  CHECK_FALSE(of_chain(std::vector<double>(200, 1e-5)).upper_extended().is_zero());
}

#if defined(SIGMAX_TEST_HAS_MPFR)

namespace {

/// relu, at 200 bits.
void rectify(oracle::number& x) {
  if (mpfr_sgn(x.get()) < 0) mpfr_set_zero(x.get(), 1);
}

/// x -> 1e-9 (relu(1e9 x + B) - B) at 200 bits: in floating point B absorbs x, in real arithmetic the value is x.
oracle::number absorbing(double x, double bias) {
  oracle::number h(x);
  mpfr_mul_d(h.get(), h.get(), 1e9, MPFR_RNDN);
  mpfr_add_d(h.get(), h.get(), bias, MPFR_RNDN);
  rectify(h);
  mpfr_sub_d(h.get(), h.get(), bias, MPFR_RNDN);
  mpfr_mul_d(h.get(), h.get(), 1e-9, MPFR_RNDN);
  return h;
}

}  // namespace

TEST_CASE("group 24: absorbing biases and weights of 1e9 do not lower a global bound") {
  for (double const bias : {0x1p60, 1e20, 1e30}) {
    auto const up = one_by_one(1e9);
    auto const down = one_by_one(1e-9);
    network const net = network_of(sequential(linear(up, std::vector<double>{bias}), relu(),
                                              linear(one_by_one(1), std::vector<double>{-bias}), linear(down)),
                                   {1});
    for (norm::any const n : {norm::any(norm::l2), norm::any(norm::linf), norm::any(norm::rms)}) {
      auto const c = certify(net, {.norm = n});
      CHECK(c.lower()->value <= c.upper());
      for (double const step : {1.0, 1e-3, 1e-9}) {
        for (double const x : {0.0, 0.5, -3.0}) {
          oracle::number quotient = absorbing(x + step, bias);
          mpfr_sub(quotient.get(), quotient.get(), absorbing(x, bias).get(), MPFR_RNDN);
          mpfr_abs(quotient.get(), quotient.get(), MPFR_RNDN);
          oracle::number length(x + step);
          mpfr_sub_d(length.get(), length.get(), x, MPFR_RNDN);
          mpfr_div(quotient.get(), quotient.get(), length.get(), MPFR_RNDN);
          // In double the difference is absorbed: the float program is constant, the real function is not.
          CHECK(quotient.to_double() > 0.99);
          CHECK(mpfr_cmp_d(quotient.get(), c.upper()) <= 0);
        }
      }
    }
  }
}

#endif

TEST_CASE("group 24: a backdoor that floating point hides is in the bound") {
  // y = x + 1e9 relu(1e9 (x1 + 2^60 - 2^60)): the hidden branch is worth 1e18 in real arithmetic.
  network net({1});
  node_id const opened = net.add(rules::add_constant({0x1p60}), {0});
  node_id const closed = net.add(rules::add_constant({-0x1p60}), {opened});
  node_id const steep = net.add(rules::scale({1e9}), {closed});
  node_id const gate = net.add(relu(), {steep});
  net.add(rules::weighted_sum({1.0, 1e9}), {0, gate});
  auto const c = certify(net);
  CHECK(c.upper() >= 1e18);
  CHECK(c.lower()->value <= c.upper());
  auto const local = certify(net, {.domain = input_domain::ball(1)});
  CHECK(local.upper() >= 1e18);
}

TEST_CASE("group 26: what a certificate prints parses back as no less, also where numbers have commas") {
  std::locale const before = std::locale::global(std::locale(std::locale::classic(), new commas));
  char const* const found = std::setlocale(LC_NUMERIC, "de_DE.UTF-8");
  if (found == nullptr) MESSAGE("the C library has no de_DE.UTF-8; C++ streams have their commas");
  random_sequence const numbers(4);
  for (std::uint64_t i = 0; i < 200; ++i) {
    double const factor = std::ldexp(0.5 + 0.5 * numbers.uniform(i), static_cast<int>(numbers.bits(i) % 240) - 120);
    auto const c = of_chain({factor, numbers.uniform(1000 + i) + 0.01});
    std::ostringstream stream;
    stream << c;
    std::string const text = stream.str();
    double printed = 0;  // to nearest, which keeps the order: below the bound if and only if the text is
    std::from_chars(text.data() + text.find("L <= ") + 5, text.data() + text.size(), printed);
    CHECK(printed >= c.upper());
    CHECK(printed <= c.upper() * (1 + 2e-9));
    double exact = 0;
    std::string const decimal = c.decimal_upper();
    std::from_chars(decimal.data(), decimal.data() + decimal.size(), exact);
    CHECK(exact >= c.upper());
    CHECK(decimal.find(',') == std::string::npos);
  }
  auto const [digits, exponent] = printed_bound(to_string(of_chain(std::vector<double>(40, 1e11))));
  CHECK(exponent == 440);
  CHECK(digits >= 1);
  CHECK(digits < 1.0001);
  std::setlocale(LC_NUMERIC, "C");
  std::locale::global(before);
}
