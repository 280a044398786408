// SPDX-License-Identifier: MIT
/// @file
/// Reads ONNX's stored tensors: every encoding of the supported types, no conversion that could round.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <onnx/onnx_pb.h>

#include <sigmax/bound/rounding.hpp>
#include <sigmax/config.hpp>
#include <sigmax/core/error.hpp>
#include <sigmax/core/scalar.hpp>
#include <sigmax/io/onnx/constant.hpp>
#include <sigmax/io/onnx/data_type.hpp>
#include <sigmax/io/onnx/memory_budget.hpp>
#include <sigmax/io/onnx/shapes.hpp>

namespace sigmax::inline SIGMAX_ABI::io::onnx_detail {

/// "[2, 0]": position of element number `index` of a tensor.
inline std::string position_text(tensor_shape const& shape, index_t index) {
  std::string text;
  for (auto extent = shape.rbegin(); extent != shape.rend(); ++extent) {
    text = std::to_string(index % *extent) + (text.empty() ? "" : ", ") + text;
    index /= *extent;
  }
  return "[" + text + "]";
}

/// The extents a file states. @throws format_error on a negative one and where require_usable does.
template <class Extents>
tensor_shape read_shape(Extents const& extents, std::string const& what) {
  tensor_shape shape;
  for (auto const extent : extents) {
    if (extent < 0) throw format_error(what + " has the extent " + std::to_string(extent));
    shape.push_back(static_cast<index_t>(extent));
  }
  require_usable(shape, what);
  return shape;
}

/// Reads one TensorProto into elements of type T.
template <class T>
class element_reader {
 public:
  element_reader(::onnx::TensorProto const& tensor, std::string what, index_t count, memory_budget& budget)
      : tensor_(tensor), what_(std::move(what)), count_(count), budget_(budget) {}

  /// From raw_data: little-endian, `Stored` is the type in the file.
  template <class Stored>
  shared_elements<T> raw() const {
    std::string const& bytes = tensor_.raw_data();
    std::uint64_t expected = 0;
    if (__builtin_mul_overflow(static_cast<std::uint64_t>(count_), sizeof(Stored), &expected) ||
        bytes.size() != expected) {
      throw format_error(what_ + " has " + std::to_string(bytes.size()) +
                         " bytes of raw data; its shape and type need " + std::to_string(count_) + " x " +
                         std::to_string(sizeof(Stored)));
    }
    auto elements = allocate();
    for (std::size_t i = 0; i < elements->size(); ++i) {
      std::array<char, sizeof(Stored)> item;
      std::memcpy(item.data(), bytes.data() + i * sizeof(Stored), sizeof(Stored));
      if constexpr (std::endian::native == std::endian::big) std::reverse(item.begin(), item.end());
      auto const stored = std::bit_cast<Stored>(item);
      if constexpr (std::is_same_v<T, f16> || std::is_same_v<T, bf16>) {
        (*elements)[i] = T::from_bits(stored);
      } else {
        (*elements)[i] = static_cast<T>(stored);
      }
    }
    return elements;
  }

  /// From a typed list of the message.
  template <class List, class Convert>
  shared_elements<T> list(List const& values, Convert&& convert) const {
    if (values.size() != count_) {
      throw format_error(what_ + " has " + std::to_string(values.size()) + " elements; its shape needs " +
                         std::to_string(count_));
    }
    auto elements = allocate();
    std::size_t i = 0;
    for (auto const value : values) (*elements)[i++] = convert(value);
    return elements;
  }

  /// The bits of a 16-bit float, which ONNX stores one in an int32.
  T half(std::int32_t value) const {
    if (value < 0 || value > 0xffff) {
      throw format_error(what_ + " has the element " + std::to_string(value) + "; the bits of a 16-bit float are " +
                         "0 to 65535");
    }
    return T::from_bits(static_cast<std::uint16_t>(value));
  }

 private:
  std::shared_ptr<std::vector<T>> allocate() const {
    budget_.charge(count_, sizeof(T), what_);
    return std::make_shared<std::vector<T>>(static_cast<std::size_t>(count_));
  }

