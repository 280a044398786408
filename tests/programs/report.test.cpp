// SPDX-License-Identifier: MIT
// The pages the programs write: well formed, escaped, complete.
#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <sigmax/core/matrix.hpp>
#include <sigmax/lipschitz/certify.hpp>
#include <sigmax/lipschitz/combinators.hpp>
#include <sigmax/lipschitz/layers.hpp>
#include <sigmax/lipschitz/rules/activation.hpp>

#include "../../examples/report/line_chart.hpp"
#include "../../examples/report/write_report.hpp"
#include "markup.hpp"

namespace {

using namespace sigmax;
using namespace sigmax::lipschitz;

using sigmax::test::has;
using sigmax::test::problem_in_markup;

}  // namespace

TEST_CASE("report: a page says what is proved, with charts for eyes and text for ears") {
  matrix<float> w(2, 2);
  w(0, 0) = 3;
  w(1, 1) = 0.25f;
  auto const c = certify(network_of(sequential(linear(w), scale(0.5), relu()), {1, 2}));
  auto const page = report::to_html(c, "m.onnx");
  CHECK(problem_in_markup(page) == "");
  CHECK(has(page, "Lipschitz certificate of m.onnx"));
  CHECK(has(page, "L \u2264 1.5"));
  CHECK(has(page, "role=\"img\" aria-labelledby="));
  CHECK(has(page, "<desc id="));
  CHECK(has(page, "prefers-color-scheme: dark"));
  CHECK(has(page, certificate::statement));
  CHECK(!has(page, "<script"));
  CHECK(!has(page, "nan"));
  // Self-contained: the only address is the name of the SVG vocabulary.
  for (std::size_t at = page.find("http"); at != std::string::npos; at = page.find("http", at + 1)) {
    CHECK(page.substr(at, 26) == "http://www.w3.org/2000/svg");
  }
}

TEST_CASE("report: names cannot become markup") {
  network net({1});
  net.add(rules::scale({2}), {0}, "</td><script>alert('x')&\"\xff\n");
  auto const page = report::to_html(certify(net), "<title> & \"quotes\"");
  CHECK(problem_in_markup(page) == "");
  CHECK(!has(page, "<script"));
  CHECK(has(page, "&lt;/td&gt;&lt;script&gt;alert(&#39;x&#39;)&amp;&quot;\\xff\\x0a"));
  CHECK(has(page, "&lt;title&gt; &amp; &quot;quotes&quot;"));
}

TEST_CASE("report: bounds that are zero, infinite, conditional or beyond double") {
  network constant({1});
  constant.add(rules::scale({0}), {0});
  CHECK(problem_in_markup(report::to_html(certify(constant), "zero")) == "");
  auto const none = report::to_html(certify(network_of(sequential(scale(2), exp()), {1}), {.attack = false}), "none");
  CHECK(problem_in_markup(none) == "");
  CHECK(has(none, "no finite bound"));
  CHECK(has(none, "Layers without a finite bound"));
  network huge({1});
  for (int i = 0; i < 5; ++i) huge.add(rules::scale({1e300}), {huge.output()});
  CHECK(problem_in_markup(report::to_html(certify(huge), "huge")) == "");
  network tiny({1});
  for (int i = 0; i < 5; ++i) tiny.add(rules::scale({1e-300}), {tiny.output()});
  CHECK(problem_in_markup(report::to_html(certify(tiny), "tiny")) == "");
  auto const trusted = certify(network_of(bounded(trust<op<norm::l2_t>>(2, "somebody's word")), {1}));
  CHECK(has(report::to_html(trusted, "trusted"), "somebody&#39;s word"));
}

