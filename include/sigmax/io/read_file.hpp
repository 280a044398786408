// SPDX-License-Identifier: MIT
/// @file
/// Whole files into memory, within a limit.
#pragma once

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>
#include <new>
#include <string>
#include <system_error>
#include <vector>

#include <sigmax/config.hpp>
#include <sigmax/core/error.hpp>
#include <sigmax/io/printable.hpp>

namespace sigmax::inline SIGMAX_ABI::io {

/// All bytes of a regular file of at most `max_bytes` bytes. @throws format_error that begins with the path.
inline std::vector<std::byte> read_file(std::filesystem::path const& path, std::uint64_t max_bytes) {
  std::string const label = printable(path.string()) + ": ";
  std::error_code problem;
  auto const status = std::filesystem::status(path, problem);
  if (status.type() == std::filesystem::file_type::not_found) throw format_error(label + "there is no such file");
  if (problem) throw format_error(label + "cannot be read: " + problem.message());
  if (!std::filesystem::is_regular_file(status)) throw format_error(label + "not a regular file");
  std::uint64_t const size = std::filesystem::file_size(path, problem);
  if (problem) throw format_error(label + "cannot be read: " + problem.message());
  if (size > max_bytes) {
    throw format_error(label + "the file takes " + std::to_string(size) + " bytes; at most " +
                       std::to_string(max_bytes) + " are allowed");
  }
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> const file(std::fopen(path.c_str(), "rb"), &std::fclose);
  if (!file) throw format_error(label + "cannot be read: " + std::strerror(errno));
  try {
    std::vector<std::byte> bytes(static_cast<std::size_t>(size));
    if (std::fread(bytes.data(), 1, bytes.size(), file.get()) != bytes.size()) {
      throw format_error(label + "cannot be read to its end");
    }
    return bytes;
  } catch (std::bad_alloc const&) {
    throw format_error(label + "the memory of this machine does not suffice for " + std::to_string(size) + " bytes");
  }
}

}  // namespace sigmax::inline SIGMAX_ABI::io
