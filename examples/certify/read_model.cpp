// SPDX-License-Identifier: MIT
#include <sigmax/io/onnx.hpp>

#include "read_model.hpp"

namespace certify_program {

sigmax::lipschitz::network read_model(std::span<std::byte const> bytes, arguments const& options,
                                      outcome const& result) {
  return sigmax::io::parse_onnx(bytes, {.max_memory = options.max_memory, .label = result.path});
}

}  // namespace certify_program
