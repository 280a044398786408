// SPDX-License-Identifier: MIT
// bench_table: merges what the bench_* programs and the Python peers measured into one table, JSON and a chart.
// usage: bench_table [--json FILE] [--svg FILE] RESULTS.json...
#include <cstdio>
#include <exception>
#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "table/chart.hpp"
#include "table/json.hpp"
#include "table/result.hpp"
#include "table/text.hpp"
#include "table/validity.hpp"

namespace {

void write(std::string const& path, std::string const& text) {
  if (path.empty()) return;
  std::ofstream file(path);
  file << text;
  if (!file.flush()) throw std::runtime_error("cannot write " + path);
}

int run(std::vector<std::string> const& arguments) {
  std::string json;
  std::string svg;
  std::vector<std::string> files;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    bool const named = arguments[i] == "--json" || arguments[i] == "--svg";
    if (!named) {
      files.push_back(arguments[i]);
    } else if (i + 1 < arguments.size()) {
      (arguments[i] == "--json" ? json : svg) = arguments[i + 1];
      ++i;
    } else {
      throw std::runtime_error(arguments[i] + " needs a file");
    }
  }
  auto const all = bench_table::read_results(files);
  if (all.rows.empty()) throw std::runtime_error("nothing was measured");
  auto const doubts = bench_table::doubts_about(all);
  write(json, bench_table::to_json(all, doubts));
  write(svg, bench_table::to_svg(all));
  std::fputs(bench_table::to_text(all, doubts).c_str(), stdout);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run({argv + 1, argv + argc});
  } catch (std::exception const& e) {
    std::fprintf(stderr, "bench_table: %s\n", e.what());
    return 2;
  }
}
