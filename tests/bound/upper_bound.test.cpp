// SPDX-License-Identifier: MIT
#include <cmath>
#include <concepts>
#include <limits>
#include <string>
#include <type_traits>
#include <vector>

#include <doctest/doctest.h>

#include <sigmax/bound/enclosure.hpp>
#include <sigmax/bound/log_upper_bound.hpp>
#include <sigmax/bound/upper_bound.hpp>

namespace norm = sigmax::norm;
using sigmax::enclosure;
using sigmax::infinity;
using sigmax::log_upper_bound;
using sigmax::op;
using sigmax::trust;
using sigmax::upper_bound;
using spectral = norm::spectral;
using sigmax::detail::proof;

namespace {

constexpr double quiet_nan = std::numeric_limits<double>::quiet_NaN();

using reasons = std::vector<std::string>;

template <class A, class B>
concept multipliable = requires(A a, B b) {
  a* b;
};
template <class A, class B>
concept addable = requires(A a, B b) {
  a + b;
};
template <class A, class B>
concept comparable_bounds = requires(A a, B b) {
  tighter(a, b);
};

template <class In, class Out>
using bound = upper_bound<op<In, Out>>;
template <class In, class Out>
using log_bound = log_upper_bound<op<In, Out>>;

}  // namespace

TEST_CASE("no number is a bound") {
  static_assert(!std::is_constructible_v<upper_bound<spectral>, double>);
  static_assert(!std::is_constructible_v<upper_bound<spectral>, double, sigmax::assumptions>);
  static_assert(!std::is_default_constructible_v<upper_bound<spectral>>);
  static_assert(!std::is_constructible_v<log_upper_bound<spectral>, double>);
  static_assert(!std::is_constructible_v<log_upper_bound<spectral>, sigmax::extended>);
  static_assert(!std::is_constructible_v<log_upper_bound<spectral>, sigmax::extended, sigmax::assumptions>);
  static_assert(!std::is_default_constructible_v<log_upper_bound<spectral>>);
  static_assert(!std::is_constructible_v<enclosure<spectral>, double, double>);
  static_assert(!std::is_default_constructible_v<enclosure<spectral>>);
  static_assert(!std::is_assignable_v<upper_bound<spectral>&, double>);
  static_assert(!std::is_convertible_v<upper_bound<spectral>, double>);
  static_assert(!std::is_convertible_v<bound<norm::l2_t, norm::l2_t>, bound<norm::linf_t, norm::linf_t>>);
  static_assert(std::is_convertible_v<upper_bound<spectral>, log_upper_bound<spectral>>);
  static_assert(!std::is_convertible_v<log_upper_bound<spectral>, upper_bound<spectral>>);
}

TEST_CASE("norms chain or do not compile") {
  using norm::l2_t;
  using norm::linf_t;
  using norm::rms_t;
  static_assert(
      std::same_as<decltype(trust<op<l2_t, linf_t>>(1, "a") * trust<op<rms_t, l2_t>>(1, "b")), bound<rms_t, linf_t>>);
  static_assert(!multipliable<bound<rms_t, l2_t>, bound<l2_t, linf_t>>);
  static_assert(!multipliable<bound<l2_t, l2_t>, bound<rms_t, linf_t>>);
  static_assert(!multipliable<bound<l2_t, l2_t>, double> && !multipliable<double, bound<l2_t, l2_t>>);
  static_assert(addable<bound<l2_t, l2_t>, bound<l2_t, l2_t>> && !addable<bound<l2_t, l2_t>, bound<rms_t, l2_t>>);
  static_assert(!addable<bound<l2_t, l2_t>, double>);
  static_assert(comparable_bounds<bound<l2_t, l2_t>, bound<l2_t, l2_t>>);
  static_assert(!comparable_bounds<bound<l2_t, l2_t>, bound<l2_t, linf_t>>);
  static_assert(multipliable<log_bound<l2_t, linf_t>, log_bound<rms_t, l2_t>>);
  static_assert(!multipliable<log_bound<rms_t, l2_t>, log_bound<l2_t, linf_t>>);
  static_assert(!addable<log_bound<l2_t, l2_t>, log_bound<rms_t, l2_t>>);
}

TEST_CASE("composition and sums round upwards") {
  auto const a = proof::upper<spectral>(0.1);
  auto const b = proof::upper<spectral>(0.3);
  // The exact product and sum of the two doubles, by fma and by Dekker's two-sum.
  double const product = (a * b).value();
  CHECK(std::fma(0.1, 0.3, -product) <= 0);
  CHECK(product <= 0.1 * 0.3 * (1 + 0x1p-51));
  double const sum = (a + b).value();
  CHECK((0.3 - sum) + 0.1 <= 0);
  CHECK(sum <= (0.1 + 0.3) * (1 + 0x1p-51));
  CHECK((a * proof::upper<spectral>(1e-200) * proof::upper<spectral>(1e-200)).value() > 0);
  CHECK((proof::upper<spectral>(1e200) * proof::upper<spectral>(1e200)).value() == infinity);
}

TEST_CASE("a value that is no bound of a norm becomes infinite") {
  for (double const x : {quiet_nan, -quiet_nan, -1.0, -infinity, infinity}) {
    auto const bound = proof::upper<spectral>(x);
    CHECK(bound.value() == infinity);
    CHECK_FALSE(bound.is_finite());
    CHECK_FALSE(log_upper_bound<spectral>(bound).is_finite());
  }
  CHECK(proof::upper<spectral>(0).is_finite());
  auto const endless = proof::upper<spectral>(infinity);
  CHECK((endless + proof::upper<spectral>(1)).value() == infinity);
  CHECK((endless * proof::upper<spectral>(1)).value() == infinity);
  // A constant map has the bound 0, whatever comes before or after it.
  CHECK((endless * proof::upper<spectral>(0)).value() == 0);
  CHECK((proof::upper<spectral>(0) * endless).value() == 0);
}

