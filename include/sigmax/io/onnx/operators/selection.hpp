// SPDX-License-Identifier: MIT
/// @file
/// Concat, Split, Slice, Gather, Expand, Tile: of computed values they become nodes, of constants other constants.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include <sigmax/config.hpp>
#include <sigmax/io/onnx/operation.hpp>
#include <sigmax/lipschitz/rules/concatenate.hpp>

namespace sigmax::inline SIGMAX_ABI::io::onnx_detail {

using axis_tables = std::vector<std::vector<index_t>>;

/// Positions 0, 1, .. of each axis but one, whose table is given.
inline axis_tables tables_with(operation const& op, tensor_shape const& shape, std::size_t axis,
                               std::vector<index_t> table) {
  axis_tables result(shape.size());
  for (std::size_t k = 0; k < shape.size(); ++k) {
    if (k == axis) continue;
    op.graph.budget().charge(shape[k], sizeof(index_t), op.where + ": the positions of an axis");
    result[k].resize(static_cast<std::size_t>(shape[k]));
    std::iota(result[k].begin(), result[k].end(), index_t{0});
  }
  result[axis] = std::move(table);
  return result;
}

/// `count` positions from `first` in steps.
inline std::vector<index_t> positions_from(operation const& op, index_t first, index_t count, index_t step = 1) {
  op.graph.budget().charge(count, sizeof(index_t), op.where + ": the positions of an axis");
  std::vector<index_t> result(static_cast<std::size_t>(count));
  for (index_t& at : result) {
    at = first;
    first += step;
  }
  return result;
}

/// Constants of one type one after another along an axis.
inline constant concatenated(operation const& op, std::size_t axis, tensor_shape const& to) {
  constant const& front = as_constant(op.input(0));
  constant result{op.name, to, front.data_type, {}};
  index_t outer = 1;
  for (std::size_t k = 0; k < axis; ++k) outer *= to[k];
  std::visit(
      [&]<class T>(shared_elements<T> const&) {
        op.graph.budget().charge(lipschitz::element_count(to), sizeof(T), op.where);
        auto all = std::make_shared<std::vector<T>>();
        all->reserve(static_cast<std::size_t>(lipschitz::element_count(to)));
        for (index_t o = 0; o < outer; ++o) {
          for (graph_value const* v : op.inputs) {
            auto const* const part = std::get_if<shared_elements<T>>(&as_constant(*v).elements);
            if (part == nullptr) throw format_error(op.where + ": inputs are of different types");
            auto const size = static_cast<std::ptrdiff_t>(as_constant(*v).size() / outer);
            all->insert(all->end(), (*part)->begin() + o * size, (*part)->begin() + (o + 1) * size);
          }
        }
        result.elements = shared_elements<T>(std::move(all));
      },
      front.elements);
  return result;
}

inline graph_value import_concat(operation& op) {
  op.expect_inputs(1, SIZE_MAX);
  auto const given = op.attributes.integer("axis");
  if (!given && op.opset >= 4) throw format_error(op.where + ": attribute 'axis' is missing");
  std::size_t const axis = checked_axis(given.value_or(1), op.shape(0).size(), op.where);
  bool computes = false;
  int const type = data_type_of(op.input(0));
  tensor_shape to = op.shape(0);
  to[axis] = 0;
  for (std::size_t i = 0; i < op.inputs.size(); ++i) {
    computes = computes || !is_constant(op.input(i));
    tensor_shape other = op.shape(i);
    bool const fits = other.size() == to.size() && !__builtin_add_overflow(to[axis], other[axis], &to[axis]);
    if (fits) other[axis] = to[axis];
    if (!fits || other != to || data_type_of(op.input(i)) != type) {
      throw format_error(op.where + ": input " + std::to_string(i) + " of shape " + shape_text(op.shape(i)) +
                         " does not fit the first one of shape " + shape_text(op.shape(0)));
    }
  }
  require_usable(to, op.where + ": the result");
  if (!computes) return op.inputs.size() == 1 ? op.input(0) : graph_value(concatenated(op, axis, to));
  op.real_type();
  if (op.inputs.size() == 1) return op.input(0);
  std::vector<node_id> nodes;
  for (graph_value const* v : op.inputs) nodes.push_back(op.graph.node_of(*v));
  return computed{op.graph.add(lipschitz::rules::concatenate(nodes.size(), axis), nodes, op.name), type};
}

inline graph_value import_split(operation& op) {
  op.expect_inputs(1, op.opset >= 13 || op.opset < 2 ? 2 : 1);
  tensor_shape const shape = op.shape(0);
  std::size_t const axis = checked_axis(op.attributes.integer("axis").value_or(0), shape.size(), op.where);
  index_t const extent = shape[axis];
  auto const outputs = static_cast<std::int64_t>(op.node.output_size());
  std::optional<std::vector<std::int64_t>> sizes = op.opset < 13 ? op.attributes.integers("split") : std::nullopt;
  if (op.optional_input(1) != nullptr) sizes = op.integers(1, "the list of sizes");
  auto const wanted = op.opset >= 18 ? op.attributes.integer("num_outputs") : std::nullopt;
  if (wanted && *wanted != outputs) {
    throw format_error(op.where + ": num_outputs is " + std::to_string(*wanted) + "; the node has " +
                       std::to_string(outputs));
  }
  if (!sizes) {
    std::int64_t const each = (extent + outputs - 1) / std::max<std::int64_t>(outputs, 1);
    sizes.emplace(static_cast<std::size_t>(outputs), each);
    // Equal parts; since operator set 18 the last one may be smaller.
    if (outputs > 0) sizes->back() = extent - each * (outputs - 1);
    if (outputs > 0 && sizes->back() != each && op.opset < 18) {
      throw format_error(op.where + ": " + std::to_string(extent) + " elements do not fall into " +
                         std::to_string(outputs) + " equal parts");
    }
  }
  index_t first = 0;
  std::vector<graph_value> parts;
  for (std::int64_t const size : *sizes) {
    if (size < 0 || size > extent - first) throw format_error(op.where + ": the sizes do not add up to the extent");
    if (size == 0) op.refuse("a part has no elements");
    std::string const name = op.name + (parts.empty() ? "" : "/" + std::to_string(parts.size()));
    auto table = positions_from(op, first, static_cast<index_t>(size));
    parts.push_back(op.graph.select(op.input(0), tables_with(op, shape, axis, std::move(table)), "split", name));
    first += static_cast<index_t>(size);
  }
  if (first != extent || parts.empty() || static_cast<std::int64_t>(parts.size()) != outputs) {
    throw format_error(op.where +
                       ": the sizes do not add up to the extent, or their number is not that of the outputs");
  }
  op.further_outputs.assign(parts.begin() + 1, parts.end());
  return parts.front();
}

/// The positions start, start + step, .. before end, by numpy's rules.
inline std::vector<index_t> sliced(operation const& op, std::int64_t start, std::int64_t end, std::int64_t step,
                                   index_t extent) {
  if (step == 0 || step == INT64_MIN) throw format_error(op.where + ": a step is " + std::to_string(step));
  auto const clamp = [&](std::int64_t at, std::int64_t least, std::int64_t most) {
    if (at < 0) at = at < -extent ? -1 : at + extent;
    return std::clamp(at, least, most);
  };
  std::int64_t const first = step > 0 ? clamp(start, 0, extent) : clamp(start, -1, extent - 1);
  std::int64_t const last = step > 0 ? clamp(end, 0, extent) : clamp(end, -1, extent - 1);
  std::int64_t const count = step > 0 ? (last - first + step - 1) / step : (first - last - step - 1) / -step;
  bool const none = step > 0 ? last <= first : first <= last;
  return positions_from(op, static_cast<index_t>(first), none ? 0 : static_cast<index_t>(count),
                        static_cast<index_t>(step));
}

inline graph_value import_slice(operation& op) {
  std::vector<std::int64_t> starts;
  std::vector<std::int64_t> ends;
  std::optional<std::vector<std::int64_t>> axes;
  std::optional<std::vector<std::int64_t>> steps;
  if (op.opset < 10) {
    op.expect_inputs(1, 1);
    starts = op.attributes.integers("starts").value_or(std::vector<std::int64_t>{});
    ends = op.attributes.integers("ends").value_or(std::vector<std::int64_t>{});
    axes = op.attributes.integers("axes");
  } else {
    op.expect_inputs(3, 5);
    starts = op.indices(1, "the list of starts");
    ends = op.indices(2, "the list of ends");
    if (op.optional_input(3) != nullptr) axes = op.indices(3, "the list of axes");
    if (op.optional_input(4) != nullptr) steps = op.indices(4, "the list of steps");
  }
  if (!axes) {
    axes.emplace(starts.size());
    std::iota(axes->begin(), axes->end(), std::int64_t{0});
  }
  if (!steps) steps.emplace(starts.size(), 1);
  if (ends.size() != starts.size() || axes->size() != starts.size() || steps->size() != starts.size()) {
    throw format_error(op.where + ": the lists of starts, ends, axes and steps have different lengths");
  }
  tensor_shape const shape = op.shape(0);
  axis_tables tables(shape.size());
  std::vector<bool> done(shape.size(), false);
  for (std::size_t k = 0; k < starts.size(); ++k) {
    std::size_t const axis = checked_axis((*axes)[k], shape.size(), op.where);
    if (done[axis]) throw format_error(op.where + ": axis " + std::to_string(axis) + " is named twice");
    done[axis] = true;
    tables[axis] = sliced(op, starts[k], ends[k], (*steps)[k], shape[axis]);
  }
  for (std::size_t axis = 0; axis < shape.size(); ++axis) {
    if (!done[axis]) tables[axis] = positions_from(op, 0, shape[axis]);
    if (tables[axis].empty() && !is_constant(op.input(0))) op.refuse("the result has no elements");
  }
  return op.graph.select(op.input(0), std::move(tables), "slice", op.name);
}

inline graph_value import_gather(operation& op) {
  op.expect_inputs(2, 2);
  tensor_shape const shape = op.shape(0);
  if (shape.empty()) throw format_error(op.where + ": the data is a scalar");
  std::size_t const axis = checked_axis(op.attributes.integer("axis").value_or(0), shape.size(), op.where);
  auto const& indices = op.indices(1, "the list of indices");
  std::vector<index_t> table;
  for (std::int64_t const index : indices) {
    if (index < -shape[axis] || index >= shape[axis]) {
      throw format_error(op.where + ": index " + std::to_string(index) + " of " + std::to_string(shape[axis]));
    }
    table.push_back(static_cast<index_t>(index < 0 ? index + shape[axis] : index));
  }
  if (table.empty()) op.refuse("there are no indices");
  tensor_shape to(shape.begin(), shape.begin() + static_cast<std::ptrdiff_t>(axis));
  to.insert(to.end(), op.shape(1).begin(), op.shape(1).end());
  to.insert(to.end(), shape.begin() + static_cast<std::ptrdiff_t>(axis) + 1, shape.end());
  require_usable(to, op.where + ": the result");
  auto const selected = op.graph.select(op.input(0), tables_with(op, shape, axis, std::move(table)), "gather", op.name);
  if (is_constant(selected)) return as_constant(selected).reshaped(std::move(to));
  auto const [node, type] = std::get<computed>(selected);
  return computed{op.graph.reshape(node, to, op.name + "/shape"), type};
}

inline graph_value import_expand(operation& op) {
  op.expect_inputs(2, 2);
  tensor_shape wanted;
  for (std::int64_t const extent : op.integers(1, "the shape")) {
    if (extent < 0) throw format_error(op.where + ": the shape holds " + std::to_string(extent));
    wanted.push_back(static_cast<index_t>(extent));
  }
  tensor_shape const to = broadcast_shape(op.shape(0), wanted, op.where);
  require_usable(to, op.where + ": the result");
  return op.graph.broadcast(op.input(0), to, op.name);
}

inline graph_value import_tile(operation& op) {
  if (op.opset < 6) op.refuse("operator set " + std::to_string(op.opset) + " is not supported; 6 and later are");
  op.expect_inputs(2, 2);
  tensor_shape const shape = op.shape(0);
  auto const& repeats = op.integers(1, "the list of repeats");
  if (repeats.size() != shape.size()) {
    throw format_error(op.where + ": " + std::to_string(repeats.size()) + " repeats for " +
                       std::to_string(shape.size()) + " axes");
  }
  axis_tables tables;
  for (std::size_t axis = 0; axis < shape.size(); ++axis) {
    index_t count = 0;
    if (repeats[axis] < 1 || __builtin_mul_overflow(shape[axis], static_cast<index_t>(repeats[axis]), &count)) {
      throw format_error(op.where + ": a repeat is " + std::to_string(repeats[axis]));
    }
    tables.push_back(positions_from(op, 0, count));
    for (index_t& at : tables.back()) at %= shape[axis];
  }
  return op.graph.select(op.input(0), std::move(tables), "tile", op.name);
}

}  // namespace sigmax::inline SIGMAX_ABI::io::onnx_detail
