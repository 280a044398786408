// SPDX-License-Identifier: MIT
// The model and its training on a device are those of the host.
#include <doctest/doctest.h>

#include <sigmax/cuda/stream.hpp>
#include <sigmax/kernels.hpp>

#include "../transformer/device_cases.hpp"
#include "support/executors.hpp"
#include "transformer/cuda/device_backend.hpp"
#include "transformer/cuda/device_trainer.hpp"

using namespace transformer;

TEST_CASE("the model on a device has the losses and derivatives of that on the host") {
  sigmax::gpu::stream const stream;
  test::check_model_on(device_backend(stream));
}

TEST_CASE("training on a device is that on the host, inside the caps, and checkpoints move between them") {
  int started = 0;
  test::check_training_on([&](run_settings const& settings, corpus const& text, int lanes) {
    sigmax::cpu::native const host(sigmax::executor(lanes, sigmax::test::run_at_once, &started));
    return make_trainer_on_device(host, settings, text);
  });
  CHECK(started > 0);
}
