// SPDX-License-Identifier: MIT
// spectral_normalize, spectral_hammer and spectral_weight_decay against an SVD in long double.
#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#if __has_include(<boost/multiprecision/cpp_bin_float.hpp>)
#include <boost/multiprecision/cpp_bin_float.hpp>
#endif

#include <sigmax/certified/cholesky.hpp>
#include <sigmax/spectral/spectral_hammer.hpp>
#include <sigmax/spectral/spectral_normalize.hpp>
#include <sigmax/spectral/spectral_weight_decay.hpp>

#include "support/backends.hpp"
#include "support/spectra.hpp"

using sigmax::hammer_mode;
using sigmax::index_t;
using sigmax::matrix;
using sigmax::spectral_change;
using namespace sigmax::test;

namespace {

using values = std::vector<long double>;

/// Rounding: of the computation, and of the result to its storage. Relative to the larger of both norms.
template <class S>
long double slack(index_t m, index_t n) {
  auto const compute = static_cast<long double>(std::numeric_limits<sigmax::compute_t<S>>::epsilon());
  long double stored = compute;
  if constexpr (std::is_same_v<S, sigmax::bf16>) stored = 0x1p-8L;
  if constexpr (std::is_same_v<S, sigmax::f16>) stored = 0x1p-11L;
  return 4 * static_cast<long double>(std::max(m, n)) * compute +
         stored * std::sqrt(static_cast<long double>(std::min(m, n)));
}

/// Residuals at which the estimates of these tests stop: the error of what is compared is that of rounding and this.
template <class T>
T fine() {
  return static_cast<T>(std::sqrt(std::numeric_limits<T>::epsilon()) / 16);
}

/// The three functions with everything they can be told, on singular values in descending order and on matrices.
struct verb {
  char const* name;
  std::function<values(values, long double cap)> on_values;
  int mode;  // for `apply`
};

values hammered(values s, long double cap, std::size_t count, bool lowers_only) {
  for (std::size_t i = 0; i < std::min(count, s.size()); ++i) {
    if (s[i] > 1e-5L * s[0] && (!lowers_only || s[i] > cap)) s[i] = cap;
  }
  return s;
}

std::vector<verb> const verbs = {
    {"normalize",
     [](values s, long double cap) {
       long double const factor = std::min(1.0L, cap / s[0]);
       for (auto& sigma : s) sigma *= factor;
       return s;
     },
     0},
    {"normalize, exactly",
     [](values s, long double cap) {
       long double const factor = cap / s[0];
       for (auto& sigma : s) sigma *= factor;
       return s;
     },
     1},
    {"hammer", [](values s, long double cap) { return hammered(std::move(s), cap, 1, false); }, 2},
    {"hammer, one-sided", [](values s, long double cap) { return hammered(std::move(s), cap, 1, true); }, 3},
    {"hammer, three", [](values s, long double cap) { return hammered(std::move(s), cap, 3, false); }, 4},
    {"hammer, three, one-sided", [](values s, long double cap) { return hammered(std::move(s), cap, 3, true); }, 5},
    {"decay",
     [](values s, long double) {
       s[0] *= 0.75L;
       return s;
     },
     6},
};

template <class B, class A>
spectral_change apply(verb const& v, B const& on, A&& w, double cap, sigmax::workspace* scratch = nullptr) {
  using T = sigmax::compute_t<sigmax::detail::argument_value_t<A>>;
  T const tolerance = fine<T>();
  auto const mode = v.mode == 3 || v.mode == 5 ? hammer_mode::one_sided : hammer_mode::two_sided;
  switch (v.mode) {
    case 0:
      return spectral_normalize(on, w, {.sigma_max = cap, .tolerance = tolerance, .scratch = scratch});
    case 1:
      return spectral_normalize(on, w,
                                {.sigma_max = cap, .allow_below = false, .tolerance = tolerance, .scratch = scratch});
    case 2:
    case 3:
      return spectral_hammer(on, w, {.sigma_max = cap, .mode = mode, .tolerance = tolerance, .scratch = scratch});
    case 4:
    case 5:
      return spectral_hammer(on, w,
                             {.sigma_max = cap, .mode = mode, .count = 3, .tolerance = tolerance, .scratch = scratch});
    default:
      return spectral_weight_decay(on, w, {.decay = 0.25, .tolerance = tolerance, .scratch = scratch});
  }
}

/// Checks the singular values of `after` against those `v` makes of `before`, and what was reported of them.
template <class S>
void check_values(verb const& v, exact const& before, exact const& after, double cap, spectral_change const& change) {
  auto const had = svd(before).sigma;
  auto const found = svd(after).sigma;
  auto wanted = v.on_values(had, cap);
  std::sort(wanted.begin(), wanted.end(), std::greater<>());
  long double const error = slack<S>(before.rows(), before.cols()) + static_cast<long double>(change.residual);
  long double const larger = std::max(had[0], wanted[0]);
  long double worst = 0;
  for (std::size_t i = 0; i < had.size(); ++i) worst = std::max(worst, std::fabs(found[i] - wanted[i]));
  CHECK(change.converged);
  CHECK(worst <= error * larger);
  CHECK(std::fabs(change.sigma / had[0] - 1) <= error);
}

/// Singular values 1, 1/2, 1/4, ...: each has a direction of its own.
exact halving(index_t m, index_t n, std::uint64_t seed, long double scale = 1) {
  return with_singular_values(m, n, seed, [=](index_t i) { return std::ldexp(scale, -static_cast<int>(i)); });
}

}  // namespace

