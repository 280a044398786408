// SPDX-License-Identifier: MIT
/// @file
/// Several certificates on one page.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <sigmax/bound/rounding.hpp>
#include <sigmax/config.hpp>
#include <sigmax/io/atomic_file.hpp>
#include <sigmax/io/printable.hpp>
#include <sigmax/lipschitz/certificate.hpp>
#include <sigmax/lipschitz/certificate_text.hpp>

#include "bar_chart.hpp"
#include "page.hpp"
#include "text.hpp"
#include "write_report.hpp"

namespace report {

/// A model as the page shows it.
struct compared_model {
  std::string title;
  /// Null where nothing was proved; `problem` then says why.
  sigmax::lipschitz::certificate const* proof = nullptr;
  std::string problem;
};

namespace detail {

/// Cells of one model: bound, logarithm, lower bound, ratio of both, norm, domain, method.
inline std::vector<std::string> comparison_cells(sigmax::lipschitz::certificate const& c) {
  namespace text = sigmax::lipschitz::detail;
  auto const& lower = c.lower();
  bool const proven = lower && lower->proven && lower->value > 0;
  bool const finite = sigmax::is_finite(c.upper());
  return {c.is_finite() ? text::short_upper(c.upper_extended()) : "none",
          text::table_number(c.log10_upper(), 6),
          proven ? text::short_lower(lower->value) : "-",
          proven && finite ? text::table_number(c.upper() / lower->value, 2) : "-",
          c.norm_in().name(),
          c.domain().text(),
          c.method() + (c.conditional() ? ", conditional" : "")};
}

}  // namespace detail

/// The page: a chart of the bounds, a table, and what was refused. Bounds of different norms or domains are numbers of
/// different questions; the table says so where they differ.
inline std::string comparison_to_html(std::vector<compared_model> const& models,
                                      std::string const& arch = sigmax::architecture) {
  bar_chart chart;
  chart.title = "The proved bounds";
  chart.description = "One bar a model: the base-10 logarithm of its proved Lipschitz bound";
  chart.axis = "log10 of the bound";
  std::string rows;
  std::string problems;
  sigmax::lipschitz::certificate const* first = nullptr;
  bool same_question = true;
  for (auto const& model : models) {
    rows += "<tr>" + detail::cell(model.title);
    if (model.proof == nullptr) {
      rows += "<td colspan=\"7\">nothing was proved</td></tr>\n";
      problems += detail::paragraph(model.problem);
      continue;
    }
    auto const& c = *model.proof;
    if (first == nullptr) first = &c;
    same_question = same_question && c.norm_in() == first->norm_in() && c.domain().text() == first->domain().text() &&
                    c.input_shape() == first->input_shape();
    auto const cells = detail::comparison_cells(c);
    for (std::size_t k = 0; k < cells.size(); ++k) rows += detail::cell(cells[k], k < 4);
    rows += "</tr>\n";
    if (!c.upper_extended().is_zero()) chart.bars.push_back({sigmax::io::printable(model.title), c.log10_upper()});
    for (auto const& refused : c.refused()) {
      problems += detail::paragraph(model.title + ": " + refused.name + " (" + refused.op + "): " + refused.reason);
    }
  }
  std::string body = "<h1>Lipschitz certificates of " + std::to_string(models.size()) + " models</h1>\n";
  if (!chart.bars.empty()) body += "<h2>The proved bounds</h2>\n" + to_svg(chart, "models");
  body +=
      "<h2>Model by model</h2>\n<div class=\"scroll\">\n<table>\n<thead><tr><th>model</th><th class=\"number\">L "
      "\u2264</th><th class=\"number\">log10</th><th class=\"number\">L \u2265</th><th class=\"number\">ratio</th>"
      "<th>norm</th><th>domain</th><th>method</th></tr></thead>\n<tbody>\n" +
      rows + "</tbody>\n</table>\n</div>\n";
  if (!same_question) {
    body += detail::paragraph("The models differ in norm, domain or input: their bounds answer different questions.");
  }
  if (!problems.empty()) body += "<h2>Without a bound</h2>\n" + problems;
  body += detail::paragraph(std::string(sigmax::lipschitz::certificate::statement) + ".", "soft");
  body += detail::paragraph(std::string("sigmax ") + sigmax::version + ", " + arch, "soft");
  return page("Lipschitz certificates", body);
}

/// Writes the page, completely or not at all. @throws sigmax::format_error if the file cannot be written.
inline void write_comparison(std::vector<compared_model> const& models, std::filesystem::path const& path,
                             std::string const& arch = sigmax::architecture) {
  sigmax::io::write_file(path, comparison_to_html(models, arch));
}

}  // namespace report
