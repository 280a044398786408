// SPDX-License-Identifier: MIT
#include <algorithm>
#include <string>

#include <sigmax/core/error.hpp>
#include <sigmax/io/printable.hpp>

#include "digits.hpp"
#include "idx_file.hpp"

namespace robust_mlp {

namespace {

constexpr char const* image_file = "t10k-images-idx3-ubyte.gz";
constexpr char const* label_file = "t10k-labels-idx1-ubyte.gz";

}  // namespace

bool has_digits(std::filesystem::path const& folder) {
  return std::filesystem::exists(folder / image_file) && std::filesystem::exists(folder / label_file);
}

digits read_digits(std::filesystem::path const& folder, index_t first, index_t count) {
  auto const images = read_idx(folder / image_file);
  auto const labels = read_idx(folder / label_file);
  bool const fit = images.shape.size() == 3 && images.shape[1] == digits::side && images.shape[2] == digits::side &&
                   labels.shape == std::vector<std::int64_t>{images.shape[0]} && first + count <= images.shape[0];
  if (!fit) {
    throw sigmax::format_error(sigmax::io::printable(folder.string()) +
                               ": these are not the images and labels of MNIST's test set");
  }
  digits result{sigmax::matrix<float>(count, digits::side * digits::side), {}};
  auto const pixels = static_cast<std::size_t>(result.images.cols());
  for (index_t i = 0; i < count; ++i) {
    auto const from = static_cast<std::size_t>(first + i);
    for (std::size_t k = 0; k < pixels; ++k) {
      result.images(i, static_cast<index_t>(k)) = static_cast<float>(images.elements[from * pixels + k]) / 255.0f;
    }
    int const label = labels.elements[from];
    if (label >= digits::classes) throw sigmax::format_error("a label of MNIST is " + std::to_string(label));
    result.labels.push_back(label);
  }
  return result;
}

void copy_shifted(digits const& from, index_t which, index_t right, index_t down, std::span<float> to) {
  constexpr index_t side = digits::side;
  std::fill(to.begin(), to.end(), 0.0f);
  for (index_t i = std::max<index_t>(down, 0); i < std::min(side, side + down); ++i) {
    for (index_t j = std::max<index_t>(right, 0); j < std::min(side, side + right); ++j) {
      to[static_cast<std::size_t>(i * side + j)] = from.images(which, (i - down) * side + j - right);
    }
  }
}

}  // namespace robust_mlp
