// SPDX-License-Identifier: MIT
/// @file
/// A tensor whose elements are known when the network is read.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <sigmax/config.hpp>
#include <sigmax/core/scalar.hpp>
#include <sigmax/io/onnx/memory_budget.hpp>
#include <sigmax/io/printable.hpp>
#include <sigmax/lipschitz/tensor_shape.hpp>
#include <sigmax/lipschitz/weight.hpp>

namespace sigmax::inline SIGMAX_ABI::io::onnx_detail {

using lipschitz::tensor_shape;

/// Elements that several tensors may share.
template <class T>
using shared_elements = std::shared_ptr<std::vector<T> const>;

/// A matrix over shared elements, as `weight::owning` takes it.
template <class T>
struct shared_matrix {
  using value_type = T;
  static constexpr bool owns_elements = true;

  shared_elements<T> elements;
  index_t row_count = 0;
  index_t col_count = 0;
  index_t row_step = 0;
  index_t col_step = 0;

  T const* data() const { return elements->data(); }
  index_t rows() const { return row_count; }
  index_t cols() const { return col_count; }
  index_t row_stride() const { return row_step; }
  index_t col_stride() const { return col_step; }
};

/// A dense row-major tensor in the type it is stored in: nothing is converted, so nothing is rounded. Integers and
/// truth values are widened to 64 bits. Copies and reshapes share the elements.
struct constant {
  std::string name;
  tensor_shape shape;
  /// ONNX's TensorProto.DataType.
  int data_type = 0;
  std::variant<shared_elements<float>, shared_elements<double>, shared_elements<f16>, shared_elements<bf16>,
               shared_elements<std::int64_t>>
      elements;
  /// Says where an element is -infinity, if one is: only masks may hold it.
  std::string infinite = {};

  bool is_real() const { return !std::holds_alternative<shared_elements<std::int64_t>>(elements); }
  index_t size() const {
    return std::visit([](auto const& e) { return static_cast<index_t>(e->size()); }, elements);
  }
  /// Element number i as a double; exact for the real types.
  double operator[](index_t i) const {
    return std::visit([i](auto const& e) { return static_cast<double>((*e)[static_cast<std::size_t>(i)]); }, elements);
  }
  /// The integers. @throws format_error if these are not integers.
  std::vector<std::int64_t> const& integers() const {
    if (auto const* e = std::get_if<shared_elements<std::int64_t>>(&elements)) return **e;
    throw format_error("tensor " + in_quotes(name) + " holds real numbers; integers are needed here");
  }

  /// The same elements under another shape of as many elements.
  constant reshaped(tensor_shape to) const {
    constant result = *this;
    result.shape = std::move(to);
    return result;
  }

  /// result[i] = this[from(i)] for the elements i of `to`; for real types and integers alike.
  template <class From>
  constant gathered(tensor_shape to, From&& from, memory_budget& budget) const {
    index_t const count = lipschitz::element_count(to);
    constant result{name, std::move(to), data_type, {}, infinite};
    std::visit(
        [&]<class T>(shared_elements<T> const& e) {
          budget.charge(count, sizeof(T), "tensor " + in_quotes(name));
          auto copy = std::make_shared<std::vector<T>>(static_cast<std::size_t>(count));
          for (index_t i = 0; i < count; ++i) {
            (*copy)[static_cast<std::size_t>(i)] = (*e)[static_cast<std::size_t>(from(i))];
          }
          result.elements = shared_elements<T>(std::move(copy));
        },
        elements);
    return result;
  }

  /// The rows x cols matrix whose element (i, j) is element number i * row_step + j * col_step of this tensor, without
  /// a copy. @throws unsupported_error for integers.
  lipschitz::weight as_weight(index_t rows, index_t cols, index_t row_step, index_t col_step) const {
    return std::visit(
        [&]<class T>(shared_elements<T> const& e) -> lipschitz::weight {
          if constexpr (std::is_same_v<T, std::int64_t>) {
            throw unsupported_error("tensor " + in_quotes(name) + " holds integers; weights must be real numbers");
          } else {
            return lipschitz::weight::owning(shared_matrix<T>{e, rows, cols, row_step, col_step});
          }
        },
        elements);
  }
};

}  // namespace sigmax::inline SIGMAX_ABI::io::onnx_detail
