// SPDX-License-Identifier: MIT
/// @file
/// Curves over one axis as SVG, in panels one below the other, with a legend at the side.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string>
#include <vector>

#include "line_panel.hpp"
#include "text.hpp"

namespace report {

/// A vertical line through all panels; what lies to its left or right may be shaded.
struct chart_mark {
  enum class side : unsigned char { none, left, right };
  double x = 1;
  std::string label;
  side shaded = side::none;
};

struct line_chart {
  /// Drawn above, and read by screen readers with `description`.
  std::string title;
  std::string description;
  /// What the horizontal axis measures, and its ends, low < high; above 0 on a logarithmic axis.
  std::string axis;
  double low = 1;
  double high = 10;
  bool logarithmic = true;
  /// Of the curves, for the legend.
  std::vector<std::string> labels = {};
  std::vector<chart_mark> marks = {};
  std::vector<line_panel> panels = {};
};

namespace detail {

/// The drawing stands alone or on a page and brings its colours, in light and in dark: those of Okabe and Ito, which
/// most eyes tell apart, two of them darkened for white paper.
inline constexpr char const* line_style = R"css(<style>
.lines text { font-family: system-ui, sans-serif; font-size: 12px; fill: #1d2430; }
.lines text.heading { font-size: 15px; } .lines text.tick { fill: #5b6675; } .lines .paper { fill: #ffffff; }
.lines .grid { stroke: #e3e7ed; } .lines .frame { stroke: #8b95a3; fill: none; }
.lines .mark { stroke: #5b6675; stroke-dasharray: 4 3; } .lines .outside { fill: #5b6675; fill-opacity: 0.1; }
.lines .reference { stroke: #5b6675; stroke-dasharray: 2 3; fill: none; }
.lines .curve { stroke: currentColor; stroke-width: 1.6; stroke-linejoin: round; fill: none; }
.lines .dot { fill: currentColor; }
.lines .dash-1 { stroke-dasharray: 7 3; } .lines .dash-2 { stroke-dasharray: 2 2.5; }
.lines .c0 { color: #0072b2; } .lines .c1 { color: #d55e00; } .lines .c2 { color: #009e73; }
.lines .c3 { color: #b8569a; } .lines .c4 { color: #d79400; } .lines .c5 { color: #56b4e9; }
.lines .c6 { color: #1d2430; } .lines .c7 { color: #8c6d1f; }
@media (prefers-color-scheme: dark) {
  .lines text { fill: #e6eaf0; } .lines text.tick { fill: #a4afbe; } .lines .paper { fill: #14181f; }
  .lines .grid { stroke: #2b333f; } .lines .c0 { color: #4aa8e0; } .lines .c6 { color: #e6eaf0; }
}
</style>
)css";

/// Above the panel, on the shaded side: marks close to each other keep their labels apart, and the first forty units
/// belong to the name of the vertical axis.
inline std::string label_of(chart_mark const& mark, panel_frame const& frame) {
  double const x = frame.x_of(mark.x);
  double const y = frame.top - 8;
  if (mark.shaded == chart_mark::side::right) return text_at(x, y, "start", "tick", mark.label);
  if (mark.shaded == chart_mark::side::none) return text_at(x, y, "middle", "tick", mark.label);
  double const first_end = frame.left + 40 + 7 * static_cast<double>(mark.label.size());
  return text_at(std::max(x, first_end), y, "end", "tick", mark.label);
}

/// One row a curve, from the upper left corner (x, y) on.
inline std::string legend_of(std::vector<std::string> const& labels, double x, double y) {
  std::string svg;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    double const row = y + 18 * static_cast<double>(i) + 8;
    svg += "<g><title>" + escaped(labels[i]) + "</title>\n";
    svg += "<path class=\"curve " + colour_of(i) + "\" d=\"M" + decimal(x, 1) + " " + decimal(row, 1) + "h24\"/>\n";
    svg += text_at(x + 30, row + 4, "start", "label", shortened(labels[i])) + "</g>\n";
  }
  return svg;
}

}  // namespace detail

/// The chart as one <svg> element, complete in itself. `id` is the prefix of the element identifiers and must be unique
/// on the page.
inline std::string to_svg(line_chart const& chart, std::string const& id) {
  constexpr double width = 880;
  constexpr double left = 60;
  constexpr double right = 650;
  constexpr double first_top = 66;
  constexpr double gap = 34;
  double bottom = first_top - gap;
  for (auto const& panel : chart.panels) bottom += gap + panel.height;
  double const legend_bottom = first_top + 18 * static_cast<double>(chart.labels.size());
  double const height = std::max(bottom + 46, legend_bottom + 16);
  auto const end = [&](double x) { return chart.logarithmic ? std::log10(x) : x; };
  detail::panel_frame frame{left,           right,           0,       first_top - gap,
                            end(chart.low), end(chart.high), nullptr, chart.logarithmic};

  std::string svg = "<svg class=\"lines\" viewBox=\"0 0 " + decimal(width, 0) + " " + decimal(height, 0) +
                    "\" role=\"img\" aria-labelledby=\"" + id + "-title " + id +
                    "-desc\" xmlns=\"http://www.w3.org/2000/svg\">\n<title id=\"" + id + "-title\">" +
                    escaped(chart.title) + "</title>\n<desc id=\"" + id + "-desc\">" + escaped(chart.description) +
                    "</desc>\n" + detail::line_style + detail::rectangle("paper", 0, 0, width, height) +
                    detail::text_at(left, 22, "start", "heading", chart.title);
  for (std::size_t i = 0; i < chart.panels.size(); ++i) {
    frame.panel = &chart.panels[i];
    frame.top = frame.bottom + gap;
    frame.bottom = frame.top + chart.panels[i].height;
    for (auto const& mark : chart.marks) {
      double const x = frame.x_of(mark.x);
      if (mark.shaded != chart_mark::side::none) {
        bool const to_left = mark.shaded == chart_mark::side::left;
        svg += detail::rectangle("outside", to_left ? left : x, frame.top, to_left ? x : right, frame.bottom);
      }
    }
    svg += detail::to_svg(frame, id + "-clip-" + std::to_string(i));
    for (auto const& mark : chart.marks) {
      svg += detail::line_at("mark", frame.x_of(mark.x), frame.top, frame.x_of(mark.x), frame.bottom);
      if (i == 0) svg += detail::label_of(mark, frame);
    }
  }
  for (auto const& tick : detail::ticks_of(frame)) {
    svg += detail::text_at(frame.x_of(tick.at), bottom + 16, "middle", "tick", tick.label);
  }
  svg += detail::text_at((left + right) / 2, bottom + 36, "middle", "axis", chart.axis);
  return svg + detail::legend_of(chart.labels, right + 20, first_top) + "</svg>\n";
}

}  // namespace report
