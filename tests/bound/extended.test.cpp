// SPDX-License-Identifier: MIT
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#if defined(SIGMAX_TEST_HAS_MPFR)
#include <mpfr.h>
#endif

#include <sigmax/bound/extended.hpp>
#include <sigmax/core/random.hpp>

using sigmax::extended;
using sigmax::infinity;

namespace {

constexpr double quiet_nan = std::numeric_limits<double>::quiet_NaN();
constexpr double largest = std::numeric_limits<double>::max();
constexpr double smallest = std::numeric_limits<double>::denorm_min();
constexpr std::int64_t largest_exponent = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t smallest_exponent = std::numeric_limits<std::int64_t>::min();

/// A mantissa anywhere in [1, 2), with its last bits set or not, and an exponent of up to +-range.
extended random_extended(sigmax::random_sequence const& numbers, std::uint64_t i, std::int64_t range) {
  double const mantissa = i % 7 == 0 ? 1.0 : i % 7 == 1 ? 2 - 0x1p-52 : 1 + numbers.uniform(2 * i);
  auto const exponent = static_cast<std::int64_t>(numbers.bits(2 * i + 1) % static_cast<std::uint64_t>(2 * range + 1));
  return extended(mantissa, exponent - range);
}

}  // namespace

TEST_CASE("made from doubles: exact, normalised, and closed against nonsense") {
  for (double const x : {1.0, 0.1, largest, smallest, 0x1.8p-1060, 3e-320, 1e308}) {
    extended const e(x);
    CHECK((e.mantissa() >= 0.5 && e.mantissa() < 1));
    CHECK(std::ldexp(e.mantissa(), static_cast<int>(e.exponent())) == x);
    CHECK(e.to_double_up() == x);
  }
  for (double const x : {quiet_nan, -quiet_nan, -1.0, -smallest, infinity, -infinity}) {
    CHECK(extended(x).is_infinite());
    CHECK(extended(x, -100000).is_infinite());
    CHECK(extended(x).to_double_up() == infinity);
    CHECK(extended(x).to_decimal_up() == "inf");
    CHECK(extended(x).log10_up() == infinity);
  }
  for (double const x : {0.0, -0.0}) {
    CHECK(extended(x, 12345).is_zero());
    CHECK(extended(x).to_double_up() == 0);
    CHECK(extended(x).to_decimal_up() == "0");
    CHECK(extended(x).log10_up() == -infinity);
  }
  CHECK(extended().is_zero());
  CHECK(extended(infinity, 5) == extended(infinity));
}

TEST_CASE("zero and infinity calculate like bounds") {
  extended const zero;
  extended const one(1);
  extended const endless(infinity);
  CHECK((zero * endless).is_zero());
  CHECK((endless * zero).is_zero());
  CHECK((one * endless).is_infinite());
  CHECK((zero + one) == one);
  CHECK((one + zero) == one);
  CHECK((endless + one).is_infinite());
  CHECK((one + endless).is_infinite());
  CHECK((zero + endless).is_infinite());
  CHECK(sqrt_up(zero).is_zero());
  CHECK(sqrt_up(endless).is_infinite());
  CHECK(zero < one);
  CHECK(zero < endless);
  CHECK(one < endless);
  CHECK_FALSE(endless < endless);
  CHECK_FALSE(zero < zero);
  CHECK_FALSE(one < zero);
  CHECK_FALSE(endless < one);
}

