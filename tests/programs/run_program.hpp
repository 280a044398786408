// SPDX-License-Identifier: MIT
/// @file
/// Runs a program of ours through the shell and keeps what it says.
#pragma once

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <sys/wait.h>

namespace sigmax::test {

/// An empty folder that goes away.
class scratch_folder {
 public:
  explicit scratch_folder(std::string const& name)
      : path_(std::filesystem::temp_directory_path() / ("sigmax-" + name)) {
    std::filesystem::remove_all(path_);
    std::filesystem::create_directories(path_);
  }
  ~scratch_folder() { std::filesystem::remove_all(path_); }
  scratch_folder(scratch_folder const&) = delete;
  scratch_folder& operator=(scratch_folder const&) = delete;

  std::filesystem::path operator/(char const* name) const { return path_ / name; }
  std::filesystem::path const& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

struct finished {
  int status = -1;
  std::string out;
  std::string err;

  auto lines_of_err() const { return std::count(err.begin(), err.end(), '\n'); }
};

inline std::string contents(std::filesystem::path const& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

inline std::filesystem::path program_path(char const* program) {
  return std::filesystem::path(SIGMAX_PROGRAM_DIR) / program;
}

/// Runs `program arguments` in `folder`. The status is that of the program, 128 + n if signal n ended it.
inline finished run(char const* program, std::string const& arguments, scratch_folder const& folder) {
  auto const out = folder / ".stdout";
  auto const err = folder / ".stderr";
  std::string const command = "cd '" + folder.path().string() + "' && '" + program_path(program).string() + "' " +
                              arguments + " >'" + out.string() + "' 2>'" + err.string() + "' </dev/null";
  int const raw = std::system(command.c_str());
  finished result;
  result.status = WIFEXITED(raw) ? WEXITSTATUS(raw) : 128 + WTERMSIG(raw);
  result.out = contents(out);
  result.err = contents(err);
  std::filesystem::remove(out);
  std::filesystem::remove(err);
  return result;
}

}  // namespace sigmax::test
