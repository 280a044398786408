// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cstddef>
#include <vector>

#include <fmt/format.h>

#include "table/owed.hpp"
#include "table/text.hpp"

namespace bench_table {

namespace {

using line = std::vector<std::string>;

constexpr char const* legend =
    "ms: median; +-: standard deviation / mean of the repetitions; units: FLOPs executed / (short side)^3; of P: FLOPs "
    "a\n"
    "second / (P x threads); ratio: time / time of sigmax; error: relative, against an oracle of higher precision.\n";

std::string number(double value, char const* format) {
  return is_known(value) ? fmt::format(fmt::runtime(format), value) : "-";
}

std::string milliseconds(double seconds) {
  double const ms = seconds * 1e3;
  return fmt::format(fmt::runtime(ms < 10 ? "{:.3f}" : ms < 1000 ? "{:.1f}" : "{:.0f}"), ms);
}

/// Kept promises with the measured figure; broken ones stand out.
std::string promises_of(results const& all, row const& what) {
  std::string text;
  for (auto const& each : judge(all, what)) {
    if (!text.empty()) text.append(", ");
    text += each.kept ? each.promise : fmt::format("MISSED {} ({})", each.promise, number(each.measured, "{:.2f}"));
  }
  return text;
}

/// Columns two blanks apart; the first `left` and the last two to the left, the others to the right.
std::string aligned(std::vector<line> const& lines, std::size_t left) {
  std::vector<std::size_t> widths(lines.front().size(), 0);
  for (auto const& each : lines) {
    for (std::size_t c = 0; c < each.size(); ++c) widths[c] = std::max(widths[c], each[c].size());
  }
  std::string text;
  for (auto const& each : lines) {
    std::string row;
    for (std::size_t c = 0; c < each.size(); ++c) {
      bool const to_left = c < left || c + 2 >= each.size();
      if (c > 0) row.append("  ");
      row.append(fmt::format(fmt::runtime(to_left ? "{:<{}}" : "{:>{}}"), each[c], widths[c]));
    }
    row.erase(row.find_last_not_of(' ') + 1);
    text += row + "\n";
  }
  return text;
}

line line_of(results const& all, row const& r, result const& each, bool first) {
  auto const* const ours = r.ours();
  bool const is_ours = &each == ours;
  double const share = each.rate() / (r.peak * r.threads);
  double const m = r.short_side();
  double const ratio = ours != nullptr && !is_ours ? each.seconds / ours->seconds : unknown;
  std::string const work = r.variant == "-" ? r.work : r.work + ", " + r.variant;
  return {first ? work : "",
          first ? r.scalar : "",
          first ? r.shape : "",
          first ? std::to_string(r.threads) : "",
          each.contender,
          milliseconds(each.seconds),
          number(100 * each.variation, "{:.0f}%"),
          each.flops > 0 && m > 0 ? fmt::format("{:.4g}", each.flops / (m * m * m)) : "-",
          number(share, "{:.2f}"),
          number(ratio, "{:.2f}"),
          number(each.error, "{:.1e}"),
          fmt::format("{}{}", each.holds ? "" : "GUARANTEE BROKEN ", each.note),
          is_ours ? promises_of(all, r) : ""};
}

/// What P was, from the least to the greatest of all medians, for each scalar and number of threads.
std::string peaks_of(results const& all) {
  std::string text;
  for (int const threads : {1, 2}) {
    for (std::string const scalar : {"f32", "f64"}) {
      std::vector<double> rates;
      for (auto const& p : all.peaks) {
        if (p.threads == threads && p.scalar == scalar) rates.push_back(p.rate * 1e-9);
      }
      if (rates.empty()) continue;
      auto const [least, greatest] = std::minmax_element(rates.begin(), rates.end());
      text += fmt::format("P, {}, {} at once: {:.1f} to {:.1f} GFLOP/s in {} measurements\n", scalar,
                          threads == 1 ? "one thread" : "two threads", *least, *greatest, rates.size());
    }
  }
  return text;
}

}  // namespace

std::string to_text(results const& all, doubts const& about) {
  std::vector<line> lines = {
      {"work", "", "shape", "thr", "who", "ms", "+-", "units", "of P", "ratio", "error", "plan, path, result", "owed"}};
  for (auto const& r : all.rows) {
    for (std::size_t i = 0; i < r.results.size(); ++i) lines.push_back(line_of(all, r, r.results[i], i == 0));
  }
  std::string text = fmt::format("\n{}\n{}\n", aligned(lines, 5), legend);
  text += peaks_of(all);
  for (auto const& [key, label] : {std::pair{"processor", "processor"},
                                   {"openblas", "OpenBLAS"},
                                   {"python", "Python"},
                                   {"sigmax", "sigmax"},
                                   {"pinned_to", "pinned to processors"}}) {
    auto const found = all.context.find(key);
    if (found != all.context.end()) text += fmt::format("{}: {}\n", label, found->second);
  }
  for (auto const& each : about.disturbed) text += "DISTURBED: " + each + "\n";
  for (auto const& each : about.invalid) text += "INVALID: " + each + "\n";
  int kept = 0;
  int missed = 0;
  for (auto const& r : all.rows) {
    for (auto const& each : judge(all, r)) (each.kept ? kept : missed)++;
  }
  return text + fmt::format("promises: {} kept, {} missed\n", kept, missed);
}

}  // namespace bench_table
