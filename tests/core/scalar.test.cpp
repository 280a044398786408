// SPDX-License-Identifier: MIT
#include <bit>
#include <cmath>
#include <complex>
#include <cstdint>
#include <limits>
#include <string>

#include <doctest/doctest.h>
#if __has_include(<boost/multiprecision/cpp_bin_float.hpp>)
#include <boost/multiprecision/cpp_bin_float.hpp>
#define SIGMAX_TEST_HAS_BOOST 1
#endif

#include <sigmax/core/random.hpp>
#include <sigmax/core/scalar.hpp>

using sigmax::bf16;
using sigmax::f16;

namespace {

/// What a 16-bit format is, for an oracle that shares no code with the conversions: it works on values, not on bits.
struct format {
  int fraction_bits;
  int min_exponent;
  int max_exponent;
};
constexpr format format_of(bf16) { return {7, -126, 127}; }
constexpr format format_of(f16) { return {10, -14, 15}; }

/// The value of a bit pattern by the definition of IEEE 754-2019, 3.4.
double decoded(format f, std::uint16_t bits) {
  int const exponent_mask = (1 << (15 - f.fraction_bits)) - 1;
  int const biased = (bits >> f.fraction_bits) & exponent_mask;
  double const fraction = std::ldexp(bits & ((1 << f.fraction_bits) - 1), -f.fraction_bits);
  double const sign = (bits & 0x8000) != 0 ? -1.0 : 1.0;
  if (biased == exponent_mask) {
    return fraction == 0 ? sign * std::numeric_limits<double>::infinity() : std::numeric_limits<double>::quiet_NaN();
  }
  if (biased == 0) return sign * std::ldexp(fraction, f.min_exponent);
  return sign * std::ldexp(1 + fraction, biased - f.max_exponent);
}

/// Nearest value of the format, ties to even: a multiple of the spacing at x. x / spacing is exact, a power of two.
double nearest(format f, double x) {
  if (x == 0 || !std::isfinite(x)) return x;
  int const exponent = std::max(std::ilogb(x), f.min_exponent);
  double const spacing = std::ldexp(1.0, exponent - f.fraction_bits);
  double const rounded = std::nearbyint(x / spacing) * spacing;
  bool const overflows = std::fabs(rounded) >= std::ldexp(1.0, f.max_exponent + 1);
  return overflows ? std::copysign(std::numeric_limits<double>::infinity(), x) : rounded;
}

/// Counts the disagreements of T(x) and the oracle and remembers the first one.
template <class T>
class comparison {
 public:
  template <class Source>
  void add(Source x) {
    for (Source const value : {x, static_cast<Source>(-x)}) {
      double const expected = nearest(format_of(T()), static_cast<double>(value));
      double const actual = static_cast<double>(static_cast<float>(T(value)));
      bool const agrees = std::isnan(expected) ? std::isnan(actual)
                                               : actual == expected && std::signbit(actual) == std::signbit(expected);
      ++cases_;
      if (agrees) continue;
      if (failures_ == 0) {
        first_ = std::to_string(sizeof(Source) * 8) + "-bit source " + std::to_string(static_cast<double>(value)) +
                 " (hex exponent " + std::to_string(std::ilogb(value)) + "): " + std::to_string(actual) + " is not " +
                 std::to_string(expected);
      }
      ++failures_;
    }
  }
  /// x and what lies next to it on both sides.
  template <class Source>
  void add_around(Source x) {
    add(x);
    add(std::nextafter(x, std::numeric_limits<Source>::infinity()));
    add(std::nextafter(x, Source(0)));
  }
  long cases() const { return cases_; }
  long failures() const { return failures_; }
  std::string const& first() const { return first_; }

