// SPDX-License-Identifier: MIT
// The model and its training in the memory of a device, without a device.
#include <memory>

#include <doctest/doctest.h>

#include <sigmax/kernels.hpp>

#include "device_cases.hpp"
#include "emulated_device.hpp"
#include "transformer/trainer_on.hpp"

using namespace transformer;
using namespace transformer::test;

TEST_CASE("the model in device memory has the losses and derivatives of that in host memory") {
  sigmax::test::emulated_memory memory;
  check_model_on(emulated_device(memory));
  CHECK(memory.pieces() == 0);
}

TEST_CASE("training in device memory is that in host memory, inside the caps, and checkpoints move between them") {
  sigmax::test::emulated_memory memory;
  check_training_on([&](run_settings const& settings, corpus const& text) {
    return std::make_unique<trainer_on<emulated_device>>(sigmax::cpu::native(), emulated_device(memory), settings,
                                                         text);
  });
  CHECK(memory.pieces() == 0);
}