TEST_CASE_TEMPLATE("singular values become what they should", Case, SIGMAX_TEST_OWN_BACKENDS) {
  using T = typename Case::scalar;
  typename Case::backend const be;
  for (auto const& family : standard_spectra) {
    for (auto const& shape : standard_shapes) {
      auto const w = rounded<T>(of_spectrum(family, shape.rows, shape.cols, 3));
      for (auto const& v : verbs) {
        for (double const cap : {0.3, 2.0}) {
          INFO(std::string(v.name), ", ", std::string(family.name), ", ", shape.rows, " x ", shape.cols, ", cap ", cap);
          auto changed = w;
          auto const change = apply(v, be, changed, cap);
          check_values<T>(v, in_long_double(w), in_long_double(changed), cap, change);
        }
      }
    }
  }
}

TEST_CASE_TEMPLATE("singular vectors stay", Case, SIGMAX_TEST_OWN_BACKENDS) {
  using T = typename Case::scalar;
  typename Case::backend const be;
  for (auto const& shape : {extents{40, 28}, {28, 40}}) {
    auto const w = rounded<T>(halving(shape.rows, shape.cols, 5));
    auto const truth = svd(w);
    for (auto const& v : verbs) {
      INFO(std::string(v.name), ", ", shape.rows, " x ", shape.cols);
      auto changed = w;
      double const cap = 0.6;
      auto const change = apply(v, be, changed, cap);
      auto with_new_values = truth;
      with_new_values.sigma = v.on_values(truth.sigma, cap);
      auto const wanted = with_new_values.apply([](long double sigma) { return sigma; });
      // The gaps between the leading values are halves, so the error of the vectors is that of residuals, some times
      // over.
      CHECK(spectral_norm(difference(in_long_double(changed), wanted)) <=
            slack<T>(shape.rows, shape.cols) + 16 * static_cast<long double>(change.residual));
    }
  }
}

#if defined(SIGMAX_TEST_HAS_EIGEN)
// The other two on Eigen's backend would double the compile time of this file; their products are those of
// block_lanczos.
TEST_CASE_TEMPLATE("on Eigen's backend", Case, SIGMAX_TEST_EIGEN_BACKENDS) {
  using T = typename Case::scalar;
  for (auto const& shape : standard_shapes) {
    auto const w = rounded<T>(halving(shape.rows, shape.cols, 3));
    auto changed = w;
    auto const change =
        spectral_weight_decay(typename Case::backend{}, changed, {.decay = 0.25, .tolerance = fine<T>()});
    check_values<T>(verbs.back(), in_long_double(w), in_long_double(changed), 1, change);
  }
}
#endif

