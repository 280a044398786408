// SPDX-License-Identifier: MIT
/// @file
/// What every bench_* program is told on its command line, besides the options of Google Benchmark.
#pragma once

#include <regex>
#include <string>

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
};

/// Takes the options above out of argv, which keeps those of Google Benchmark. @throws std::invalid_argument, one line.
options take_options(int& argc, char** argv);

}  // namespace bench
