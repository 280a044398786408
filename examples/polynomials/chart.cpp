// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string>
#include <vector>

#include <sigmax/bound/rounding.hpp>
#include <sigmax/config.hpp>

#include "chart.hpp"
#include "report/line_chart.hpp"
#include "report/page.hpp"
#include "report/text.hpp"
#include "rounded_text.hpp"
#include "tables.hpp"

namespace polynomials_program {

namespace {

constexpr std::size_t most_curves = 24;
constexpr int samples = 1500;

/// What is drawn: the common axis and the first few analyses.
struct drawing {
  std::vector<analysis> shown;
  double low;
  double high;
  double lower;
  double upper;

  explicit drawing(std::vector<analysis> const& analyses)
      : shown(analyses.begin(), analyses.begin() + static_cast<std::ptrdiff_t>(std::min(analyses.size(), most_curves))),
        lower(analyses.front().lower),
        upper(0) {
    for (auto const& a : shown) upper = std::max(upper, a.upper);
    low = lower / 10;
    high = 1.5 * upper;
  }

  double x_at(int i) const { return low * std::pow(high / low, static_cast<double>(i) / (samples - 1)); }
};

/// p, until beyond its interval it leaves the neighbourhood of the drawing.
std::vector<report::chart_point> curve_of(drawing const& d, analysis const& a) {
  std::vector<report::chart_point> points;
  for (int i = 0; i < samples; ++i) {
    double const x = d.x_at(i);
    double const y = a.what.schedule(x);
    points.push_back({x, y});
    if (x > a.upper && !(y > -1 && y < 4)) break;
  }
  return points;
}

std::vector<report::chart_point> target_curve(drawing const& d, target aim) {
  std::vector<report::chart_point> points;
  for (int i = 0; i < samples; ++i) points.push_back({d.x_at(i), aimed_at(aim, d.x_at(i))});
  return points;
}

/// The distance to the target; 0 is drawn below everything.
std::vector<report::chart_point> error_curve(std::vector<report::chart_point> points, target aim) {
  for (auto& point : points) point.y = std::fabs(aimed_at(aim, point.x) - point.y);
  return points;
}

report::line_panel values_panel(drawing const& d) {
  report::line_panel panel{.axis = "p(x)", .low = 0, .high = 1.4, .height = 270};
  for (auto const& a : d.shown) {
    panel.low = std::min(panel.low, std::max(-2.0, a.sampled.lower * 1.1));
    panel.high = std::max(panel.high, std::min(3.0, a.sampled.upper * 1.1));
    panel.curves.push_back(curve_of(d, a));
    panel.dots.push_back({a.upper, a.what.schedule(a.upper)});
  }
  for (target const aim : {target::one, target::cap}) {
    bool const wanted = std::any_of(d.shown.begin(), d.shown.end(), [&](auto const& a) { return a.what.aim == aim; });
    if (wanted) panel.references.push_back(target_curve(d, aim));
  }
  return panel;
}

/// All but the smallest twentieth of the errors on [lower, upper] are at least this: what a drawing has to show. The
/// rest are the narrow dips where p crosses its target.
double least_shown(analysis const& a, std::vector<report::chart_point> const& errors) {
  std::vector<double> inside;
  for (auto const& point : errors) {
    if (point.x >= a.lower && point.x <= a.upper && sigmax::is_finite(point.y)) inside.push_back(point.y);
  }
  if (inside.empty()) return 1;
  auto const place = inside.begin() + static_cast<std::ptrdiff_t>(inside.size() / 20);
  std::nth_element(inside.begin(), place, inside.end());
  return *place;
}

report::line_panel errors_panel(drawing const& d, report::line_panel const& values) {
  report::line_panel panel{.axis = "", .logarithmic = true, .low = 1e-3, .high = 1, .height = 230};
  bool ones = false;
  bool caps = false;
  for (std::size_t i = 0; i < d.shown.size(); ++i) {
    auto const& a = d.shown[i];
    panel.curves.push_back(error_curve(values.curves[i], a.what.aim));
    double const least = std::max(1e-16, least_shown(a, panel.curves.back()));
    panel.low = std::min(panel.low, std::pow(10.0, std::floor(std::log10(least))));
    double const greatest = a.errors.empty() ? 1 : std::min(1e3, a.errors.front().value);
    panel.high = std::max(panel.high, std::pow(10.0, std::ceil(std::log10(greatest))));
    (a.what.aim == target::cap ? caps : ones) = true;
  }
  panel.axis = ones && caps ? "|1 - p(x)|, for caps |min(1, x) - p(x)|" : caps ? "|min(1, x) - p(x)|" : "|1 - p(x)|";
  return panel;
}

report::line_chart chart_of(std::vector<analysis> const& analyses) {
  drawing const d(analyses);
  report::line_chart chart;
  chart.title = d.shown.size() == 1 ? d.shown.front().what.name : "Compositions of odd polynomials";
  if (analyses.size() > d.shown.size()) {
    chart.title += " (the first " + std::to_string(d.shown.size()) + " of " + std::to_string(analyses.size()) + ")";
  }
  chart.description =
      "Above, what each schedule makes of a singular value x; below, its distance to the target. Both "
      "are sampled. Dots mark the upper ends of the intervals analysed; outside is shaded.";
  chart.axis = "singular value x";
  chart.low = d.low;
  chart.high = d.high;
  for (auto const& a : d.shown) chart.labels.push_back(a.what.name + (a.refusal.empty() ? "" : " (refused)"));
  chart.marks.push_back({d.lower, "lower " + shortest(d.lower), report::chart_mark::side::left});
  chart.marks.push_back({d.upper, "upper " + shortest(d.upper), report::chart_mark::side::right});
  chart.panels.push_back(values_panel(d));
  chart.panels.push_back(errors_panel(d, chart.panels.front()));
  return chart;
}

std::string markup_of(table const& t) {
  std::string html = "<h2>" + report::escaped(t.caption) + "</h2>\n<div class=\"scroll\">\n<table>\n";
  for (std::size_t r = 0; r < t.rows.size(); ++r) {
    std::string const kind = r == 0 ? "th" : "td";
    html += "<tr>";
    for (std::size_t c = 0; c < t.rows[r].size(); ++c) {
      html += "<" + kind + (c > 0 ? " class=\"number\">" : ">") + report::escaped(t.rows[r][c]) + "</" + kind + ">";
    }
    html += "</tr>\n";
  }
  return html + "</table>\n</div>\n";
}

}  // namespace

std::string to_svg(std::vector<analysis> const& analyses) { return report::to_svg(chart_of(analyses), "polynomials"); }

std::string to_html(std::vector<analysis> const& analyses) {
  std::string body = "<h1>Compositions of odd polynomials</h1>\n" + to_svg(analyses);
  for (auto const& each : tables_of(analyses)) body += markup_of(each);
  for (auto const& note : notes_on(analyses)) body += "<p class=\"soft\">" + report::escaped(note) + "</p>\n";
  body += std::string("<p class=\"soft\">sigmax ") + sigmax::version + ", " + sigmax::architecture + "</p>\n";
  return report::page("Compositions of odd polynomials", body);
}

}  // namespace polynomials_program
