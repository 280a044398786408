// SPDX-License-Identifier: MIT
/// @file
/// The attributes of one node. What an operator does not ask for is an error at the end: no attribute is ignored.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <onnx/onnx_pb.h>

#include <sigmax/bound/rounding.hpp>
#include <sigmax/config.hpp>
#include <sigmax/core/error.hpp>
#include <sigmax/io/printable.hpp>

namespace sigmax::inline SIGMAX_ABI::io::onnx_detail {

/// How messages call a node: "node 'gemm_1' (Gemm)", or by its first output where it has no name.
inline std::string node_text(::onnx::NodeProto const& node) {
  std::string name = "node without outputs";
  if (!node.name().empty()) {
    name = "node " + in_quotes(node.name());
  } else if (node.output_size() > 0) {
    name = "node of " + in_quotes(node.output(0));
  }
  return name + " (" + printable(node.op_type()) + ")";
}

class attribute_reader {
 public:
  /// @throws format_error if an attribute occurs twice, unsupported_error if one refers to a function's parameter.
  attribute_reader(::onnx::NodeProto const& node, std::string where) : where_(std::move(where)) {
    for (auto const& attribute : node.attribute()) {
      if (!attribute.ref_attr_name().empty()) {
        throw unsupported_error(where_ + ": attribute " + in_quotes(attribute.name()) +
                                " refers to a function's parameter");
      }
      entries_.push_back({attribute.name(), &attribute, false});
    }
    std::sort(entries_.begin(), entries_.end(), [](entry const& a, entry const& b) { return a.name < b.name; });
    for (std::size_t i = 1; i < entries_.size(); ++i) {
      if (entries_[i - 1].name == entries_[i].name) {
        throw format_error(where_ + ": attribute " + in_quotes(entries_[i].name) + " occurs twice");
      }
    }
  }

  /// A number; floats are widened exactly. @throws numeric_error if it is not finite.
  std::optional<double> real(std::string_view name) {
    auto const* const found = take(name, ::onnx::AttributeProto::FLOAT, "a float");
    if (found == nullptr) return std::nullopt;
    return finite(name, found->f());
  }
  std::optional<std::vector<float>> reals(std::string_view name) {
    auto const* const found = take(name, ::onnx::AttributeProto::FLOATS, "floats");
    if (found == nullptr) return std::nullopt;
    for (float const value : found->floats()) finite(name, value);
    return std::vector<float>(found->floats().begin(), found->floats().end());
  }
  std::optional<std::int64_t> integer(std::string_view name) {
    auto const* const found = take(name, ::onnx::AttributeProto::INT, "an integer");
    return found == nullptr ? std::nullopt : std::optional<std::int64_t>(found->i());
  }
  std::optional<std::vector<std::int64_t>> integers(std::string_view name) {
    auto const* const found = take(name, ::onnx::AttributeProto::INTS, "integers");
    if (found == nullptr) return std::nullopt;
    return std::vector<std::int64_t>(found->ints().begin(), found->ints().end());
  }
  std::optional<std::string> text(std::string_view name) {
    auto const* const found = take(name, ::onnx::AttributeProto::STRING, "a string");
    return found == nullptr ? std::nullopt : std::optional<std::string>(found->s());
  }
  ::onnx::TensorProto const* tensor(std::string_view name) {
    auto const* const found = take(name, ::onnx::AttributeProto::TENSOR, "a tensor");
    return found == nullptr ? nullptr : &found->t();
  }
  /// 0 or 1. @throws format_error for anything else.
  bool flag(std::string_view name, bool otherwise) {
    auto const value = integer(name);
    if (!value) return otherwise;
    if (*value != 0 && *value != 1) {
      throw format_error(where_ + ": attribute " + in_quotes(name) + " is " + std::to_string(*value) +
                         "; it must be 0 or 1");
    }
    return *value == 1;
  }
  /// Marks an attribute as known that has no influence on the function.
  void ignore(std::string_view name) {
    if (entry* const found = find(name)) found->taken = true;
  }

  /// @throws unsupported_error for an attribute nobody asked for.
  void finish() const {
    for (entry const& e : entries_) {
      if (!e.taken) throw unsupported_error(where_ + ": attribute " + in_quotes(e.name) + " is not known");
    }
  }

 private:
  struct entry {
    std::string_view name;
    ::onnx::AttributeProto const* attribute;
    bool taken;
  };

  entry* find(std::string_view name) {
    auto const at = std::lower_bound(entries_.begin(), entries_.end(), name,
                                     [](entry const& e, std::string_view wanted) { return e.name < wanted; });
    return at != entries_.end() && at->name == name ? &*at : nullptr;
  }

  ::onnx::AttributeProto const* take(std::string_view name, ::onnx::AttributeProto::AttributeType type,
                                     char const* meaning) {
    entry* const found = find(name);
    if (found == nullptr) return nullptr;
    found->taken = true;
    if (found->attribute->type() != type) {
      throw format_error(where_ + ": attribute " + in_quotes(name) + " must be " + meaning);
    }
    return found->attribute;
  }

  double finite(std::string_view name, float value) const {
    auto const wide = static_cast<double>(value);
    if (!is_finite(wide)) throw numeric_error(where_ + ": attribute " + in_quotes(name) + " is not finite");
    return wide;
  }

  std::string where_;
  std::vector<entry> entries_;
};

}  // namespace sigmax::inline SIGMAX_ABI::io::onnx_detail
