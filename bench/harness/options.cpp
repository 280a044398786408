// SPDX-License-Identifier: MIT
#include <cstdlib>
#include <stdexcept>
#include <string_view>

#include "harness/options.hpp"

namespace bench {

options take_options(int& argc, char** argv) {
  options result;
  int kept = 1;
  for (int i = 1; i < argc; ++i) {
    std::string_view const argument = argv[i];
    auto const value_of = [&](std::string_view name, std::string& target) {
      if (!argument.starts_with(name)) return false;
      target = argument.substr(name.size());
      return true;
    };
    std::string threads;
    if (argument == "--peers") {
      result.peers = true;
    } else if (argument == "--quick") {
      result.quick = true;
    } else if (value_of("--threads=", threads)) {
      result.threads = std::atoi(threads.c_str());
      if (result.threads < 1 || result.threads > 64) {
        throw std::invalid_argument("--threads is " + threads + "; it must be a number from 1 to 64");
      }
    } else if (!value_of("--filter=", result.filter) && !value_of("--export=", result.export_folder)) {
      argv[kept++] = argv[i];
    }
  }
  argc = kept;
  return result;
}

}  // namespace bench
