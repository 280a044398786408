// SPDX-License-Identifier: MIT
/// @file
/// What the CUDA benchmarks are as programs: their words, --json FILE, and one line for what goes wrong.
#pragma once

#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include <sigmax/cuda/kernels/status.cuh>

#include "cuda/measure.hpp"

namespace sigmax::bench {

/// Runs body(words), which fills the table: words are the arguments but --json FILE, two at least, empty where they are
/// not given. The table is written to FILE afterwards, also if the body throws. @return what the body returns; 2 if it
/// throws.
template <class F>
int run_program(char const* name, int count, char** arguments, rows const& table, F const& body) {
  std::vector<std::string> words;
  char const* json = nullptr;
  for (int i = 1; i < count; ++i) {
    if (std::string(arguments[i]) == "--json" && i + 1 < count) {
      json = arguments[++i];
    } else {
      words.emplace_back(arguments[i]);
    }
  }
  words.resize(words.size() < 2 ? 2 : words.size());
  int status = 2;
  auto const attempt = [&](auto const& work) {
    try {
      return work();
    } catch (SIGMAX_CUDA_LIBRARY::failure const& failed) {
      std::fprintf(stderr, "%s: %s failed with %d\n", name, failed.what.call, failed.what.code);
    } catch (std::exception const& error) {
      std::fprintf(stderr, "%s: %s\n", name, error.what());
    }
    status = 2;
  };
  attempt([&] { status = body(words); });
  // Rows that were measured are kept, whatever the next one threw.
  attempt([&] {
    if (json != nullptr) table.write(json);
  });
  return status;
}

}  // namespace sigmax::bench
