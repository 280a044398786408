// SPDX-License-Identifier: MIT
// However a header is made, reading it stays within max_memory, file included.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <sigmax/core/error.hpp>
#include <sigmax/core/matrix.hpp>
#include <sigmax/io/atomic_file.hpp>
#include <sigmax/io/safetensors.hpp>

#include "safetensors_builder.hpp"
#include "support/allocation_peak.hpp"

namespace {

using namespace sigmax;

/// `count` entries made by f(i), in braces.
template <class F>
std::string entries(int count, F const& f) {
  std::string text = "{";
  for (int i = 0; i < count; ++i) text += (i == 0 ? "" : ",") + f(std::to_string(i));
  return text + "}";
}

/// Headers of a megabyte or so in which little text asks for much memory.
std::vector<std::string> hungry_headers() {
  std::string const nothing = R"(":{"dtype":"U8","shape":[0],"data_offsets":[0,0]})";
  std::string ones = "0";
  for (int i = 1; i < 64; ++i) ones += ",1";
  std::string const rank_64 = R"(":{"dtype":"U8","shape":[)" + ones + R"(],"data_offsets":[0,0]})";
  std::string const long_text(1 << 20, 'x');
  std::string growing = "{";
  for (std::size_t size = 16; size < 300000; size += size / 2) {
    growing += (growing.size() > 1 ? ",\"" : "\"") + std::string(size, 'y') + nothing;
  }
  return {
      entries(20000, [&](std::string const& i) { return "\"" + i + nothing; }),
      entries(5000, [&](std::string const& i) { return "\"" + i + rank_64; }),
      entries(20000, [&](std::string const& i) { return "\"a name beyond small strings " + i + nothing; }),
      R"({"__metadata__":)" + entries(90000, [](std::string const& i) { return "\"" + i + "\":\"\""; }) + "}",
      R"({"__metadata__":)" +
          entries(9000, [](std::string const& i) { return "\"" + i + "\":\"" + std::string(40, 'v') + "\""; }) + "}",
      R"({"__metadata__":{"k":")" + long_text + "\"}}",
      "{\"" + long_text + nothing + "}",
      "{\"" + long_text,
      "{\"" + long_text + "\":1}",
      R"({"t":{"dtype":")" + long_text + "\"}}",
      R"({"t":{")" + long_text + "\":1}}",
      R"({"t":{"dtype":"U8","shape":[)" + std::string(1 << 20, '9') + "]}}",
      growing + "}",
      R"({"t":)" + std::string(1 << 20, '['),
  };
}

}  // namespace

TEST_CASE("safetensors: memory while reading stays within max_memory") {
  int refused = 0;
  int read = 0;
  for (auto const& header : hungry_headers()) {
    std::string const text = test::safetensors_text(header);
    for (double const factor : {1.0, 1.1, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0, 16.0, 24.0, 40.0}) {
      auto const limit = static_cast<std::uint64_t>(factor * static_cast<double>(text.size()));
      std::size_t const peak = peak_bytes_of([&] {
        try {
          auto const file = test::parse_text(text, {.max_memory = limit});
          ++read;
        } catch (error const&) {
          ++refused;
        }
      });
      CAPTURE(header.substr(0, 60));
      CAPTURE(factor);
      CAPTURE(peak);
      // A refusal takes its own text.
      CHECK(text.size() + peak <= std::max(limit, text.size() + 2048));
    }
  }
  CHECK(read > 30);
  CHECK(refused > 30);
}

TEST_CASE("safetensors: loading a file stays within max_memory") {
  auto const path = std::filesystem::temp_directory_path() / "sigmax-safetensors-memory-test.safetensors";
  for (auto const& header : hungry_headers()) {
    io::write_file(path, test::safetensors_text(header));
    for (double const factor : {0.9, 1.0, 1.5, 4.0, 40.0}) {
      auto const limit = static_cast<std::uint64_t>(factor * static_cast<double>(header.size() + 8));
      std::size_t const peak = peak_bytes_of([&] {
        try {
          io::load_safetensors(path, {.max_memory = limit});
        } catch (error const&) {
        }
      });
      CAPTURE(header.substr(0, 60));
      CAPTURE(factor);
      CHECK(peak <= std::max(limit, header.size() + 2048));
    }
  }
  std::filesystem::remove(path);
}

TEST_CASE("safetensors: saving takes the header and one block") {
  matrix<float> a(2000, 1000);
  auto const path = std::filesystem::temp_directory_path() / "sigmax-safetensors-memory-test.safetensors";
  std::size_t const peak = peak_bytes_of([&] { io::save_safetensors(path, {{"w", a}, {"t", a.view().transposed()}}); });
  CHECK(peak < 200000);
  CHECK(std::filesystem::file_size(path) > 16'000'000);
  std::filesystem::remove(path);
}
