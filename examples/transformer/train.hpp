// SPDX-License-Identifier: MIT
/// @file
/// A run from its first step, or its last checkpoint, to its end.
#pragma once

#include <sigmax/kernels.hpp>

#include "arguments.hpp"

namespace transformer {

/// Writes metrics.jsonl, checkpoint.safetensors, model.safetensors and certificate.json (by formulas of norms alone) to the
/// folder of the run. Returns the exit status.
int train(sigmax::cpu::native const& on, train_arguments const& options);

}  // namespace transformer