  ::onnx::TensorProto const& tensor_;
  std::string what_;
  index_t count_;
  memory_budget& budget_;
};

/// The elements of one supported data type. @throws unsupported_error for the others.
inline decltype(constant::elements) read_elements(::onnx::TensorProto const& tensor, std::string const& what,
                                                  index_t count, memory_budget& budget) {
  bool const raw = tensor.has_raw_data();
  auto const same = [](auto value) { return value; };
  auto const whole = [](auto value) { return static_cast<std::int64_t>(value); };
  switch (tensor.data_type()) {
    case data_type::float32: {
      element_reader<float> const reader(tensor, what, count, budget);
      return raw ? reader.raw<float>() : reader.list(tensor.float_data(), same);
    }
    case data_type::float64: {
      element_reader<double> const reader(tensor, what, count, budget);
      return raw ? reader.raw<double>() : reader.list(tensor.double_data(), same);
    }
    case data_type::float16: {
      element_reader<f16> const reader(tensor, what, count, budget);
      return raw ? reader.raw<std::uint16_t>()
                 : reader.list(tensor.int32_data(), [&](std::int32_t bits) { return reader.half(bits); });
    }
    case data_type::bfloat16: {
      element_reader<bf16> const reader(tensor, what, count, budget);
      return raw ? reader.raw<std::uint16_t>()
                 : reader.list(tensor.int32_data(), [&](std::int32_t bits) { return reader.half(bits); });
    }
    case data_type::int64: {
      element_reader<std::int64_t> const reader(tensor, what, count, budget);
      return raw ? reader.raw<std::int64_t>() : reader.list(tensor.int64_data(), whole);
    }
    case data_type::int32: {
      element_reader<std::int64_t> const reader(tensor, what, count, budget);
      return raw ? reader.raw<std::int32_t>() : reader.list(tensor.int32_data(), whole);
    }
    case data_type::boolean: {
      element_reader<std::int64_t> const reader(tensor, what, count, budget);
      return raw ? reader.raw<std::uint8_t>() : reader.list(tensor.int32_data(), whole);
    }
    default:
      throw unsupported_error(what + " is of type " + data_type_name(tensor.data_type()) +
                              "; float, double, float16, bfloat16 and the integers of shapes are supported");
  }
}

/// A stored tensor as a constant.
/// @throws format_error if lengths, extents or encodings contradict each other; unsupported_error for external data,
///         segments, data types without exact doubles and real tensors without elements; numeric_error, with the
///         position, for NaN and +infinity. -infinity is remembered in `infinite`.
inline constant read_tensor(::onnx::TensorProto const& tensor, std::string_view name, memory_budget& budget) {
  std::string const what = "tensor " + in_quotes(name);
  if (tensor.data_location() == ::onnx::TensorProto::EXTERNAL || tensor.external_data_size() > 0) {
    std::string location;
    for (auto const& entry : tensor.external_data()) {
      if (entry.key() == "location") location = " (" + in_quotes(entry.value()) + ")";
    }
    throw unsupported_error(what + " is kept in another file" + location + "; save the model with its weights inside");
  }
  if (tensor.has_segment()) throw unsupported_error(what + " is stored in segments");
  bool const listed = tensor.float_data_size() > 0 || tensor.double_data_size() > 0 || tensor.int32_data_size() > 0 ||
                      tensor.int64_data_size() > 0 || tensor.uint64_data_size() > 0 || tensor.string_data_size() > 0;
  if (tensor.has_raw_data() && listed) throw format_error(what + " has its elements twice, raw and in a list");

  tensor_shape shape = read_shape(tensor.dims(), what);
  index_t const count = lipschitz::element_count(shape);
  constant result{printable(name), std::move(shape), tensor.data_type(), {}};
  result.elements = read_elements(tensor, what, count, budget);
  if (!result.is_real()) return result;
  if (count == 0) throw unsupported_error(what + " has no elements (shape " + shape_text(result.shape) + ")");
  for (index_t i = 0; i < count; ++i) {
    double const element = result[i];
    if (is_finite(element)) continue;
    std::string text = what + ": element " + position_text(result.shape, i) + " is " +
                       (is_nan(element) ? "NaN"
                        : element > 0   ? "+infinity"
                                        : "-infinity") +
                       "; weights must be finite";
    if (is_nan(element) || element > 0) throw numeric_error(text);
    if (result.infinite.empty()) result.infinite = std::move(text);
  }
  return result;
}

}  // namespace sigmax::inline SIGMAX_ABI::io::onnx_detail