TEST_CASE("exponents at the ends of their range saturate upwards") {
  extended const huge(0.5, largest_exponent);
  extended const tiny(0.5, smallest_exponent);
  CHECK_FALSE(huge.is_infinite());
  CHECK((huge * extended(2)).is_infinite());
  CHECK((huge * huge).is_infinite());
  CHECK((huge + huge).is_infinite());
  CHECK(extended(1, largest_exponent).is_infinite());
  CHECK(extended(largest, largest_exponent - 100).is_infinite());
  // Too small to be written: the smallest there is, never zero.
  CHECK_FALSE((tiny * tiny).is_zero());
  CHECK_FALSE(extended(smallest, smallest_exponent).is_zero());
  CHECK_FALSE((tiny * extended(0.25)).is_zero());
  CHECK((tiny * huge).to_double_up() >= 0.25 * 0.5);
  CHECK((tiny * huge).to_double_up() <= 0.25 * 0.5 * (1 + 0x1p-51));
  CHECK(tiny < huge);
  CHECK_FALSE(huge < tiny);
  CHECK(huge < huge + tiny);
  CHECK(huge < tiny + huge);
  CHECK(tiny.to_double_up() == smallest);
  CHECK(huge.to_double_up() == infinity);
  CHECK(sqrt_up(tiny).exponent() == smallest_exponent / 2 + 1 - 1);
  // log10(2) (2^63 - 2) = 2776511644261678566.4; the last digits of the exponent are not there in a double.
  CHECK(huge.log10_up() >= 2776511644261678566.0);
  CHECK(huge.log10_up() <= 2776511644261678566.0 * (1 + 0x1p-49));
  CHECK(tiny.log10_up() <= -2776511644261678566.0 * (1 - 0x1p-49));
  CHECK(tiny.log10_up() >= -2776511644261678592.0);
  CHECK(huge.to_decimal_up().find("e+27765116442616") != std::string::npos);
  CHECK(tiny.to_decimal_up().find("e-27765116442616") != std::string::npos);
}

TEST_CASE("decimals are rounded up digit by digit, and carry") {
  using sigmax::detail::decimal_up;
  CHECK(decimal_up(1.0, 17) == "1.0000000000000000e+00");
  CHECK(decimal_up(0.5, 17) == "5.0000000000000000e-01");
  CHECK(decimal_up(std::nextafter(1.0, 2.0), 3) == "1.01e+00");
  CHECK(decimal_up(std::nextafter(1.0, 0.0), 3) == "1.00e+00");
  CHECK(decimal_up(std::nextafter(10.0, 0.0), 17) == "9.9999999999999983e+00");
  CHECK(decimal_up(std::nextafter(10.0, 0.0), 15) == "1.00000000000000e+01");
  CHECK(decimal_up(0.09996, 3) == "1.00e-01");
  CHECK(decimal_up(0.9996, 3) == "1.00e+00");
  CHECK(decimal_up(99.5, 2) == "1.0e+02");
  CHECK(decimal_up(1.5, 1) == "2e+00");
  CHECK(decimal_up(9.5, 1) == "1e+01");
  CHECK(decimal_up(9.5e99, 1) == "1e+100");
  CHECK(decimal_up(9.5e-100, 1) == "1e-99");
  CHECK(decimal_up(9.5e-10, 1) == "1e-09");
  CHECK(decimal_up(1.0901, 3) == "1.10e+00");
  CHECK(decimal_up(1.09, 3) == "1.10e+00");  // 1.09 is stored a little above 1.09
  CHECK(decimal_up(smallest, 17) == "4.9406564584124655e-324");
  CHECK(decimal_up(largest, 17) == "1.7976931348623158e+308");
  CHECK(decimal_up(largest, 2) == "1.8e+308");
  // 767 digits: the double with the most of them, and not one is rounded away.
  CHECK(decimal_up(0x1.fffffffffffffp-1022, 767).size() == 767 + 1 + 5);
}

#if defined(SIGMAX_TEST_HAS_MPFR)

namespace {

/// A number of 300 bits with room for any exponent used here, which MPFR grants when asked.
class wide {
 public:
  wide() {
    mpfr_set_emin(mpfr_get_emin_min());
    mpfr_set_emax(mpfr_get_emax_max());
    mpfr_init2(value_, 300);
  }
  explicit wide(double x) : wide() { mpfr_set_d(value_, x, MPFR_RNDN); }
  /// The exact value of an extended number.
  explicit wide(extended const& x) : wide(x.mantissa()) { mpfr_mul_2si(value_, value_, x.exponent(), MPFR_RNDN); }
  /// The decimal number, rounded down: if this is >= x, so is the text.
  explicit wide(std::string const& text) : wide() { REQUIRE(mpfr_set_str(value_, text.c_str(), 10, MPFR_RNDD) == 0); }
  wide(wide const& other) : wide() { mpfr_set(value_, other.value_, MPFR_RNDN); }
  wide& operator=(wide const&) = delete;
  ~wide() { mpfr_clear(value_); }

