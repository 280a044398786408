// SPDX-License-Identifier: MIT
/// @file
/// What exporters compute of shapes: Shape, Size, ConstantOfShape, Range, Where, comparisons, and the arithmetic of stored
/// numbers. Results are constants, computed exactly.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <sigmax/config.hpp>
#include <sigmax/io/onnx/operation.hpp>
#include <sigmax/io/onnx/operators/activation.hpp>
#include <sigmax/io/onnx/operators/simple.hpp>
#include <sigmax/lipschitz/rules/add_constant.hpp>
#include <sigmax/lipschitz/rules/scale.hpp>
#include <sigmax/lipschitz/rules/weighted_sum.hpp>

namespace sigmax::inline SIGMAX_ABI::io::onnx_detail {

inline constant integer_constant(operation const& op, tensor_shape shape, std::vector<std::int64_t> values,
                                 int type = data_type::int64) {
  return detail::listed<std::int64_t>(op.name, std::move(shape), type, std::move(values));
}

inline graph_value import_shape(operation& op) {
  op.expect_inputs(1, 1);
  tensor_shape const& shape = op.shape(0);
  auto const rank = static_cast<std::int64_t>(shape.size());
  auto const end_of = [&](std::int64_t at) { return std::clamp<std::int64_t>(at < 0 ? at + rank : at, 0, rank); };
  bool const parts = op.opset >= 15;
  std::int64_t const first = parts ? end_of(op.attributes.integer("start").value_or(0)) : 0;
  std::int64_t const last = parts ? end_of(op.attributes.integer("end").value_or(rank)) : rank;
  std::vector<std::int64_t> extents;
  for (std::int64_t axis = first; axis < last; ++axis) extents.push_back(shape[static_cast<std::size_t>(axis)]);
  auto const count = static_cast<index_t>(extents.size());
  return integer_constant(op, {count}, std::move(extents));
}

inline graph_value import_size(operation& op) {
  op.expect_inputs(1, 1);
  return integer_constant(op, {}, {static_cast<std::int64_t>(lipschitz::element_count(op.shape(0)))});
}

inline graph_value import_constant_of_shape(operation& op) {
  op.expect_inputs(1, 1);
  tensor_shape to;
  for (std::int64_t const extent : op.integers(0, "the shape")) {
    if (extent < 0) throw format_error(op.where + ": the shape holds " + std::to_string(extent));
    to.push_back(static_cast<index_t>(extent));
  }
  require_usable(to, op.where + ": the result");
  constant value = detail::listed<float>(op.name, {1}, data_type::float32, {0.0f});
  if (auto const* tensor = op.attributes.tensor("value")) value = read_tensor(*tensor, op.name, op.graph.budget());
  if (value.size() != 1) throw format_error(op.where + ": attribute 'value' must hold one element");
  return value.gathered(
      to, [](index_t) { return index_t{0}; }, op.graph.budget());
}

inline graph_value import_range(operation& op) {
  op.expect_inputs(3, 3);
  std::int64_t ends[3];
  for (std::size_t i = 0; i < 3; ++i) {
    auto const& values = op.indices(i, "an end of the range");
    if (values.size() != 1) throw format_error(op.where + ": input " + std::to_string(i) + " must be one number");
    ends[i] = values.front();
    if (ends[i] > (std::int64_t{1} << 40) || ends[i] < -(std::int64_t{1} << 40)) {
      throw format_error(op.where + ": an end is " + std::to_string(ends[i]));
    }
  }
  auto const [start, limit, step] = ends;
  if (step == 0) throw format_error(op.where + ": the step is 0");
  std::int64_t const count =
      std::max<std::int64_t>(0, step > 0 ? (limit - start + step - 1) / step : (start - limit - step - 1) / -step);
  op.graph.budget().charge(static_cast<index_t>(count), sizeof(std::int64_t), op.where);
  std::vector<std::int64_t> values;
  for (std::int64_t i = 0; i < count; ++i) values.push_back(start + i * step);
  return integer_constant(op, {static_cast<index_t>(count)}, std::move(values), data_type_of(op.input(0)));
}

/// f(a, b) for the elements of two constant integers, broadcast.
template <class F>
constant combined(operation const& op, constant const& left, constant const& right, int type, F const& f) {
  tensor_shape const to = broadcast_shape(left.shape, right.shape, op.where);
  require_usable(to, op.where + ": the result");
  op.graph.budget().charge(lipschitz::element_count(to), sizeof(std::int64_t), op.where);
  auto a = broadcast_walk(left.shape, to);
  auto b = broadcast_walk(right.shape, to);
  std::vector<std::int64_t> values(static_cast<std::size_t>(lipschitz::element_count(to)));
  for (std::int64_t& value : values) {
    std::int64_t const x = left.integers()[static_cast<std::size_t>(a.next())];
    value = f(x, right.integers()[static_cast<std::size_t>(b.next())]);
  }
  return integer_constant(op, to, std::move(values), type);
}

/// a op b for integers. @throws format_error where that overflows or divides by 0.
inline std::int64_t integer_result(operation const& op, char sign, std::int64_t a, std::int64_t b) {
  std::int64_t result = 0;
  bool fails = false;
  switch (sign) {
    case '+':
      fails = __builtin_add_overflow(a, b, &result);
      break;
    case '-':
      fails = __builtin_sub_overflow(a, b, &result);
      break;
    case '*':
      fails = __builtin_mul_overflow(a, b, &result);
      break;
    default:
      fails = b == 0 || (a == INT64_MIN && b == -1);
      if (!fails) result = a / b;
  }
  if (fails) {
    throw format_error(op.where + ": " + std::to_string(a) + " " + sign + " " + std::to_string(b) +
                       " has no value in 64 bits");
  }
  return result;
}

/// a op b of two stored tensors where the result is known exactly: of integers, and of few real numbers if no result is
/// rounded. (Where one is rounded the exact function stays in the network.)
inline std::optional<constant> folded_arithmetic(operation const& op, graph_value const& left, graph_value const& right,
                                                 char sign) {
  if (!is_constant(left) || !is_constant(right)) return std::nullopt;
  constant const& a = as_constant(left);
  constant const& b = as_constant(right);
  if (a.data_type != b.data_type) return std::nullopt;
  if (!a.is_real() && a.data_type != data_type::boolean) {
    return combined(op, a, b, a.data_type,
                    [&](std::int64_t x, std::int64_t y) { return integer_result(op, sign, x, y); });
  }
  if (a.data_type != data_type::float32) return std::nullopt;
  tensor_shape const to = broadcast_shape(a.shape, b.shape, op.where);
  require_usable(to, op.where + ": the result");
  index_t const count = lipschitz::element_count(to);
  if (count > 64) return std::nullopt;
  auto at = broadcast_walk(a.shape, to);
  auto bt = broadcast_walk(b.shape, to);
  std::vector<float> values;
  for (index_t i = 0; i < count; ++i) {
    double const x = a[at.next()];
    double const y = b[bt.next()];
    // Products of floats are doubles; a sum or quotient is exact if undoing it gives back what went in.
    double const value = sign == '+' ? x + y : sign == '-' ? x - y : sign == '*' ? x * y : x / y;
    auto const rounded = static_cast<float>(value);
    bool const kept = is_finite(value) && double{rounded} == value;
    bool const exact = sign == '*' || (sign == '/' && value * y == x) ||
                       (sign == '+' && value - x == y && value - y == x) ||
                       (sign == '-' && x - value == y && value + y == x);
    if (!kept || !exact) return std::nullopt;
    values.push_back(rounded);
  }
  return detail::listed<float>(op.name, to, data_type::float32, std::move(values));
}

/// A comparison or connective of stored numbers or truth values: of integers, or of real numbers, exactly.
template <class F>
graph_value compared(operation& op, char const* meaning, F const& f) {
  op.expect_inputs(2, 2);
  for (std::size_t i = 0; i < 2; ++i) {
    if (!is_constant(op.input(i))) {
      op.refuse(std::string(meaning) + " of computed values is discontinuous; stored numbers are supported");
    }
  }
  constant const& left = as_constant(op.input(0));
  constant const& right = as_constant(op.input(1));
  auto const truth = [](bool holds) { return holds ? std::int64_t{1} : std::int64_t{0}; };
  if (!left.is_real() && !right.is_real()) {
    return combined(op, left, right, data_type::boolean,
                    [&](std::int64_t x, std::int64_t y) { return truth(f(x, y)); });
  }
  if (left.data_type != right.data_type) throw format_error(op.where + ": the inputs are of different types");
  tensor_shape const to = broadcast_shape(left.shape, right.shape, op.where);
  require_usable(to, op.where + ": the result");
  op.graph.budget().charge(lipschitz::element_count(to), sizeof(std::int64_t), op.where);
  auto a = broadcast_walk(left.shape, to);
  auto b = broadcast_walk(right.shape, to);
  std::vector<std::int64_t> values(static_cast<std::size_t>(lipschitz::element_count(to)));
  for (std::int64_t& value : values) {
    double const x = left[a.next()];
    value = truth(f(x, right[b.next()]));
  }
  return integer_constant(op, to, std::move(values), data_type::boolean);
}
inline graph_value import_equal(operation& op) {
  return compared(op, "a comparison", [](auto x, auto y) { return x == y; });
}
inline graph_value import_less(operation& op) {
  return compared(op, "a comparison", [](auto x, auto y) { return x < y; });
}
inline graph_value import_greater(operation& op) {
  return compared(op, "a comparison", [](auto x, auto y) { return x > y; });
}
inline graph_value import_and(operation& op) {
  return compared(op, "a connective", [](auto x, auto y) { return x != 0 && y != 0; });
}
inline graph_value import_or(operation& op) {
  return compared(op, "a connective", [](auto x, auto y) { return x != 0 || y != 0; });
}

/// The part of stored matrices on and above a diagonal, or on and below it; zeros elsewhere.
inline graph_value import_trilu(operation& op) {
  op.expect_inputs(1, 2);
  if (!is_constant(op.input(0))) op.refuse("a triangle of computed values is not supported");
  constant const& c = as_constant(op.input(0));
  if (c.shape.size() < 2) throw format_error(op.where + ": the input is no matrix");
  std::int64_t diagonal = 0;
  if (op.optional_input(1) != nullptr) {
    auto const& given = op.integers(1, "the diagonal");
    if (given.size() != 1) throw format_error(op.where + ": the diagonal must be one number");
    diagonal = given.front();
  }
  bool const upper = op.attributes.flag("upper", true);
  constant result{c.name, c.shape, c.data_type, {}, c.infinite};
  auto const rows = static_cast<std::size_t>(c.shape[c.shape.size() - 2]);
  auto const cols = static_cast<std::size_t>(c.shape.back());
  std::visit(
      [&]<class T>(shared_elements<T> const& from) {
        op.graph.budget().charge(c.size(), sizeof(T), op.where);
        auto values = std::make_shared<std::vector<T>>(*from);
        for (std::size_t i = 0; i < values->size(); ++i) {
          auto const row = static_cast<std::int64_t>(i / cols % rows);
          auto const beyond = static_cast<std::int64_t>(i % cols) - row;
          bool const kept = upper ? beyond >= diagonal : beyond <= diagonal;
          if (!kept) (*values)[i] = T(0.0f);
        }
        result.elements = shared_elements<T>(std::move(values));
      },
      c.elements);
  return result;
}
inline graph_value import_not(operation& op) {
  op.expect_inputs(1, 1);
  if (!is_constant(op.input(0)) || as_constant(op.input(0)).data_type != data_type::boolean) {
    op.refuse("a negation of computed values is discontinuous; stored truth values are supported");
  }
  constant const& c = as_constant(op.input(0));
  std::vector<std::int64_t> values;
  for (std::int64_t const x : c.integers()) values.push_back(x == 0 ? 1 : 0);
  return integer_constant(op, c.shape, std::move(values), data_type::boolean);
}

/// floor or ceil: of stored float numbers a constant, else the activation, which has no Lipschitz constant.
template <class F>
graph_value rounded_constant(operation& op, F const& f) {
  op.expect_inputs(1, 1);
  if (!is_constant(op.input(0)) || as_constant(op.input(0)).data_type != data_type::float32)
    return import_activation(op);
  constant const& c = as_constant(op.input(0));
  op.graph.budget().charge(c.size(), sizeof(float), op.where);
  std::vector<float> values;
  for (index_t i = 0; i < c.size(); ++i) values.push_back(static_cast<float>(f(c[i])));
  return detail::listed<float>(op.name, c.shape, data_type::float32, std::move(values));
}
inline graph_value import_floor(operation& op) {
  return rounded_constant(op, [](double x) { return std::floor(x); });
}
inline graph_value import_ceil(operation& op) {
  return rounded_constant(op, [](double x) { return std::ceil(x); });
}

/// A cast of stored numbers between integers and float where no value changes but by the cutting off of fractions that
/// a cast to integers means. Nothing if it is another cast.
inline std::optional<constant> cast_of_constant(operation const& op, int to) {
  if (!is_constant(op.input(0))) return std::nullopt;
  constant const& c = as_constant(op.input(0));
  bool const to_integers = to == data_type::int64 || to == data_type::int32;
  op.graph.budget().charge(c.size(), sizeof(std::int64_t), op.where);
  if (to_integers || to == data_type::boolean) {
    std::vector<std::int64_t> values;
    for (index_t i = 0; i < c.size(); ++i) {
      double const x = c.is_real() ? c[i] : 0.0;
      if (c.is_real() && !(std::fabs(x) < 0x1p53)) return std::nullopt;
      std::int64_t value = c.is_real() ? static_cast<std::int64_t>(x) : c.integers()[static_cast<std::size_t>(i)];
      if (to == data_type::int32 && (value > INT32_MAX || value < INT32_MIN)) return std::nullopt;
      if (to == data_type::boolean) value = c.is_real() ? (x != 0 ? 1 : 0) : (value != 0 ? 1 : 0);
      values.push_back(value);
    }
    return integer_constant(op, c.shape, std::move(values), to);
  }
  if (to != data_type::float32 || c.is_real()) return std::nullopt;
  std::vector<float> values;
  for (std::int64_t const x : c.integers()) {
    if (x > (std::int64_t{1} << 24) || x < -(std::int64_t{1} << 24)) return std::nullopt;
    values.push_back(static_cast<float>(x));
  }
  return detail::listed<float>(op.name, c.shape, to, std::move(values));
}

/// import_cast, and casts of stored numbers.
inline graph_value import_any_cast(operation& op) {
  op.expect_inputs(1, 1);
  auto const to = op.attributes.integer("to");
  if (to && *to >= 0 && *to <= 100 && *to != data_type_of(op.input(0))) {
    op.attributes.ignore("saturate");
    if (auto result = cast_of_constant(op, static_cast<int>(*to))) return *std::move(result);
  }
  return import_cast(op);
}

}  // namespace sigmax::inline SIGMAX_ABI::io::onnx_detail
