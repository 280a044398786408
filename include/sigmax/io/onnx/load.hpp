// SPDX-License-Identifier: MIT
/// @file
/// Reads networks from ONNX files.
#pragma once

#include <climits>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <new>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>

#include <google/protobuf/stubs/common.h>
#if GOOGLE_PROTOBUF_VERSION < 4022000
#include <google/protobuf/stubs/logging.h>
#endif
#include <onnx/onnx_pb.h>

#include <sigmax/config.hpp>
#include <sigmax/core/error.hpp>
#include <sigmax/io/onnx/import_graph.hpp>
#include <sigmax/io/onnx/memory_budget.hpp>
#include <sigmax/io/onnx/unsupported_operators.hpp>
#include <sigmax/io/onnx/wire_scan.hpp>
#include <sigmax/io/printable.hpp>
#include <sigmax/io/read_file.hpp>
#include <sigmax/lipschitz/network.hpp>

namespace sigmax::inline SIGMAX_ABI::io {

struct onnx_options {
  /// Largest amount of memory, in bytes, that the file, its parsed form, the network and the values that flow through
  /// it may take together. What would take more is refused before it is allocated.
  std::uint64_t max_memory = std::uint64_t{4} << 30;
  /// What messages call the model; `load_onnx` puts the path here where it is empty.
  std::string label = {};
};

namespace onnx_detail {

/// Runs `f` and puts the label in front of the text of every error, which keeps its type.
template <class F>
auto labelled(std::string const& label, F&& f) {
  try {
    return f();
  } catch (unsupported_operators_error const&) {
    throw;  // made with the label
  } catch (unsupported_error const& e) {
    throw unsupported_error(label + ": " + e.what());
  } catch (format_error const& e) {
    throw format_error(label + ": " + e.what());
  } catch (numeric_error const& e) {
    throw numeric_error(label + ": " + e.what());
  } catch (shape_error const& e) {
    throw shape_error(label + ": " + e.what());
  } catch (domain_error const& e) {
    throw domain_error(label + ": " + e.what());
  } catch (std::bad_alloc const&) {
    throw format_error(label + ": the memory of this machine does not suffice to load the model");
  } catch (std::length_error const&) {
    throw format_error(label + ": the model holds a list that is too long");
  }
}

inline lipschitz::network parse(std::span<std::byte const> file, onnx_options const& options,
                                std::string const& label) {
  wire_summary const summary = scan_onnx_wire(file, options.max_memory);
  if (file.size() > static_cast<std::size_t>(INT_MAX)) {
    throw format_error("the model takes " + std::to_string(file.size()) + " bytes; protobuf reads at most 2 GiB");
  }
  ::onnx::ModelProto model;
  {
#if GOOGLE_PROTOBUF_VERSION < 4022000
    // What protobuf has to say goes into an exception, not to stderr.
    google::protobuf::LogSilencer const silence;
#endif
    if (!model.ParseFromArray(file.data(), static_cast<int>(file.size()))) {
      throw format_error("not an ONNX model: protobuf cannot parse it");
    }
  }
  memory_budget budget(options.max_memory, summary.memory);
  return graph_import(model, budget, label).run();
}

}  // namespace onnx_detail

/// The network an ONNX model describes, in real arithmetic over the stored parameters: weights keep the type they are
/// stored in (float, double, float16, bfloat16), every value of which is a double, and nothing is rounded.
///
/// The graph must have one input and one output. A symbolic first extent of the input (the batch) is taken as 1: what
/// is certified is the function of one sample. Initializers that are also listed as inputs are constants.
/// Supported (operator_sets_of in operators/table.hpp says from when on):
///   linear maps      Gemm, MatMul, Conv and ConvTranspose of any rank, stride, padding, dilation and groups
///   sums, products   Add, Sub, Sum, Neg, Mul, Div, Max, Min, Where with a stored condition; products of computed values
///   activations      all of lipschitz/rules/activation.hpp that ONNX has, with their attributes; Clip, PRelu, Pow
///   pools            MaxPool, AveragePool, LpPool and the global ones, with ceil_mode and count_include_pad
///   normalisation    BatchNormalization at inference (folded), LayerNormalization, RMSNormalization, GroupNormalization,
///                    InstanceNormalization, LpNormalization, MeanVarianceNormalization
///   softmax          Softmax, LogSoftmax, ReduceLogSumExp
///   reductions       ReduceSum, ReduceMean, ReduceL1, ReduceL2, ReduceMax, ReduceMin
///   rearrangement    Reshape, Flatten, Squeeze, Unsqueeze, Transpose, Concat, Split, Slice, Gather, Expand, Tile, Pad in
///                    all modes, DepthToSpace, SpaceToDepth, Resize and Upsample to nearest and linear
///   constants        Constant, ConstantOfShape, Range, Shape, Size, Trilu, Equal, Less, Greater, And, Or, Not, Floor, Ceil,
///                    Cast that keeps values, and arithmetic of stored numbers
///   none             Identity, Dropout at inference
/// Attention, normalisations and GELU that are written in these operators are recognised (lipschitz/rewrite.hpp).
/// Operator sets 1 to 23 are read with their differences; what another set says of an operator is refused. What the output
/// does not depend on is not looked at.
///
/// @throws unsupported_operators_error with the names of all operators that have no rule; unsupported_error for
///         anything else that is well formed but not supported; format_error for bytes that are no ONNX model or need
///         more memory than allowed; numeric_error for NaN and infinity, with their position. Nothing else.
/// @complexity linear in the size of the file and of the network.
inline lipschitz::network parse_onnx(std::span<std::byte const> file, onnx_options const& options = {}) {
  std::string const label = options.label.empty() ? "ONNX model" : printable(options.label);
  return onnx_detail::labelled(label, [&] { return onnx_detail::parse(file, options, label); });
}

/// The same from a file; messages begin with its name. @throws format_error also if the file cannot be read.
inline lipschitz::network load_onnx(std::filesystem::path const& path, onnx_options const& options = {}) {
  auto const bytes = read_file(path, options.max_memory);
  return parse_onnx(bytes, {options.max_memory, options.label.empty() ? path.string() : options.label});
}

}  // namespace sigmax::inline SIGMAX_ABI::io
