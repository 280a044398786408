// SPDX-License-Identifier: MIT
/// @file
/// Training on a CUDA device.
#pragma once

#include <memory>

#include <sigmax/kernels.hpp>

#include "../corpus.hpp"
#include "../settings.hpp"
#include "../trainer.hpp"

namespace transformer {

/// As `make_trainer`, on the CUDA device that is current on every thread of `host`, the first if nobody chose: weights, gradients, activations and optimizers stay there, and so do the
/// proofs of caps, in IEEE arithmetic. The host draws batches, caps the rows of the embedding and is told the losses.
/// @throws no_device_error, architecture_error.
std::unique_ptr<trainer> make_trainer_on_device(sigmax::cpu::native const& host, run_settings const& settings,
                                                corpus const& text);

}  // namespace transformer
