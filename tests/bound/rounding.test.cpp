// SPDX-License-Identifier: MIT
#include <array>
#include <bit>
#include <cfenv>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <limits>
#include <string>

#include <doctest/doctest.h>
#if defined(SIGMAX_TEST_HAS_MPFR)
#include <mpfr.h>
#endif
#if defined(__SSE2__)
#include <pmmintrin.h>
#include <xmmintrin.h>
#endif

#include <sigmax/bound/rounding.hpp>
#include <sigmax/core/random.hpp>

using sigmax::infinity;

namespace {

constexpr double quiet_nan = std::numeric_limits<double>::quiet_NaN();
constexpr double largest = std::numeric_limits<double>::max();
constexpr double smallest = std::numeric_limits<double>::denorm_min();
constexpr double smallest_normal = std::numeric_limits<double>::min();

constexpr std::array specials{
    0.0,     -0.0,      1.0,      -1.0,      smallest,    -smallest,        smallest_normal,
    largest, -largest,  infinity, -infinity, quiet_nan,   -smallest_normal, 0x1p-537,
    0x1p512, 0x1p-1022, 0x1p1023, 0x1p53,    1 - 0x1p-53, 1 + 0x1p-52,      0x1.fffffffffffffp-1023};

/// Doubles of all magnitudes: any bit pattern, subnormals, special values, and neighbours of the partner, where sums
/// cancel and products round at the edge.
double operand(sigmax::random_sequence const& numbers, std::uint64_t i, double partner) {
  std::uint64_t const choice = numbers.bits(2 * i);
  std::uint64_t const bits = numbers.bits(2 * i + 1);
  switch (choice % 8) {
    case 0:
      return specials[bits % specials.size()];
    case 1:
      return std::bit_cast<double>(bits & 0x800fffffffffffffu);
    case 2:
      return std::bit_cast<double>(std::bit_cast<std::uint64_t>(partner) ^ (bits & 0x80000000000000ffu));
    case 3:
      return std::ldexp(static_cast<double>(static_cast<std::int64_t>(bits)), static_cast<int>(choice % 127) - 120);
    default:
      return std::bit_cast<double>(bits);
  }
}

std::string hexadecimal(double x) {
  char text[64];
  std::snprintf(text, sizeof text, "%a", x);
  return text;
}

}  // namespace

TEST_CASE("neighbours of a number") {
  sigmax::random_sequence const numbers(1);
  bool sound = true;
  for (std::uint64_t i = 0; i < 1000000; ++i) {
    double const x = operand(numbers, i, 1.0);
    if (std::isnan(x)) continue;
    double const above = sigmax::next_up(x);
    double const below = sigmax::next_down(x);
    sound = sound && above == (x == infinity ? infinity : std::nextafter(x, infinity));
    sound = sound && below == (x == -infinity ? -infinity : std::nextafter(x, -infinity));
  }
  CHECK(sound);
  static_assert(sigmax::next_up(0.0) == smallest && sigmax::next_up(-0.0) == smallest);
  static_assert(sigmax::next_down(0.0) == -smallest && sigmax::next_up(-smallest) == 0);
  static_assert(sigmax::next_up(largest) == infinity && sigmax::next_down(infinity) == largest);
  static_assert(sigmax::next_up(-infinity) == -largest && sigmax::next_down(-infinity) == -infinity);
  static_assert(sigmax::next_up(quiet_nan) == infinity && sigmax::next_down(quiet_nan) == -infinity);
}

TEST_CASE("NaN and infinity are told by their bits") {
  for (int bit = 0; bit < 52; ++bit) {
    for (std::uint64_t const sign : {std::uint64_t{0}, std::uint64_t{1} << 63}) {
      double const x = std::bit_cast<double>(sign | 0x7ff0000000000000u | (std::uint64_t{1} << bit));
      CHECK(sigmax::is_nan(x));
      CHECK_FALSE(sigmax::is_finite(x));
    }
  }
  for (double const x : {infinity, -infinity}) {
    CHECK_FALSE(sigmax::is_nan(x));
    CHECK_FALSE(sigmax::is_finite(x));
  }
  for (double const x : {0.0, -0.0, smallest, largest, -largest}) {
    CHECK_FALSE(sigmax::is_nan(x));
    CHECK(sigmax::is_finite(x));
  }
}

