// SPDX-License-Identifier: MIT
#include <algorithm>

#include <fmt/format.h>

#include "table/validity.hpp"

namespace bench_table {

doubts doubts_about(results const& all) {
  doubts found;
  int robbed = 0;
  for (auto const& r : all.rows) {
    for (auto const& each : r.results) {
      // Threads may wait for each other; one thread alone has no reason not to be busy.
      if (r.threads == 1 && each.busy < 0.9) ++robbed;
      double const limit = r.peak * r.threads;
      if (is_known(limit) && is_known(each.rate()) && each.rate() > limit) {
        found.invalid.push_back(
            fmt::format("{} {} {} on {} threads: {} ran at {:.1f} GFLOP/s, above P x threads = {:.1f}", r.work,
                        r.scalar, r.shape, r.threads, each.contender, each.rate() * 1e-9, limit * 1e-9));
      }
    }
  }
  double least = 1;
  double lowest = 1e300;
  double highest = 0;
  for (auto const& p : all.peaks) {
    least = std::min(least, p.busy);
    if (p.scalar != "f32" || p.threads != 1) continue;
    lowest = std::min(lowest, p.rate);
    highest = std::max(highest, p.rate);
  }
  if (least < 0.95) {
    found.disturbed.push_back(fmt::format(
        "something else ran on our processors: a measurement of P had only {:.0f} % of its time", 100 * least));
  }
  if (robbed > 0) {
    found.disturbed.push_back(fmt::format("{} results on one thread had less than 90 % of their processor", robbed));
  }
  if (lowest < 0.93 * highest) {
    found.disturbed.push_back(fmt::format("P moved during the run, from {:.1f} to {:.1f} GFLOP/s (f32, one thread)",
                                          lowest * 1e-9, highest * 1e-9));
  }
  return found;
}

}  // namespace bench_table
