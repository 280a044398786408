// SPDX-License-Identifier: MIT
// IDX files as they should be and as they should not.
#include <filesystem>
#include <fstream>
#include <string>

#include <doctest/doctest.h>

#include <sigmax/core/error.hpp>

#include "robust_mlp/digits.hpp"
#include "robust_mlp/idx_file.hpp"

using namespace robust_mlp;

namespace {

std::filesystem::path write(std::string const& bytes) {
  auto const path = std::filesystem::temp_directory_path() / "sigmax-idx-test";
  std::ofstream(path, std::ios::binary) << bytes;
  return path;
}

std::string head(char type, std::initializer_list<int> shape) {
  std::string bytes{'\0', '\0', type, static_cast<char>(shape.size())};
  for (int const extent : shape) {
    for (int const shift : {24, 16, 8, 0}) bytes += static_cast<char>(extent >> shift & 255);
  }
  return bytes;
}

}  // namespace

TEST_CASE("an IDX file is read as it is") {
  auto const array = read_idx(write(head(8, {2, 3}) + "abcdef"));
  CHECK(array.shape == std::vector<std::int64_t>{2, 3});
  CHECK(std::string(array.elements.begin(), array.elements.end()) == "abcdef");
}

TEST_CASE("what is no IDX file, too short, too long or too large is refused") {
  for (auto const& bytes :
       {std::string(), std::string("\0\0", 2), head(8, {2, 3}) + "abcde", head(8, {2, 3}) + "abcdefg",
        head(13, {2, 3}) + "abcdef", head(8, {}), head(8, {0, 3}), head(8, {1, 2, 1, 1, 1}) + "ab",
        head(8, {0x7fffffff, 0x7fffffff}) + "abc", head(8, {-1, 1}) + "a", std::string("abcdefgh")}) {
    CHECK_THROWS_AS(read_idx(write(bytes)), sigmax::format_error);
  }
  CHECK_THROWS_AS(read_idx("/nowhere/at/all"), sigmax::format_error);
  CHECK_FALSE(has_digits("/nowhere/at/all"));
  CHECK_THROWS_AS(read_digits("/nowhere/at/all", 0, 1), sigmax::format_error);
  std::filesystem::remove(std::filesystem::temp_directory_path() / "sigmax-idx-test");
}

TEST_CASE("MNIST's test set is read") {
  std::filesystem::path const folder = std::filesystem::path(SIGMAX_DATA_DIR) / "mnist";
  if (!has_digits(folder)) {
    MESSAGE("skipped: no MNIST in " << folder.string());
    return;
  }
  auto const data = read_digits(folder, 9990, 10);
  CHECK(data.count() == 10);
  CHECK(data.labels.size() == 10);
  float largest = 0;
  for (index_t i = 0; i < data.images.size(); ++i) largest = std::max(largest, data.images.data()[i]);
  CHECK(largest == 1);
  CHECK_THROWS_AS(read_digits(folder, 9991, 10), sigmax::format_error);
}
