// SPDX-License-Identifier: MIT
#include <algorithm>
#include <iterator>
#include <string>
#include <string_view>

#include <sigmax/core/error.hpp>
#include <sigmax/io/printable.hpp>
#include <sigmax/polynomial/minimax.hpp>

#include "candidates.hpp"
#include "coefficient_file.hpp"
#include "presets.hpp"

namespace polynomials_program {

namespace {

candidate from_preset(preset const& known) { return {known.schedule->name(), "preset", *known.schedule, known.aim}; }

candidate named(std::string const& name) {
  auto const* const found = std::find_if(std::begin(presets), std::end(presets), [&](preset const& each) {
    return std::string_view(each.schedule->name()) == name;
  });
  if (found == std::end(presets)) {
    throw sigmax::domain_error("--schedule is " + sigmax::io::in_quotes(name) +
                               "; no preset has that name (--list names them)");
  }
  return from_preset(*found);
}

candidate generated(arguments const& given) {
  return {"generated", "generated",
          given.tolerance ? sigmax::minimax_schedule_to(given.lower, *given.tolerance, given.generator)
                          : sigmax::minimax_schedule(given.lower, given.steps, given.generator)};
}

}  // namespace

std::vector<candidate> candidates_of(arguments const& given) {
  std::vector<candidate> result;
  for (auto const& name : given.schedules) result.push_back(named(name));
  if (given.generate) result.push_back(generated(given));
  for (auto const& path : given.files) {
    result.push_back({sigmax::io::printable(path), "file", load_coefficients(path)});
  }
  if (result.empty()) {
    for (auto const& known : presets) result.push_back(from_preset(known));
  }
  if (given.aim) {
    for (auto& each : result) each.aim = *given.aim;
  }
  return result;
}

}  // namespace polynomials_program
