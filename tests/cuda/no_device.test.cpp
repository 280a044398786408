// SPDX-License-Identifier: MIT
// Where there is no device, that is the one error, and it names the call.
#include <string>

#include <doctest/doctest.h>

#include <sigmax/cuda/backend.hpp>
#include <sigmax/cuda/device_matrix.hpp>
#include <sigmax/cuda/stream.hpp>

namespace gpu = sigmax::gpu;

TEST_CASE("without a device a backend is refused, a stream too") {
  if (!gpu::library::check_device().failed()) {
    MESSAGE("skipped: there is a device");
    return;
  }
  std::string text;
  try {
    gpu::cuda const on(nullptr);
  } catch (gpu::no_device_error const& error) {
    text = error.what();
  }
  CHECK(text.find("gpu::cuda: cudaGetDeviceCount finds no CUDA device") == 0);
  CHECK(text.find('\n') == std::string::npos);
  CHECK_THROWS_AS(gpu::stream(), gpu::no_device_error);
  CHECK_THROWS_AS(gpu::device_matrix<float>(nullptr, 2, 2), gpu::cuda_error);
  CHECK_NOTHROW(gpu::device_matrix<float>(nullptr, 0, 2));
  CHECK(gpu::device_matrix<float>::copy_of(sigmax::matrix<float>(0, 0), nullptr).empty());
}

TEST_CASE("each failure has its exception") {
  using gpu::library::origin;
  using gpu::library::status;
  CHECK_THROWS_AS(gpu::detail::check({origin::runtime, 2, "cudaMallocAsync"}, "here"), gpu::device_memory_error);
  CHECK_THROWS_AS(gpu::detail::check({origin::runtime, 100, "cudaGetDeviceCount"}, "here"), gpu::no_device_error);
  CHECK_THROWS_AS(gpu::detail::check({origin::runtime, 209, "gram"}, "here"), gpu::architecture_error);
  CHECK_THROWS_AS(gpu::detail::check({origin::cusolver, 2, "cusolverDnXsyevd"}, "here"), gpu::device_memory_error);
  CHECK_NOTHROW(gpu::detail::check({}, "here"));
  std::string text;
  try {
    gpu::detail::check({origin::runtime, 700, "gram"}, "orthogonalize");
  } catch (sigmax::error const& error) {
    text = error.what();
  }
  CHECK(text == "orthogonalize: gram failed: cudaErrorIllegalAddress (700), an illegal memory access was encountered");
}
