// SPDX-License-Identifier: MIT
/// @file
/// Accounting of what an import allocates, so that a small file cannot ask for a large amount of memory.
#pragma once

#include <cstdint>
#include <string>

#include <sigmax/config.hpp>
#include <sigmax/core/error.hpp>
#include <sigmax/core/scalar.hpp>

namespace sigmax::inline SIGMAX_ABI::io::onnx_detail {

/// Bytes that may still be allocated. Charged before each allocation whose size a file decides; nothing is given back.
class memory_budget {
 public:
  memory_budget(std::uint64_t limit, std::uint64_t used) : limit_(limit), used_(used) {}

  /// Takes `count` elements of `bytes_each` for `what`. @throws format_error if they do not fit.
  void charge(index_t count, std::uint64_t bytes_each, std::string const& what) {
    std::uint64_t bytes = 0;
    std::uint64_t sum = 0;
    if (count < 0 || __builtin_mul_overflow(static_cast<std::uint64_t>(count), bytes_each, &bytes) ||
        __builtin_add_overflow(used_, bytes, &sum) || sum > limit_) {
      throw format_error(what + " with " + std::to_string(count) + " elements does not fit into the " +
                         std::to_string(limit_) + " bytes that max_memory allows, " + std::to_string(used_) +
                         " are taken");
    }
    used_ = sum;
  }

 private:
  std::uint64_t limit_;
  std::uint64_t used_;
};

}  // namespace sigmax::inline SIGMAX_ABI::io::onnx_detail
