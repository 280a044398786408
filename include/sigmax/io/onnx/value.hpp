// SPDX-License-Identifier: MIT
/// @file
/// A named value of an ONNX graph while it is imported: a constant, or a node of the network under construction.
#pragma once

#include <string>
#include <utility>
#include <variant>

#include <sigmax/config.hpp>
#include <sigmax/io/onnx/constant.hpp>
#include <sigmax/lipschitz/network.hpp>

namespace sigmax::inline SIGMAX_ABI::io::onnx_detail {

using lipschitz::node_id;

/// A node of the network and the element type ONNX gives its values.
struct computed {
  node_id node = 0;
  int data_type = 0;
};

using graph_value = std::variant<constant, computed>;

inline bool is_constant(graph_value const& v) { return std::holds_alternative<constant>(v); }
inline constant const& as_constant(graph_value const& v) { return std::get<constant>(v); }

inline int data_type_of(graph_value const& v) {
  return is_constant(v) ? as_constant(v).data_type : std::get<computed>(v).data_type;
}

}  // namespace sigmax::inline SIGMAX_ABI::io::onnx_detail
