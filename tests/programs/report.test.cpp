// SPDX-License-Identifier: MIT
// The pages the programs write: well formed, escaped, complete.
#include <cmath>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <sigmax/core/matrix.hpp>
#include <sigmax/lipschitz/certify.hpp>
#include <sigmax/lipschitz/combinators.hpp>
#include <sigmax/lipschitz/layers.hpp>
#include <sigmax/lipschitz/rules/activation.hpp>

#include "../../examples/report/write_report.hpp"

namespace {

using namespace sigmax;
using namespace sigmax::lipschitz;

/// Empty if every element is closed in order and every attribute quoted; else the place of the first problem.
std::string problem_in_markup(std::string const& markup) {
  std::vector<std::string> open;
  std::size_t at = 0;
  while ((at = markup.find('<', at)) != std::string::npos) {
    std::size_t const end = markup.find('>', at);
    if (end == std::string::npos) return markup.substr(at, 60);
    std::string const tag = markup.substr(at + 1, end - at - 1);
    std::string const name = tag.substr(tag[0] == '/' ? 1 : 0, tag.find_first_of(" \n", 1) - (tag[0] == '/' ? 1 : 0));
    bool const alone = tag.back() == '/' || tag[0] == '!' || name == "meta";
    if (tag[0] == '/') {
      if (open.empty() || open.back() != name) return markup.substr(at, 60);
      open.pop_back();
    } else if (!alone) {
      open.push_back(name);
    }
    at = end;
  }
  return open.empty() ? "" : "unclosed " + open.back();
}

bool has(std::string const& text, std::string const& part) { return text.find(part) != std::string::npos; }

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
