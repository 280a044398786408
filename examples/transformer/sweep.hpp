// SPDX-License-Identifier: MIT
/// @file
/// Many runs: a grid of optimizers, constraints, caps and learning rates within a budget of time.
#pragma once

#include <string>
#include <vector>

#include <sigmax/kernels.hpp>

#include "arguments.hpp"

namespace transformer {

/// One run of a grid.
struct planned_run {
  /// Of its folder: "muon-soft_cap-2-0.1".
  std::string name;
  run_settings settings;
};

/// The grid, each combination once: constraints without a cap once for all caps, but for those that decay, whose decay is
/// 1 / cap, towards which they drive norms. In an order in which its first part is spread over all of it.
std::vector<planned_run> plan_of(sweep_arguments const& options);

/// Runs what is not done yet, and goes on with what was begun, until the budget is used up; writes the page of the folder
/// after each run. The same command goes on. Returns the exit status.
int sweep(sigmax::cpu::native const& on, sweep_arguments const& options);

}  // namespace transformer
