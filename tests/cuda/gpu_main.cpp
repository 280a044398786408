// SPDX-License-Identifier: MIT
// The main of tests that need a device: where there is none they say so and succeed.
#define DOCTEST_CONFIG_IMPLEMENT
#include <cstdio>

#include <doctest/doctest.h>

#include <sigmax/cuda/stream.hpp>

int main(int count, char** arguments) {
  try {
    sigmax::gpu::stream const probe;
    probe.wait();
  } catch (sigmax::gpu::cuda_error const& error) {
    std::printf("skipped, no test was run: %s\n", error.what());
    return 0;
  }
  doctest::Context context(count, arguments);
  return context.run();
}