TEST_CASE("NaN ends on the safe side of every operation") {
  double const numbers[] = {
      quiet_nan, -quiet_nan, 0.0, -0.0, 1.0, -1.0, infinity, -infinity, std::bit_cast<double>(0x7ff0000000000001u)};
  for (double const x : numbers) {
    for (double const bad : {quiet_nan, -quiet_nan, std::bit_cast<double>(0x7ff0000000000001u)}) {
      using namespace sigmax;
      for (double const upper :
           {add_up(x, bad), add_up(bad, x), subtract_up(x, bad), subtract_up(bad, x), multiply_up(x, bad),
            multiply_up(bad, x), divide_up(x, bad), divide_up(bad, x), sqrt_up(bad), max_up(x, bad), max_up(bad, x),
            scale_up(bad, 3), gamma_up(bad), gamma_up(3, bad), min_up(bad, bad)}) {
        CHECK(upper == infinity);
      }
      for (double const lower :
           {add_down(x, bad), add_down(bad, x), subtract_down(x, bad), subtract_down(bad, x), multiply_down(x, bad),
            multiply_down(bad, x), divide_down(x, bad), divide_down(bad, x), scale_down(bad, 3)}) {
        CHECK(lower == -infinity);
      }
      CHECK(sqrt_down(bad) == 0);
    }
  }
  CHECK(sigmax::add_up(infinity, -infinity) == infinity);
  CHECK(sigmax::add_down(infinity, -infinity) == -infinity);
  CHECK(sigmax::divide_up(infinity, infinity) == infinity);
  CHECK(sigmax::sqrt_up(-1) == infinity);
  CHECK(sigmax::sqrt_down(-1) == 0);
  for (double const divisor : {0.0, -0.0, -1.0, -infinity, -smallest}) {
    for (double const x : {0.0, 1.0, -1.0, infinity}) {
      CHECK(sigmax::divide_up(x, divisor) == infinity);
      CHECK(sigmax::divide_down(x, divisor) == -infinity);
    }
  }
}

TEST_CASE("zero is exact") {
  for (double const x : {0.0, -0.0, 1.0, -3.5, largest, smallest, -smallest}) {
    CHECK(sigmax::add_up(x, 0) == x);
    CHECK(sigmax::add_down(0, x) == x);
    CHECK(sigmax::subtract_up(x, 0) == x);
    CHECK(sigmax::multiply_up(x, 0) == 0);
    CHECK(sigmax::multiply_down(-0.0, x) == 0);
    if (x > 0) CHECK(sigmax::divide_up(0, x) == 0);
  }
  CHECK(sigmax::multiply_up(0, infinity) == 0);
  CHECK(sigmax::multiply_down(-infinity, 0) == 0);
  CHECK(sigmax::sqrt_up(0) == 0);
  CHECK(sigmax::sqrt_up(-0.0) == 0);
  CHECK(sigmax::gamma_up(0) == 0);
}

TEST_CASE("larger and smaller of two bounds") {
  CHECK(sigmax::max_up(1, 2) == 2);
  CHECK(sigmax::max_up(2, -infinity) == 2);
  CHECK(sigmax::min_up(1, 2) == 1);
  CHECK(sigmax::min_up(quiet_nan, 2) == 2);
  CHECK(sigmax::min_up(2, quiet_nan) == 2);
  CHECK(sigmax::min_up(infinity, 2) == 2);
}

TEST_CASE("outward arithmetic is a constant expression") {
  static_assert(sigmax::add_up(1, 0x1p-60) > 1 && sigmax::add_down(1, -0x1p-60) < 1);
  static_assert(sigmax::multiply_up(0x1p-1000, 0x1p-1000) == smallest);
  static_assert(sigmax::multiply_down(0x1p-1000, 0x1p-1000) == -smallest);
  static_assert(sigmax::divide_down(1, 3) < sigmax::divide_up(1, 3) && sigmax::gamma_up(4) > 4 * 0x1p-53);
}

#if defined(SIGMAX_TEST_HAS_MPFR)

namespace {

/// An exact result at 200 bits, rounded both ways. A double is >= the exact result exactly if it is >= the 200-bit
/// number above it, because a double has fewer bits.
class enclosed {
 public:
  enclosed() {
    mpfr_init2(below_, 200);
    mpfr_init2(above_, 200);
    mpfr_init2(a_, 53);
    mpfr_init2(b_, 53);
  }
  enclosed(enclosed const&) = delete;
  enclosed& operator=(enclosed const&) = delete;
  ~enclosed() { mpfr_clears(below_, above_, a_, b_, static_cast<mpfr_ptr>(nullptr)); }

