// SPDX-License-Identifier: MIT
/// @file
/// Which operators are imported, and by which function.
#pragma once

#include <algorithm>
#include <array>
#include <string_view>

#include <sigmax/config.hpp>
#include <sigmax/io/onnx/operation.hpp>
#include <sigmax/io/onnx/operators/activation.hpp>
#include <sigmax/io/onnx/operators/arithmetic.hpp>
#include <sigmax/io/onnx/operators/choice.hpp>
#include <sigmax/io/onnx/operators/linear.hpp>
#include <sigmax/io/onnx/operators/normalization.hpp>
#include <sigmax/io/onnx/operators/reduction.hpp>
#include <sigmax/io/onnx/operators/shape.hpp>
#include <sigmax/io/onnx/operators/simple.hpp>
#include <sigmax/io/onnx/operators/softmax.hpp>

namespace sigmax::inline SIGMAX_ABI::io::onnx_detail {

/// Adds what an operator computes to the network and returns its first output.
using import_function = graph_value (*)(operation&);

/// Names in the activation table that are no operators of ONNX's default domain up to the newest set we know.
inline constexpr std::array<std::string_view, 2> foreign_activations{"QuickGelu", "Swish"};

/// The function for an operator of the default domain, nullptr if it is not supported.
inline import_function find_operator(std::string_view type) {
  struct entry {
    std::string_view type;
    import_function import;
  };
  static constexpr std::array table{entry{"Add", import_add},
                                    entry{"Cast", import_cast},
                                    entry{"Constant", import_constant},
                                    entry{"Div", import_div},
                                    entry{"Dropout", import_dropout},
                                    entry{"Flatten", import_flatten},
                                    entry{"Gemm", import_gemm},
                                    entry{"GroupNormalization", import_group_normalization},
                                    entry{"Identity", import_identity},
                                    entry{"InstanceNormalization", import_instance_normalization},
                                    entry{"LayerNormalization", import_layer_normalization},
                                    entry{"LogSoftmax", import_log_softmax},
                                    entry{"LpNormalization", import_lp_normalization},
                                    entry{"MatMul", import_matmul},
                                    entry{"Max", import_max},
                                    entry{"MeanVarianceNormalization", import_mean_variance_normalization},
                                    entry{"Min", import_min},
                                    entry{"Mul", import_mul},
                                    entry{"RMSNormalization", import_rms_normalization},
                                    entry{"ReduceL2", import_reduce_l2},
                                    entry{"ReduceLogSumExp", import_reduce_log_sum_exp},
                                    entry{"ReduceMean", import_reduce_mean},
                                    entry{"Reshape", import_reshape},
                                    entry{"Softmax", import_softmax},
                                    entry{"Squeeze", import_squeeze},
                                    entry{"Sub", import_sub},
                                    entry{"Sum", import_sum},
                                    entry{"Transpose", import_transpose},
                                    entry{"Unsqueeze", import_unsqueeze},
                                    entry{"Where", import_where}};
  for (entry const& e : table) {
    if (e.type == type) return e.import;
  }
  bool const foreign =
      std::find(foreign_activations.begin(), foreign_activations.end(), type) != foreign_activations.end();
  return !foreign && lipschitz::rules::find_activation_by_onnx(type) != nullptr ? import_activation : nullptr;
}

}  // namespace sigmax::inline SIGMAX_ABI::io::onnx_detail
