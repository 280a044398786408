// SPDX-License-Identifier: MIT
/// @file
/// Which operators are imported, and by which function.
#pragma once

#include <array>
#include <span>
#include <string_view>

#include <sigmax/config.hpp>
#include <sigmax/io/onnx/activation_names.hpp>
#include <sigmax/io/onnx/operation.hpp>
#include <sigmax/io/onnx/operators/activation.hpp>
#include <sigmax/io/onnx/operators/arithmetic.hpp>
#include <sigmax/io/onnx/operators/batch_normalization.hpp>
#include <sigmax/io/onnx/operators/choice.hpp>
#include <sigmax/io/onnx/operators/constants.hpp>
#include <sigmax/io/onnx/operators/convolution.hpp>
#include <sigmax/io/onnx/operators/linear.hpp>
#include <sigmax/io/onnx/operators/normalization.hpp>
#include <sigmax/io/onnx/operators/pooling.hpp>
#include <sigmax/io/onnx/operators/reduction.hpp>
#include <sigmax/io/onnx/operators/resize.hpp>
#include <sigmax/io/onnx/operators/selection.hpp>
#include <sigmax/io/onnx/operators/shape.hpp>
#include <sigmax/io/onnx/operators/simple.hpp>
#include <sigmax/io/onnx/operators/softmax.hpp>
#include <sigmax/io/onnx/operators/space.hpp>
#include <sigmax/io/onnx/operators/where.hpp>

namespace sigmax::inline SIGMAX_ABI::io::onnx_detail {

/// Adds what an operator computes to the network and returns its first output; others go into `further_outputs`.
using import_function = graph_value (*)(operation&);

/// The newest version of ONNX's default operator set whose changes the importer knows.
inline constexpr int newest_opset = 23;

/// The first and the last operator set that has an operator, of those we read. (LayerNormalization is of 17; ONNX Runtime
/// writes it into older models, where it means the same.)
struct operator_sets {
  int first = 1;
  int last = newest_opset;
};
inline operator_sets operator_sets_of(std::string_view type) {
  struct entry {
    std::string_view type;
    operator_sets sets;
  };
  static constexpr std::array table{entry{"Asinh", {9}},
                                    entry{"Atan", {7}},
                                    entry{"Celu", {12}},
                                    entry{"ConstantOfShape", {9}},
                                    entry{"Cos", {7}},
                                    entry{"Erf", {9}},
                                    entry{"Expand", {8}},
                                    entry{"Gelu", {20}},
                                    entry{"GroupNormalization", {18}},
                                    entry{"HardSwish", {14}},
                                    entry{"MeanVarianceNormalization", {9}},
                                    entry{"Mish", {18}},
                                    entry{"RMSNormalization", {23}},
                                    entry{"Range", {11}},
                                    entry{"Resize", {10}},
                                    entry{"Round", {11}},
                                    entry{"Shrink", {9}},
                                    entry{"Sign", {9}},
                                    entry{"Sin", {7}},
                                    entry{"ThresholdedRelu", {10}},
                                    entry{"Trilu", {14}},
                                    entry{"Upsample", {1, 9}},
                                    entry{"Where", {9}}};
  for (entry const& e : table) {
    if (e.type == type) return e.sets;
  }
  return {};
}

struct operator_entry {
  std::string_view type;
  import_function import;
};

/// All operators of the default domain that are read, but for activations, which have a table of their own.
inline std::span<operator_entry const> operator_table() {
  using entry = operator_entry;
  static constexpr std::array table{entry{"Add", import_add},
                                    entry{"And", import_and},
                                    entry{"AveragePool", import_average_pool},
                                    entry{"BatchNormalization", import_batch_normalization},
                                    entry{"Cast", import_any_cast},
                                    entry{"Ceil", import_ceil},
                                    entry{"Concat", import_concat},
                                    entry{"Constant", import_constant},
                                    entry{"ConstantOfShape", import_constant_of_shape},
                                    entry{"Conv", import_conv},
                                    entry{"ConvTranspose", import_conv_transpose},
                                    entry{"DepthToSpace", import_depth_to_space},
                                    entry{"Div", import_div},
                                    entry{"Dropout", import_dropout},
                                    entry{"Equal", import_equal},
                                    entry{"Expand", import_expand},
                                    entry{"Flatten", import_flatten},
                                    entry{"Floor", import_floor},
                                    entry{"Gather", import_gather},
                                    entry{"Gemm", import_gemm},
                                    entry{"GlobalAveragePool", import_global_average_pool},
                                    entry{"GlobalLpPool", import_global_lp_pool},
                                    entry{"GlobalMaxPool", import_global_max_pool},
                                    entry{"Greater", import_greater},
                                    entry{"GroupNormalization", import_group_normalization},
                                    entry{"Identity", import_identity},
                                    entry{"InstanceNormalization", import_instance_normalization},
                                    entry{"LayerNormalization", import_layer_normalization},
                                    entry{"Less", import_less},
                                    entry{"LogSoftmax", import_log_softmax},
                                    entry{"LpNormalization", import_lp_normalization},
                                    entry{"LpPool", import_lp_pool},
                                    entry{"MatMul", import_matmul},
                                    entry{"Max", import_max},
                                    entry{"MaxPool", import_max_pool},
                                    entry{"MeanVarianceNormalization", import_mean_variance_normalization},
                                    entry{"Min", import_min},
                                    entry{"Mul", import_mul},
                                    entry{"Not", import_not},
                                    entry{"Or", import_or},
                                    entry{"Pad", import_pad},
                                    entry{"RMSNormalization", import_rms_normalization},
                                    entry{"Range", import_range},
                                    entry{"ReduceL1", import_reduce_l1},
                                    entry{"ReduceL2", import_reduce_l2},
                                    entry{"ReduceLogSumExp", import_reduce_log_sum_exp},
                                    entry{"ReduceMax", import_reduce_max},
                                    entry{"ReduceMean", import_reduce_mean},
                                    entry{"ReduceMin", import_reduce_min},
                                    entry{"ReduceSum", import_reduce_sum},
                                    entry{"Reshape", import_reshape},
                                    entry{"Resize", import_resize},
                                    entry{"Shape", import_shape},
                                    entry{"Size", import_size},
                                    entry{"Slice", import_slice},
                                    entry{"Softmax", import_softmax},
                                    entry{"SpaceToDepth", import_space_to_depth},
                                    entry{"Split", import_split},
                                    entry{"Squeeze", import_squeeze},
                                    entry{"Sub", import_sub},
                                    entry{"Sum", import_sum},
                                    entry{"Tile", import_tile},
                                    entry{"Transpose", import_transpose},
                                    entry{"Trilu", import_trilu},
                                    entry{"Unsqueeze", import_unsqueeze},
                                    entry{"Upsample", import_upsample},
                                    entry{"Where", import_where}};
  return table;
}

/// The function for an operator of the default domain, nullptr if it is not supported.
inline import_function find_operator(std::string_view type) {
  for (operator_entry const& e : operator_table()) {
    if (e.type == type) return e.import;
  }
  return is_onnx_activation(type) ? import_activation : nullptr;
}

}  // namespace sigmax::inline SIGMAX_ABI::io::onnx_detail
