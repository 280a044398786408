// SPDX-License-Identifier: MIT
/// @file
/// Which runs are worth their bounds.
#pragma once

#include <algorithm>
#include <vector>

#include "run_record.hpp"

namespace transformer {

struct frontier_point {
  run_record const* run;
  double lipschitz, loss;
  /// No other run is as good in both and better in one.
  bool is_best = false;
};

/// Of the runs with a certificate and a validation, by ascending bound.
inline std::vector<frontier_point> frontier_of(std::vector<run_record> const& runs) {
  std::vector<frontier_point> points;
  for (auto const& run : runs) {
    double const loss = run.last("validation_loss", -1);
    if (!run.certificate.is_object() || loss < 0) continue;
    auto const& upper = run.certificate["lipschitz_upper"];
    if (upper.is_number()) points.push_back({&run, upper.get<double>(), loss});
  }
  std::stable_sort(points.begin(), points.end(), [](auto const& a, auto const& b) {
    return a.lipschitz != b.lipschitz ? a.lipschitz < b.lipschitz : a.loss < b.loss;
  });
  double least = 1e300;
  for (auto& each : points) {
    each.is_best = each.loss < least;
    if (each.is_best) least = each.loss;
  }
  return points;
}

}  // namespace transformer
