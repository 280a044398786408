// SPDX-License-Identifier: MIT
/// @file
/// Writes networks to ONNX files.
#pragma once

#include <climits>
#include <filesystem>
#include <string>

#include <onnx/onnx_pb.h>

#include <sigmax/config.hpp>
#include <sigmax/core/error.hpp>
#include <sigmax/io/atomic_file.hpp>
#include <sigmax/io/onnx/export_graph.hpp>
#include <sigmax/lipschitz/network.hpp>

namespace sigmax::inline SIGMAX_ABI::io {

/// The bytes of an ONNX model of the network: Gemm or MatMul for linear maps, Add, Mul, Div, Sum, Reshape, Identity and
/// the activations ONNX has. Every number is stored exactly, all as float if all of them are floats, else all as
/// double. `parse_onnx` of the result has the same certificate.
/// @throws unsupported_error that names the layer for what ONNX, or this writer, has no exact form: rearrangements that
///         move elements, coefficients known as intervals, bounds without a formula, activations ONNX does not have.
inline std::string onnx_bytes(lipschitz::network const& net) {
  ::onnx::ModelProto const model = onnx_detail::graph_export(net).run();
  if (model.ByteSizeLong() > static_cast<std::size_t>(INT_MAX)) {
    throw unsupported_error("the network takes " + std::to_string(model.ByteSizeLong()) +
                            " bytes as an ONNX model; protobuf writes at most 2 GiB");
  }
  return model.SerializeAsString();
}

/// The same into a file, completely or not at all. @throws format_error if it cannot be written.
inline void save_onnx(lipschitz::network const& net, std::filesystem::path const& path) {
  write_file(path, onnx_bytes(net));
}

}  // namespace sigmax::inline SIGMAX_ABI::io
