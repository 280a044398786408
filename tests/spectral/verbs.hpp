// SPDX-License-Identifier: MIT
/// @file
/// Every spectral function with fixed options, as a type: how it is called, what it does to a singular value, how far
/// from that it may be. All are made for matrices with singular values from scale / 4 to 5 / 4 scale.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <tuple>

#include <sigmax/core/workspace.hpp>
#include <sigmax/polynomial/schedules.hpp>
#include <sigmax/spectral/apply_polynomial.hpp>
#include <sigmax/spectral/hard_cap.hpp>
#include <sigmax/spectral/orthogonalize.hpp>
#include <sigmax/spectral/smooth_cap.hpp>
#include <sigmax/spectral/soft_cap.hpp>
#include <sigmax/spectral/spectral_clip.hpp>
#include <sigmax/spectral/spectral_function.hpp>
#include <sigmax/spectral/stiefel.hpp>

#include "spectral/figures.hpp"
#include "support/spectra.hpp"

namespace sigmax::test {

/// What all verbs share: the error besides rounding, relative to the largest singular value of the result, and rounding in
/// units of u of the scalar computed in.
struct verb_defaults {
  static constexpr double tolerance = 0;
  static constexpr double rounding = 20;
  /// Computed in double where W is float.
  static constexpr bool in_double = false;
  /// For any scale; the others for 1 alone.
  static constexpr bool any_scale = true;
};

namespace verbs {

struct polar : verb_defaults {
  static constexpr char const* name = "orthogonalize";
  static long double value(long double, long double) { return 1; }
  template <class B, class A>
  static void run(B const& on, A&& w, double, workspace* scratch = nullptr) {
    orthogonalize(on, w, {.scratch = scratch});
  }
};

struct stiefel : verb_defaults {
  static constexpr char const* name = "project_to_stiefel";
  static long double value(long double, long double scale) { return scale * 0.75L; }
  template <class B, class A>
  static void run(B const& on, A&& w, double scale, workspace* scratch = nullptr) {
    project_to_stiefel(on, w, {.sigma_max = 0.75 * scale, .scratch = scratch});
  }
};

struct soft : verb_defaults {
  static constexpr char const* name = "soft_cap";
  static long double value(long double s, long double scale) {
    static long double const a = soft_cap_strength(1, 0.3);
    long double const x = s / scale;
    long double const inner = x - a * x * x * x;
    return scale * (inner + a * inner * inner * inner);
  }
  template <class B, class A>
  static void run(B const& on, A&& w, double scale, workspace* scratch = nullptr) {
    soft_cap(on, w, {.sigma_max = scale, .update_norm = 0.3 * scale, .scratch = scratch});
  }
};

template <hard_cap_path Path>
struct hard : verb_defaults {
  static constexpr char const* name = Path == hard_cap_path::polynomial  ? "hard_cap, polynomial"
                                      : Path == hard_cap_path::deflation ? "hard_cap, deflation"
                                                                         : "hard_cap, eigenvectors";
  static constexpr double tolerance = 1e-5;
  static constexpr bool in_double = true;
  static long double value(long double s, long double scale) { return std::min(s, scale); }
  template <class B, class A>
  static void run(B const& on, A&& w, double scale, workspace* scratch = nullptr) {
    hard_cap(on, w, {.sigma_max = scale, .path = Path, .scratch = scratch});
  }
};

template <hard_cap_path Path>
struct clip : verb_defaults {
  static constexpr char const* name =
      Path == hard_cap_path::polynomial ? "spectral_clip, polynomial" : "spectral_clip, eigenvectors";
  static constexpr double tolerance = Path == hard_cap_path::polynomial ? 1e-5 : 0;
  static constexpr double rounding = 60;  // Jacobi's method
  static constexpr bool in_double = true;
  static long double value(long double s, long double scale) { return std::clamp(s, 0.5L * scale, scale); }
  template <class B, class A>
  static void run(B const& on, A&& w, double scale, workspace* scratch = nullptr) {
    spectral_clip(on, w, {.lower = 0.5 * scale, .upper = scale, .path = Path, .scratch = scratch});
  }
};

struct relu : verb_defaults {
  static constexpr char const* name = "spectral_relu";
  static constexpr double rounding = 60;
  static constexpr bool in_double = true;
  static long double value(long double s, long double scale) { return std::max(s, 0.75L * scale); }
  template <class B, class A>
  static void run(B const& on, A&& w, double scale, workspace* scratch = nullptr) {
    spectral_relu(on, w, {.threshold = 0.75 * scale, .scratch = scratch});
  }
};

struct smooth : verb_defaults {
  static constexpr char const* name = "smooth_cap";
  static constexpr double tolerance = 1e-6;
  static constexpr bool in_double = true;
  static long double value(long double s, long double scale) { return s / std::sqrt(1 + s / scale * (s / scale)); }
  template <class B, class A>
  static void run(B const& on, A&& w, double scale, workspace* scratch = nullptr) {
    smooth_cap(on, w, {.sigma_max = scale, .scratch = scratch});
  }
};

/// Three steps on [0, 1.5]: degree 3, 5 and 9.
struct polynomial : verb_defaults {
  static constexpr char const* name = "apply_polynomial";
  static constexpr bool any_scale = false;
  static constexpr polynomial_schedule schedule =
      polynomial_schedule("mixed", {{1, -0.125}, {1.5, -0.75, 0.25}, {1, 0.5, -0.5, 0.25, -0.0625}})
          .stating(0, 1.5, 0, 2);
  static long double value(long double s, long double) { return schedule(s); }
  template <class B, class A>
  static void run(B const& on, A&& w, double, workspace* scratch = nullptr) {
    apply_polynomial(on, w, schedule, {.scratch = scratch});
  }
};

/// x / (1 + x^2)
struct function : verb_defaults {
  static constexpr char const* name = "spectral_function";
  static constexpr double tolerance = 1e-9;
  static constexpr bool in_double = true;
  static long double value(long double s, long double scale) { return s / (1 + s / scale * (s / scale)); }
  template <class B, class A>
  static void run(B const& on, A&& w, double scale, workspace* scratch = nullptr) {
    (void)spectral_function(on, w, [=](double s) { return s / (1 + s / scale * (s / scale)); }, {.scratch = scratch});
  }
};

using all = std::tuple<polar, stiefel, soft, hard<hard_cap_path::eigenvectors>, hard<hard_cap_path::polynomial>,
                       hard<hard_cap_path::deflation>, clip<hard_cap_path::eigenvectors>,
                       clip<hard_cap_path::polynomial>, relu, smooth, polynomial, function>;

}  // namespace verbs

/// Calls body(verb) for every spectral function.
template <class F>
void for_each_verb(F const& body) {
  std::apply(
      [&](auto... verb) {
        auto const one = [&](auto v) {
          INFO(decltype(v)::name);
          body(v);
        };
        (one(verb), ...);
      },
      verbs::all{});
}

/// Singular values from 5 / 4 down to 1 / 4, times scale.
template <class S>
matrix<S> ordinary(index_t m, index_t n, std::uint64_t seed, long double scale = 1) {
  auto const r = static_cast<long double>(std::min(m, n));
  return rounded<S>(with_singular_values(
      m, n, seed, [=](index_t i) { return scale * (1.25L - static_cast<long double>(i) / std::max(r - 1, 1.0L)); }));
}

/// Checks a result of Verb for `w` against the exact one: its own tolerance, rounding, and storage.
template <class Verb, class S, class M>
void see_result(figure& error, matrix<S> const& w, M const& result, double scale) {
  using T = compute_t<S>;
  auto const level = static_cast<long double>(scale);
  exact const expected = apply_to_singular_values(w, [=](long double s) { return Verb::value(s, level); });
  long double const size = spectral_norm(expected);
  double const u = Verb::in_double && std::is_same_v<T, float> ? 0x1p-53 : roundoff<T>();
  auto const elements = static_cast<double>(w.size());
  auto const rank = static_cast<double>(std::min(w.rows(), w.cols()));
  // Nothing is rounded to less than the smallest number of the storage.
  double const spacing = std::is_same_v<S, f16> ? 0x1p-24 : static_cast<double>(std::numeric_limits<T>::denorm_min());
  double const relative = Verb::tolerance + Verb::rounding * u + roundoff<S>() * std::sqrt(rank);
  error.see(spectral_distance(result, expected) / size,
            relative + static_cast<double>(spacing / size) * std::sqrt(elements));
}

}  // namespace sigmax::test
