// SPDX-License-Identifier: MIT
/// @file
/// Files of the IDX format, in which MNIST comes, compressed with gzip or not.
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

namespace robust_mlp {

/// Unsigned bytes, row-major.
struct idx_array {
  std::vector<std::int64_t> shape;
  std::vector<std::uint8_t> elements;
};

/// @throws format_error that names the file if it cannot be read, is not IDX of bytes, or is longer or shorter than it says.
idx_array read_idx(std::filesystem::path const& path);

}  // namespace robust_mlp
