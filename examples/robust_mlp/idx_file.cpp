// SPDX-License-Identifier: MIT
#include <array>
#include <memory>
#include <string>

#include <zlib.h>

#include <sigmax/core/error.hpp>
#include <sigmax/io/printable.hpp>

#include "idx_file.hpp"

namespace robust_mlp {

namespace {

constexpr std::int64_t largest_array = std::int64_t{1} << 30;

[[noreturn]] void refuse(std::filesystem::path const& path, char const* problem) {
  throw sigmax::format_error(sigmax::io::printable(path.string()) + ": " + problem);
}

}  // namespace

idx_array read_idx(std::filesystem::path const& path) {
  std::unique_ptr<gzFile_s, int (*)(gzFile)> const file(gzopen(path.c_str(), "rb"), gzclose);
  if (file == nullptr) refuse(path, "it cannot be read");
  auto const read = [&](void* to, std::size_t bytes) {
    if (gzread(file.get(), to, static_cast<unsigned>(bytes)) != static_cast<int>(bytes)) {
      refuse(path, "it ends early, or is damaged");
    }
  };
  // 0, 0, the type (8: unsigned bytes), the number of extents; then each as four bytes, the highest first.
  std::array<std::uint8_t, 4> head{};
  read(head.data(), head.size());
  if (head[0] != 0 || head[1] != 0 || head[2] != 8 || head[3] < 1 || head[3] > 4)
    refuse(path, "this is no IDX file of bytes");
  idx_array result;
  std::int64_t size = 1;
  for (int axis = 0; axis < head[3]; ++axis) {
    std::array<std::uint8_t, 4> bytes{};
    read(bytes.data(), bytes.size());
    std::int64_t extent = 0;
    for (auto const byte : bytes) extent = extent * 256 + byte;
    result.shape.push_back(extent);
    if (extent > largest_array / size) refuse(path, "it says that it is larger than 1 GiB");
    size *= extent > 0 ? extent : 1;
    if (extent == 0) refuse(path, "an extent is 0");
  }
  result.elements.resize(static_cast<std::size_t>(size));
  read(result.elements.data(), result.elements.size());
  std::uint8_t more = 0;
  if (gzread(file.get(), &more, 1) != 0) refuse(path, "it is longer than it says");
  return result;
}

}  // namespace robust_mlp
