// SPDX-License-Identifier: MIT
/// @file
/// What a schedule does to singular values, and what it costs.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include <sigmax/bound/interval.hpp>
#include <sigmax/polynomial/polynomial_schedule.hpp>

namespace polynomials_program {

/// What singular values are to become: 1 (polar factor), or min(1, x).
enum class target : unsigned char { one, cap };

/// A schedule to look at.
struct candidate {
  /// Printable.
  std::string name;
  /// "preset", "generated" or "file".
  char const* source;
  sigmax::polynomial_schedule schedule;
  target aim = target::one;
};

/// |target - p| <= value on [from, upper].
struct error_from {
  double from;
  double value;
};

/// p maps [*from, upper] into [1 - band, 1 + band]; no `from` if it does so nowhere.
struct reach {
  double band;
  std::optional<double> from = {};
};

/// Units of m^3 FLOPs for an m x aspect m matrix in float, symmetric results at half price.
struct cost {
  int aspect;
  /// Every step on X; one Gram matrix for all steps, whatever rounding does to it; what the library runs.
  double standard;
  double gram;
  double planned;
  /// How often the planned form forms X X^T.
  int segments;
};

struct analysis {
  candidate what;
  double lower;
  double upper;
  /// Why the schedule must not be used on [0, upper]; empty if it may.
  std::string refusal = {};

  /// Proven, for p in real arithmetic with the stored coefficients: range on [lower, upper], errors from `lower` and
  /// the decades above it, reach, and the largest u to a relative 1e-9 for which p([1, u]) stays in [0.2, 1.8].
  sigmax::interval range = {};
  std::vector<error_from> errors = {};
  std::array<reach, 3> reaches{{{0.5}, {0.3}, {0.1}}};
  std::optional<double> u_max = {};

  /// Seen in floating point at `samples` points of [lower, upper], at equal ratios.
  static constexpr int samples = 4096;
  sigmax::interval sampled = {};

  std::vector<cost> costs = {};
};

/// min(1, x), or 1.
constexpr double aimed_at(target aim, double x) { return aim == target::cap && x < 1 ? x : 1.0; }

/// The analysis on [lower, upper]. Precondition: 0 < lower < upper, both finite.
analysis analyse(candidate const& what, double lower, double upper);

}  // namespace polynomials_program