TEST_CASE_TEMPLATE("every storage and layout, and f(W^T) = f(W)^T", S, float, double, sigmax::bf16, sigmax::f16,
                   long double) {
  sigmax::default_backend<S> const be;
  for (auto const& shape : {extents{8, 11}, {1, 5}, {5, 1}}) {
    auto const w = rounded<S>(halving(shape.rows, shape.cols, 7));
    exact const before = in_long_double(w);
    for (auto const& v : verbs) {
      auto reference = w;
      apply(v, be, reference, 0.3);
      INFO(std::string(v.name));
      for_each_layout(w, [&](auto view) {
        auto const change = apply(v, be, view, 0.3);
        check_values<S>(v, before, in_long_double(view), 0.3, change);
        CHECK(spectral_distance(view, reference) <= 2 * slack<S>(shape.rows, shape.cols) + 32 * change.residual);
      });
    }
  }
}

// f(c W; c cap) = c f(W; cap), down to where W is subnormal and up to where its norm overflows.
TEST_CASE_TEMPLATE("every scale", S, float, double, sigmax::bf16) {
  sigmax::default_backend<S> const be;
  int const last = std::is_same_v<S, double> ? 1023 : 127;
  exact const w = halving(14, 10, 9);
  for (int const exponent : {-last - 3, -last + 3, -last / 2, -20, 20, last / 2, last - 1, last + 1}) {
    if (std::is_same_v<S, sigmax::bf16> && exponent < -last) continue;  // four bits are left of the largest element
    CAPTURE(exponent);
    exact scaled = w;
    for (index_t i = 0; i < w.size(); ++i) scaled.data()[i] = std::ldexp(w.data()[i], exponent);
    auto const stored = rounded<S>(scaled);
    exact const unscaled_before = [&] {
      exact result = in_long_double(stored);
      for (index_t i = 0; i < w.size(); ++i) result.data()[i] = std::ldexp(result.data()[i], -exponent);
      return result;
    }();
    for (auto const& v : verbs) {
      INFO(std::string(v.name));
      auto changed = stored;
      double const cap = std::ldexp(0.3, exponent);
      auto change = apply(v, be, changed, cap);
      exact after = in_long_double(changed);
      for (index_t i = 0; i < w.size(); ++i) after.data()[i] = std::ldexp(after.data()[i], -exponent);
      // Subnormal numbers: half of the last bit each, 140 of them.
      change.residual += exponent < -last + 10 ? std::ldexp(6.0, -last - exponent - (last == 127 ? 22 : 51)) : 0.0;
      change.sigma = std::ldexp(change.sigma, -exponent / 2);
      change.sigma = std::ldexp(change.sigma, -exponent + exponent / 2);
      if (change.sigma < 10) {
        check_values<S>(v, unscaled_before, after, 0.3, change);
      } else {
        CHECK(exponent > last);  // 2^1024 is no double
      }
    }
  }
}

TEST_CASE("caps far from the matrix") {
  // 1e30 is no float in units of W.
  matrix<float> w(3, 2);
  w(0, 0) = 1e-30f;
  w(2, 1) = 1e-31f;
  auto high = w;
  CHECK(spectral_hammer(high, {.sigma_max = 1e30}).changed == 1);
  CHECK((std::fabs(high(0, 0) / 1e30f - 1) < 1e-6f && std::fabs(high(2, 1)) < 1e24f && high(1, 0) == 0));
  auto low = w;
  CHECK(spectral_hammer(low, {.sigma_max = 1e-40}).changed == 1);
  CHECK((std::fabs(low(0, 0) - 1e-40f) <= 2e-37f && low(2, 1) == 1e-31f));
  auto once = w;
  auto const change = spectral_normalize(once, {.sigma_max = 1e30, .allow_below = false});
  CHECK((std::fabs(once(0, 0) / 1e30f - 1) < 1e-6f && std::fabs(once(2, 1) / 1e29f - 1) < 1e-6f));
  CHECK(change.factor == doctest::Approx(1e60));
  CHECK(change.sigma == doctest::Approx(1e-30));
  for (double const far : {1e300, 1e39}) {
    auto same = w;
    CHECK(spectral_normalize(same, {.sigma_max = far}).changed == 0);
    CHECK(spectral_hammer(same, {.sigma_max = far, .mode = hammer_mode::one_sided}).changed == 0);
    CHECK((same(0, 0) == 1e-30f && same(2, 1) == 1e-31f));
    CHECK_THROWS_AS(spectral_hammer(same, {.sigma_max = far}), sigmax::numeric_error);
    CHECK_THROWS_AS(spectral_normalize(same, {.sigma_max = far, .allow_below = false}), sigmax::numeric_error);
    CHECK((same(0, 0) == 1e-30f && same(2, 1) == 1e-31f));
  }
  matrix<sigmax::f16> half(2, 2);
  half(0, 0) = sigmax::f16(1.0f);
  CHECK_THROWS_AS(spectral_hammer(half, {.sigma_max = 7e4}), sigmax::numeric_error);
  CHECK((half(0, 0) == sigmax::f16(1.0f) && half(0, 1) == sigmax::f16(0.0f)));
}

