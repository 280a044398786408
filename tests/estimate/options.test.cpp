// SPDX-License-Identifier: MIT
// Starts, seeds, limits and errors of both estimators.
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "estimate/cases.hpp"

using sigmax::index_t;
using sigmax::matrix;
using sigmax::singular_estimate;
using sigmax::singular_estimate_options;
using sigmax::vector;
using namespace sigmax::test;

TEST_CASE_TEMPLATE("a warm start continues from the caller's storage and leaves its result there", Case,
                   SIGMAX_TEST_ESTIMATES) {
  using T = typename Case::scalar;
  matrix<T> w(30, 20);
  sigmax::fill_normal(w.view(), 11);
  for (index_t i = 0; i < 20; ++i) w(i, i) += T(4);
  typename Case::backend const be;
  vector<T> u(30);
  vector<T> v(20);
  singular_estimate_options<T> options{.u = u.view(), .v = v.view()};
  auto const cold = Case::method::run(be, w, options);
  CHECK(cold.converged);
  CHECK((cold.u.data() == u.data() && cold.v.data() == v.data()));
  CHECK(std::fabs(length(u.view()) - 1) <= rounding<T>(30, 20));

  vector<T> const before = v;
  options.warm_start = true;
  auto const again = Case::method::run(be, w, options);
  CHECK(again.converged);
  CHECK(again.v.data() == v.data());
  CHECK(again.iterations < cold.iterations);
  CHECK(again.iterations <= 4);
  CHECK(std::fabs(static_cast<double>(again.sigma - cold.sigma)) <=
        square_root_of_roundoff<T>() * static_cast<double>(cold.sigma));

  // A start that is nowhere near, of any length, in strided storage: it must be read and overwritten.
  std::vector<T> memory(40, std::numeric_limits<T>::quiet_NaN());
  sigmax::vector_view<T> const strided(memory.data() + 38, 20, -2);
  for (index_t i = 0; i < 20; ++i) strided[i] = T(i == 0 ? 1e30f : 0.0f);
  auto const far = Case::method::run(be, w, singular_estimate_options<T>{.warm_start = true, .v = strided});
  CHECK(far.converged);
  CHECK(far.v.data() == memory.data() + 38);
  CHECK(far.u.data() != u.data());
  CHECK(std::fabs(length(strided) - 1) <= rounding<T>(30, 20));
  check_claims(w.view(), far);
  CHECK(std::isnan(static_cast<double>(memory[1])));
}

TEST_CASE_TEMPLATE("results are functions of the seed", Case, SIGMAX_TEST_ESTIMATES) {
  using T = typename Case::scalar;
  matrix<T> const w = with_a_leader<T>(9, 14, 13);
  typename Case::backend const be;
  // One sweep keeps the start visible.
  singular_estimate_options<T> options{.max_iterations = 1, .seed = 3};
  auto const first = Case::method::run(be, w, options);
  auto const second = Case::method::run(be, w, options);
  options.seed = 4;
  auto const other = Case::method::run(be, w, options);
  bool same = first.sigma == second.sigma && first.residual == second.residual;
  bool differs = false;
  for (index_t j = 0; j < 14; ++j) {
    same = same && first.v[j] == second.v[j];
    differs = differs || first.v[j] != other.v[j];
  }
  CHECK(same);
  CHECK(differs);
}

TEST_CASE_TEMPLATE("who runs out of iterations says so", Case, SIGMAX_TEST_ESTIMATES) {
  using T = typename Case::scalar;
  auto const w = gaussian<T>(20, 30, 17);
  for (index_t const limit : {1, 2, 3, 5}) {
    CAPTURE(limit);
    auto const estimate =
        Case::method::run(typename Case::backend{}, w, singular_estimate_options<T>{.max_iterations = limit});
    CHECK(estimate.iterations == limit);
    CHECK_FALSE(estimate.converged);
    CHECK(static_cast<double>(estimate.residual) > square_root_of_roundoff<T>());
  }
  // A tolerance no arithmetic reaches is never claimed to be reached.
  auto const strict = Case::method::run(typename Case::backend{}, w,
                                        singular_estimate_options<T>{.tolerance = std::numeric_limits<T>::min()});
  CHECK(strict.converged == (strict.residual <= std::numeric_limits<T>::min()));
  // A coarse one stops early.
  auto const coarse =
      Case::method::run(typename Case::backend{}, w, singular_estimate_options<T>{.tolerance = T(0.25)});
  CHECK((coarse.converged && coarse.residual <= T(0.25) && coarse.iterations < strict.iterations));
}