TEST_CASE("the tighter of two proofs stands on its own assumptions alone") {
  auto const proved = proof::upper<spectral>(3);
  auto const believed = trust<spectral>(2, "hearsay");
  CHECK(tighter(proved, believed).value() == 2);
  CHECK(tighter(believed, proved).rests_on().reasons() == reasons{"hearsay"});
  auto const weak = trust<spectral>(4, "hearsay");
  CHECK(tighter(weak, proved).value() == 3);
  CHECK(tighter(weak, proved).rests_on().empty());
  CHECK(tighter(proof::upper<spectral>(infinity), proved).value() == 3);
}

TEST_CASE("trust leaves its reason in everything that rests on it, once") {
  auto const a = trust<spectral>(2, "paper");
  auto const b = trust<op<norm::rms_t, norm::l2_t>>(3, "folklore");
  auto const c = proof::upper<spectral>(5);
  CHECK(a.rests_on().reasons() == reasons{"paper"});
  CHECK((a * b).rests_on().reasons() == reasons{"paper", "folklore"});
  CHECK((c * a * b).rests_on().reasons() == reasons{"paper", "folklore"});
  CHECK((a * a * a).rests_on().reasons() == reasons{"paper"});
  CHECK((c + a + a).rests_on().reasons() == reasons{"paper"});
  CHECK((c + c).rests_on().empty());
  log_upper_bound<spectral> const in_logarithms = a;
  CHECK(in_logarithms.rests_on().reasons() == reasons{"paper"});
  CHECK((in_logarithms * log_upper_bound<spectral>(c)).rests_on().reasons() == reasons{"paper"});
  CHECK((log_upper_bound<spectral>(c) + in_logarithms).rests_on().reasons() == reasons{"paper"});
}

TEST_CASE("trust refuses what nobody can believe") {
  CHECK_THROWS_AS(trust<spectral>(quiet_nan, "why"), sigmax::domain_error);
  CHECK_THROWS_AS(trust<spectral>(-1, "why"), sigmax::domain_error);
  CHECK_THROWS_AS(trust<spectral>(1, ""), sigmax::domain_error);
  CHECK_NOTHROW(trust<spectral>(0, "why"));
  CHECK(trust<spectral>(infinity, "why").value() == infinity);
}

TEST_CASE("bounds with an exponent of their own") {
  log_upper_bound<spectral> product = proof::upper<spectral>(1.0);
  auto const layer = proof::upper<spectral>(1e300);
  for (int i = 0; i < 5; ++i) product = product * log_upper_bound<spectral>(layer);
  CHECK(product.is_finite());
  CHECK(product.value() == infinity);
  CHECK(product.log10() >= 1500);
  CHECK(product.log10() <= 1500 + 1e-9);
  // 1e300 as a double lies above 10^300.
  CHECK(product.decimal().substr(product.decimal().find('e')) == "e+1500");
  CHECK((product + product).log10() >= 1500.301029);
  auto const small = log_upper_bound<spectral>(proof::upper<spectral>(1e-300));
  CHECK((small * small * small).value() == std::numeric_limits<double>::denorm_min());
  CHECK((small * small * small).log10() <= -900 + 1e-9);
  CHECK_FALSE((log_upper_bound<spectral>(proof::upper<spectral>(quiet_nan)) + small).is_finite());
}

TEST_CASE("tighter and larger of two bounds with exponents") {
  auto const believed = log_upper_bound<spectral>(trust<spectral>(2, "hearsay"));
  auto const proved = log_upper_bound<spectral>(proof::upper<spectral>(3));
  CHECK(tighter(believed, proved).value() == 2);
  CHECK(tighter(proved, believed).rests_on().reasons() == reasons{"hearsay"});
  CHECK(larger(believed, proved).value() == 3);
  // The larger is a bound of both only if both hold.
  CHECK(larger(believed, proved).rests_on().reasons() == reasons{"hearsay"});
  auto const endless = log_upper_bound<spectral>(proof::upper<spectral>(infinity));
  CHECK(tighter(endless, proved).value() == 3);
  CHECK_FALSE(larger(proved, endless).is_finite());
}

TEST_CASE("an enclosure has two ends on the safe sides") {
  auto const box = proof::between<spectral>(0.1, 0.3);
  CHECK((box.lower() == 0.1 && box.upper() == 0.3));
  CHECK(box.width() >= 0.3 - 0.1);
  CHECK(box.width() <= (0.3 - 0.1) * (1 + 0x1p-51));
  CHECK(box.bound().value() == 0.3);
  CHECK(box.bound().rests_on().empty());
  for (double const bad : {quiet_nan, -1.0, -quiet_nan}) {
    auto const unknown = proof::between<spectral>(bad, bad);
    CHECK(unknown.lower() == 0);
    CHECK(unknown.upper() == infinity);
    CHECK(unknown.width() == infinity);
    CHECK_FALSE(unknown.bound().is_finite());
  }
  CHECK(proof::between<spectral>(0, 0).width() == 0);
}

TEST_CASE("reasons are a set in the order in which they came") {
  sigmax::assumptions a("one");
  sigmax::assumptions b("two");
  b.include(a);
  a.include(b);
  CHECK(a.reasons() == reasons{"one", "two"});
  CHECK(b.reasons() == reasons{"two", "one"});
  a.include(a);
  CHECK(a.reasons().size() == 2);
  CHECK(merged(sigmax::assumptions(), a).reasons() == a.reasons());
  CHECK(sigmax::assumptions().empty());
}
