// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <sstream>
#include <stdexcept>
#include <string_view>

#include <nlohmann/json.hpp>

#include "table/result.hpp"

namespace bench_table {

namespace {

using nlohmann::json;

std::vector<std::string> split(std::string const& text, char at) {
  std::vector<std::string> parts;
  std::istringstream stream(text);
  for (std::string part; std::getline(stream, part, at);) parts.push_back(part);
  return parts;
}

double number_in(json const& object, char const* key) {
  auto const found = object.find(key);
  return found != object.end() && found->is_number() ? found->get<double>() : unknown;
}

double seconds_of(json const& object, char const* key) {
  static std::map<std::string, double> const units = {{"ns", 1e-9}, {"us", 1e-6}, {"ms", 1e-3}, {"s", 1}};
  return number_in(object, key) * units.at(object.value("time_unit", "ns"));
}

/// The file's name without folder and extension.
std::string program_of(std::string const& path) {
  auto const name = path.substr(path.find_last_of('/') + 1);
  return name.substr(0, name.find_last_of('.'));
}

/// Google Benchmark writes numbers that are none as JSON does not know them; here they become null.
json parsed(std::string const& path) {
  std::ifstream file(path);
  if (!file) throw std::runtime_error("cannot read " + path);
  std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  for (std::string const name : {"-NaN", "NaN", "-Infinity", "Infinity"}) {
    std::string const value = ": " + name;
    for (auto at = text.find(value); at != std::string::npos; at = text.find(value, at)) {
      text.replace(at, value.size(), ": null");
    }
  }
  json document = json::parse(text, nullptr, false);
  if (document.is_discarded() || !document.contains("benchmarks")) {
    throw std::runtime_error(path + " is no JSON of Google Benchmark");
  }
  return document;
}

row& row_named(std::vector<row>& rows, std::vector<std::string> const& parts) {
  int const threads = std::atoi(parts[4].c_str() + 1);
  for (auto& each : rows) {
    if (each.work == parts[0] && each.variant == parts[1] && each.scalar == parts[2] && each.shape == parts[3] &&
        each.threads == threads) {
      return each;
    }
  }
  return rows.emplace_back(row{parts[0], parts[1], parts[2], parts[3], threads});
}

result& result_named(row& of, std::string const& contender) {
  for (auto& each : of.results) {
    if (each.contender == contender) return each;
  }
  return of.results.emplace_back(result{.contender = contender});
}

void take(results& all, std::string const& program, json const& benchmark) {
  auto const parts = split(benchmark.value("run_name", ""), '/');
  std::string const aggregate = benchmark.value("aggregate_name", "");
  if (parts.size() < 6 || (aggregate != "median" && aggregate != "cv")) return;
  int const threads = std::atoi(parts[4].c_str() + 1);
  double const seconds = seconds_of(benchmark, "real_time");
  double const busy = seconds_of(benchmark, "cpu_time") / seconds / threads;
  if (parts[0] == "fma_peak") {
    if (aggregate != "median") return;
    all.peaks.push_back({program, parts[1], parts[2], threads, number_in(benchmark, "flops") / seconds, busy});
    return;
  }
  auto& found = result_named(row_named(all.rows, parts), parts[5]);
  if (aggregate == "cv") {
    found.variation = number_in(benchmark, "real_time");
    return;
  }
  found.seconds = seconds;
  found.busy = busy;
  found.flops = std::fmax(number_in(benchmark, "flops"), 0);
  found.error = number_in(benchmark, "error");
  found.holds = !(number_in(benchmark, "holds") < 1);
  found.note = benchmark.value("label", "");
}

/// Rows of a program are compared with the peaks of the same file.
void give_peaks(results& all, std::string const& program, std::size_t first_row) {
  for (std::size_t r = first_row; r < all.rows.size(); ++r) {
    auto& each = all.rows[r];
    for (auto const& p : all.peaks) {
      if (p.program != program || p.threads != 1 || p.scalar != each.scalar) continue;
      each.peak = is_known(each.peak) ? std::fmax(each.peak, p.rate) : p.rate;
    }
  }
}

/// Rows appear in the order of the promises.
std::size_t place_of(row const& r) {
  static constexpr std::string_view order[] = {"gram",
                                               "symmetric_product",
                                               "multiply",
                                               "orthogonalize",
                                               "orthogonalize_plan",
                                               "soft_cap",
                                               "hard_cap",
                                               "power_iteration",
                                               "prove_norm_at_most",
                                               "certified_spectral_norm",
                                               "orthogonalize_batch",
                                               "training_step",
                                               "gpt2_small_step",
                                               "compile_time"};
  return static_cast<std::size_t>(std::find(std::begin(order), std::end(order), r.work) - std::begin(order));
}

}  // namespace

results read_results(std::vector<std::string> const& files) {
  results all;
  for (auto const& path : files) {
    json const document = parsed(path);
    auto const context = document.value("context", json::object());
    for (auto const& [key, value] : context.items()) {
      if (value.is_string()) all.context[key] = value.get<std::string>();
    }
    auto const first_row = all.rows.size();
    for (auto const& benchmark : document.at("benchmarks")) take(all, program_of(path), benchmark);
    give_peaks(all, program_of(path), first_row);
  }
  std::stable_sort(all.rows.begin(), all.rows.end(),
                   [](row const& a, row const& b) { return place_of(a) < place_of(b); });
  return all;
}

}  // namespace bench_table
