// SPDX-License-Identifier: MIT
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#if defined(SIGMAX_TEST_HAS_MPFR)
#include <mpfr.h>
#endif

#include <sigmax/bound/interval.hpp>
#include <sigmax/bound/interval_functions.hpp>
#include <sigmax/core/random.hpp>

using sigmax::infinity;
using sigmax::interval;

namespace {

constexpr double largest = std::numeric_limits<double>::max();
constexpr double smallest = std::numeric_limits<double>::denorm_min();

bool is_whole(interval x) { return x.lower == -infinity && x.upper == infinity; }
bool holds(interval outer, interval inner) { return outer.lower <= inner.lower && inner.upper <= outer.upper; }

/// Numbers of all sizes and both signs, and the places where something happens.
std::vector<double> arguments() {
  std::vector<double> result{0.0,
                             -0.0,
                             smallest,
                             1e-320,
                             1e-300,
                             1e-160,
                             1e-20,
                             1e-8,
                             0.25,
                             0.3,
                             0.4,
                             0.5,
                             0.75,
                             std::nextafter(0.75, 0.0),
                             1.0,
                             std::nextafter(1.0, 0.0),
                             std::nextafter(1.0, 2.0),
                             1.5,
                             std::nextafter(1.5, 0.0),
                             1.5707963267948966,
                             2.0,
                             3.141592653589793,
                             5.999,
                             6.0,
                             26.0,
                             40.0,
                             355.0,
                             700.0,
                             709.78,
                             710.0,
                             744.0,
                             745.2,
                             746.0,
                             1e5,
                             999999.0,
                             1e8,
                             1.1e8,
                             1e15,
                             1e160,
                             1e300,
                             largest};
  sigmax::random_sequence const numbers(7);
  for (std::uint64_t i = 0; i < 3000; ++i) {
    result.push_back(std::ldexp(1 + numbers.uniform(2 * i), static_cast<int>(numbers.bits(2 * i + 1) % 60) - 40));
  }
  auto const count = result.size();
  for (std::size_t i = 0; i < count; ++i) result.push_back(-result[i]);
  return result;
}

}  // namespace

TEST_CASE("intervals fail closed") {
  double const nan = std::numeric_limits<double>::quiet_NaN();
  CHECK(is_whole(interval(nan)));
  CHECK(is_whole(interval(nan, 1.0)));
  CHECK(is_whole(interval(2.0, 1.0)));
  CHECK(is_whole(interval(1.0) / interval(-1.0, 1.0)));
  CHECK(is_whole(interval(1.0) / interval(0.0)));
  CHECK(is_whole(interval(1.0) / interval(0.0, 1.0)));
  CHECK(is_whole(sqrt(interval(-1e-300, 1.0))));
  CHECK(is_whole(log(interval(-1e-300, 1.0))));
  CHECK(is_whole(log1p(interval(-1.5, 1.0))));
  CHECK(is_whole(interval::whole() - interval::whole()));
  CHECK(is_whole(interval::whole() * interval(1.0, 2.0)));
  CHECK(interval::whole() * interval(0.0) == interval(0.0));
  CHECK(is_whole(pow(interval(-1.0, 1.0), 0.5)));
  CHECK(is_whole(pow(interval(-1.0, 1.0), -1.0)));
  for (auto const f : {sigmax::exp, sigmax::tanh, sigmax::sigmoid, sigmax::erf, sigmax::softplus, sigmax::atan,
                       sigmax::asinh, sigmax::sin, sigmax::cos}) {
    interval const y = f(interval::whole());
    CHECK_FALSE(sigmax::is_nan(y.lower));
    CHECK_FALSE(sigmax::is_nan(y.upper));
    CHECK(holds(y, f(interval(-3.0, 0.5))));
  }
}

