// SPDX-License-Identifier: MIT
/// @file
/// A line with two marks: what an attack reached and what is proved. The constant lies between them.
#pragma once

#include <algorithm>
#include <cmath>
#include <string>

#include "bar_chart.hpp"
#include "text.hpp"

namespace report {

struct interval_chart {
  std::string title;
  std::string description;
  /// Base-10 logarithms; `has_lower` is false where no lower bound is known.
  double log10_lower = 0;
  double log10_upper = 0;
  bool has_lower = false;
  std::string lower_label;
  std::string upper_label;
};

/// The chart as one <svg> element; `id` as in to_svg of a bar chart. An upper mark at infinity stands at the right end.
inline std::string to_svg(interval_chart const& chart, std::string const& id) {
  double const left = 40;
  double const right = layout::width - 40;
  double const line = 46;
  bool const upper_finite = sigmax::is_finite(chart.log10_upper);
  bool const lower_finite = chart.has_lower && sigmax::is_finite(chart.log10_lower);
  double const upper = upper_finite ? chart.log10_upper : lower_finite ? chart.log10_lower + 1 : 1;
  double const lower = lower_finite ? std::min(chart.log10_lower, upper) : upper - 1;
  // A quarter of a decade of air on each side, and at least one decade in all; more where decades cannot be told apart.
  double const air = std::max(0.25, 1e-6 * std::fabs(upper));
  double const low = std::floor(std::min(lower, upper - 4 * air) - air);
  double const high = std::ceil(upper + air);
  auto const x_of = [&](double value) { return left + (value - low) / (high - low) * (right - left); };

  std::string svg = "<svg viewBox=\"0 0 " + decimal(layout::width, 0) + " 96\" role=\"img\" aria-labelledby=\"" + id +
                    "-title " + id + "-desc\" xmlns=\"http://www.w3.org/2000/svg\">\n<title id=\"" + id + "-title\">" +
                    escaped(chart.title) + "</title>\n<desc id=\"" + id + "-desc\">" + escaped(chart.description) +
                    "</desc>\n";
  svg +=
      "<line class=\"zero\" x1=\"" + decimal(left, 1) + "\" x2=\"" + decimal(right, 1) + "\" y1=\"46\" y2=\"46\"/>\n";
  double const step = std::max(1.0, detail::tick_step(high - low));
  for (int k = 0; k < 12; ++k) {
    double const tick = std::ceil(low / step) * step + k * step;
    if (tick > high) break;
    std::string const x = decimal(x_of(tick), 1);
    svg += "<line class=\"grid\" x1=\"" + x + "\" x2=\"" + x + "\" y1=\"42\" y2=\"50\"/>\n";
    svg += detail::text_at(x_of(tick), 66, "middle", "tick", "1e" + decimal(tick, 0));
  }
  if (lower_finite) {
    svg += "<rect class=\"between\" x=\"" + decimal(x_of(lower), 1) + "\" y=\"42\" width=\"" +
           decimal(std::max(x_of(upper) - x_of(lower), 1.0), 1) + "\" height=\"8\"/>\n";
    svg += "<circle class=\"lower\" cx=\"" + decimal(x_of(lower), 1) + "\" cy=\"" + decimal(line, 1) + "\" r=\"6\"/>\n";
    svg += detail::text_at(std::max(x_of(lower), left + 90), 86, "middle", "value", chart.lower_label);
  }
  std::string const x = decimal(x_of(upper), 1);
  svg += "<path class=\"upper\" d=\"M" + x + " 40 l7 -12 h-14 z\"/>\n";
  svg += detail::text_at(std::clamp(x_of(upper), left + 90, right - 90), 20, "middle", "value", chart.upper_label);
  return svg + "</svg>\n";
}

}  // namespace report
