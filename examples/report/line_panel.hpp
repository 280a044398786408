// SPDX-License-Identifier: MIT
/// @file
/// One panel of curves: what a line chart is stacked from.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string>
#include <vector>

#include "bar_chart.hpp"
#include "text.hpp"

namespace report {

struct chart_point {
  double x = 1;
  double y = 0;
};

/// One quantity. Curves of the same index have the same colour in all panels of a chart.
struct line_panel {
  /// What the vertical axis measures, and its ends. On a logarithmic axis both are above 0.
  std::string axis;
  bool logarithmic = false;
  double low = 0;
  double high = 1;
  double height = 240;
  std::vector<std::vector<chart_point>> curves = {};
  /// Dots by themselves, in the colours of the curves of the same index.
  std::vector<std::vector<chart_point>> points = {};
  /// Points of the curves that deserve a dot: as many as there are curves, or none.
  std::vector<chart_point> dots = {};
  /// What the curves are to be compared with: thin and dashed.
  std::vector<std::vector<chart_point>> references = {};
};

namespace detail {

/// Positions of a panel in the drawing; horizontal ends as base-10 logarithms where the axis is logarithmic.
struct panel_frame {
  double left;
  double right;
  double top;
  double bottom;
  double low_x;
  double high_x;
  line_panel const* panel;
  bool logarithmic_x = true;