  mpfr_ptr get() { return value_; }
  mpfr_srcptr get() const { return value_; }
  friend bool operator<=(wide const& a, wide const& b) { return mpfr_lessequal_p(a.value_, b.value_) != 0; }
  friend bool operator<(wide const& a, wide const& b) { return mpfr_less_p(a.value_, b.value_) != 0; }

  /// this (1 + relative).
  wide widened(double relative) const {
    wide result(1.0);
    mpfr_add_d(result.value_, result.value_, relative, MPFR_RNDN);
    mpfr_mul(result.value_, result.value_, value_, MPFR_RNDU);
    return result;
  }

 private:
  mpfr_t value_;
};

using operation = int (*)(mpfr_ptr, mpfr_srcptr, mpfr_srcptr, mpfr_rnd_t);

/// The exact result from above; at 300 bits that is at most 2^-299 relative too much.
wide applied(operation f, wide const& a, wide const& b) {
  wide result;
  f(result.get(), a.get(), b.get(), MPFR_RNDU);
  return result;
}

/// Exponents from those of a double to those of a network of a million layers.
std::vector<std::int64_t> const ranges{40, 1000, 5000, 1000000000, std::int64_t{1} << 60};

}  // namespace

TEST_CASE("ten thousand factors keep twelve digits, whichever way they go") {
  for (double const factor : {1.1, 0.9, 0.5, 1.0, 1e300, 3e-320}) {
    extended product(1);
    wide exact(1.0);
    for (int i = 0; i < 10000; ++i) {
      product = product * extended(factor);
      mpfr_mul_d(exact.get(), exact.get(), factor, MPFR_RNDU);
    }
    CAPTURE(factor);
    CHECK(exact <= wide(product));
    // Each product is at most 2 units of 2^-53 of a mantissa >= 1/2 too large.
    CHECK(wide(product) <= exact.widened(10000 * 0x1p-51));
    CHECK(exact <= wide(product.to_decimal_up()));
    wide logarithm;
    mpfr_log10(logarithm.get(), exact.get(), MPFR_RNDD);
    CHECK(mpfr_cmp_d(logarithm.get(), product.log10_up()) <= 0);
    CHECK(product.log10_up() <= mpfr_get_d(logarithm.get(), MPFR_RNDU) + 1e-6);
  }
}

TEST_CASE("products, sums and roots lie above the exact ones, by two units at the most") {
  sigmax::random_sequence const numbers(1);
  long below = 0;
  long wide_results = 0;
  auto const judge = [&](wide const& exact, extended const& bound) {
    if (!(exact <= wide(bound))) ++below;
    if (!(wide(bound) <= exact.widened(0x1p-50))) ++wide_results;
  };
  for (std::uint64_t i = 0; i < 100000; ++i) {
    std::int64_t const range = ranges[i % ranges.size()];
    extended const a = random_extended(numbers, 2 * i, range);
    extended b = random_extended(numbers, 2 * i + 1, range);
    if (i % 3 == 0) b = extended(b.mantissa(), a.exponent() - static_cast<std::int64_t>(i % 140) + 70);
    judge(applied(mpfr_mul, wide(a), wide(b)), a * b);
    judge(applied(mpfr_add, wide(a), wide(b)), a + b);
    wide root;
    mpfr_sqrt(root.get(), wide(a).get(), MPFR_RNDU);
    judge(root, sqrt_up(a));
    if ((a < b) != (wide(a) < wide(b)) || (b < a) != (wide(b) < wide(a))) ++below;
  }
  CHECK(below == 0);
  CHECK(wide_results == 0);
}

TEST_CASE("a summand far below the other still counts") {
  for (std::int64_t const gap : {1, 10, 52, 53, 54, 63, 64, 65, 66, 100, 1100, 100000, 2000000000}) {
    extended const small(1, -gap);
    for (extended const& sum : {extended(1) + small, small + extended(1)}) {
      CAPTURE(gap);
      CHECK(applied(mpfr_add, wide(1.0), wide(small)) <= wide(sum));
      CHECK(extended(1) < sum);
    }
  }
}