TEST_CASE_TEMPLATE("what is within the cap keeps every bit", S, float, double, sigmax::bf16, sigmax::f16) {
  auto const w = rounded<S>(gaussian(9, 7, 11));
  auto const is_same = [&](matrix<S> const& a) {
    return std::equal(w.data(), w.data() + w.size(), a.data(), [](S x, S y) { return x == y; });
  };
  for (double const cap : {20.0, 1e30}) {
    auto const a = spectrally_normalized(w, {.sigma_max = cap});
    auto const b = spectrally_hammered(w, {.sigma_max = cap, .mode = hammer_mode::one_sided, .count = 4});
    CHECK((is_same(a) && is_same(b)));
  }
  CHECK(is_same(spectrally_decayed(w, {.decay = 0})));
  CHECK_FALSE(is_same(spectrally_decayed(w, {.decay = 1})));
}

TEST_CASE("the cap in the norm of tokens is sigma_max sqrt(rows / cols)") {
  for (auto const& shape : {extents{12, 3}, {3, 12}}) {
    auto const w = rounded<double>(halving(shape.rows, shape.cols, 13, 8));
    double const cap = shape.rows > shape.cols ? 3.0 : 0.75;
    auto const a = spectrally_normalized(w, {.sigma_max = 1.5, .norm = sigmax::norm::rms});
    auto const b = spectrally_hammered(w, {.sigma_max = 1.5, .norm = sigmax::norm::rms, .count = 3});
    CHECK(std::fabs(spectral_norm(in_long_double(a)) - cap) <= 1e-14L);
    CHECK(std::fabs(svd(b).sigma[2] - cap) <= 1e-14L);
  }
}

TEST_CASE_TEMPLATE("certified: the cap is proven of what is stored", S, float, double, sigmax::bf16, sigmax::f16) {
  for (double const cap : {1.0, 0.1, 3.3}) {
    for (bool const allow_below : {true, false}) {
      auto const w = rounded<S>(of_spectrum(standard_spectra[0], 20, 33, 15, 2));
      auto changed = w;
      auto const change =
          spectral_normalize(changed, {.sigma_max = cap, .allow_below = allow_below, .certified = true});
      CHECK(sigmax::prove_norm_at_most(changed, cap));
      long double const norm = spectral_norm(in_long_double(changed));
      CHECK(norm <= static_cast<long double>(cap));
      long double const before = spectral_norm(in_long_double(w));
      CHECK(change.sigma == doctest::Approx(static_cast<double>(before)));
      CHECK(static_cast<long double>(change.factor) * before ==
            doctest::Approx(static_cast<double>(norm)).epsilon(0.02));
      if (!allow_below || before > cap) CHECK(norm >= 0.98L * static_cast<long double>(cap));
      CHECK((change.changed == 20) == (!allow_below || before > cap));
    }
  }
}

// W (I - a v v^T) for any unit v: however poor the estimate is, nothing grows.
TEST_CASE("a poor estimate makes no singular value larger") {
  auto const w = rounded<double>(gaussian(24, 18, 17));
  auto const before = svd(w).sigma;
  for (index_t const steps : {1, 2}) {
    for (std::uint64_t seed = 0; seed < 5; ++seed) {
      auto const a = spectrally_decayed(w, {.decay = 0.5, .max_iterations = steps, .seed = seed});
      auto const b = spectrally_hammered(
          w, {.sigma_max = 1, .mode = hammer_mode::one_sided, .max_iterations = steps, .seed = seed});
      for (auto const& after : {svd(a).sigma, svd(b).sigma}) {
        bool grew = false;
        for (std::size_t i = 0; i < before.size(); ++i) grew = grew || after[i] > before[i] * (1 + 1e-15L);
        CHECK_FALSE(grew);
        CHECK(after[0] + after[17] < before[0] + before[17]);
      }
    }
  }
  auto const change = spectral_weight_decay(rounded<double>(gaussian(24, 18, 17)), {.decay = 0.5, .max_iterations = 1});
  CHECK((!change.converged && change.residual > 1e-3 && change.iterations == 1));
}