 private:
  long cases_ = 0;
  long failures_ = 0;
  std::string first_;
};

/// Every non-negative finite value but the largest, the midpoint above it, and their neighbours in Source; then what
/// lies around the threshold of overflow.
template <class T, class Source>
void add_all_halfway_cases(comparison<T>& compared) {
  format const f = format_of(T());
  auto const infinity = static_cast<std::uint16_t>(T(std::numeric_limits<float>::infinity()).bits);
  for (std::uint16_t bits = 0; bits + 1 < infinity; ++bits) {
    double const value = decoded(f, bits);
    double const above = decoded(f, static_cast<std::uint16_t>(bits + 1));
    compared.add_around(static_cast<Source>(value));
    compared.add_around(static_cast<Source>((value + above) / 2));
  }
  double const largest = decoded(f, static_cast<std::uint16_t>(infinity - 1));
  double const beyond = std::ldexp(1.0, f.max_exponent + 1);
  compared.add_around(static_cast<Source>(largest));
  compared.add_around(static_cast<Source>((largest + beyond) / 2));
  compared.add(std::numeric_limits<Source>::max());
  compared.add(std::numeric_limits<Source>::infinity());
  compared.add(std::numeric_limits<Source>::denorm_min());
  compared.add_around(std::numeric_limits<Source>::min());
  compared.add(std::numeric_limits<Source>::quiet_NaN());
}

}  // namespace

TEST_CASE_TEMPLATE("a 16-bit pattern means its value and survives the way through float", T, bf16, f16) {
  long wrong_values = 0;
  long wrong_round_trips = 0;
  for (std::uint32_t pattern = 0; pattern <= 0xffffu; ++pattern) {
    auto const bits = static_cast<std::uint16_t>(pattern);
    float const value = T::from_bits(bits);
    double const expected = decoded(format_of(T()), bits);
    T const back(value);
    if (std::isnan(expected)) {
      if (!std::isnan(value)) ++wrong_values;
      if (!std::isnan(static_cast<float>(back)) || ((back.bits ^ bits) & 0x8000) != 0) ++wrong_round_trips;
    } else {
      if (value != expected || std::signbit(value) != std::signbit(expected)) ++wrong_values;
      if (back.bits != bits || T(static_cast<double>(value)).bits != bits) ++wrong_round_trips;
    }
  }
  CHECK(wrong_values == 0);
  CHECK(wrong_round_trips == 0);
}

TEST_CASE_TEMPLATE("float to 16 bits rounds to nearest even, subnormals and overflow included", T, bf16, f16) {
  comparison<T> compared;
  add_all_halfway_cases<T, float>(compared);
  sigmax::random_sequence const numbers(1);
  for (std::uint64_t i = 0; i < 500000; ++i) {
    auto const bits = static_cast<std::uint32_t>(numbers.bits(i) >> 32);
    if ((bits & 0x7fffffffu) <= 0x7f800000u) compared.add(std::bit_cast<float>(bits));
  }
  INFO(compared.first());
  CHECK(compared.cases() > 1000000);
  CHECK(compared.failures() == 0);
}

// A double just beside a midpoint becomes the midpoint as a float, and would then be rounded again the wrong way.
TEST_CASE_TEMPLATE("double to 16 bits rounds once", T, bf16, f16) {
  comparison<T> compared;
  add_all_halfway_cases<T, double>(compared);
  sigmax::random_sequence const numbers(2);
  for (std::uint64_t i = 0; i < 300000; ++i) {
    auto const x = std::bit_cast<double>(numbers.bits(i) & 0x7fffffffffffffffu);
    if (!std::isnan(x)) compared.add(x);
    // The same fraction in the range of the format, and 1 to 29 bits of it beside a midpoint: where float ends.
    int const exponent = static_cast<int>(numbers.bits(i) % 70) - 40;
    compared.add(std::ldexp(1 + numbers.uniform(i), exponent));
    double const midpoint = static_cast<double>(static_cast<float>(T(std::ldexp(1 + numbers.uniform(i), exponent)))) *
                            (1 + std::ldexp(1.0, -1 - format_of(T()).fraction_bits));
    compared.add(midpoint * (1 + std::ldexp(1.0, -static_cast<int>(i % 29) - 24)));
  }
  INFO(compared.first());
  CHECK(compared.failures() == 0);
}