TEST_CASE("interval arithmetic encloses the exact results of sampled members") {
  sigmax::random_sequence const numbers(3);
  for (std::uint64_t i = 0; i < 20000; ++i) {
    auto const number = [&](std::uint64_t k) {
      return static_cast<long double>(
          std::ldexp(numbers.uniform(8 * i + k) - 0.5, static_cast<int>(numbers.bits(8 * i + k) % 8)));
    };
    auto const make = [](long double p, long double q) {
      return p < q ? interval(static_cast<double>(p), static_cast<double>(q))
                   : interval(static_cast<double>(q), static_cast<double>(p));
    };
    interval const a = make(number(0), number(1));
    interval const b = make(number(2), number(3));
    // Members with few bits, so that long double holds their sums and products.
    auto const member = [&](interval x, std::uint64_t k) {
      auto const t =
          static_cast<double>(static_cast<float>(x.lower + numbers.uniform(8 * i + k) * (x.upper - x.lower)));
      return x.contains(t) ? static_cast<long double>(t) : static_cast<long double>(x.lower);
    };
    long double const p = member(a, 4);
    long double const q = member(b, 5);
    auto const inside = [](long double x, interval y) {
      return static_cast<long double>(y.lower) <= x && x <= static_cast<long double>(y.upper);
    };
    CHECK(inside(p + q, a + b));
    CHECK(inside(p - q, a - b));
    CHECK(inside(p * q, a * b));
    if (!b.contains(0.0)) CHECK(inside(p / q, a / b));
    CHECK(inside(std::fabs(p), abs(a)));
    CHECK(inside(p * p, square(a)));
    CHECK(inside(std::fmax(p, q), max(a, b)));
    CHECK(inside(std::fmin(p, q), min(a, b)));
    CHECK(holds(hull(a, b), a));
  }
  CHECK(square(interval(-2.0, 1.0)).lower == 0);
  CHECK((interval(largest) + interval(largest)).upper == infinity);
  CHECK((interval(largest) + interval(largest)).lower == largest);
  CHECK((interval(smallest) * interval(0.5)).upper >= smallest);
}

TEST_CASE("functions of wide intervals hold their values at members") {
  sigmax::random_sequence const numbers(11);
  for (std::uint64_t i = 0; i < 2000; ++i) {
    double const a = 8 * numbers.normal(3 * i);
    double const b = a + std::fabs(numbers.normal(3 * i + 1)) * (i % 2 == 0 ? 3.0 : 1e-6);
    interval const x(a, b);
    interval const inner(a + numbers.uniform(3 * i + 2) * (b - a));
    if (!holds(x, inner)) continue;
    for (auto const f : {sigmax::exp, sigmax::tanh, sigmax::sigmoid, sigmax::erf, sigmax::softplus, sigmax::atan,
                         sigmax::asinh, sigmax::sin, sigmax::cos, sigmax::floor, sigmax::ceil, sigmax::rint}) {
      // The narrow result intersects the wide one; it may stick out by its own width.
      CHECK(f(x).lower <= f(inner).upper);
      CHECK(f(x).upper >= f(inner).lower);
    }
    if (a > 0) {
      CHECK(log(x).lower <= log(inner).upper);
      CHECK(log(x).upper >= log(inner).lower);
      CHECK(pow(x, 1.7).upper >= pow(inner, 1.7).lower);
    }
    CHECK(pow(x, 3.0).upper >= pow(inner, 3.0).lower);
    CHECK(pow(x, 4.0).lower <= pow(inner, 4.0).upper);
  }
}

#if defined(SIGMAX_TEST_HAS_MPFR)

namespace {

/// A number of 400 bits.
class number {
 public:
  explicit number(double value = 0) {
    mpfr_init2(value_, 400);
    mpfr_set_d(value_, value, MPFR_RNDN);
  }
  number(number const&) = delete;
  number& operator=(number const&) = delete;
  ~number() { mpfr_clear(value_); }
  mpfr_ptr get() { return value_; }

 private:
  mpfr_t value_;
};

using reference = void (*)(mpfr_ptr result, double x);

template <int (*Function)(mpfr_ptr, mpfr_srcptr, mpfr_rnd_t)>
void by_mpfr(mpfr_ptr result, double x) {
  number argument(x);
  Function(result, argument.get(), MPFR_RNDN);
}

void sigmoid_by_mpfr(mpfr_ptr result, double x) {
  number argument(-x);
  mpfr_exp(result, argument.get(), MPFR_RNDN);
  mpfr_add_ui(result, result, 1, MPFR_RNDN);
  mpfr_ui_div(result, 1, result, MPFR_RNDN);
}

void softplus_by_mpfr(mpfr_ptr result, double x) {
  number argument(-std::fabs(x));  // e^|x| may be beyond even MPFR's exponents
  mpfr_exp(result, argument.get(), MPFR_RNDN);
  mpfr_log1p(result, result, MPFR_RNDN);
  if (x > 0) mpfr_add_d(result, result, x, MPFR_RNDN);
}

struct compared {
  char const* name;
  interval (*function)(interval);
  reference truth;
  double from;
  double to;
  double relative_width = 2e-14;
};

}  // namespace

