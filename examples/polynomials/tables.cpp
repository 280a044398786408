// SPDX-License-Identifier: MIT
#include <algorithm>
#include <set>

#include <fmt/format.h>

#include <sigmax/lipschitz/certificate_text.hpp>

#include "rounded_text.hpp"
#include "tables.hpp"

namespace polynomials_program {

namespace {

constexpr char const* nothing = "-";

/// Ends of a range with five decimals. Beyond a million decimals say nothing any more: there outer ends have two
/// digits, and inner ends are the million.
std::string end_down(double value) {
  return value < -1e6 ? detail::negative(significant_up(-value, 2)) : fixed_down(std::min(value, 1e6), 5);
}
std::string end_up(double value) { return value > 1e6 ? significant_up(value, 2) : fixed_up(std::max(value, -1e6), 5); }

std::string degrees_of(sigmax::polynomial_schedule const& schedule) {
  if (schedule.empty()) return nothing;
  auto const [least, greatest] = std::minmax_element(
      schedule.begin(), schedule.end(), [](auto const& a, auto const& b) { return a.degree() < b.degree(); });
  return least->degree() == greatest->degree() ? std::to_string(least->degree())
                                               : fmt::format("{}..{}", least->degree(), greatest->degree());
}

std::string name_of(analysis const& a) { return a.what.name + (a.refusal.empty() ? "" : " (refused)"); }

std::string error_text(analysis const& a, double from) {
  auto const found =
      std::find_if(a.errors.begin(), a.errors.end(), [&](error_from const& each) { return each.from == from; });
  return found == a.errors.end() ? nothing : significant_up(found->value, 3);
}

table accuracy_of(std::vector<analysis> const& analyses) {
  std::set<double> decades;
  for (auto const& a : analyses) {
    for (auto const& error : a.errors) decades.insert(error.from);
  }
  table result{"What p does to singular values", {{"schedule", "steps", "degree", "on", "p in", "max error"}}};
  for (double const from : decades) {
    if (from != *decades.begin()) result.rows.front().push_back("from " + shortest(from));
  }
  for (auto const& a : analyses) {
    auto& row = result.rows.emplace_back();
    row = {name_of(a), std::to_string(a.what.schedule.size()), degrees_of(a.what.schedule),
           fmt::format("[{}, {}]", shortest(a.lower), shortest(a.upper)),
           fmt::format("[{}, {}]", end_down(a.range.lower), end_up(a.range.upper))};
    for (double const from : decades) row.push_back(error_text(a, from));
  }
  return result;
}

table cost_of(std::vector<analysis> const& analyses) {
  table result{
      "How far down and up, and for how much",
      {{"schedule", "slope", "u_max", "+-0.5", "+-0.3", "+-0.1", "n = m: std", "plan", "n = 4m: std", "plan"}}};
  for (auto const& a : analyses) {
    auto& row = result.rows.emplace_back();
    row = {name_of(a), fmt::format("{:.4g}", a.what.schedule.slope()), a.u_max ? fixed_down(*a.u_max, 4) : nothing};
    for (auto const& each : a.reaches) row.push_back(each.from ? significant_up(*each.from, 3) : nothing);
    for (auto const& each : a.costs) {
      row.push_back(fmt::format("{:.4g}", each.standard));
      row.push_back(fmt::format("{:.4g}", each.planned));
    }
  }
  return result;
}

}  // namespace

std::vector<table> tables_of(std::vector<analysis> const& analyses) {
  return {accuracy_of(analyses), cost_of(analyses)};
}

std::vector<std::string> notes_on(std::vector<analysis> const& analyses) {
  std::vector<std::string> notes;
  bool caps = false;
  for (auto const& a : analyses) {
    if (!a.refusal.empty()) notes.push_back("refused: " + a.refusal);
    caps = caps || a.what.aim == target::cap;
  }
  notes.emplace_back(
      "proven, rounded outwards: p in, max error, u_max and the singular values from which on p lies in 1 +- 0.5, 0.3, "
      "0.1");
  notes.emplace_back(
      "computed: slope and units of m^3 FLOPs for m x n (std: standard form; plan: as the library runs it in float)");
  if (caps) notes.emplace_back("max error is |1 - p(x)|, and |min(1, x) - p(x)| where the target is a cap");
  notes.emplace_back(
      "p in real arithmetic with the coefficients as given; rounding in a matrix computation is not included");
  return notes;
}

std::string to_text(std::vector<analysis> const& analyses) {
  std::string text;
  for (auto const& each : tables_of(analyses)) {
    text += sigmax::lipschitz::detail::aligned(each.rows, 1, each.rows.front().size() - 1) + "\n";
  }
  for (auto const& a : analyses) {
    if (std::string_view(a.what.source) != "generated") continue;
    text += "# generated: coefficients of x, x^3, x^5, ..., one step a line\n";
    for (auto const& step : a.what.schedule) {
      for (int k = 0; k < step.terms(); ++k) text.append(k > 0 ? " " : "").append(shortest(step[k]));
      text += "\n";
    }
    text += "\n";
  }
  for (auto const& note : notes_on(analyses)) text += note + "\n";
  return text;
}

}  // namespace polynomials_program
