// SPDX-License-Identifier: MIT
/// @file
/// One row of the table: a piece of work that sigmax and its peers do on the same matrix, one after the other.
#pragma once

#include <functional>
#include <limits>
#include <string>

#include <sigmax/core/scalar.hpp>

#include "harness/options.hpp"

namespace bench {

using sigmax::index_t;

/// What is done. The parts of its name, `work/variant/scalar/rows x cols/threads`, are what the table is sorted by.
struct task {
  std::string work;
  /// Which of several inputs or settings; "-" if there is one.
  std::string variant = "-";
  /// "f32" or "f64".
  std::string scalar = "f32";
  /// 0 where there is no single shape.
  index_t rows = 0;
  index_t cols = 0;

  double short_side() const { return static_cast<double>(rows < cols ? rows : cols); }
  double long_side() const { return static_cast<double>(rows < cols ? cols : rows); }
  double aspect() const { return long_side() / short_side(); }
  /// FLOPs of one unit: short side cubed.
  double unit() const { return short_side() * short_side() * short_side(); }
};

/// How good the result of a run is.
struct verdict {
  /// Relative, against an oracle in a higher precision; NaN where there is nothing to compare.
  double error = std::numeric_limits<double>::quiet_NaN();
  /// The guarantee of the contender was kept.
  bool holds = true;
  /// The plan, the path taken, the range reached.
  std::string note = {};
};

/// A contender that has its memory and may run.
struct prepared {
  /// Does the work once. This is what is timed.
  std::function<void()> run;
  /// Judges what the last run left behind; not timed.
  std::function<verdict()> judge = [] { return verdict{}; };
};

struct contender {
  /// "sigmax" for ours; peers name the library and, after a hyphen, the routine.
  std::string name;
  /// FLOPs it executes, products with symmetric results counted half where it computes half; 0 where nobody knows.
  double flops = 0;
  /// Makes it ready: allocates, copies the input. Called once, before its first run.
  std::function<prepared()> prepare;
};

/// "work/variant/scalar/rows x cols/threads", to which a contender adds its name.
std::string name_of(options const& given, task const& what);

/// Registers a benchmark, unless the options leave it out (peers without --peers, names that do not match).
/// Every run is warmed first, judged once, and repeated until Google Benchmark's median has its repetitions.
void enter(options const& given, task const& what, contender who);

/// Registers measurements of the FMA peak before everything else (`when` "before") or after it.
void enter_peak(options const& given, std::string const& when);

/// Number of benchmarks registered so far, the peak not counted.
int entered();

/// Every bench_* program defines this: it enters its contests.
void enter_contests(options const& given);

}  // namespace bench
