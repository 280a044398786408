// SPDX-License-Identifier: MIT
/// @file
/// Handwritten digits: images with elements in [0, 1] and their labels.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <vector>

#include <sigmax/core/matrix.hpp>

namespace robust_mlp {

using sigmax::index_t;

struct digits {
  static constexpr index_t side = 28;
  static constexpr index_t classes = 10;

  /// An image a row, N x 784.
  sigmax::matrix<float> images;
  std::vector<int> labels;

  index_t count() const { return images.rows(); }
};

/// Images [first, first + count) of the 10,000 of MNIST's test set, which lie in `folder` as they are published.
/// @throws format_error if a file is not there or not what it should be.
digits read_digits(std::filesystem::path const& folder, index_t first, index_t count);

/// The files are there.
bool has_digits(std::filesystem::path const& folder);

/// Image `which` shifted by whole pixels, black coming in at the sides.
void copy_shifted(digits const& from, index_t which, index_t right, index_t down, std::span<float> to);

}  // namespace robust_mlp
