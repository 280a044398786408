// SPDX-License-Identifier: MIT
/// @file
/// A tensor on its way into a safetensors file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <ranges>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <sigmax/config.hpp>
#include <sigmax/core/error.hpp>
#include <sigmax/core/matrix_like.hpp>
#include <sigmax/core/matrix_view.hpp>
#include <sigmax/core/scalar.hpp>
#include <sigmax/io/printable.hpp>
#include <sigmax/io/safetensors/element_type.hpp>
#include <sigmax/io/safetensors/stored_tensor.hpp>

namespace sigmax::inline SIGMAX_ABI::io {

/// Name, type, shape, and where the elements are: they are not copied and must stay until the tensor is saved.
class named_tensor {
 public:
  /// A matrix of double, float, f16 or bf16 with any strides, as a tensor of two extents.
  template <class M>
    requires(provable_matrix<M>)
  named_tensor(std::string name, M&& w)
      : named_tensor(std::move(name), element_type_of<value_t<M>>, {const_view(w).rows(), const_view(w).cols()}) {
    static_assert(std::is_lvalue_reference_v<M> || !sigmax::detail::owns_elements<std::remove_cvref_t<M>>(),
                  "sigmax::io::named_tensor: this temporary owns its elements and dies too early; give it a name");
    auto const view = const_view(w);
    place(view.data(), view.rows(), view.cols(), view.row_stride(), view.col_stride());
  }

  /// A vector with any stride, as a tensor of one extent.
  template <class T>
    requires(exact_in_double<std::remove_const_t<T>>)
  named_tensor(std::string name, vector_view<T> v)
      : named_tensor(std::move(name), element_type_of<std::remove_const_t<T>>, {v.size()}) {
    place(v.data(), v.size(), 1, v.stride(), 1);
  }

  /// Elements one after the other (a std::vector, an array, a span), row-major, as a tensor of this shape.
  /// @throws shape_error if the shape is not that of so many elements.
  template <std::ranges::contiguous_range R>
    requires(exact_in_double<std::ranges::range_value_t<R>>&& std::ranges::borrowed_range<R>)
  named_tensor(std::string name, std::vector<index_t> shape, R&& elements)
      : named_tensor(std::move(name), element_type_of<std::ranges::range_value_t<R>>, std::move(shape),
                     std::as_bytes(std::span(std::ranges::data(elements), std::ranges::size(elements)))) {}

  /// Bytes as they shall stand in the file, of any type. @throws shape_error if the shape and type take others.
  named_tensor(std::string name, element_type type, std::vector<index_t> shape, std::span<std::byte const> bytes)
      : named_tensor(std::move(name), type, std::move(shape)) {
    if (bytes.size() != byte_count_) {
      throw shape_error("tensor " + in_quotes(name_) + ": " + std::to_string(bytes.size()) +
                        " bytes are given; shape " + safetensors_detail::shape_text(shape_) + " of type " +
                        name_of(type_) + " takes " + std::to_string(byte_count_));
    }
    data_ = bytes.data();
    rows_ = 1;
    cols_ = static_cast<index_t>(bytes.size());
    element_size_ = 1;
  }

  std::string const& name() const { return name_; }
  element_type type() const { return type_; }
  std::vector<index_t> const& shape() const { return shape_; }
  std::uint64_t byte_count() const { return byte_count_; }

  /// Calls `write(pointer, size)` with all bytes in their order in the file, in blocks of at least 64 KiB where they do
  /// not lie that way already.
  template <class Write>
  void for_each_block(Write const& write) const {
    if (byte_count_ == 0) return;
    auto const size = static_cast<std::size_t>(element_size_);
    bool const dense = (cols_ == 1 || col_stride_ == 1) && (rows_ == 1 || row_stride_ == cols_);
    if (dense) return write(data_, static_cast<std::size_t>(byte_count_));
    std::vector<std::byte> block;
    block.reserve(block_size + size);
    for (index_t i = 0; i < rows_; ++i) {
      for (index_t j = 0; j < cols_; ++j) {
        auto const* const element = data_ + (i * row_stride_ + j * col_stride_) * element_size_;
        block.insert(block.end(), element, element + size);
        if (block.size() >= block_size) {
          write(block.data(), block.size());
          block.clear();
        }
      }
    }
    write(block.data(), block.size());
  }

 private:
  static constexpr std::size_t block_size = 65536;

  named_tensor(std::string name, element_type type, std::vector<index_t> shape)
      : name_(std::move(name)), type_(type), shape_(std::move(shape)) {
    auto const refuse = [&](std::string const& problem) {
      throw shape_error("tensor " + in_quotes(name_) + ": shape is " + safetensors_detail::shape_text(shape_) + "; " +
                        problem);
    };
    if (shape_.size() > safetensors_detail::max_rank) {
      refuse("at most " + std::to_string(safetensors_detail::max_rank) + " extents are allowed");
    }
    for (index_t const extent : shape_) {
      if (extent < 0) refuse("extents must not be negative");
    }
    try {
      byte_count_ = safetensors_detail::byte_count(type_, shape_);
    } catch (format_error const& problem) {
      refuse(problem.what());
    }
  }

  template <class T>
  void place(T const* data, index_t rows, index_t cols, index_t row_stride, index_t col_stride) {
    data_ = reinterpret_cast<std::byte const*>(data);
    rows_ = rows;
    cols_ = cols;
    row_stride_ = row_stride;
    col_stride_ = col_stride;
    element_size_ = static_cast<index_t>(sizeof(T));
  }

  std::string name_;
  element_type type_;
  std::vector<index_t> shape_;
  std::uint64_t byte_count_ = 0;
  std::byte const* data_ = nullptr;
  index_t rows_ = 0;
  index_t cols_ = 0;
  index_t row_stride_ = 0;
  index_t col_stride_ = 1;
  index_t element_size_ = 1;
};

}  // namespace sigmax::inline SIGMAX_ABI::io