TEST_CASE("the way back to double is upwards, exact where a double is there") {
  sigmax::random_sequence const numbers(2);
  long below = 0;
  long not_least = 0;
  for (std::uint64_t i = 0; i < 200000; ++i) {
    extended const a = random_extended(numbers, i, 1200);
    double const upper = a.to_double_up();
    wide const exact(a);
    if (mpfr_cmp_d(exact.get(), upper) > 0 || upper == 0) ++below;
    double const least = mpfr_get_d(exact.get(), MPFR_RNDU);
    // Among the subnormals the rounding of ldexp comes first; one step more is what not changing rounding modes costs.
    double const allowed = a.exponent() > -1022 ? least : std::nextafter(least, infinity);
    if (upper > allowed) ++not_least;
  }
  CHECK(below == 0);
  CHECK(not_least == 0);
  CHECK(extended(1, 1024).to_double_up() == infinity);
  CHECK(extended(1 - 0x1p-53, 1024).to_double_up() == largest);
  CHECK(extended(1, -1074).to_double_up() == smallest);
  CHECK(extended(1, -1075).to_double_up() == smallest);
  CHECK(extended(1, -100000).to_double_up() == smallest);
}

TEST_CASE("the logarithm is never below the exact one") {
  sigmax::random_sequence const numbers(3);
  long below = 0;
  long too_wide = 0;
  for (std::uint64_t i = 0; i < 100000; ++i) {
    extended a = random_extended(numbers, i, ranges[i % ranges.size()]);
    if (i % 11 == 0) a = extended(1 + std::ldexp(numbers.uniform(i) - 0.5, -static_cast<int>(i % 50)));  // log near 0
    wide logarithm;
    mpfr_log10(logarithm.get(), wide(a).get(), MPFR_RNDD);
    double const upper = a.log10_up();
    if (mpfr_cmp_d(logarithm.get(), upper) > 0) ++below;
    double const exact = mpfr_get_d(logarithm.get(), MPFR_RNDN);
    // The allowance for libm, and outwards: the exponent, the sum, log10(2) and the product, two units each.
    if (!(upper <= exact + 1e-11 + 8 * 0x1p-52 * std::fabs(exact))) ++too_wide;
  }
  CHECK(below == 0);
  CHECK(too_wide == 0);
}

TEST_CASE("decimal text is never below the number, and close to it") {
  sigmax::random_sequence const numbers(4);
  long below = 0;
  long too_wide = 0;
  long malformed = 0;
  std::string first;
  for (std::uint64_t i = 0; i < 20000; ++i) {
    std::int64_t const range = ranges[i % ranges.size()];
    extended const a = random_extended(numbers, i, range);
    std::string const text = a.to_decimal_up();
    wide const exact(a);
    wide const parsed(text);
    bool const sound = exact <= parsed;
    // 17 digits, and beyond the range of double |exponent| roundings more.
    double const excess = 1e-15 + std::fabs(static_cast<double>(a.exponent())) * 0x1p-50;
    bool const tight = excess > 1e-3 || parsed <= exact.widened(excess);
    bool const formed =
        text.find('e') == 18 && text[1] == '.' && (text[19] == '+' || text[19] == '-') && text[0] >= '1';
    if (!sound) ++below;
    if (!tight) ++too_wide;
    if (!formed) ++malformed;
    if (first.empty() && !(sound && tight && formed)) first = text;
  }
  INFO(first);
  CHECK(below == 0);
  CHECK(too_wide == 0);
  CHECK(malformed == 0);
}

TEST_CASE("decimal text at the seams") {
  for (std::int64_t const exponent :
       {-1076, -1075, -1074, -1073, -1022, -1001, -1000, -999, -1, 0, 1, 1022, 1023, 1024, 1025}) {
    for (double const mantissa : {0.5, 1 - 0x1p-53, 0.5 + 0x1p-53, 0.75}) {
      extended const a(mantissa, exponent);
      CAPTURE(a.to_decimal_up());
      CHECK(wide(a) <= wide(a.to_decimal_up()));
      CHECK(wide(a.to_decimal_up()) <= wide(a).widened(1e-12));
    }
  }
  CHECK(extended(1).to_decimal_up() == "1.0000000000000000e+00");
  CHECK(extended(1000).to_decimal_up() == "1.0000000000000000e+03");
  CHECK(extended(largest).to_decimal_up().find("e+308") != std::string::npos);
}

#endif