TEST_CASE_TEMPLATE("a warm start continues, and notices who has overtaken", T, float, double) {
  matrix<T> w = rounded<T>(gaussian(60, 44, 19));
  sigmax::vector<T> u(60);
  sigmax::vector<T> v(44);
  // A v of zeros starts cold.
  auto const cold = spectral_weight_decay(w, {.decay = 0, .warm_start = true, .u = u.view(), .v = v.view()});
  auto const warm = spectral_weight_decay(w, {.decay = 0, .warm_start = true, .u = u.view(), .v = v.view()});
  CHECK((cold.converged && warm.converged && warm.iterations < cold.iterations));
  CHECK(warm.sigma == doctest::Approx(cold.sigma).epsilon(1e-6));
  auto const top = svd(w);
  long double along = 0;
  for (index_t j = 0; j < 44; ++j) along += static_cast<long double>(v[j]) * top.v(j, 0);
  CHECK(std::fabs(along) == doctest::Approx(1).epsilon(1e-3));

  // diag(1, 1/2, ...): the old direction is an exact singular vector, orthogonal to the new leader.
  for (index_t const count : {1, 3}) {
    matrix<T> diagonal(30, 30);
    for (index_t i = 0; i < 30; ++i) diagonal(i, i) = T(1) / T(i + 1);
    diagonal(25, 25) = T(2);
    matrix<T> old(30, count);
    for (index_t k = 0; k < count; ++k) old(k, k) = T(1);
    auto const change = spectral_hammer(
        diagonal,
        {.sigma_max = 0.25, .mode = hammer_mode::one_sided, .count = count, .warm_start = true, .v = old.view()});
    CAPTURE(count);
    CHECK(change.sigma == doctest::Approx(2).epsilon(1e-5));
    CHECK(static_cast<double>(diagonal(25, 25)) == doctest::Approx(0.25).epsilon(1e-3));
  }
}

TEST_CASE("batches: as one by one, and one report") {
  std::vector<matrix<float>> batch;
  for (auto const& shape : {extents{6, 9}, {9, 6}, {4, 4}, {1, 7}}) {
    batch.push_back(rounded<float>(gaussian(shape.rows, shape.cols, 21)));
  }
  batch.emplace_back(3, 3);
  batch.emplace_back(0, 3);
  sigmax::cpu::simd<> const be;
  for (auto const& v : verbs) {
    INFO(std::string(v.name));
    auto together = batch;
    auto const all = apply(v, be, together, 2.0);
    spectral_change expected{.factor = 100};
    for (std::size_t b = 0; b < batch.size(); ++b) {
      auto alone = batch[b];
      auto const one = apply(v, be, alone, 2.0);
      CHECK(std::equal(alone.data(), alone.data() + alone.size(), together[b].data()));
      expected.sigma = std::max(expected.sigma, one.sigma);
      expected.residual = std::max(expected.residual, one.residual);
      expected.iterations += one.iterations;
      expected.changed += one.changed;
      if (b < 4) expected.factor = std::min(expected.factor, one.factor);
    }
    CHECK((all.sigma == expected.sigma && all.residual == expected.residual && all.converged));
    CHECK((all.iterations == expected.iterations && all.changed == expected.changed && all.factor == expected.factor));
  }
  // A strided batch in a larger buffer.
  auto const w = rounded<double>(gaussian(12, 5, 23));
  auto tensor = w;
  sigmax::strided_batch<double> const three(sigmax::matrix_view<double>(tensor.data(), 4, 4, 5, 1), 3, 20);
  CHECK(spectral_normalize(three, {.sigma_max = 0.5}).changed == 12);
  for (index_t b = 0; b < 3; ++b) {
    CHECK(spectral_norm(in_long_double(three[b])) == doctest::Approx(0.5));
    for (index_t i = 0; i < 4; ++i) CHECK(tensor(4 * b + i, 4) == w(4 * b + i, 4));
  }
}

