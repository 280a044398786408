// SPDX-License-Identifier: MIT
#include <cmath>

#include <fmt/format.h>

#include "../../report/line_chart.hpp"
#include "markup.hpp"
#include "run_charts.hpp"

namespace transformer {

namespace {

using report::chart_point;

/// The largest number of fp8 e4m3.
constexpr double largest_e4m3 = 448;

std::vector<chart_point> curve_of(run_record const& run, char const* key) {
  std::vector<chart_point> curve;
  for (auto const& line : run.lines) {
    if (line.contains(key)) curve.push_back({number_at(line, "step"), number_at(line, key)});
  }
  return curve;
}

report::line_chart chart_over_steps(run_record const& run, std::string title, std::string description) {
  double const last = std::fmax(1.0, run.last("step", 1));
  return {.title = std::move(title),
          .description = std::move(description),
          .axis = "step",
          .low = 0,
          .high = last,
          .logarithmic = false};
}

}  // namespace

double number_at(nlohmann::json const& object, char const* key) {
  return object.contains(key) && object[key].is_number() ? object[key].get<double>() : std::nan("");
}

void fit(report::line_panel& panel) {
  double low = sigmax::infinity;
  double high = -sigmax::infinity;
  auto const look_at = [&](std::vector<std::vector<chart_point>> const& curves) {
    for (auto const& curve : curves) {
      for (auto const& point : curve) {
        if (!sigmax::is_finite(point.y) || (panel.logarithmic && !(point.y > 0))) continue;
        low = std::fmin(low, point.y);
        high = std::fmax(high, point.y);
      }
    }
  };
  look_at(panel.curves);
  look_at(panel.points);
  look_at(panel.references);
  if (!(low <= high)) low = high = 1;
  if (panel.logarithmic) {
    panel.low = low / 1.5;
    panel.high = high * 1.5;
  } else {
    double const room = std::fmax(0.05 * (high - low), 1e-3 * std::fmax(std::fabs(high), 1e-3));
    panel.low = low - room;
    panel.high = high + room;
  }
}

std::string loss_section(run_record const& run) {
  auto chart =
      chart_over_steps(run, "Loss", "Cross-entropy of the next byte in nats, of batches and of the validation text");
  chart.labels = {"training", "validation"};
  report::line_panel panel{.axis = "nats a byte"};
  panel.curves = {curve_of(run, "loss"), curve_of(run, "validation_loss")};
  panel.points = {{}, panel.curves[1]};
  fit(panel);
  chart.panels = {panel};
  return "<h2>Loss</h2>\n" + to_svg(chart, "loss");
}

std::string activation_section(run_record const& run) {
  auto chart = chart_over_steps(run, "Largest activations",
                                "The largest magnitudes of a batch by what they are; the dashed line is 448");
  report::line_panel panel{.axis = "largest magnitude; dashed: 448, the largest number of fp8 e4m3",
                           .logarithmic = true};
  for (char const* const kind : {"stream", "query", "key", "value", "mixed", "hidden"}) {
    chart.labels.push_back(kind);
    panel.curves.emplace_back();
    for (auto const& line : run.lines) {
      if (!line.contains("activations")) continue;
      panel.curves.back().push_back({number_at(line, "step"), number_at(line["activations"], kind)});
    }
  }
  panel.references = {{{0, largest_e4m3}, {chart.high, largest_e4m3}}};
  fit(panel);
  chart.panels = {panel};
  double const largest = run.last("largest_activation", 0);
  return "<h2>Largest activations</h2>\n" + to_svg(chart, "activations") +
         paragraph(fmt::format("At the last line {:.4g}: {} fp8 e4m3, whose largest number is 448.", largest,
                               largest <= largest_e4m3 ? "inside of" : "outside of"));
}

double cap_of(run_record const& run, std::string const& weight) {
  if (!run.settings.is_object()) return 0;
  if (weight == "embedding") return 1;
  auto const name = run.settings.value("constraint", "");
  bool const proves = name != "none" && name.find("decay") == std::string::npos;
  if (!proves) return 0;
  double const own = weight == "head" ? run.settings.value("head_sigma_max", 0.0) : 0.0;
  return own > 0 ? own : run.settings.value("sigma_max", 0.0);
}

std::string spectrum_section(run_record const& run) {
  auto chart =
      chart_over_steps(run, "Spectra of the weights",
                       "Singular values of each weight, from RMS to RMS, at each validation: the smallest, quantiles "
                       "and the largest; dashed: the cap");
  chart.labels = {"smallest", "5 %", "25 %", "50 %", "75 %", "95 %", "largest"};
  std::vector<std::string> names;
  for (auto const& line : run.lines) {
    if (!line.contains("spectra") || !names.empty()) continue;
    for (auto const& [name, values] : line["spectra"].items()) names.push_back(name);
  }
  for (auto const& name : names) {
    report::line_panel panel{.axis = name, .height = 110};
    panel.curves.resize(chart.labels.size());
    for (auto const& line : run.lines) {
      if (!line.contains("spectra") || !line["spectra"].contains(name)) continue;
      auto const& values = line["spectra"][name];
      for (std::size_t k = 0; k < chart.labels.size() && k < values.size(); ++k) {
        panel.curves[k].push_back({number_at(line, "step"), values[k].get<double>()});
      }
    }
    double const cap = cap_of(run, name);
    if (cap > 0) panel.references = {{{0, cap}, {chart.high, cap}}};
    fit(panel);
    chart.panels.push_back(std::move(panel));
  }
  if (names.empty()) return {};
  return "<h2>Spectra of the weights over time</h2>\n" + to_svg(chart, "spectra");
}

}  // namespace transformer