  using binary = int (*)(mpfr_ptr, mpfr_srcptr, mpfr_srcptr, mpfr_rnd_t);
  void set(binary f, double a, double b) {
    mpfr_set_d(a_, a, MPFR_RNDN);
    mpfr_set_d(b_, b, MPFR_RNDN);
    f(below_, a_, b_, MPFR_RNDD);
    f(above_, a_, b_, MPFR_RNDU);
  }
  void set_sqrt(double a) {
    mpfr_set_d(a_, a, MPFR_RNDN);
    mpfr_sqrt(below_, a_, MPFR_RNDD);
    mpfr_sqrt(above_, a_, MPFR_RNDU);
  }
  void set_scaled(double a, long exponent) {
    mpfr_set_d(a_, a, MPFR_RNDN);
    mpfr_mul_2si(below_, a_, exponent, MPFR_RNDD);
    mpfr_mul_2si(above_, a_, exponent, MPFR_RNDU);
  }
  /// n u / (1 - n u): increasing in n u, so every step is rounded to the side of the end.
  void set_gamma(double n, double u) {
    set(mpfr_mul, n, u);
    mpfr_t denominator;
    mpfr_init2(denominator, 200);
    mpfr_ui_sub(denominator, 1, below_, MPFR_RNDU);
    mpfr_div(below_, below_, denominator, MPFR_RNDD);
    mpfr_ui_sub(denominator, 1, above_, MPFR_RNDD);
    mpfr_div(above_, above_, denominator, MPFR_RNDU);
    mpfr_clear(denominator);
  }

  bool is_nan() const { return mpfr_nan_p(above_) != 0; }
  bool upper_holds(double x) const { return mpfr_cmp_d(above_, x) <= 0; }
  bool lower_holds(double x) const { return mpfr_cmp_d(below_, x) >= 0; }
  /// The double nearest from above, and from below.
  double least_upper() const { return mpfr_get_d(above_, MPFR_RNDU); }
  double greatest_lower() const { return mpfr_get_d(below_, MPFR_RNDD); }

 private:
  mpfr_t below_;
  mpfr_t above_;
  mpfr_t a_;
  mpfr_t b_;
};

/// What went wrong, with the first case in full.
struct findings {
  long wrong_side = 0;
  long too_wide = 0;
  long cases = 0;
  std::string first;

  void judge(char const* name, enclosed const& exact, double a, double b, double lower, double upper) {
    ++cases;
    bool const sound = exact.upper_holds(upper) && exact.lower_holds(lower);
    // One step beyond the best double is what rounding to nearest and then outwards costs.
    bool const tight = upper <= std::nextafter(exact.least_upper(), infinity) &&
                       lower >= std::nextafter(exact.greatest_lower(), -infinity);
    if (!sound) ++wrong_side;
    if (!tight) ++too_wide;
    if ((sound && tight) || !first.empty()) return;
    first = std::string(name) + " of " + hexadecimal(a) + " and " + hexadecimal(b) + " gives [" + hexadecimal(lower) +
            ", " + hexadecimal(upper) + "]";
  }
};

void check(findings const& found) {
  INFO(found.first);
  CHECK(found.wrong_side == 0);
  CHECK(found.too_wide == 0);
}

}  // namespace

TEST_CASE("sums, differences, products and quotients lie on the stated side, within two units in the last place") {
  sigmax::random_sequence const numbers(2);
  enclosed exact;
  findings found;
  for (std::uint64_t i = 0; i < 1000000; ++i) {
    double const a = operand(numbers, 2 * i, 1.0);
    double const b = operand(numbers, 2 * i + 1, a);
    if (std::isnan(a) || std::isnan(b)) continue;
    exact.set(mpfr_add, a, b);
    if (!exact.is_nan()) found.judge("sum", exact, a, b, sigmax::add_down(a, b), sigmax::add_up(a, b));
    exact.set(mpfr_sub, a, b);
    if (!exact.is_nan()) found.judge("difference", exact, a, b, sigmax::subtract_down(a, b), sigmax::subtract_up(a, b));
    exact.set(mpfr_mul, a, b);
    if (!exact.is_nan()) found.judge("product", exact, a, b, sigmax::multiply_down(a, b), sigmax::multiply_up(a, b));
    exact.set(mpfr_div, a, b);
    if (b > 0 && !exact.is_nan()) {
      found.judge("quotient", exact, a, b, sigmax::divide_down(a, b), sigmax::divide_up(a, b));
    }
  }
  CHECK(found.cases > 3000000);
  check(found);
}

TEST_CASE("square roots lie on the stated side") {
  sigmax::random_sequence const numbers(3);
  enclosed exact;
  findings found;
  for (std::uint64_t i = 0; i < 1000000; ++i) {
    double const a = std::fabs(operand(numbers, i, 0x1p52));
    if (std::isnan(a)) continue;
    exact.set_sqrt(a);
    found.judge("root", exact, a, 0, sigmax::sqrt_down(a), sigmax::sqrt_up(a));
    if (sigmax::sqrt_down(a) < 0) ++found.wrong_side;
  }
  check(found);
}