TEST_CASE("report: charts of many, equal, huge and infinite bars") {
  for (int const count : {1, 79, 80, 81, 1000}) {
    report::bar_chart chart{"t", "d", "a", {}};
    for (int i = 0; i < count; ++i) chart.bars.push_back({"layer " + std::to_string(i), std::sin(i)});
    auto const svg = report::to_svg(chart, "c");
    CHECK(problem_in_markup(svg) == "");
    std::size_t bars = 0;
    for (std::size_t at = svg.find("<rect"); at != std::string::npos; at = svg.find("<rect", at + 1)) ++bars;
    CHECK(bars == static_cast<std::size_t>(std::min(count, 80)));
    CHECK(has(svg, "80 largest of 1000") == (count == 1000));
  }
  for (double const value : {0.0, 1e-300, -1e-300, 1e18, -1e18, 1e308, sigmax::infinity, -sigmax::infinity}) {
    report::bar_chart chart{"t", "d", "a", {{"one", value}, {"two", 1}, {"three", -1}}};
    auto const svg = report::to_svg(chart, "c");
    CHECK(problem_in_markup(svg) == "");
    CHECK(!has(svg, "=\"nan"));
    CHECK(!has(svg, "=\"inf"));
    report::interval_chart line{"t", "d", value, value, true, "lower", "upper"};
    auto const marks = report::to_svg(line, "i");
    CHECK(problem_in_markup(marks) == "");
    CHECK(!has(marks, "=\"nan"));
    CHECK(!has(marks, "=\"inf"));
  }
}

TEST_CASE("report: curves of anything, in panels") {
  report::line_chart chart{.title = "t", .description = "d", .axis = "x", .low = 1e-3, .high = 2};
  chart.marks = {{1e-3, "lower", report::chart_mark::side::left}, {1, "upper", report::chart_mark::side::right}};
  report::line_panel values{.axis = "y", .low = -1, .high = 1};
  report::line_panel errors{.axis = "|y|", .logarithmic = true, .low = 1e-16, .high = 1};
  double const numbers[] = {0,
                            1,
                            -1,
                            1e-300,
                            -1e-300,
                            1e308,
                            -1e308,
                            sigmax::infinity,
                            -sigmax::infinity,
                            std::numeric_limits<double>::quiet_NaN()};
  for (int i = 0; i < 20; ++i) {
    std::vector<report::chart_point> curve;
    for (double const y : numbers) curve.push_back({0.01 * (i + 1), y});
    for (double const x : numbers) curve.push_back({x, 0.5});
    values.curves.push_back(curve);
    values.dots.push_back({1, numbers[i % 10]});
    values.points.push_back(curve);
    chart.labels.push_back("<b> & \"" + std::to_string(i) + "\"");
  }
  values.references = {{{1e-3, 1}, {2, 1}}};
  errors.curves = values.curves;
  for (int const pass : {0, 1, 2}) {
    bool const empty = pass == 2;
    chart.logarithmic = pass != 1;
    if (empty) {
      values.curves = {{}};
      values.points.clear();
      errors.curves.clear();
    }
    chart.panels = {values, errors};
    auto const svg = report::to_svg(chart, "id");
    CHECK(problem_in_markup(svg) == "");
    for (char const* const bad : {"nan", "\"inf", " inf", "-inf", "<b>"}) CHECK(!has(svg, bad));
    // A curve in each panel and one in the legend.
    CHECK(sigmax::test::count(svg, "class=\"curve ") == (empty ? 1 + 20 : 3 * 20));
    CHECK(has(svg, "&lt;b&gt; &amp; &quot;19&quot;"));
  }
  // Breaks and repetitions: what is not finite interrupts, what stays in place is not repeated.
  report::line_panel const plain{.axis = "y", .low = 0, .high = 1};
  report::detail::panel_frame const frame{0, 100, 0, 100, 0, 1, &plain};
  CHECK(report::detail::path_of(frame, {{1, 0}, {1, 0}, {10, 1}, {10, sigmax::infinity}, {1, 0.5}}) ==
        "M0.0 100.0L100.0 0.0M0.0 50.0");
  CHECK(report::detail::power_of_ten(-2) == "0.01");
  CHECK(report::detail::power_of_ten(0) == "1");
  CHECK(report::detail::power_of_ten(-3) == "1e-3");
  CHECK(report::detail::decades(1e-4, 1, 12).size() == 5);
  CHECK(report::detail::decades(1e-30, 1e30, 12).size() <= 13);
}
