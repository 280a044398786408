// SPDX-License-Identifier: MIT
/// @file
/// The header of a safetensors file, and the checks before any of it is believed.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <sigmax/config.hpp>
#include <sigmax/core/error.hpp>
#include <sigmax/core/scalar.hpp>
#include <sigmax/io/printable.hpp>
#include <sigmax/io/safetensors/element_type.hpp>
#include <sigmax/io/safetensors/header_cursor.hpp>
#include <sigmax/io/safetensors/stored_tensor.hpp>

namespace sigmax::inline SIGMAX_ABI::io {

namespace safetensors_detail {

/// What a header holds.
struct header {
  /// In the order of their bytes; among tensors without any that begin at one place, by name.
  std::vector<stored_tensor> tensors;
  /// Positions in `tensors`, by name.
  std::vector<std::size_t> by_name;
  std::map<std::string, std::string> metadata;
};

/// Reads one header.
class header_reader {
 public:
  /// `first_byte` is the position of the text in its file, `data_size` how many bytes follow the header there.
  header_reader(std::string_view text, std::size_t first_byte, std::uint64_t data_size, memory_limit& memory)
      : cursor_(text, first_byte, memory), data_size_(data_size), memory_(memory) {}

  header run() && {
    // JSON may begin with white space, a header may not.
    cursor_.expect('{', "at the start of the header");
    if (!cursor_.take('}')) {
      do {
        read_entry();
      } while (cursor_.take(','));
      cursor_.expect('}', "or ',' after an entry of the header");
    }
    if (!cursor_.at_end()) cursor_.fail("the header goes on after its closing brace");
    put_in_order();
    check_tiling();
    return std::move(result_);
  }

 private:
  void read_entry() {
    std::string_view const name = cursor_.string("the name of a tensor");
    if (name == metadata_key) {
      if (std::exchange(has_metadata_, true)) cursor_.fail("the key '__metadata__' is there twice");
      cursor_.expect(':', "after '__metadata__'");
      read_metadata();
      return;
    }
    // A vector grows by doubling and holds both copies as it does.
    memory_.charge(3 * sizeof(stored_tensor) + name.size() + 64);
    result_.tensors.emplace_back().name = name;
    stored_tensor& tensor = result_.tensors.back();
    cursor_.within(tensor.name, true);
    cursor_.expect(':', "after its name");
    read_tensor(tensor);
    cursor_.within("", false);
  }

  void read_metadata() {
    cursor_.expect('{', "at the start of '__metadata__'");
    if (cursor_.take('}')) return;
    do {
      std::string_view const raw_key = cursor_.string("a key of '__metadata__'");
      memory_.charge(raw_key.size() + 256);  // with the node of the map
      std::string key(raw_key);
      cursor_.expect(':', "after a key of '__metadata__'");
      std::string_view const text = cursor_.string("a value of '__metadata__'");
      memory_.charge(text.size() + 32);
      auto const [place, is_new] = result_.metadata.try_emplace(std::move(key), text);
      if (!is_new) cursor_.fail("'__metadata__' has the key " + in_quotes(place->first) + " twice");
    } while (cursor_.take(','));
    cursor_.expect('}', "or ',' after a value of '__metadata__'");
  }

  void read_tensor(stored_tensor& tensor) {
    static constexpr std::array<std::string_view, 3> keys{"dtype", "shape", "data_offsets"};
    std::array<bool, 3> seen{};
    cursor_.expect('{', "before its dtype, shape and data_offsets");
    if (!cursor_.take('}')) {
      do {
        std::string_view const key = cursor_.string("a key");
        auto const which = static_cast<std::size_t>(std::find(keys.begin(), keys.end(), key) - keys.begin());
        if (which == keys.size()) {
          cursor_.fail("has the key " + in_quotes(key) + "; 'dtype', 'shape' and 'data_offsets' are allowed");
        }
        if (std::exchange(seen[which], true)) cursor_.fail("has the key " + in_quotes(key) + " twice");
        cursor_.expect(':', "after a key");
        if (which == 0) read_type(tensor);
        if (which == 1) read_shape(tensor);
        if (which == 2) read_offsets(tensor);
      } while (cursor_.take(','));
      cursor_.expect('}', "or ',' after a value");
    }
    for (std::size_t i = 0; i < keys.size(); ++i) {
      if (!seen[i]) cursor_.fail("has no key '" + std::string(keys[i]) + "'");
    }
    check_size(tensor);
  }

