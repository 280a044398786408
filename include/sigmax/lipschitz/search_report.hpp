// SPDX-License-Identifier: MIT
/// @file
/// What a search for multipliers says of itself. Estimates, for people to read: no certificate is made of them.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <sigmax/bound/extended.hpp>
#include <sigmax/bound/rounding.hpp>
#include <sigmax/config.hpp>
#include <sigmax/lipschitz/certificate_numbers.hpp>

namespace sigmax::inline SIGMAX_ABI::lipschitz {

/// The search for the multipliers of one segment. Bounds are those of the segment in l2.
struct search_report {
  /// Name of the node at the end of the segment.
  std::string end{};
  std::size_t multipliers = 0;
  /// By what it was done; empty if it was not.
  std::string_view how{};
  /// Why it was not.
  std::string_view reason{};
  /// Where the search and each of its restarts ended, as far as they came to an end: estimates.
  std::vector<double> ends{};
  /// True if there were three restarts, and the last three ended within 1e-4 of each other.
  bool converged = false;
  /// The least bound found: an estimate of the best that multipliers can prove.
  double optimum = infinity;
  /// What the checker proved with these multipliers.
  double proved = infinity;
};

/// Hears of every search, in the thread that does it. A search that somebody hears of is restarted to see whether it
/// converged; its result is the same.
struct search_listener {
  void* self = nullptr;
  void (*heard)(void* self, search_report const& report) = nullptr;

  bool is_there() const { return heard != nullptr; }
  void tell(search_report const& report) const {
    if (heard != nullptr) heard(self, report);
  }
};

/// Two lines for people, each ended.
template <class = void>
std::string to_string(search_report const& report) {
  using detail::short_number;
  std::string text = "search: the segment that ends at " + report.end + ", " + std::to_string(report.multipliers);
  text.append(" multipliers: ");
  if (report.how.empty()) return text.append("none, ").append(report.reason).append("\n");
  text.append(report.how);
  if (!report.ends.empty()) text.append(", ended at ").append(short_number(report.ends.front()));
  for (std::size_t k = 1; k < report.ends.size(); ++k) {
    text.append(k == 1 ? ", restarts at " : ", ").append(short_number(report.ends[k]));
  }
  text.append(report.converged ? ": converged" : ": not converged").append("\n        estimated optimum ");
  text.append(short_number(report.optimum)).append(", proven ");
  if (!is_finite(report.proved)) return text.append("nothing\n");
  text.append(detail::short_upper(extended(report.proved))).append(", ");
  return text.append(short_number(report.proved / report.optimum - 1, 2)).append(" above it\n");
}

}  // namespace sigmax::inline SIGMAX_ABI::lipschitz
