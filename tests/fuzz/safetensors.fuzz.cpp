// SPDX-License-Identifier: MIT
// Bytes to tensors: nothing but sigmax's exceptions may come out, within 4 MiB. What was read is written again and has
// to be the same.
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <sigmax/core/error.hpp>
#include <sigmax/io/safetensors.hpp>

namespace {

using namespace sigmax;

/// Reads every element there is.
void touch(io::safetensors_file const& file, io::stored_tensor const& tensor) {
  file.visit(tensor, [](auto const& elements) {
    double volatile sum = 0;
    for (index_t i = 0; i < elements.rows(); ++i) {
      for (index_t j = 0; j < elements.cols(); ++j) sum = sum + static_cast<double>(elements(i, j));
    }
  });
}

void read_and_write(std::span<std::byte const> bytes) {
  auto const file = io::parse_safetensors(bytes, {.max_memory = 4 << 20});
  std::vector<io::named_tensor> tensors;
  for (auto const& tensor : file.tensors()) {
    tensors.emplace_back(tensor.name, tensor.type, tensor.shape, file.bytes(tensor));
    bool const computable = tensor.type == io::element_type::f64 || tensor.type == io::element_type::f32 ||
                            tensor.type == io::element_type::f16 || tensor.type == io::element_type::bf16;
    if (computable) touch(file, tensor);
  }
  std::string const written = io::safetensors_bytes(tensors, file.metadata());
  auto const again = io::parse_safetensors(std::as_bytes(std::span(written.data(), written.size())));
  if (again.tensors().size() != tensors.size() || again.metadata() != file.metadata()) __builtin_trap();
  for (auto const& tensor : file.tensors()) {
    auto const before = file.bytes(tensor);
    auto const after = again.bytes(tensor.name);
    if (again.at(tensor.name).shape != tensor.shape || again.at(tensor.name).type != tensor.type) __builtin_trap();
    if (std::vector(before.begin(), before.end()) != std::vector(after.begin(), after.end())) __builtin_trap();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  try {
    read_and_write(std::as_bytes(std::span(data, size)));
  } catch (sigmax::error const&) {
  }
  return 0;
}