TEST_CASE("scaling by powers of two is exact where it can be and outward where not") {
  sigmax::random_sequence const numbers(4);
  enclosed exact;
  findings found;
  long inexact = 0;
  for (std::uint64_t i = 0; i < 1000000; ++i) {
    double const a = operand(numbers, 2 * i, 1.0);
    if (std::isnan(a)) continue;
    // Mostly results around the two ends of the range, and some exponents no int can hold.
    auto exponent = static_cast<std::int64_t>(numbers.bits(2 * i + 1) % 6000) - 3000;
    if (i % 4 == 0 && std::isfinite(a) && a != 0) exponent = -1074 - std::ilogb(a) + static_cast<int>(i % 60);
    if (i % 100 == 0) exponent *= std::int64_t{1} << 40;
    exact.set_scaled(a, exponent);
    double const upper = sigmax::scale_up(a, exponent);
    double const lower = sigmax::scale_down(a, exponent);
    found.judge("scaling", exact, a, static_cast<double>(exponent), lower, upper);
    if (exact.greatest_lower() == exact.least_upper() && std::isfinite(a) && lower != upper) ++inexact;
  }
  check(found);
  CHECK(inexact == 0);
  constexpr std::int64_t far = std::numeric_limits<std::int64_t>::max();
  CHECK(sigmax::scale_up(1, far) == infinity);
  CHECK(sigmax::scale_up(smallest, -far - 1) == smallest);
  CHECK(sigmax::scale_down(1, far) == largest);
  CHECK(sigmax::scale_down(1, -far) <= 0);
  CHECK(sigmax::scale_up(0, far) == 0);
  CHECK(sigmax::scale_up(-1, far) == -largest);
}

TEST_CASE("gamma_n is above n u / (1 - n u) by a few units, and infinite where that means nothing") {
  sigmax::random_sequence const numbers(5);
  enclosed exact;
  long wrong = 0;
  long wide = 0;
  for (std::uint64_t i = 0; i < 200000; ++i) {
    double const u = i % 2 == 0 ? 0x1p-53 : 0x1p-24;
    double const n = std::floor(std::ldexp(1 + numbers.uniform(i), static_cast<int>(i % (i % 4 < 2 ? 53 : 24))));
    if (n * u >= 1) continue;
    exact.set_gamma(n, u);
    double const bound = sigmax::gamma_up(n, u);
    if (!exact.upper_holds(bound)) ++wrong;
    // Three outward roundings of at most 2 units each; that of 1 - n u is magnified by 1 / (1 - n u).
    if (!(bound <= exact.least_upper() * (1 + 16 * 0x1p-53 / (1 - n * u)))) ++wide;
  }
  CHECK(wrong == 0);
  CHECK(wide == 0);
  for (double const n : {0x1p53, 0x1p53 + 2, 1e300, infinity}) CHECK(sigmax::gamma_up(n) == infinity);
  exact.set_gamma(0x1p53 - 1, 0x1p-53);
  CHECK(exact.upper_holds(sigmax::gamma_up(0x1p53 - 1)));
}

#endif

TEST_CASE("the environment is sound, and a foreign rounding mode is noticed") {
  CHECK(sigmax::arithmetic_environment_is_sound());
  for (int const mode : {FE_UPWARD, FE_DOWNWARD, FE_TOWARDZERO}) {
    REQUIRE(std::fesetround(mode) == 0);
    bool const sound = sigmax::arithmetic_environment_is_sound();
    std::fesetround(FE_TONEAREST);
    CAPTURE(mode);
    CHECK_FALSE(sound);
    CHECK(sigmax::arithmetic_environment_is_sound());
  }
}

#if defined(__SSE2__)
// fegetround() asks the x87 unit; the arithmetic runs in SSE, whose control word somebody may have set alone.
TEST_CASE("every bit of the SSE control word that changes results is noticed, each alone") {
  unsigned const before = _mm_getcsr();
  unsigned const foreign[] = {_MM_FLUSH_ZERO_ON, _MM_DENORMALS_ZERO_ON, _MM_FLUSH_ZERO_ON | _MM_DENORMALS_ZERO_ON,
                              _MM_ROUND_UP,      _MM_ROUND_DOWN,        _MM_ROUND_TOWARD_ZERO};
  for (unsigned const bits : foreign) {
    _mm_setcsr(before | bits);
    bool const sound = sigmax::arithmetic_environment_is_sound();
    _mm_setcsr(before);
    CAPTURE(bits);
    CHECK_FALSE(sound);
    CHECK(sigmax::arithmetic_environment_is_sound());
  }
}
#endif
