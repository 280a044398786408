// SPDX-License-Identifier: MIT
// The model and its training in the memory of a device, without a device.
#include <cstddef>
#include <memory>
#include <vector>

#include <doctest/doctest.h>

#include <sigmax/kernels.hpp>

#include "device_cases.hpp"
#include "emulated_device.hpp"
#include "support/executors.hpp"
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
  check_training_on([&](run_settings const& settings, corpus const& text, int lanes) {
    emulated_device const device(memory);
    sigmax::cpu::native const host(sigmax::executor(lanes, sigmax::test::run_backwards));
    return std::make_unique<trainer_on<emulated_device>>(
        host, device, settings, text, std::vector<emulated_device>(static_cast<std::size_t>(lanes), device));
  });
  CHECK(memory.pieces() == 0);
}