TEST_CASE("matrices without a direction stay as they are") {
  sigmax::cpu::simd<> const be;
  for (auto const& v : verbs) {
    for (auto const& shape : {extents{3, 4}, {0, 4}, {4, 0}, {0, 0}}) {
      matrix<double> w(shape.rows, shape.cols);
      auto const change = apply(v, be, w, 1.0);
      CHECK((change.converged && change.changed == 0 && change.sigma == 0 && change.factor == 1));
      CHECK(std::all_of(w.data(), w.data() + w.size(), [](double x) { return x == 0; }));
    }
  }
  // Two directions of five: the other three stay zero.
  auto const w = rounded<double>(with_singular_values(9, 5, 25, [](index_t i) { return i < 2 ? 1.0L : 0.0L; }));
  auto changed = w;
  CHECK(spectral_hammer(changed, {.sigma_max = 3, .count = 9}).changed == 2);
  auto const after = svd(changed).sigma;
  CHECK((std::fabs(after[1] - 3) <= 1e-14L && after[2] <= 1e-14L));
}

TEST_CASE("a workspace that was used once is large enough, and storage is used in place") {
  sigmax::workspace scratch;
  auto const w = rounded<float>(gaussian(40, 30, 27));
  auto const wide = rounded<sigmax::bf16>(gaussian(30, 40, 27));
  sigmax::cpu::simd<> const be;
  for (int round = 0; round < 2; ++round) {
    for (auto const& v : verbs) {
      auto a = w;
      auto b = wide;
      apply(v, be, a, 0.3, &scratch);
      apply(v, be, b, 0.3, &scratch);
    }
    scratch.freeze();  // growing is std::bad_alloc from here
  }
  matrix<float> u(40, 2);
  matrix<float> v(30, 2);
  auto a = w;
  spectral_hammer(a, {.sigma_max = 1, .count = 2, .u = u.view(), .v = v.view(), .scratch = &scratch});
  auto const truth = svd(w);
  for (index_t k = 0; k < 2; ++k) {
    long double along = 0;
    for (index_t j = 0; j < 30; ++j) along += static_cast<long double>(v(j, k)) * truth.v(j, k);
    CHECK(std::fabs(along) == doctest::Approx(1).epsilon(1e-3));
  }
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

}  // namespace

