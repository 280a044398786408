// SPDX-License-Identifier: MIT
/// @file
/// A safetensors file that was read and checked.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <sigmax/config.hpp>
#include <sigmax/core/error.hpp>
#include <sigmax/core/matrix_like.hpp>
#include <sigmax/io/printable.hpp>
#include <sigmax/io/safetensors/element_type.hpp>
#include <sigmax/io/safetensors/header.hpp>
#include <sigmax/io/safetensors/stored_tensor.hpp>
#include <sigmax/io/safetensors/tensor_matrix.hpp>

namespace sigmax::inline SIGMAX_ABI::io {

/// The tensors of a safetensors file, made by `load_safetensors` (which owns the bytes) and `parse_safetensors` (whose
/// caller does). Whatever it says about a tensor has been checked against the bytes that are there; the numbers
/// themselves are as they are stored, NaN and infinities among them.
class safetensors_file {
 public:
  safetensors_file(safetensors_file&&) noexcept = default;
  safetensors_file& operator=(safetensors_file&&) noexcept = default;

  /// All tensors, in the order of their bytes.
  std::span<stored_tensor const> tensors() const { return header_.tensors; }
  /// The texts under "__metadata__".
  std::map<std::string, std::string> const& metadata() const { return header_.metadata; }

  /// The tensor of this name, or a null pointer. O(log n).
  stored_tensor const* find(std::string_view name) const {
    auto const at = std::lower_bound(header_.by_name.begin(), header_.by_name.end(), name,
                                     [&](std::size_t i, std::string_view n) { return header_.tensors[i].name < n; });
    return at != header_.by_name.end() && header_.tensors[*at].name == name ? &header_.tensors[*at] : nullptr;
  }
  /// The tensor of this name. @throws format_error if there is none.
  stored_tensor const& at(std::string_view name) const {
    if (auto const* const tensor = find(name)) return *tensor;
    throw format_error(label_ + ": there is no tensor " + in_quotes(name));
  }

  /// The bytes of one of `tensors()`, of any type. @throws domain_error for a tensor that does not lie in this file.
  std::span<std::byte const> bytes(stored_tensor const& tensor) const {
    if (tensor.begin > tensor.end || tensor.end > data_.size()) {
      throw domain_error(text_of(tensor) + "is not a tensor of this file");
    }
    return data_.subspan(static_cast<std::size_t>(tensor.begin), static_cast<std::size_t>(tensor.end - tensor.begin));
  }
  std::span<std::byte const> bytes(std::string_view name) const { return bytes(at(name)); }

  /// A tensor of two extents as the matrix it is: shape[0] x shape[1].
  /// @throws format_error if there is no such tensor, unsupported_error if its type is not T (nothing is converted) and
  ///         shape_error if it has another number of extents.
  template <exact_in_double T>
  tensor_matrix<T> matrix(std::string_view name) const {
    stored_tensor const& tensor = at(name);
    require_type(tensor, element_type_of<T>);
    if (tensor.shape.size() != 2) {
      throw shape_error(text_of(tensor) + "shape is " + safetensors_detail::shape_text(tensor.shape) +
                        "; a matrix has two extents");
    }
    return flattened<T>(tensor);
  }

  /// A tensor of any shape as shape[0] x (product of the other extents): a vector as a column, a scalar as 1 x 1.
  /// For the kernel of a convolution this is a matrix of the same numbers and not the operator: the norm of one says
  /// nothing about the norm of the other without a theorem. Throws as `matrix`, without shape_error.
  template <exact_in_double T>
  tensor_matrix<T> flattened(std::string_view name) const {
    return flattened<T>(at(name));
  }
  template <exact_in_double T>
  tensor_matrix<T> flattened(stored_tensor const& tensor) const {
    require_type(tensor, element_type_of<T>);
    auto const [rows, cols] = flattened_extents(tensor);
    return tensor_matrix<T>(bytes(tensor), rows, cols);
  }

  /// `f(matrix)` with the flattened tensor in the type it is stored in: f takes tensor_matrix<T> of double, float, f16
  /// and bf16. @throws unsupported_error for every other type.
  template <class F>
  auto visit(stored_tensor const& tensor, F&& f) const {
    switch (tensor.type) {
      case element_type::f64:
        return f(flattened<double>(tensor));
      case element_type::f32:
        return f(flattened<float>(tensor));
      case element_type::f16:
        return f(flattened<f16>(tensor));
      case element_type::bf16:
        return f(flattened<bf16>(tensor));
      default:
        throw unsupported_error(text_of(tensor) + "elements are " + name_of(tensor.type) +
                                "; sigmax computes with F64, F32, F16 and BF16");
    }
  }

  /// Copies a tensor of two extents into a matrix of its shape and type, any strides; bits stay as they are.
  /// Throws as `matrix`, shape_error also for a destination of another shape.
  template <class M>
    requires(writable_matrix<M>&& exact_in_double<value_t<M>>)
  void read_into(std::string_view name, M&& destination) const {
    copy_elements(matrix<value_t<M>>(name), view(destination), name);
  }
  /// Copies a tensor of one extent into a vector of its size and type. Throws like the above.
  template <exact_in_double T>
  void read_into(std::string_view name, vector_view<T> destination) const {
    stored_tensor const& tensor = at(name);
    require_type(tensor, element_type_of<T>);
    if (tensor.shape.size() != 1) {
      throw shape_error(text_of(tensor) + "shape is " + safetensors_detail::shape_text(tensor.shape) +
                        "; a vector has one extent");
    }
    copy_elements(flattened<T>(tensor), as_row(destination).transposed(), name);
  }

 private:
  friend struct safetensors_access;
  safetensors_file(std::string label, std::span<std::byte const> data, safetensors_detail::header header)
      : label_(std::move(label)), data_(data), header_(std::move(header)) {}

  std::string text_of(stored_tensor const& tensor) const {
    return label_ + ": tensor " + in_quotes(tensor.name) + ": ";
  }

  void require_type(stored_tensor const& tensor, element_type asked) const {
    if (tensor.type == asked) return;
    throw unsupported_error(text_of(tensor) + "elements are " + name_of(tensor.type) + " and were asked for as " +
                            name_of(asked) + "; nothing is converted");
  }

  static std::pair<index_t, index_t> flattened_extents(stored_tensor const& tensor) {
    index_t rows = 1;
    index_t cols = 1;
    for (std::size_t i = 0; i < tensor.shape.size(); ++i) (i == 0 ? rows : cols) *= tensor.shape[i];
    return {rows, cols};
  }

  template <class T>
  void copy_elements(tensor_matrix<T> const& from, matrix_view<T> to, std::string_view name) const {
    if (from.rows() != to.rows() || from.cols() != to.cols()) {
      sigmax::detail::raise<shape_error>({text_of(at(name)), "shape is ", from.rows(), " x ", from.cols(),
                                          "; the destination is ", to.rows(), " x ", to.cols()});
    }
    for (index_t i = 0; i < to.rows(); ++i) {
      for (index_t j = 0; j < to.cols(); ++j) {
        // Not an assignment: on some processors moving a signalling NaN through a register changes it.
        std::memcpy(static_cast<void*>(&to(i, j)), &from(i, j), sizeof(T));
      }
    }
  }

  std::string label_;
  std::span<std::byte const> data_;
  safetensors_detail::header header_;
  /// Empty if the caller owns the bytes.
  std::vector<std::byte> owned_;
};

}  // namespace sigmax::inline SIGMAX_ABI::io
