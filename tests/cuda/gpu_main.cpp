// SPDX-License-Identifier: MIT
// The main of tests that need a device: where there is none they say so and succeed, unless SIGMAX_REQUIRE_DEVICE is set.
#define DOCTEST_CONFIG_IMPLEMENT
#include <cstdio>
#include <cstdlib>

#include <doctest/doctest.h>

#include <sigmax/cuda/stream.hpp>

int main(int count, char** arguments) {
  try {
    sigmax::gpu::stream const probe;
    probe.wait();
  } catch (sigmax::gpu::cuda_error const& error) {
    std::printf("skipped, no test was run: %s\n", error.what());
    return std::getenv("SIGMAX_REQUIRE_DEVICE") != nullptr ? 1 : 0;
  }
  doctest::Context context(count, arguments);
  return context.run();
}
