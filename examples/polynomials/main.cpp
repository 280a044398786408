// SPDX-License-Identifier: MIT
// sigmax-polynomials: what compositions of odd polynomials do to singular values, and what they cost.
#include <cstdio>
#include <deque>
#include <exception>
#include <string>
#include <variant>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <sigmax/core/error.hpp>
#include <sigmax/io/atomic_file.hpp>

#include "analysis.hpp"
#include "arguments.hpp"
#include "candidates.hpp"
#include "chart.hpp"
#include "json.hpp"
#include "tables.hpp"

namespace polynomials_program {

namespace {

/// Files that appear together, when all of them are complete, or not at all.
class output_files {
 public:
  /// Nothing for an empty path.
  void add(std::string const& path, std::string const& contents) {
    if (!path.empty()) files_.emplace_back(path).write(contents);
  }
  void commit() {
    for (auto& file : files_) file.commit();
  }

 private:
  std::deque<sigmax::io::atomic_file> files_;
};

/// Writes to a stream and makes sure that it got there. @throws sigmax::format_error if it did not.
void print(std::FILE* stream, std::string const& text) {
  if (std::fwrite(text.data(), 1, text.size(), stream) != text.size() || std::fflush(stream) != 0) {
    throw sigmax::format_error("cannot write to standard output");
  }
}

void complain(std::string const& problem) { fmt::print(stderr, "sigmax-polynomials: {}\n", problem); }

int run(arguments const& given) {
  std::vector<analysis> analyses;
  for (auto const& each : candidates_of(given)) {
    double const upper = given.upper.value_or(each.schedule.upper());
    if (!(given.lower < upper)) {
      throw sigmax::domain_error(fmt::format("--lower is {}; it must lie below the upper end of {}, which is {}",
                                             given.lower, each.name, upper));
    }
    analyses.push_back(analyse(each, given.lower, upper));
  }
  bool const json_to_stdout = given.json == "-";
  std::string json;
  if (!given.json.empty()) {
    json = to_json(analyses).dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
  }
  output_files files;
  if (!json_to_stdout) files.add(given.json, json);
  if (!given.svg.empty()) files.add(given.svg, to_svg(analyses));
  if (!given.html.empty()) files.add(given.html, to_html(analyses));
  files.commit();
  if (json_to_stdout) print(stdout, json);
  print(json_to_stdout ? stderr : stdout, to_text(analyses));
  int status = 0;
  for (auto const& each : analyses) {
    if (each.refusal.empty()) continue;
    complain("refused: " + each.refusal);
    status = 1;
  }
  return status;
}

}  // namespace

}  // namespace polynomials_program

int main(int argc, char** argv) {
  using namespace polynomials_program;
  try {
    auto const parsed = parse_arguments(argc, argv);
    if (auto const* done = std::get_if<finished>(&parsed)) {
      print(done->status == 0 ? stdout : stderr, done->status == 0 ? done->text : done->text + "\n");
      return done->status;
    }
    return run(std::get<arguments>(parsed));
  } catch (std::exception const& e) {
    complain(e.what());
    return 2;
  }
}
