// SPDX-License-Identifier: MIT
#include <cmath>

#include <fmt/format.h>

#include <sigmax/io/printable.hpp>

#include "../../report/page.hpp"
#include "certificate_section.hpp"
#include "markup.hpp"
#include "run_charts.hpp"
#include "run_page.hpp"

namespace transformer {

namespace {

std::string norm_section(run_record const& run) {
  if (run.lines.empty() || !run.lines.back().contains("norms")) return {};
  std::string rows;
  for (auto const& [name, norm] : run.lines.back()["norms"].items()) {
    double const cap = cap_of(run, name);
    rows += row_of({{name},
                    {fmt::format("{:.6f}", norm.get<double>()), true},
                    {cap > 0 ? fmt::format("{:g}", cap) : "none", true}});
  }
  return "<h2>Proven norms</h2>\n" + table_of({{"weight"}, {"norm, RMS to RMS, \u2264", true}, {"cap", true}}, rows) +
         paragraph(fmt::format(
             "{:.0f} checks after the steps that a weight is inside its cap, {:.0f} violations. The norm of "
             "the embedding is the largest RMS of a row; the norms of this table are within a "
             "thousandth, the checks exact.",
             run.last("checks", 0), run.last("violations", 0)));
}

std::string settings_section(run_record const& run) {
  if (!run.settings.is_object()) return {};
  std::string text;
  for (auto const& [name, value] : run.settings.items()) text += (text.empty() ? "" : ", ") + name + " " + value.dump();
  return "<h2>Settings</h2>\n" + paragraph(text, "soft");
}

}  // namespace

std::string page_of(run_record const& run) {
  std::string body = "<h1>" + report::escaped(sigmax::io::printable(run.name)) + "</h1>\n";
  body += paragraph(
      fmt::format("{}, {:.0f} steps: loss {:.4f}, validation {:.4f} nats ({:.1f} %)", run.method(), run.last("step", 0),
                  run.last("loss", std::nan("")), run.last("validation_loss", std::nan("")),
                  100 * run.last("validation_accuracy", std::nan(""))),
      "soft");
  if (run.certificate.is_object()) body += certificate_section(run.certificate);
  if (!run.lines.empty()) body += loss_section(run) + activation_section(run) + spectrum_section(run);
  body += norm_section(run) + settings_section(run);
  return report::page("Training under a bound: " + sigmax::io::printable(run.name), body);
}

}  // namespace transformer
