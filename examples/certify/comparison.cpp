// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cstddef>

#include <fmt/format.h>

#include <sigmax/io/printable.hpp>
#include <sigmax/lipschitz/certificate_numbers.hpp>
#include <sigmax/lipschitz/certificate_text.hpp>

#include "comparison.hpp"

namespace certify_program {

namespace {

namespace text = sigmax::lipschitz::detail;

/// The names of the methods that any model tried, in the order of the first that did.
std::vector<std::string> methods_of(std::vector<outcome> const& outcomes) {
  std::vector<std::string> names;
  for (outcome const& each : outcomes) {
    if (!each.proof) continue;
    for (auto const& tried : each.proof->tried()) {
      if (std::find(names.begin(), names.end(), tried.name) == names.end()) names.push_back(tried.name);
    }
  }
  return names;
}

std::string bound_by(sigmax::lipschitz::certificate const& proof, std::string const& method) {
  for (auto const& tried : proof.tried()) {
    if (tried.name == method && !tried.upper.is_infinite()) return text::short_upper(tried.upper);
  }
  return "-";
}

}  // namespace

std::string comparison(std::vector<outcome> const& outcomes) {
  auto const tried = methods_of(outcomes);
  std::vector<std::string> head{"model"};
  head.insert(head.end(), tried.begin(), tried.end());
  for (char const* const name : {"L <=", "log10", "L >=", "norm", "domain", "method", "exit", "seconds"}) {
    head.emplace_back(name);
  }
  std::size_t const last_number = tried.size() + 3;
  std::vector<std::vector<std::string>> rows{head};
  for (outcome const& each : outcomes) {
    std::vector<std::string> row(head.size(), "-");
    row[0] = sigmax::io::printable(each.path);
    std::size_t const first = 1 + tried.size();
    if (each.proof) {
      for (std::size_t k = 0; k < tried.size(); ++k) row[1 + k] = bound_by(*each.proof, tried[k]);
      row[first] = text::short_upper(each.proof->upper_extended());
      row[first + 1] = text::table_number(each.proof->log10_upper(), 6);
      auto const& lower = each.proof->lower();
      if (lower && lower->proven) row[first + 2] = text::short_lower(lower->value);
      row[first + 3] = each.proof->norm_in().name();
      row[first + 4] = each.proof->domain().text();
      row[first + 5] = each.proof->method();
    } else {
      row[first] = each.status == 1 ? "refused" : each.is_weights && each.status == 0 ? "weights" : "unreadable";
    }
    row[first + 6] = std::to_string(each.status);
    if (each.json.contains("seconds")) row[first + 7] = fmt::format("{:.2f}", each.json["seconds"].get<double>());
    rows.push_back(std::move(row));
  }
  return text::aligned(rows, 1, last_number);
}

}  // namespace certify_program
