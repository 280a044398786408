// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include <sigmax/io/printable.hpp>

#include "certificate_section.hpp"
#include "run_charts.hpp"
#include "run_table.hpp"

namespace transformer {

namespace {

std::vector<double> all_of(run_record const& run, char const* key) {
  std::vector<double> values;
  for (auto const& line : run.lines) {
    if (line.contains(key) && line[key].is_number()) values.push_back(line[key].get<double>());
  }
  return values;
}

double median_of(run_record const& run, char const* key) {
  auto values = all_of(run, key);
  if (values.empty()) return std::nan("");
  auto const middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

double largest_of(run_record const& run, char const* key) {
  auto const values = all_of(run, key);
  return values.empty() ? std::nan("") : *std::max_element(values.begin(), values.end());
}

double setting(run_record const& run, char const* name) {
  return run.settings.is_object() ? number_at(run.settings, name) : std::nan("");
}

/// A bar would end the cell.
std::string cell_of(std::string const& text) {
  std::string result;
  for (char const c : sigmax::io::printable(text)) {
    if (c == '|') result += '\\';
    result += c;
  }
  return result;
}

/// A number of the certificate, and nothing where the run has none.
template <class F>
std::string certified(run_record const& run, F const& text) {
  return run.certificate.is_object() ? text(run.certificate) : "-";
}

}  // namespace

std::string table_of_runs(std::vector<run_record> const& runs) {
  std::string table =
      "| run | method | cap | rate | steps | validation | accuracy | L <= | L >= | published | largest activation | "
      "tokens/s | "
      "optimizer | checks | violations |\n|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|\n";
  for (auto const& run : runs) {
    auto const upper = [](auto const& from) { return upper_text(from["upper"]); };
    auto const published = [](auto const& from) {
      return fmt::format("{:.4g}", number_at(from["published"], "value"));
    };
    table += fmt::format(
        "| {} | {} | {:g} | {:g} | {:.0f} | {:.4f} | {:.1f} % | {} | {} | {} | {:.3g} | {:.0f} | {:.0f} % | {:.0f} | "
        "{:.0f} |\n",
        cell_of(run.name), cell_of(run.method()), setting(run, "sigma_max"), setting(run, "learning_rate"),
        run.last("step", 0), run.last("validation_loss", std::nan("")),
        100 * run.last("validation_accuracy", std::nan("")), certified(run, upper), certified(run, lower_text),
        certified(run, published), largest_of(run, "largest_activation"), median_of(run, "tokens_per_second"),
        100 * median_of(run, "optimizer_share"), run.last("checks", 0), run.last("violations", 0));
  }
  return table;
}

std::string table_of_runs_in(std::filesystem::path const& folder) {
  return table_of_runs(is_run(folder) ? std::vector{read_run(folder)} : read_runs(folder));
}

}  // namespace transformer
