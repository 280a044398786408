// SPDX-License-Identifier: MIT
/// @file
/// What every bench_* program is told on its command line, besides the options of Google Benchmark.
#pragma once

#include <cstddef>
#include <regex>
#include <string>
#include <vector>

namespace bench {

struct options {
  /// Threads of ours and of every peer; the process is pinned to as many processors.
  int threads = 1;
  /// Run the peers of C++ beside ours.
  bool peers = false;
  /// Fewer shapes, shorter runs.
  bool quick = false;
  /// Names that are run: all that contain a match.
  std::string filter = {};
  /// Instead of running anything, write what Python's peers need to this folder.
  std::string export_folder = {};

  bool matches(std::string const& name) const {
    return filter.empty() || std::regex_search(name, std::regex(filter, std::regex::icase));
  }
  /// Short sides to measure: from 512 on, from 1024 on where several threads share the work; the first of them if quick.
  std::vector<std::ptrdiff_t> sizes() const {
    if (quick) return {threads > 1 ? 1024 : 512};
    if (threads > 1) return {1024, 2048};
    return {512, 1024, 2048};
  }
};

/// Takes the options above out of argv, which keeps those of Google Benchmark. @throws std::invalid_argument, one line.
options take_options(int& argc, char** argv);

}  // namespace bench
