// SPDX-License-Identifier: MIT
/// @file
/// One body for every matrix on which the certified norms are judged by the 200-bit oracle.
#pragma once

#include <cmath>
#include <cstdio>
#include <limits>
#include <map>
#include <string>

#include <Eigen/Dense>

#include <sigmax/certified/cholesky.hpp>
#include <sigmax/certified/gram.hpp>
#include <sigmax/certified/spectral_norm.hpp>

#include "support/oracle.hpp"
#include "support/singular_values.hpp"

/// What went wrong, counted by kind, and how wide the enclosures were.
struct verdicts {
  struct group {
    int cases = 0;
    double widest_gap = 0;
  };
  std::map<std::string, group> groups;
  int cases = 0;
  int lower_violations = 0;
  int upper_violations = 0;
  int gram_violations = 0;
  int cheap_violations = 0;
  int false_proofs = 0;
  int missed_proofs = 0;
  int wide_gaps = 0;
  int oracle_misses = 0;
  int levels_tried = 0;
  std::string first_failure;

  int failures() const {
    return lower_violations + upper_violations + gram_violations + cheap_violations + false_proofs + missed_proofs +
           wide_gaps + oracle_misses;
  }

  void count(bool failed, int& counter, std::string const& what) {
    if (!failed) return;
    ++counter;
    if (first_failure.empty()) first_failure = what;
  }

  /// A double below the norm and within a relative 1e-13 of it, by inertia tests.
  static double bisected(oracle::spectral_norm const& truth, double lower, double upper) {
    while (std::isfinite(upper) && upper - lower > 1e-13 * upper) {
      double const middle = lower + (upper - lower) / 2;
      if (!(lower < middle && middle < upper)) break;
      (truth.is_at_least(middle) ? lower : upper) = middle;
    }
    return lower;
  }

  /// The same estimated by a singular value decomposition in double, for matrices of moderate scale.
  template <class M>
  static double singular_value(M const& w) {
    Eigen::MatrixXd a(w.rows(), w.cols());
    for (sigmax::index_t i = 0; i < w.rows(); ++i) {
      for (sigmax::index_t j = 0; j < w.cols(); ++j) a(i, j) = static_cast<double>(w(i, j));
    }
    return oracle::largest_singular_value(a);
  }

  /// Judges one matrix of any storage. `small` brings in the bounds besides the enclosure and the sharpest level.
  template <class M>
  void judge(std::string const& group_name, std::string const& name, M const& w, bool small) {
    oracle::spectral_norm const truth(w);
    auto const box = sigmax::certified_spectral_norm(w);
    double const tiny = 4 * std::numeric_limits<double>::denorm_min();
    std::string const what = group_name + ", " + name + ", " + std::to_string(w.rows()) + " x " +
                             std::to_string(w.cols()) + " of " + std::to_string(sizeof(sigmax::value_t<M>)) + " bytes";
    count(!truth.is_at_least(box.lower()), lower_violations, what + ": lower end above the norm");
    count(!truth.is_at_most(box.upper()), upper_violations, what + ": upper end below the norm");
    count(!(box.width() <= std::fmax(1e-7 * box.upper(), tiny)), wide_gaps, what + ": gap wider than asked");
    // `below` is at most the norm by the oracle and within 1e-13 of it, so 1e-12 less must not be provable.
    double const below = small ? bisected(truth, box.lower(), box.upper()) : singular_value(w);
    count(!truth.is_at_least(below * (1 - 1e-12)), oracle_misses, what + ": the level of the false proof is not false");
    if (below > 1e-300) {
      count(sigmax::prove_norm_at_most(w, below * (1 - 1e-12)), false_proofs, what + ": false proof");
      ++levels_tried;
    }
    count(!sigmax::prove_norm_at_most(w, box.upper() * (1 + 1e-6) + tiny), missed_proofs, what + ": missed proof");
    if (small) {
      for (int const squarings : {0, 3, 30}) {
        count(!truth.is_at_most(sigmax::gram_bound(w, {.squarings = squarings}).value()), gram_violations,
              what + ": Gram bound below the norm");
      }
      count(!truth.is_at_most(sigmax::frobenius_bound(w).value()) ||
                !truth.is_at_most(sigmax::schur_bound(w).value()) ||
                !truth.is_at_most(sigmax::collatz_bound(w).value()),
            cheap_violations, what + ": cheap bound below the norm");
    }
    auto& entry = groups[group_name];
    ++entry.cases;
    ++cases;
    if (box.width() > tiny) entry.widest_gap = std::fmax(entry.widest_gap, box.width() / box.upper());
  }

  void print(char const* title) const {
    std::printf("%s: %d matrices against 200-bit inertia tests\n", title, cases);
    for (auto const& [name, entry] : groups) {
      std::printf("  %-28s %6d cases   widest relative gap %.2e\n", name.c_str(), entry.cases, entry.widest_gap);
    }
    std::printf("  proofs of 1e-12 below the norm: %d tried, %d went through\n", levels_tried, false_proofs);
    std::printf(
        "  violations: lower %d, upper %d, Gram %d, cheap %d; false proofs %d, missed proofs %d, wide gaps %d\n",
        lower_violations, upper_violations, gram_violations, cheap_violations, false_proofs, missed_proofs, wide_gaps);
    std::fflush(stdout);
  }
};