  /// What lies far outside is drawn a frame's width away, as below.
  double x_of(double x) const {
    double const share = ((logarithmic_x ? std::log10(x) : x) - low_x) / (high_x - low_x);
    return left + std::clamp(share, -1.0, 2.0) * (right - left);
  }
  bool has_place(chart_point const& point) const {
    return sigmax::is_finite(point.x) && sigmax::is_finite(point.y) && (point.x > 0 || !logarithmic_x);
  }
  /// What lies far outside is drawn a frame's height away: renderers need not deal with 1e300.
  double y_of(double y) const {
    double share = (y - panel->low) / (panel->high - panel->low);
    if (panel->logarithmic) {
      double const low = std::log10(panel->low);
      share = y > 0 ? (std::log10(y) - low) / (std::log10(panel->high) - low) : -1.0;
    }
    return bottom - std::clamp(share, -1.0, 2.0) * (bottom - top);
  }
  bool contains(chart_point const& point) const {
    double const y = y_of(point.y);
    return y >= top && y <= bottom;
  }
};

/// "M x y L x y ..."; what is not finite interrupts the curve, what repeats a position is left out.
inline std::string path_of(panel_frame const& frame, std::vector<chart_point> const& points) {
  std::string path;
  std::string last;
  bool drawing = false;
  for (auto const& point : points) {
    if (!frame.has_place(point)) {
      drawing = false;
      continue;
    }
    std::string const place = decimal(frame.x_of(point.x), 1) + " " + decimal(frame.y_of(point.y), 1);
    if (!drawing || place != last) path += (drawing ? "L" : "M") + place;
    last = place;
    drawing = true;
  }
  return path;
}

inline std::string line_at(char const* kind, double x1, double y1, double x2, double y2) {
  return std::string("<line class=\"") + kind + "\" x1=\"" + decimal(x1, 1) + "\" y1=\"" + decimal(y1, 1) + "\" x2=\"" +
         decimal(x2, 1) + "\" y2=\"" + decimal(y2, 1) + "\"/>\n";
}

inline std::string rectangle(char const* kind, double left, double top, double right, double bottom) {
  return std::string("<rect class=\"") + kind + "\" x=\"" + decimal(left, 1) + "\" y=\"" + decimal(top, 1) +
         "\" width=\"" + decimal(std::max(right - left, 0.0), 1) + "\" height=\"" +
         decimal(std::max(bottom - top, 0.0), 1) + "\"/>\n";
}

/// "0.01", "1", "100", else "1e-7".
inline std::string power_of_ten(int exponent) {
  if (exponent >= -2 && exponent <= 3) return decimal(std::pow(10.0, exponent), std::max(0, -exponent));
  return "1e" + std::to_string(exponent);
}

/// Exponents of the powers of ten from `low` to `high`: all, or every second, third, ..., so that about `most` remain.
inline std::vector<int> decades(double low, double high, int most) {
  auto const first = static_cast<int>(std::ceil(std::log10(low) - 1e-9));
  auto const last = static_cast<int>(std::floor(std::log10(high) + 1e-9));
  int const step = std::max(1, (last - first + most - 1) / most);
  std::vector<int> result;
  for (int k = last; k >= first; k -= step) result.push_back(k);
  return result;
}

/// Classes of the curve with this index: eight colours, then dashed, then dotted.
inline std::string colour_of(std::size_t index) {
  std::size_t const dash = index / 8 % 3;
  return "c" + std::to_string(index % 8) + (dash > 0 ? " dash-" + std::to_string(dash) : "");
}

/// A number on an axis, and how it is written.
struct axis_tick {
  double at;
  std::string label;
};

/// Of a linear axis.
inline std::vector<axis_tick> ticks(double low, double high) {
  double const step = tick_step(high - low);
  int const decimals = std::max(0, static_cast<int>(std::ceil(-std::log10(step) - 1e-9)));
  double const first = std::ceil(low / step - 1e-9) * step;
  std::vector<axis_tick> result;
  for (int k = 0; k < 12 && first + k * step <= high + step / 100; ++k) {
    double const at = first + k * step;
    result.push_back({at, decimal(std::fabs(at) < step / 2 ? 0.0 : at, decimals)});
  }
  return result;
}

/// Of the horizontal axis.
inline std::vector<axis_tick> ticks_of(panel_frame const& frame) {
  if (!frame.logarithmic_x) return ticks(frame.low_x, frame.high_x);
  std::vector<axis_tick> result;
  for (int const k : decades(std::pow(10.0, frame.low_x), std::pow(10.0, frame.high_x), 12)) {
    result.push_back({std::pow(10.0, k), power_of_ten(k)});
  }
  return result;
}

inline std::string grid_of(panel_frame const& frame) {
  line_panel const& panel = *frame.panel;
  std::string svg;
  auto const row = [&](double y, std::string const& label) {
    svg += line_at("grid", frame.left, frame.y_of(y), frame.right, frame.y_of(y));
    svg += text_at(frame.left - 8, frame.y_of(y) + 4, "end", "tick", label);
  };
  if (panel.logarithmic) {
    for (int const k : decades(panel.low, panel.high, 9)) row(std::pow(10.0, k), power_of_ten(k));
  } else {
    for (auto const& tick : ticks(panel.low, panel.high)) row(tick.at, tick.label);
  }
  for (auto const& tick : ticks_of(frame)) {
    double const x = frame.x_of(tick.at);
    svg += line_at("grid", x, frame.top, x, frame.bottom);
  }
  return svg;
}

/// Grid, curves and frame. `clip` names a new clipping path.
inline std::string to_svg(panel_frame const& frame, std::string const& clip) {
  line_panel const& panel = *frame.panel;
  std::string svg = "<clipPath id=\"" + clip + "\">" + rectangle("", frame.left, frame.top, frame.right, frame.bottom) +
                    "</clipPath>\n" + grid_of(frame) + "<g clip-path=\"url(#" + clip + ")\">\n";
  for (auto const& reference : panel.references) {
    svg += "<path class=\"reference\" d=\"" + path_of(frame, reference) + "\"/>\n";
  }
  for (std::size_t i = 0; i < panel.curves.size(); ++i) {
    svg += "<path class=\"curve " + colour_of(i) + "\" d=\"" + path_of(frame, panel.curves[i]) + "\"/>\n";
  }
  auto const dot = [&](chart_point const& point, std::size_t i) {
    if (!frame.has_place(point) || !frame.contains(point)) return;
    svg += "<circle class=\"dot c" + std::to_string(i % 8) + "\" cx=\"" + decimal(frame.x_of(point.x), 1) + "\" cy=\"" +
           decimal(frame.y_of(point.y), 1) + "\" r=\"3.5\"/>\n";
  };
  for (std::size_t i = 0; i < panel.points.size(); ++i) {
    for (auto const& point : panel.points[i]) dot(point, i);
  }
  for (std::size_t i = 0; i < panel.dots.size(); ++i) dot(panel.dots[i], i);
  svg += "</g>\n" + rectangle("frame", frame.left, frame.top, frame.right, frame.bottom);
  return svg + text_at(frame.left, frame.top - 8, "start", "axis", panel.axis);
}

}  // namespace detail

}  // namespace report