// The residual is that of the vectors which are returned, also when the iteration is cut short.
TEST_CASE_TEMPLATE("a run that is cut short returns the residual of what it returns", Case, SIGMAX_TEST_ESTIMATES) {
  using T = typename Case::scalar;
  matrix<T> w(2, 2);
  w(0, 0) = 10;
  w(1, 1) = 1;
  // Nearly the second singular vector: the first sweep leaves it, and its residual, far behind.
  vector<T> v(2);
  v[0] = T(1e-3f);
  v[1] = 1;
  auto const estimate =
      Case::method::run(typename Case::backend{}, w,
                        singular_estimate_options<T>{.max_iterations = 1, .warm_start = true, .v = v.view()});
  CHECK_FALSE(estimate.converged);
  check_claims(w.view(), estimate);
}

namespace {

template <class Error, class F>
std::string refusal(F const& f) {
  try {
    f();
  } catch (Error const& problem) {
    return problem.what();
  } catch (std::exception const& other) {
    return std::string("another exception: ") + other.what();
  }
  return "nothing was thrown";
}

bool contains(std::string const& text, std::string const& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE_TEMPLATE("bad options and bad numbers are refused by name", Case, SIGMAX_TEST_ESTIMATES) {
  using T = typename Case::scalar;
  using options = singular_estimate_options<T>;
  constexpr T nan_value = std::numeric_limits<T>::quiet_NaN();
  constexpr T endless = std::numeric_limits<T>::infinity();
  matrix<T> const w = with_a_leader<T>(4, 3, 19);
  typename Case::backend const be;
  std::string const name = Case::method::name;
  vector<T> two(2);
  vector<T> three(3);
  auto const shape = [&](options const& o) {
    return refusal<sigmax::shape_error>([&] { Case::method::run(be, w, o); });
  };
  auto const domain = [&](options const& o) {
    return refusal<sigmax::domain_error>([&] { Case::method::run(be, w, o); });
  };
  CHECK(contains(shape({.u = three.view()}), name + ": u has 3 elements; W has 4 rows"));
  CHECK(contains(shape({.v = two.view()}), name + ": v has 2 elements; W has 3 columns"));
  CHECK(contains(domain({.warm_start = true}), name + ": warm_start"));
  CHECK(contains(domain({.tolerance = nan_value}), name + ": tolerance"));
  CHECK(contains(domain({.tolerance = T(-1)}), name + ": tolerance"));
  CHECK(contains(domain({.max_iterations = -1}), name + ": max_iterations is -1"));
  CHECK(contains(domain({.warm_start = true, .v = three.view()}), name + ": v is a warm start that is zero"));
  for (T const bad : {nan_value, endless, T(-endless)}) {
    for (index_t i = 0; i < 3; ++i) three[i] = 1;
    three[1] = bad;
    CHECK(contains(domain({.warm_start = true, .v = three.view()}), "not finite"));
    for (index_t const place : {0, 5, 11}) {
      matrix<T> broken = w;
      broken.data()[place] = bad;
      CHECK(contains(refusal<sigmax::numeric_error>([&] { Case::method::run(be, broken); }),
                     name + ": W has an element"));
    }
  }
  // The workspace survives a refusal.
  sigmax::workspace scratch;
  matrix<T> broken = w;
  broken(0, 0) = nan_value;
  CHECK_THROWS_AS(Case::method::run(be, broken, options{.scratch = &scratch}), sigmax::numeric_error);
  CHECK(Case::method::run(be, w, options{.scratch = &scratch}).converged);
}

// An estimate may be wrong, and these are the cases that show it: why no certificate is built on one.
TEST_CASE_TEMPLATE("a start orthogonal to what is looked for finds something else", Case, SIGMAX_TEST_ESTIMATES) {
  using T = typename Case::scalar;
  typename Case::backend const be;
  matrix<T> w(2, 2);  // [[1, -1], [2, -2]]: norm sqrt(10), and the start (1, 1) is in the null space
  w(0, 0) = 1;
  w(0, 1) = -1;
  w(1, 0) = 2;
  w(1, 1) = -2;
  vector<T> v(2);
  v[0] = v[1] = 1;
  auto const blind = Case::method::run(be, w, singular_estimate_options<T>{.warm_start = true, .v = v.view()});
  CHECK(blind.sigma <= std::numeric_limits<T>::epsilon());
  CHECK_FALSE(blind.converged);

  matrix<T> d(2, 2);  // diag(2, 1), started at the second axis: converged, to the wrong singular value
  d(0, 0) = 2;
  d(1, 1) = 1;
  v[0] = 0;
  v[1] = 1;
  auto const wrong = Case::method::run(be, d, singular_estimate_options<T>{.warm_start = true, .v = v.view()});
  CHECK(wrong.converged);
  CHECK(wrong.sigma == 1);
}

// A start in the direction of a tiny singular value has a Gram eigenvalue near the end of the exponent range.
TEST_CASE_TEMPLATE("whatever the start, the result is finite and its vectors are unit vectors", Case,
                   SIGMAX_TEST_ESTIMATES) {
  using T = typename Case::scalar;
  int const last = std::numeric_limits<T>::min_exponent;
  for (int exponent = -1; exponent > last; --exponent) {
    matrix<T> w(2, 2);
    w(0, 0) = 1;
    w(1, 1) = std::ldexp(T(1), exponent);
    vector<T> v(2);
    v[1] = 1;
    auto const estimate =
        Case::method::run(typename Case::backend{}, w, singular_estimate_options<T>{.warm_start = true, .v = v.view()});
    CAPTURE(exponent);
    REQUIRE(std::isfinite(estimate.sigma));
    REQUIRE(std::fabs(length(estimate.v) - 1) <= rounding<T>(2, 2));
    REQUIRE(std::fabs(length(estimate.u) - 1) <= rounding<T>(2, 2));
  }
}

// With a tolerance nobody reaches, only the limit stops a run; a basis of n vectors has seen all there is.
TEST_CASE_TEMPLATE("lanczos stops at 2 sqrt(min(m, n)) + 60 steps, and at n", B, sigmax::cpu::scalar,
                   sigmax::cpu::simd<>) {
  singular_estimate_options<double> options{.tolerance = std::numeric_limits<double>::denorm_min()};
  struct shape_and_steps {
    index_t rows, cols, steps;
  };
  shape_and_steps const cases[] = {{100, 200, 60 + 20}, {200, 100, 60 + 20}, {90, 90, 60 + 18},
                                   {200, 30, 30},       {3, 2, 2},           {5, 1, 1}};
  for (auto const& expected : cases) {
    auto const w = gaussian<double>(expected.rows, expected.cols, 23);
    auto const estimate = sigmax::lanczos(B{}, w, options);
    CAPTURE(expected.rows);
    CAPTURE(expected.cols);
    CHECK(estimate.iterations == expected.steps);
    check_claims(w.view(), estimate);
  }
  // Rank 49: the 50th vector would be rounding errors.
  CHECK(sigmax::lanczos(B{}, gaussian<double>(49, 200, 23), options).iterations <= 52);
  options.max_iterations = 7;
  CHECK(sigmax::lanczos(B{}, gaussian<double>(100, 200, 29), options).iterations == 7);
}

TEST_CASE_TEMPLATE("close leading singular values cost lanczos far fewer sweeps than power iteration", B,
                   sigmax::cpu::scalar, sigmax::cpu::simd<>) {
  matrix<double> w(60, 60);
  for (index_t i = 0; i < 60; ++i) w(i, i) = 1 - 0.004 * static_cast<double>(i);
  auto const slow = sigmax::power_iteration(B{}, w, {.tolerance = 1e-6, .max_iterations = 5000});
  auto const fast = sigmax::lanczos(B{}, w, {.tolerance = 1e-6});
  CHECK((slow.converged && fast.converged));
  CHECK(std::fabs(slow.sigma - 1) <= 1e-6);
  CHECK(std::fabs(fast.sigma - 1) <= 1e-6);
  CHECK(10 * fast.iterations < slow.iterations);
}

TEST_CASE("estimates move and do not copy; their vectors stay valid") {
  static_assert(!std::is_copy_constructible_v<singular_estimate<double>>);
  static_assert(!std::is_copy_assignable_v<singular_estimate<double>>);
  matrix<double> const w = with_a_leader<double>(5, 6, 31);
  auto original = sigmax::lanczos(w);
  double const first = original.v[0];
  singular_estimate<double> moved = std::move(original);
  CHECK(moved.v[0] == first);
  check_claims(w.view(), moved);
  moved = sigmax::power_iteration(w);
  check_claims(w.view(), moved);
}

TEST_CASE("an estimate is no bound, and long double is a scalar like others") {
  matrix<long double> w(3, 3);
  for (index_t i = 0; i < 3; ++i) w(i, i) = static_cast<long double>(i + 1);
  CHECK(std::fabs(static_cast<double>(sigmax::lanczos(w).sigma - 3.0L)) <= 1e-15);
  CHECK(std::fabs(static_cast<double>(sigmax::power_iteration(w).sigma - 3.0L)) <= 1e-9);
}
