// SPDX-License-Identifier: MIT
/// @file
/// What was measured: read from the JSON of Google Benchmark and of the Python peers, grouped into rows.
#pragma once

#include <cmath>
#include <limits>
#include <map>
#include <string>
#include <vector>

namespace bench_table {

inline constexpr double unknown = std::numeric_limits<double>::quiet_NaN();

inline bool is_known(double x) { return !std::isnan(x); }

/// One contender in one row.
struct result {
  std::string contender;
  /// Median of the repetitions, and their standard deviation divided by their mean.
  double seconds = unknown;
  double variation = unknown;
  /// Processor time divided by time and threads: below 1 something else ran on our processors, or threads waited.
  double busy = unknown;
  double flops = 0;
  double error = unknown;
  bool holds = true;
  std::string note = {};

  double rate() const { return flops > 0 ? flops / seconds : unknown; }
};

/// All that did the same work on the same matrix in the same program run.
struct row {
  std::string work;
  std::string variant;
  std::string scalar;
  std::string shape;
  int threads = 1;
  /// In the order they were read: ours first.
  std::vector<result> results = {};
  /// FMA peak of one thread in that run, FLOPs a second: the larger of before and after.
  double peak = unknown;

  result const* find(std::string const& contender) const {
    for (auto const& each : results) {
      if (each.contender == contender) return &each;
    }
    return nullptr;
  }
  result const* ours() const { return find("sigmax"); }
  /// m and n of "m x n" with m <= n; 0 where the shape is none.
  double short_side() const { return side(true); }
  double long_side() const { return side(false); }

 private:
  double side(bool shorter) const {
    auto const x = shape.find('x');
    if (x == std::string::npos) return 0;
    double const rows = std::strtod(shape.c_str(), nullptr);
    double const cols = std::strtod(shape.c_str() + x + 1, nullptr);
    return shorter ? std::fmin(rows, cols) : std::fmax(rows, cols);
  }
};

/// One measurement of the peak on `threads` threads at once.
struct peak {
  std::string program;
  std::string when;
  std::string scalar;
  int threads = 1;
  double rate = 0;
  double busy = unknown;
};

struct results {
  std::vector<row> rows;
  std::vector<peak> peaks;
  /// Facts about machine and libraries, as the programs printed them.
  std::map<std::string, std::string> context;
};

/// @throws std::runtime_error naming the file and what is wrong with it.
results read_results(std::vector<std::string> const& files);

}  // namespace bench_table
