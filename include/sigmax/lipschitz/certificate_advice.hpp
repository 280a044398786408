// SPDX-License-Identifier: MIT
/// @file
/// Why a certificate is not better than it is, and what would help. For people; nothing here is proved.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string>
#include <vector>

#include <sigmax/bound/rounding.hpp>
#include <sigmax/config.hpp>
#include <sigmax/lipschitz/certificate.hpp>
#include <sigmax/lipschitz/certificate_numbers.hpp>
#include <sigmax/lipschitz/domain.hpp>

namespace sigmax::inline SIGMAX_ABI::lipschitz {

namespace detail {

/// What a refused layer needs.
template <class = void>
std::string remedy_of(refused_layer const& refused, input_domain const& domain) {
  if (refused.reason.find("discontinuous") != std::string::npos) {
    return "it jumps, so no domain helps: replace it";
  }
  if (refused.reason.find("the caller gave no") != std::string::npos) return "bring a bound in this norm";
  return domain.is_bounded() ? "a smaller ball or box may give it a bound"
                             : "it may have a bound on a ball (--radius, input_domain::ball) or box (--box)";
}

/// "8 (linear) x 31.05, 10 (linear) x 18.32": the layers that stretch most, by the part of log10 L that is theirs.
template <class = void>
std::string largest_contributors(certificate const& c, std::size_t most) {
  std::vector<certified_layer const*> rows;
  for (auto const& layer : c.layers()) {
    if (layer.share * layer.log10_sensitivity > 1e-3) rows.push_back(&layer);
  }
  std::stable_sort(rows.begin(), rows.end(), [](auto const* a, auto const* b) {
    return a->share * a->log10_sensitivity > b->share * b->log10_sensitivity;
  });
  std::string text;
  for (std::size_t k = 0; k < rows.size() && k < most; ++k) {
    double const factor = std::pow(10.0, rows[k]->log10_sensitivity);
    text += (k == 0 ? "" : ", ") + rows[k]->name + " (" + rows[k]->op + ") x " +
            (factor < 1e6 ? table_number(factor, 2) : "1e" + table_number(rows[k]->log10_sensitivity, 2));
  }
  return rows.size() > most ? text + ", and " + std::to_string(rows.size() - most) + " more" : text;
}

}  // namespace detail

/// One line each: the remedy of every layer without a bound (ten at the most); the layers that contribute most to a
/// product that an attack does not come near; what a domain would do. Empty where the bound is as good as exact.
template <class = void>
std::vector<std::string> what_is_loose(certificate const& c) {
  std::vector<std::string> lines;
  for (auto const& refused : c.refused()) {
    if (lines.size() == 10) return lines;
    lines.push_back(refused.name + " (" + refused.op + "): " + detail::remedy_of(refused, c.domain()));
  }
  if (!c.is_finite() || c.upper_extended().is_zero()) return lines;
  auto const& lower = c.lower();
  bool const reached = lower && lower->proven && lower->value >= 0.95 * c.upper();
  std::size_t stretching = 0;
  for (auto const& layer : c.layers()) stretching += std::fabs(layer.log10_sensitivity) > 1e-3 ? 1 : 0;
  if (reached || stretching < 2) return lines;
  std::string const largest = detail::largest_contributors(c, 3);
  if (c.method() == "product") {
    lines.push_back("a product takes the worst direction of every layer anew" +
                    (largest.empty() ? std::string() : "; the largest factors: " + largest));
  } else if (!largest.empty()) {
    lines.push_back("the largest factors: " + largest);
  }
  bool slopes = false;
  for (auto const& layer : c.layers()) slopes = slopes || layer.rule.starts_with("sup |phi'|");
  if (slopes && !c.domain().is_bounded()) {
    lines.push_back("on a ball (--radius) or box (--box) of inputs activations have the slopes they have there");
  }
  return lines;
}

}  // namespace sigmax::inline SIGMAX_ABI::lipschitz
