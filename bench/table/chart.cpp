// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdlib>
#include <utility>
#include <vector>

#include "report/bar_chart.hpp"
#include "table/chart.hpp"

namespace bench_table {

namespace {

constexpr char const* style = R"css(<style>
svg { font: 12px system-ui, sans-serif; fill: #1d2430; } .paper { fill: #ffffff; }
.tick, .axis, .value { fill: #5b6675; } .heading { font-size: 15px; } .grid { stroke: #d5dbe3; } .zero { stroke: #5b6675; }
.stretches { fill: #17695c; } .shrinks { fill: #b3470a; }
@media (prefers-color-scheme: dark) {
  svg { fill: #e6eaf0; } .paper { fill: #14181f; } .tick, .axis, .value { fill: #a4afbe; } .grid { stroke: #38414f; }
  .stretches { fill: #5cc4b2; } .shrinks { fill: #f09a5b; }
}
</style>
)css";

/// "512x2048", and "512\u00b2" for a square.
std::string shape_of(row const& r) {
  auto const x = r.shape.find('x');
  if (x == std::string::npos) return r.shape == "-" ? r.variant : r.shape;
  return r.shape.substr(0, x) == r.shape.substr(x + 1) ? r.shape.substr(0, x) + "\u00b2" : r.shape;
}

std::string label_of(row const& r) {
  return shape_of(r) + (r.scalar == "f32" ? "" : " " + r.scalar) + (r.threads > 1 ? " 2 threads" : "");
}

report::bar_chart fractions(results const& all) {
  report::bar_chart chart{"Fraction of P",
                          "FLOPs a second of sigmax, divided by FMA peak and threads",
                          "FLOPs a second / (P x threads)",
                          {}};
  for (auto const& r : all.rows) {
    auto const* const ours = r.ours();
    if (ours == nullptr || !is_known(ours->rate()) || !is_known(r.peak)) continue;
    chart.bars.push_back({r.work + " " + label_of(r), ours->rate() / (r.peak * r.threads)});
  }
  return chart;
}

/// All peers in all rows of the same work on the same kind of input.
report::bar_chart ratios(results const& all, row const& like) {
  report::bar_chart chart{like.variant == "-" ? like.work : like.work + ", " + like.variant,
                          "Time of each peer divided by that of sigmax, as base-2 logarithm",
                          "log2 (time of the peer / time of sigmax): 1 is twice as fast, -1 half as fast",
                          {}};
  for (auto const& r : all.rows) {
    auto const* const ours = r.ours();
    if (ours == nullptr || r.work != like.work || r.variant != like.variant) continue;
    for (auto const& each : r.results) {
      if (each.contender.starts_with("sigmax")) continue;
      chart.bars.push_back({label_of(r) + " " + each.contender, std::log2(each.seconds / ours->seconds)});
    }
  }
  return chart;
}

/// The first row of each work and kind of input.
std::vector<row const*> kinds(results const& all) {
  std::vector<row const*> found;
  for (auto const& r : all.rows) {
    bool const known = std::any_of(found.begin(), found.end(),
                                   [&](row const* each) { return each->work == r.work && each->variant == r.variant; });
    if (!known) found.push_back(&r);
  }
  return found;
}

/// Height of a drawing that to_svg made, from its viewBox.
double height_of(std::string const& svg) {
  std::string const head = "viewBox=\"0 0 " + report::decimal(report::layout::width, 0) + " ";
  auto const at = svg.find(head);
  return at == std::string::npos ? 0 : std::strtod(svg.c_str() + at + head.size(), nullptr);
}

}  // namespace

std::string to_svg(results const& all) {
  std::vector<report::bar_chart> charts = {fractions(all)};
  for (row const* const kind : kinds(all)) charts.push_back(ratios(all, *kind));
  double y = 16;
  std::string body;
  for (std::size_t i = 0; i < charts.size(); ++i) {
    auto const& chart = charts[i];
    if (chart.bars.empty()) continue;
    std::string drawing = report::to_svg(chart, "chart-" + std::to_string(i));
    double const height = height_of(drawing);
    body += report::detail::text_at(12, y + 14, "start", "heading", chart.title);
    y += 26;
    drawing.insert(5, "y=\"" + report::decimal(y, 0) + "\" width=\"" + report::decimal(report::layout::width, 0) +
                          "\" height=\"" + report::decimal(height, 0) + "\" ");
    body += drawing;
    y += height + 16;
  }
  std::string const size = report::decimal(report::layout::width, 0) + " " + report::decimal(y, 0);
  return "<svg viewBox=\"0 0 " + size + "\" xmlns=\"http://www.w3.org/2000/svg\">\n" + style +
         "<rect class=\"paper\" width=\"" + report::decimal(report::layout::width, 0) + "\" height=\"" +
         report::decimal(y, 0) + "\"/>\n" + body + "</svg>\n";
}

}  // namespace bench_table