TEST_CASE("functions of points enclose MPFR's results and are narrow") {
  compared const all[] = {
      {"exp", sigmax::exp, by_mpfr<mpfr_exp>, -infinity, infinity},
      {"log", sigmax::log, by_mpfr<mpfr_log>, smallest, infinity},
      {"log1p", sigmax::log1p, by_mpfr<mpfr_log1p>, std::nextafter(-1.0, 0.0), infinity},
      {"tanh", sigmax::tanh, by_mpfr<mpfr_tanh>, -infinity, infinity},
      {"erf", sigmax::erf, by_mpfr<mpfr_erf>, -infinity, infinity, 8e-14},  // a sum of up to 120 terms
      {"atan", sigmax::atan, by_mpfr<mpfr_atan>, -infinity, infinity},
      {"asinh", sigmax::asinh, by_mpfr<mpfr_asinh>, -infinity, infinity},
      {"sin", sigmax::sin, by_mpfr<mpfr_sin>, -infinity, infinity},
      {"cos", sigmax::cos, by_mpfr<mpfr_cos>, -infinity, infinity},
      {"sqrt", sigmax::sqrt, by_mpfr<mpfr_sqrt>, 0.0, infinity},
      {"sigmoid", sigmax::sigmoid, sigmoid_by_mpfr, -infinity, infinity},
      {"softplus", sigmax::softplus, softplus_by_mpfr, -infinity, infinity},
  };
  auto const points = arguments();
  for (auto const& f : all) {
    std::string const name = f.name;
    CAPTURE(name);
    for (double const x : points) {
      if (x < f.from || x > f.to) continue;
      CAPTURE(x);
      interval const y = f.function(x);
      number truth;
      f.truth(truth.get(), x);
      CHECK(mpfr_cmp_d(truth.get(), y.lower) >= 0);
      CHECK(mpfr_cmp_d(truth.get(), y.upper) <= 0);
      double const size = std::fabs(mpfr_get_d(truth.get(), MPFR_RNDN));
      // Beyond 10^6 the argument of sine and cosine is not reduced.
      bool const periodic = f.function == sigmax::sin || f.function == sigmax::cos;
      if (periodic && std::fabs(x) >= 1e6) continue;
      // Subnormal results, and sines of multiples of pi, cannot be narrow in the relative sense.
      double const absolute_width = periodic ? 1e-15 * 1e-6 : 1e-300;
      if (size < largest) CHECK(y.width() <= f.relative_width * size + absolute_width);
    }
  }
}

TEST_CASE("constants of the interval functions enclose MPFR's") {
  number pi;
  mpfr_const_pi(pi.get(), MPFR_RNDN);
  CHECK(mpfr_cmp_d(pi.get(), sigmax::detail::interval_pi.lower) > 0);
  CHECK(mpfr_cmp_d(pi.get(), sigmax::detail::interval_pi.upper) < 0);
  mpfr_div_ui(pi.get(), pi.get(), 2, MPFR_RNDN);
  CHECK(mpfr_cmp_d(pi.get(), sigmax::detail::interval_half_pi.lower) > 0);
  CHECK(mpfr_cmp_d(pi.get(), sigmax::detail::interval_half_pi.upper) < 0);
  mpfr_sub_d(pi.get(), pi.get(), sigmax::detail::half_pi_head, MPFR_RNDN);
  CHECK(mpfr_cmp_d(pi.get(), sigmax::detail::half_pi_tail.lower) > 0);
  CHECK(mpfr_cmp_d(pi.get(), sigmax::detail::half_pi_tail.upper) < 0);
  number log_2;
  mpfr_const_log2(log_2.get(), MPFR_RNDN);
  CHECK(mpfr_cmp_d(log_2.get(), sigmax::detail::interval_log_2.lower) > 0);
  CHECK(mpfr_cmp_d(log_2.get(), sigmax::detail::interval_log_2.upper) < 0);
  mpfr_sub_d(log_2.get(), log_2.get(), sigmax::detail::log_2_head, MPFR_RNDN);
  CHECK(mpfr_cmp_d(log_2.get(), sigmax::detail::log_2_tail.lower) > 0);
  CHECK(mpfr_cmp_d(log_2.get(), sigmax::detail::log_2_tail.upper) < 0);
}

#endif
