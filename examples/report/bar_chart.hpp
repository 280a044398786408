// SPDX-License-Identifier: MIT
/// @file
/// A horizontal bar chart as SVG: one bar a layer, to the right where it stretches, to the left where it shrinks.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "text.hpp"

namespace report {

struct bar {
  std::string label;
  /// Length and direction; infinities are drawn over the whole width and named.
  double value = 0;
};

struct bar_chart {
  /// Read by screen readers, with `description`.
  std::string title;
  std::string description;
  /// What the axis measures.
  std::string axis;
  std::vector<bar> bars;
};

/// Positions in the drawing. Colours are CSS variables of the page, so that light and dark come from one place.
namespace layout {
inline constexpr double width = 760;
inline constexpr double label_width = 220;
inline constexpr double value_width = 70;
inline constexpr double row_height = 22;
inline constexpr double bar_height = 14;
inline constexpr double head = 8;
inline constexpr double foot = 40;
inline constexpr std::size_t most_rows = 80;
}  // namespace layout

namespace detail {

/// A step of 1, 2 or 5 times a power of ten that divides `range` into at most eight parts.
inline double tick_step(double range) {
  double const raw = range / 8;
  double const power = std::pow(10.0, std::floor(std::log10(raw)));
  for (double const factor : {1.0, 2.0, 5.0}) {
    if (factor * power >= raw) return factor * power;
  }
  return 10 * power;
}

inline std::string shortened(std::string const& label) {
  if (label.size() <= 30) return label;
  // Cut in front of a whole UTF-8 sequence.
  std::size_t end = 28;
  while (end > 0 && (static_cast<unsigned char>(label[end]) & 0xc0u) == 0x80u) --end;
  return label.substr(0, end) + "\u2026";
}

inline std::string text_at(double x, double y, char const* anchor, char const* kind, std::string const& text) {
  return "<text x=\"" + decimal(x, 1) + "\" y=\"" + decimal(y, 1) + "\" text-anchor=\"" + anchor + "\" class=\"" +
         kind + "\">" + escaped(text) + "</text>\n";
}

}  // namespace detail

/// The chart as one <svg> element. Charts of more than layout::most_rows bars show those of the largest values in
/// their order, and say so. `id` is the prefix of the element identifiers and must be unique on the page.
inline std::string to_svg(bar_chart const& chart, std::string const& id) {
  using namespace layout;
  std::vector<bar> bars = chart.bars;
  std::string note;
  if (bars.size() > most_rows) {
    std::vector<double> sizes;
    for (bar const& b : bars) sizes.push_back(std::fabs(b.value));
    std::nth_element(sizes.begin(), sizes.begin() + most_rows - 1, sizes.end(), std::greater<>());
    double const least = sizes[most_rows - 1];
    std::erase_if(bars, [&](bar const& b) { return !(std::fabs(b.value) >= least); });
    if (bars.size() > most_rows) bars.resize(most_rows);
    note = "; the " + std::to_string(bars.size()) + " largest of " + std::to_string(chart.bars.size()) + " are shown";
  }

  double low = 0;
  double high = 0;
  for (bar const& b : bars) {
    if (!sigmax::is_finite(b.value)) continue;
    low = std::min(low, b.value);
    high = std::max(high, b.value);
  }
  if (high - low < 1e-9) high = low + 1;
  double const plot_left = label_width + (low < 0 ? value_width : 0);
  double const plot_right = width - value_width;
  auto const x_of = [&](double value) {
    return plot_left + (std::clamp(value, low, high) - low) / (high - low) * (plot_right - plot_left);
  };
  double const bottom = head + row_height * static_cast<double>(bars.size());
  double const height = bottom + foot;

  std::string svg = "<svg viewBox=\"0 0 " + decimal(width, 0) + " " + decimal(height, 0) +
                    "\" role=\"img\" aria-labelledby=\"" + id + "-title " + id +
                    "-desc\" xmlns=\"http://www.w3.org/2000/svg\">\n<title id=\"" + id + "-title\">" +
                    escaped(chart.title) + "</title>\n<desc id=\"" + id + "-desc\">" +
                    escaped(chart.description + note) + "</desc>\n";
  double const step = detail::tick_step(high - low);
  for (int k = 0; k < 12; ++k) {
    double const tick = std::ceil(low / step) * step + k * step;
    if (tick > high + step / 100) break;
    std::string const x = decimal(x_of(tick), 1);
    svg += "<line class=\"grid\" x1=\"" + x + "\" x2=\"" + x + "\" y1=\"" + decimal(head, 1) + "\" y2=\"" +
           decimal(bottom, 1) + "\"/>\n";
    svg += detail::text_at(x_of(tick), bottom + 14, "middle", "tick",
                           decimal(std::fabs(tick) < step / 2 ? 0.0 : tick, step < 1 ? 2 : 0));
  }
  svg += detail::text_at((plot_left + plot_right) / 2, bottom + 32, "middle", "axis", chart.axis + note);

  double y = head;
  for (bar const& b : bars) {
    bool const finite = sigmax::is_finite(b.value);
    double const from = x_of(0);
    double const to = finite ? x_of(b.value) : b.value > 0 ? plot_right : plot_left;
    double const middle = y + row_height / 2 + 4;
    svg += "<g><title>" + escaped(b.label + ": " + decimal(b.value, 6)) + "</title>\n";
    svg += detail::text_at(label_width - 8, middle, "end", "label", detail::shortened(b.label));
    svg += std::string("<rect class=\"") + (b.value < 0 ? "shrinks" : "stretches") + "\" x=\"" +
           decimal(std::min(from, to), 1) + "\" y=\"" + decimal(y + (row_height - bar_height) / 2, 1) + "\" width=\"" +
           decimal(std::max(std::fabs(to - from), 1.0), 1) + "\" height=\"" + decimal(bar_height, 0) +
           "\" rx=\"2\"/>\n";
    bool const leftwards = to < from;
    svg +=
        detail::text_at(leftwards ? to - 5 : to + 5, middle, leftwards ? "end" : "start", "value", decimal(b.value, 3));
    svg += "</g>\n";
    y += row_height;
  }
  std::string const zero = decimal(x_of(0), 1);
  svg += "<line class=\"zero\" x1=\"" + zero + "\" x2=\"" + zero + "\" y1=\"" + decimal(head, 1) + "\" y2=\"" +
         decimal(bottom, 1) + "\"/>\n";
  return svg + "</svg>\n";
}

}  // namespace report