TEST_CASE("what cannot be done is refused by name, and nothing is written") {
  auto w = rounded<double>(gaussian(4, 3, 29));
  auto const before = w;
  sigmax::vector<double> five(5);
  matrix<double> five_by_two(5, 2);
  auto const domain = [&](auto const& f) { return refusal<sigmax::domain_error>(f); };
  for (double const bad : {0.0, -1.0, std::nan(""), std::numeric_limits<double>::infinity()}) {
    CHECK(domain([&] { spectral_normalize(w, {.sigma_max = bad}); }).starts_with("spectral_normalize: sigma_max is"));
    CHECK(domain([&] { spectral_hammer(w, {.sigma_max = bad}); }).starts_with("spectral_hammer: sigma_max is"));
  }
  auto const linf = sigmax::norm::linf;
  CHECK(domain([&] {
          spectral_normalize(w, {.sigma_max = 1, .norm = linf});
        }).starts_with("spectral_normalize: norm is linf"));
  CHECK(
      domain([&] { spectral_hammer(w, {.sigma_max = 1, .norm = linf}); }).starts_with("spectral_hammer: norm is linf"));
  for (double const bad : {-0.1, 1.1, std::nan("")}) {
    CHECK(domain([&] { spectral_weight_decay(w, {.decay = bad}); }).starts_with("spectral_weight_decay: decay is"));
  }
  CHECK(domain([&] { spectral_hammer(w, {.sigma_max = 1, .count = 0}); }).starts_with("spectral_hammer: count is 0"));
  CHECK(domain([&] {
          spectral_normalize(w, {.sigma_max = 1, .warm_start = true});
        }).starts_with("spectral_normalize: warm_start is set but v is empty"));
  CHECK(domain([&] {
          spectral_hammer(w, {.sigma_max = 1, .max_iterations = -1});
        }).starts_with("spectral_hammer: max_iterations is -1"));
  CHECK(refusal<sigmax::shape_error>([&] {
          spectral_weight_decay(w, {.decay = 1, .u = five.view()});
        }).starts_with("spectral_weight_decay: u has 5 elements; W has 4 rows"));
  CHECK(refusal<sigmax::shape_error>([&] {
          spectral_hammer(w, {.sigma_max = 1, .v = five_by_two.view()});
        }).starts_with("spectral_hammer: u or v has 2 columns; count is 1"));
  CHECK(refusal<sigmax::shape_error>([&] {
          spectral_hammer(w, {.sigma_max = 1, .count = 2, .v = five_by_two.view()});
        }).starts_with("spectral_hammer: v has 5 elements; W has 3 columns"));
  for (index_t i = 0; i < w.size(); ++i) CHECK(w.data()[i] == before.data()[i]);

  std::vector<matrix<double>> batch = {before, before, before};
  CHECK(domain([&] {
          spectral_weight_decay(batch, {.decay = 1, .v = five.view()});
        }).starts_with("spectral_weight_decay: u, v or warm_start is set for a batch"));
  sigmax::cpu::simd<> const be;
  for (double const bad : {std::nan(""), -std::numeric_limits<double>::infinity()}) {
    batch[2](3, 2) = bad;
    for (auto const& v : verbs) {
      INFO(std::string(v.name));
      CHECK(refusal<sigmax::numeric_error>([&] { apply(v, be, batch, 0.1); }).find("nothing was written") !=
            std::string::npos);
      CHECK(std::equal(before.data(), before.data() + before.size(), batch[0].data()));
      for (index_t j = 0; j < 3; ++j) five[j] = j == 1 ? bad : 1;
    }
    CHECK(domain([&] {
            spectral_weight_decay(w, {.decay = 1, .warm_start = true, .v = five.view().segment(0, 3)});
          }).starts_with("spectral_weight_decay: v is a warm start"));
  }
  matrix<long double> unprovable(2, 2);
  unprovable(0, 0) = 4;
  CHECK(refusal<sigmax::unsupported_error>([&] {
          spectral_normalize(unprovable, {.sigma_max = 1, .certified = true});
        }).starts_with("spectral_normalize: certified is set"));
  CHECK(unprovable(0, 0) == 4);
}

#if __has_include(<boost/multiprecision/cpp_bin_float.hpp>)
// H diag(3, 3, 1) for a Householder reflection H: a double singular value, known to all digits.
TEST_CASE("fifty digits") {
  using scalar = boost::multiprecision::number<boost::multiprecision::cpp_bin_float<50>, boost::multiprecision::et_off>;
  auto const made = [](scalar const& first, scalar const& second, scalar const& third) {
    matrix<scalar> w(3, 3);
    for (index_t i = 0; i < 3; ++i) {
      for (index_t j = 0; j < 3; ++j) {
        scalar const h = scalar(i == j ? 1 : 0) - scalar(2) / scalar(3);
        w(i, j) = scalar(h * (j == 0 ? first : j == 1 ? second : third));
      }
    }
    return w;
  };
  auto const distance = [](matrix<scalar> const& a, matrix<scalar> const& b) {
    scalar largest(0);
    for (index_t i = 0; i < 9; ++i) largest = std::max(largest, scalar(abs(scalar(a.data()[i] - b.data()[i]))));
    return largest;
  };
  scalar const half(0.5);
  auto const w = made(scalar(3), scalar(3), scalar(1));
  auto const two = spectrally_hammered(w, {.sigma_max = 0.5, .count = 2});
  CHECK(distance(two, made(half, half, scalar(1))) <= scalar("1e-45"));
  auto const normalized = spectrally_normalized(w, {.sigma_max = 0.75});
  CHECK(distance(normalized, made(scalar(0.75), scalar(0.75), scalar(0.25))) <= scalar("1e-45"));
  auto const tolerance = scalar("1e-45");
  auto const decayed =
      spectrally_decayed(made(scalar(3), scalar(2), scalar(1)), {.decay = 0.5, .tolerance = tolerance});
  CHECK(distance(decayed, made(scalar(1.5), scalar(2), scalar(1))) <= scalar("1e-44"));
}
#endif
