// SPDX-License-Identifier: MIT
// Bytes to networks: nothing but sigmax's exceptions may come out, within 32 MiB.
#include <cstddef>
#include <cstdint>
#include <span>

#include <sigmax/core/error.hpp>
#include <sigmax/io/onnx.hpp>

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  try {
    auto const net = sigmax::io::parse_onnx(std::as_bytes(std::span(data, size)), {.max_memory = 32 << 20});
    // What was read can be certified and, where it has an exact form, written and read again.
    auto const bytes = sigmax::io::onnx_bytes(net);
    auto const again = sigmax::io::parse_onnx(std::as_bytes(std::span(bytes.data(), bytes.size())));
    if (again.output_shape() != net.output_shape()) __builtin_trap();
  } catch (sigmax::error const&) {
  }
  return 0;
}
