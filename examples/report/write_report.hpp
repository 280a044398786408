// SPDX-License-Identifier: MIT
/// @file
/// A certificate as a page to look at.
#pragma once

#include <cmath>
#include <filesystem>
#include <string>
#include <utility>

#include <sigmax/io/atomic_file.hpp>
#include <sigmax/io/printable.hpp>
#include <sigmax/lipschitz/certificate.hpp>
#include <sigmax/lipschitz/certificate_advice.hpp>
#include <sigmax/lipschitz/certificate_text.hpp>

#include "bar_chart.hpp"
#include "interval_chart.hpp"
#include "page.hpp"
#include "text.hpp"

namespace report {

namespace detail {

inline std::string cell(std::string const& text, bool number = false) {
  return std::string(number ? "<td class=\"number\">" : "<td>") + escaped(sigmax::io::printable(text)) + "</td>";
}

inline std::string paragraph(std::string const& text, char const* kind = nullptr) {
  return std::string("<p") + (kind != nullptr ? std::string(" class=\"") + kind + "\"" : "") + ">" +
         escaped(sigmax::io::printable(text, 4096)) + "</p>\n";
}

/// " in a box", " within 0.1 of ..."; nothing for all inputs.
inline std::string domain_phrase(sigmax::lipschitz::certificate const& c) {
  std::string const text = sigmax::lipschitz::detail::domain_text(c);
  return escaped(text.substr(std::string("for all x, y").size()));
}

/// The bound of every method that was tried; nothing if it is one.
inline std::string tried_section(sigmax::lipschitz::certificate const& c) {
  if (c.tried().size() < 2) return {};
  bar_chart chart;
  chart.title = "The methods that were tried";
  chart.description = "One bar a method: the base-10 logarithm of the bound it proved; the shortest is the best";
  chart.axis = "log10 of the bound";
  std::string body;
  for (auto const& tried : c.tried()) {
    std::string const label = sigmax::io::printable(tried.name) + (tried.name == c.method() ? " (used)" : "");
    if (!tried.upper.is_zero()) chart.bars.push_back({label, tried.upper.log10_up()});
    body += paragraph(label + ": " +
                      (tried.upper.is_infinite() ? "no finite bound"
                                                 : "L \u2264 " + sigmax::lipschitz::detail::short_upper(tried.upper)));
  }
  return "<h2>The methods that were tried</h2>\n" + (chart.bars.empty() ? std::string() : to_svg(chart, "tried")) +
         body;
}

inline std::string bound_section(sigmax::lipschitz::certificate const& c) {
  namespace text = sigmax::lipschitz::detail;
  std::string const upper = text::short_upper(c.upper_extended());
  std::string const in = c.norm_in().name();
  std::string const out = c.norm_out().name();
  std::string body = "<div class=\"bound\">\n<p>For all inputs <i>x</i>, <i>y</i>" + domain_phrase(c) +
                     ": \u2016f(<i>x</i>) \u2212 f(<i>y</i>)\u2016<sub>" + escaped(out) +
                     "</sub> \u2264 L \u2016<i>x</i> \u2212 <i>y</i>\u2016<sub>" + escaped(in) + "</sub>, with</p>\n";
  if (c.is_finite()) {
    body += "<p><strong>L \u2264 " + escaped(upper) + "</strong></p>\n";
    body += paragraph(std::string("Proved") + (c.conditional() ? ", on the conditions below" : "") + " by the " +
                      c.method() + " of the layers; log10 L is at most " + decimal(c.log10_upper(), 6) + ".");
  } else {
    body += "<p><strong>no finite bound</strong></p>\n";
  }
  auto const& lower = c.lower();
  bool const proven = lower && lower->proven && lower->value > 0;
  if (proven)
    body += paragraph("L \u2265 " + text::short_lower(lower->value) + ", proved by a pair of points an attack found.");
  body += paragraph(std::string(sigmax::lipschitz::certificate::statement) + ".", "soft");
  body += "</div>\n";
  if (c.is_finite() && c.upper_extended().mantissa() > 0) {
    interval_chart chart;
    chart.title = "Where the Lipschitz constant lies";
    chart.log10_upper = c.log10_upper();
    chart.upper_label = "proved: at most " + upper;
    chart.description = "The upper bound is " + upper;
    if (proven) {
      chart.has_lower = true;
      chart.log10_lower = std::log10(lower->value);
      chart.lower_label = "reached: at least " + text::short_lower(lower->value);
      chart.description += ", the lower bound " + text::short_lower(lower->value);
    }
    chart.description += ". The scale is logarithmic.";
    body += "<h2>Between what bounds</h2>\n" + to_svg(chart, "interval");
  }
  return body;
}

inline std::string layer_section(sigmax::lipschitz::certificate const& c) {
  namespace text = sigmax::lipschitz::detail;
  bar_chart chart;
  chart.title = "What each layer contributes";
  chart.description =
      "One bar a layer: the base-10 logarithm of its own Lipschitz bound times the share of the network's bound that "
      "passes through it, to the right where it can stretch distances, to the left where it shrinks them";
  chart.axis = "log10 of the layer's own bound, times its share";
  // Rearrangements, biases and the like have bound 1 and would hide the others.
  for (auto const& layer : c.layers()) {
    // A share of 0 stands for "not known" where the bound is infinite or zero.
    double const part = layer.share > 0 ? layer.share * layer.log10_sensitivity : layer.log10_sensitivity;
    if (std::fabs(part) > 1e-9) {
      chart.bars.push_back({sigmax::io::printable(layer.name) + " \u00b7 " + layer.op, part});
    }
  }
  std::string body;
  if (!chart.bars.empty()) {
    body += "<h2>What each layer contributes</h2>\n" + to_svg(chart, "layers");
    body += paragraph("Layers whose bound is 1 are left out here.", "soft");
  }
  body +=
      "<h2>Layer by layer</h2>\n<div "
      "class=\"scroll\">\n<table>\n<thead><tr><th>layer</th><th>operator</th><th>shape</th>"
      "<th class=\"number\">log10 own</th><th class=\"number\">log10 so far</th><th class=\"number\">share</th>"
      "<th>rule</th></tr></thead>\n<tbody>\n";
  for (auto const& layer : c.layers()) {
    body += "<tr>" + cell(layer.name) + cell(layer.op) + cell(sigmax::lipschitz::shape_text(layer.shape)) +
            cell(text::table_number(layer.log10_sensitivity, 6), true) +
            cell(text::table_number(layer.log10_lipschitz, 6), true) +
            cell(text::table_number(100 * layer.share, 1) + "%", true) + cell(layer.rule) + "</tr>\n";
  }
  return body + "</tbody>\n</table>\n</div>\n";
}

}  // namespace detail

/// The page as text. `title` names what is certified, `arch` the processors the code that did it is made for.
inline std::string to_html(sigmax::lipschitz::certificate const& c, std::string const& title,
                           std::string const& arch = sigmax::architecture) {
  std::string const shown = sigmax::io::printable(title);
  std::string body = "<h1>Lipschitz certificate of " + escaped(shown) + "</h1>\n";
  body += detail::paragraph("input " + sigmax::lipschitz::shape_text(c.input_shape()) + ", output " +
                                sigmax::lipschitz::shape_text(c.output_shape()),
                            "soft");
  body += detail::bound_section(c);
  if (!c.refused().empty()) body += "<h2>Layers without a finite bound</h2>\n";
  for (auto const& refused : c.refused()) {
    body += detail::paragraph(refused.name + " (" + refused.op + "): " + refused.reason);
  }
  if (c.conditional()) body += "<h2>What the bound rests on</h2>\n";
  for (auto const& reason : c.rests_on().reasons()) body += detail::paragraph(reason);
  body += detail::tried_section(c);
  auto const advice = sigmax::lipschitz::what_is_loose(c);
  if (!advice.empty()) body += "<h2>What would tighten it</h2>\n";
  for (auto const& line : advice) body += detail::paragraph(line);
  body += detail::layer_section(c);
  body += detail::paragraph(std::string("sigmax ") + sigmax::version + ", " + arch, "soft");
  return page("Lipschitz certificate of " + shown, body);
}

/// Writes the page, completely or not at all. @throws sigmax::format_error if the file cannot be written.
inline void write_report(sigmax::lipschitz::certificate const& c, std::filesystem::path const& path,
                         std::string const& title = "a network", std::string const& arch = sigmax::architecture) {
  sigmax::io::write_file(path, to_html(c, title, arch));
}

}  // namespace report
