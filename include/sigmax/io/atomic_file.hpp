// SPDX-License-Identifier: MIT
/// @file
/// Files that are either complete or not there.
#pragma once

#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <sigmax/config.hpp>
#include <sigmax/core/error.hpp>
#include <sigmax/io/printable.hpp>

namespace sigmax::inline SIGMAX_ABI::io {

/// A file under construction. It is written under a name of its own beside the target and takes the target's name in
/// `commit()`; destroyed before that, it leaves nothing behind and the old target untouched. Readers see the old file
/// or the new one, never a part. Nothing is promised about a power failure (no fsync).
///
/// A target that exists and is no regular file (/dev/stdout, a pipe) is written to directly. A link is followed.
class atomic_file {
 public:
  /// @throws format_error that names the path if it cannot be created.
  explicit atomic_file(std::filesystem::path const& path) : shown_(in_quotes(path.string())), target_(path) {
    std::error_code ignored;
    auto const status = std::filesystem::status(path, ignored);
    if (std::filesystem::is_directory(status)) throw failure("it is a directory");
    if (std::filesystem::exists(status)) {
      auto const resolved = std::filesystem::canonical(path, ignored);
      if (!ignored) target_ = resolved;
      if (!std::filesystem::is_regular_file(status)) {
        open(target_, "wb");
        if (file_ == nullptr) throw failure(std::strerror(errno));
        return;
      }
    }
    // Mode x fails if the name is taken, by a stranger or by another thread that writes the same target.
    for (int attempt = 0; attempt < 1000 && file_ == nullptr; ++attempt) {
      partial_ = target_;
      partial_ += ".partial" + std::to_string(attempt);
      open(partial_, "wbx");
      if (file_ == nullptr && errno != EEXIST) break;
    }
    if (file_ == nullptr) {
      partial_.clear();
      throw failure(std::strerror(errno));
    }
    if (std::filesystem::exists(status)) std::filesystem::permissions(partial_, status.permissions(), ignored);
  }

  atomic_file(atomic_file const&) = delete;
  atomic_file& operator=(atomic_file const&) = delete;
  ~atomic_file() { abandon(); }

  /// Appends bytes. @throws format_error that names the path, for example on a full disk.
  void write(void const* bytes, std::size_t count) {
    if (count > 0 && std::fwrite(bytes, 1, count, file_) != count) throw failure(std::strerror(errno));
  }
  void write(std::string_view text) { write(text.data(), text.size()); }

  /// Gives the file its name. @throws format_error that names the path; nothing is left behind then.
  void commit() {
    // Errors of the last block surface in fclose.
    if (std::fclose(std::exchange(file_, nullptr)) != 0) {
      auto const problem = failure(std::strerror(errno));
      abandon();
      throw problem;
    }
    if (partial_.empty()) return;
    std::error_code problem;
    std::filesystem::rename(partial_, target_, problem);
    if (problem) {
      abandon();
      throw failure(problem.message());
    }
    partial_.clear();
  }

 private:
  void open(std::filesystem::path const& path, char const* mode) { file_ = std::fopen(path.c_str(), mode); }

  format_error failure(std::string const& problem) const {
    return format_error("cannot write " + shown_ + ": " + problem);
  }

  void abandon() noexcept {
    if (file_ != nullptr) std::fclose(std::exchange(file_, nullptr));
    if (!partial_.empty()) std::remove(partial_.c_str());
    partial_.clear();
  }

  std::string shown_;
  std::filesystem::path target_;
  std::filesystem::path partial_;
  std::FILE* file_ = nullptr;
};

/// Writes a whole file at once, completely or not at all. @throws format_error that names the path.
inline void write_file(std::filesystem::path const& path, std::string_view contents) {
  atomic_file file(path);
  file.write(contents);
  file.commit();
}

}  // namespace sigmax::inline SIGMAX_ABI::io
