// SPDX-License-Identifier: MIT
#include <cmath>
#include <cstdint>
#include <cstdlib>

#include <fmt/format.h>

#include <sigmax/bound/extended.hpp>
#include <sigmax/lipschitz/certificate_numbers.hpp>

#include "../../report/interval_chart.hpp"
#include "../../report/table.hpp"
#include "certificate_section.hpp"
#include "run_charts.hpp"

namespace transformer {

namespace {

using report::cell;
using report::paragraph;
using report::row_of;
using report::table_of;

/// What the bound by a method is from.
std::string from_of(nlohmann::json const& certificate, nlohmann::json const& method) {
  for (auto const& each : certificate["tried"]) {
    if (each["method"] == method) return each["from"].get<std::string>();
  }
  return method.get<std::string>();
}

std::string bound_section(nlohmann::json const& c) {
  std::string const upper = upper_text(c["upper"]);
  double const log10 = number_at(c, "log10_upper");
  double const lower = number_at(c, "lipschitz_lower");
  std::string body =
      "<div class=\"bound\">\n" +
      paragraph("For all sequences X, Y of " + std::to_string(c["sequence_length"].get<int>()) +
                " rows that are one-hot, or probabilities of tokens: the logits as softmax takes them move by at "
                "most L times the largest l1 distance of two rows (2 for another token), in RMS, the largest "
                "over tokens; GELU in the form with erf.") +
      "<p><strong>L \u2264 " + report::escaped(upper) + "</strong></p>\n" +
      paragraph("Proved from " + from_of(c, c["method"]) + "; log10 L is at most " + fmt::format("{:.4f}", log10) +
                ".");
  if (lower > 0) body += paragraph("L \u2265 " + lower_text(c) + ", proved by a pair of sequences an attack found.");
  body += paragraph(c["statement"].get<std::string>() + ".", "soft") + "</div>\n";
  report::interval_chart chart;
  chart.title = "Where the Lipschitz constant lies";
  chart.log10_upper = log10;
  chart.upper_label = "proved: at most " + upper;
  chart.has_lower = lower > 0;
  chart.log10_lower = std::log10(lower);
  chart.lower_label = "reached: at least " + lower_text(c);
  chart.description = chart.upper_label + (chart.has_lower ? ", " + chart.lower_label : "");
  return body + to_svg(chart, "interval");
}

}  // namespace

std::string certificate_section(nlohmann::json const& c) {
  std::string rows;
  for (auto const& each : c["tried"]) {
    bool const best = each["method"] == c["method"];
    rows += row_of({{each["method"].get<std::string>() + (best ? " (L)" : "")},
                    {"\u2264 " + upper_text(each["upper"]), true},
                    {fmt::format("{:.4f}", number_at(each, "log10_upper")), true},
                    {each["from"].get<std::string>()}});
  }
  double const lower = number_at(c, "lipschitz_lower");
  if (lower > 0) {
    rows += row_of({{"attack"},
                    {"\u2265 " + lower_text(c), true},
                    {fmt::format("{:.4f}", std::log10(lower)), true},
                    {"a pair of sequences, in interval arithmetic"}});
  }
  double const published = number_at(c["published"], "value");
  rows += row_of({{"published formula"},
                  {fmt::format("{:.6g}", published), true},
                  {fmt::format("{:.4f}", std::log10(published)), true},
                  {"no bound, see below"}});
  std::string body =
      "<h2>The certificate</h2>\n" + bound_section(c) +
      table_of({{"method"}, {"L", true}, {"log10", true}, {"from"}}, rows) +
      paragraph("Of the published formula (Newhouse et al., arXiv 2507.13338), with this model's factors:", "soft");
  for (auto const& fault : c["published"]["faults"])
    body += paragraph("\u2022 " + fault.get<std::string>() + ".", "soft");
  rows.clear();
  for (auto const& each : c["residuals"]) {
    auto const number = [&](char const* key) { return cell{fmt::format("{:.5g}", number_at(each, key)), true}; };
    rows += row_of({{each["name"].get<std::string>()}, number("rms_in"), number("branch"), number("lipschitz")});
  }
  return body + "<h2>Residual by residual, from products of norms</h2>\n" +
         table_of(
             {{"residual"}, {"RMS of tokens \u2264", true}, {"branch \u2264", true}, {"with the skip \u2264", true}},
             rows);
}

std::string upper_text(nlohmann::json const& upper) {
  if (!upper["mantissa_hex"].is_string()) return upper["decimal"].get<std::string>();
  // "0x1.8p-1" reads back exactly.
  double const mantissa = std::strtod(upper["mantissa_hex"].get<std::string>().c_str(), nullptr);
  return sigmax::lipschitz::detail::short_upper(sigmax::extended(mantissa, upper["exp2"].get<std::int64_t>()));
}

std::string lower_text(nlohmann::json const& certificate) {
  double const lower = number_at(certificate, "lipschitz_lower");
  return lower > 0 ? sigmax::lipschitz::detail::short_lower(lower) : "-";
}

}  // namespace transformer