TEST_CASE_TEMPLATE("NaN stays NaN, whichever of its bits are set", T, bf16, f16) {
  for (int bit = 0; bit < 23; ++bit) {
    CHECK(std::isnan(static_cast<float>(T(std::bit_cast<float>(0x7f800000u | (1u << bit))))));
    CHECK(std::isnan(static_cast<float>(T(std::bit_cast<float>(0xff800000u | (1u << bit))))));
  }
  for (int bit = 0; bit < 52; ++bit) {
    CHECK(std::isnan(static_cast<float>(T(std::bit_cast<double>(0x7ff0000000000000u | (std::uint64_t{1} << bit))))));
  }
}

TEST_CASE_TEMPLATE("16-bit numbers compare by value", T, bf16, f16) {
  CHECK(T(0.0f) == T(-0.0f));
  CHECK(T(1.5f) == T(1.5));
  CHECK_FALSE(T(1.5f) == T(-1.5f));
  T const nan(std::numeric_limits<float>::quiet_NaN());
  CHECK_FALSE(nan == nan);
  static_assert(sizeof(T) == 2 && T().bits == 0 && static_cast<float>(T(0.75f)) == 0.75f && T(0.75) == T(0.75f));
  // An integer has no one way to 16 bits, and 16 bits never become an integer silently through brackets.
  static_assert(!std::is_convertible_v<float, T> && !std::is_convertible_v<double, T>);
}

namespace scalar_test {

/// Has the operations, but nobody said what its precision is.
struct without_limits {
  explicit without_limits(double) {}
  friend without_limits operator+(without_limits, without_limits);
  friend without_limits operator-(without_limits, without_limits);
  friend without_limits operator*(without_limits, without_limits);
  friend without_limits operator/(without_limits, without_limits);
  friend without_limits operator-(without_limits);
  friend bool operator<(without_limits, without_limits);
  friend without_limits sqrt(without_limits);
  friend without_limits abs(without_limits);
};

}  // namespace scalar_test

TEST_CASE("the scalars that are taken, and those that are not") {
  static_assert(sigmax::real<float> && sigmax::real<double> && sigmax::real<long double>);
  static_assert(!sigmax::real<int> && !sigmax::real<bool> && !sigmax::real<unsigned long long>);
  static_assert(!sigmax::real<bf16> && !sigmax::real<f16> && !sigmax::real<std::complex<double>>);
  static_assert(!sigmax::real<double*> && !sigmax::real<std::string> && !sigmax::real<scalar_test::without_limits>);
  static_assert(sigmax::storage_scalar<bf16> && sigmax::storage_scalar<f16> && sigmax::storage_scalar<long double>);
  static_assert(!sigmax::storage_scalar<int> && !sigmax::storage_scalar<std::uint16_t>);
  static_assert(sigmax::exact_in_double<float> && sigmax::exact_in_double<bf16> && sigmax::exact_in_double<double>);
  static_assert(!sigmax::exact_in_double<long double> && !sigmax::exact_in_double<int>);
  static_assert(std::same_as<sigmax::compute_t<bf16>, float> && std::same_as<sigmax::compute_t<f16>, float>);
  static_assert(std::same_as<sigmax::compute_t<double>, double>);
  CHECK(sigmax::unit_roundoff<float>() == 0x1p-24f);
  CHECK(sigmax::unit_roundoff<double>() == 0x1p-53);
}

#if defined(SIGMAX_TEST_HAS_BOOST)
TEST_CASE("multiprecision numbers are scalars, with expression templates and without") {
  namespace multiprecision = boost::multiprecision;
  using plain = multiprecision::number<multiprecision::cpp_bin_float<50>, multiprecision::et_off>;
  using with_expressions = multiprecision::number<multiprecision::cpp_bin_float<50>, multiprecision::et_on>;
  static_assert(sigmax::real<plain> && sigmax::real<with_expressions>);
  static_assert(sigmax::storage_scalar<plain> && !sigmax::exact_in_double<plain>);
  static_assert(std::same_as<decltype(sigmax::unit_roundoff<with_expressions>()), with_expressions>);
  CHECK(sigmax::unit_roundoff<with_expressions>() < 1e-49);
  CHECK(sigmax::unit_roundoff<plain>() > 1e-53);
}
#endif
