// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cmath>
#include <map>

#include <fmt/format.h>

#include <sigmax/core/error.hpp>
#include <sigmax/io/atomic_file.hpp>
#include <sigmax/io/printable.hpp>

#include "../../report/line_chart.hpp"
#include "../../report/page.hpp"
#include "../../report/table.hpp"
#include "certificate_section.hpp"
#include "frontier.hpp"
#include "run_charts.hpp"
#include "run_page.hpp"

namespace transformer {

namespace {

using report::cell;
using report::paragraph;
using report::row_of;
using report::table_of;

/// Runs of one method are of one colour; a line joins those that no other run beats.
std::string chart_of(std::vector<frontier_point> const& points) {
  std::map<std::string, std::vector<report::chart_point>> by_method;
  std::vector<report::chart_point> frontier;
  double low = sigmax::infinity;
  double high = 0;
  for (auto const& each : points) {
    by_method[each.run->method()].push_back({each.lipschitz, each.loss});
    if (each.is_best) frontier.push_back({each.lipschitz, each.loss});
    low = std::fmin(low, each.lipschitz);
    high = std::fmax(high, each.lipschitz);
  }
  if (points.empty() || !(low > 0) || !sigmax::is_finite(high)) return {};
  report::line_chart chart{.title = "Validation loss over the proven Lipschitz bound",
                           .description = "One dot a run; the dashed line joins runs that no other beats in both",
                           .axis = "L, from l1 of one-hot tokens to RMS of logits",
                           .low = low / 2,
                           .high = high * 2};
  report::line_panel panel{.axis = "nats a byte", .height = 320};
  for (auto const& [method, own] : by_method) {
    chart.labels.push_back(method);
    panel.curves.emplace_back();
    panel.points.push_back(own);
  }
  panel.references = {frontier};
  fit(panel);
  chart.panels = {panel};
  return to_svg(chart, "frontier");
}

std::string short_number(run_record const& run, char const* key) {
  double const value = run.settings.is_object() ? number_at(run.settings, key) : std::nan("");
  return sigmax::is_finite(value) ? fmt::format("{:g}", value) : "";
}

}  // namespace

std::string page_of(std::vector<run_record> const& runs, std::string const& title) {
  auto const points = frontier_of(runs);
  std::string rows;
  for (auto const& each : points) {
    auto const& run = *each.run;
    auto const number = [](std::string text) { return cell{std::move(text), true}; };
    rows += row_of({{(each.is_best ? "\u2605 " : "") + run.name},
                    {run.method()},
                    number(short_number(run, "sigma_max")),
                    number(short_number(run, "learning_rate")),
                    number(fmt::format("{:.4f}", each.loss)),
                    number(fmt::format("{:.1f} %", 100 * run.last("validation_accuracy", std::nan("")))),
                    number(upper_text(run.certificate["upper"])),
                    number(lower_text(run.certificate)),
                    number(fmt::format("{:.4g}", number_at(run.certificate["published"], "value"))),
                    number(fmt::format("{:.3g}", run.last("largest_activation", std::nan("")))),
                    number(fmt::format("{:.0f}", run.last("violations", 0)))});
  }
  std::string body =
      "<h1>" + report::escaped(sigmax::io::printable(title)) + "</h1>\n" +
      paragraph(fmt::format("{} runs, {} of them with a certificate", runs.size(), points.size()), "soft") +
      "<h2>The frontier</h2>\n" + chart_of(points) +
      table_of({{"run"},
                {"method"},
                {"cap", true},
                {"rate", true},
                {"validation", true},
                {"accuracy", true},
                {"L \u2264", true},
                {"L \u2265", true},
                {"published", true},
                {"activation", true},
                {"violations", true}},
               rows) +
      paragraph(
          "\u2605: no other run has both a smaller loss and a smaller bound. L is proven; the published "
          "formula is no bound. The bounds of models of other shapes or logit scales are in the same "
          "units, but say nothing of how hard their tasks are.",
          "soft");
  std::string links;
  for (auto const& run : runs) {
    auto const name = report::escaped(sigmax::io::printable(run.name));
    links += "<a href=\"" + name + "/report.html\">" + name + "</a> ";
  }
  return report::page("Runs of " + sigmax::io::printable(title), body + "<h2>Run by run</h2>\n<p>" + links + "</p>\n");
}

std::filesystem::path write_pages(std::filesystem::path const& folder) {
  auto const page = folder / "report.html";
  if (is_run(folder)) {
    sigmax::io::write_file(page, page_of(read_run(folder)));
    return page;
  }
  if (!std::filesystem::is_directory(folder)) {
    throw sigmax::format_error(sigmax::io::printable(folder.string()) + ": this is no folder");
  }
  auto const runs = read_runs(folder);
  if (runs.empty()) {
    throw sigmax::format_error(sigmax::io::printable(folder.string()) +
                               ": this is neither the folder of a run nor one with runs in it");
  }
  for (auto const& run : runs) sigmax::io::write_file(folder / run.name / "report.html", page_of(run));
  sigmax::io::write_file(page, page_of(runs, std::filesystem::absolute(folder).lexically_normal().string()));
  return page;
}

}  // namespace transformer