  void read_type(stored_tensor& tensor) {
    std::string_view const name = cursor_.string("the dtype");
    auto const type = element_type_named(name);
    if (!type) {
      throw unsupported_error(cursor_.tensor_text() + "dtype is " + in_quotes(name) + ", which sigmax does not know");
    }
    tensor.type = *type;
  }

  void read_shape(stored_tensor& tensor) {
    std::array<index_t, max_rank> extents;
    std::size_t rank = 0;
    cursor_.expect('[', "before the extents of its shape");
    if (!cursor_.take(']')) {
      do {
        if (rank == max_rank) cursor_.fail("its shape has more than " + std::to_string(max_rank) + " extents");
        extents[rank++] = static_cast<index_t>(cursor_.natural("an extent of its shape"));
      } while (cursor_.take(','));
      cursor_.expect(']', "or ',' after an extent of its shape");
    }
    memory_.charge(rank * sizeof(index_t) + 32);
    tensor.shape.assign(extents.data(), extents.data() + rank);
  }

  void read_offsets(stored_tensor& tensor) {
    cursor_.expect('[', "before its data_offsets");
    tensor.begin = cursor_.natural("the first of its data_offsets");
    cursor_.expect(',', "between its two data_offsets");
    tensor.end = cursor_.natural("the second of its data_offsets");
    cursor_.expect(']', "after its two data_offsets");
  }

  void check_size(stored_tensor const& tensor) const {
    auto const fail = [&](std::string const& problem) { throw format_error(cursor_.tensor_text() + problem); };
    auto const offsets = [&] {
      return "data_offsets are [" + std::to_string(tensor.begin) + ", " + std::to_string(tensor.end) + "]";
    };
    if (tensor.end < tensor.begin) fail(offsets() + "; the second must not be less than the first");
    if (tensor.end > data_size_) {
      fail(offsets() + "; " + std::to_string(data_size_) + " bytes of data follow the header");
    }
    std::uint64_t bytes = 0;
    try {
      bytes = byte_count(tensor.type, tensor.shape);
    } catch (format_error const& problem) {
      fail("shape is " + shape_text(tensor.shape) + "; " + problem.what());
    }
    if (tensor.end - tensor.begin != bytes) {
      fail(offsets() + ", which is " + std::to_string(tensor.end - tensor.begin) + " bytes; shape " +
           shape_text(tensor.shape) + " of type " + name_of(tensor.type) + " takes " + std::to_string(bytes));
    }
  }

  /// Sorts the tensors by their bytes and the positions by name. @throws format_error if a name is there twice.
  void put_in_order() {
    auto& tensors = result_.tensors;
    std::sort(tensors.begin(), tensors.end(), [](stored_tensor const& a, stored_tensor const& b) {
      if (a.begin != b.begin) return a.begin < b.begin;
      return a.end != b.end ? a.end < b.end : a.name < b.name;
    });
    memory_.charge(sizeof(std::size_t) * tensors.size() + 32);
    auto& by_name = result_.by_name;
    by_name.resize(tensors.size());
    for (std::size_t i = 0; i < by_name.size(); ++i) by_name[i] = i;
    std::sort(by_name.begin(), by_name.end(),
              [&](std::size_t a, std::size_t b) { return tensors[a].name < tensors[b].name; });
    for (std::size_t i = 1; i < by_name.size(); ++i) {
      if (tensors[by_name[i]].name == tensors[by_name[i - 1]].name) {
        throw format_error("tensor " + in_quotes(tensors[by_name[i]].name) + ": is in the header twice");
      }
    }
  }

  /// The tensors must fill the data with no holes and no overlap. @throws format_error where they do not.
  void check_tiling() const {
    std::uint64_t filled = 0;
    for (stored_tensor const& tensor : result_.tensors) {
      if (tensor.begin != filled) {
        throw format_error(
            "tensor " + in_quotes(tensor.name) + ": begins at byte " + std::to_string(tensor.begin) + " of the data, " +
            (tensor.begin < filled ? "inside another tensor, which ends at byte " : "and leaves a hole after byte ") +
            std::to_string(filled));
      }
      filled = tensor.end;
    }
    if (filled != data_size_) {
      throw format_error("the tensors end at byte " + std::to_string(filled) + " of the data; " +
                         std::to_string(data_size_) + " bytes follow the header");
    }
  }

  header_cursor cursor_;
  std::uint64_t data_size_;
  memory_limit& memory_;
  bool has_metadata_ = false;
  header result_;
};

}  // namespace safetensors_detail

}  // namespace sigmax::inline SIGMAX_ABI::io
