// SPDX-License-Identifier: MIT
#include <optional>

#include <sigmax/bound/rounding.hpp>
#include <sigmax/config.hpp>

#include "json.hpp"

namespace polynomials_program {

namespace {

using json = nlohmann::ordered_json;

json number(std::optional<double> value) {
  if (!value || !sigmax::is_finite(*value)) return nullptr;
  return *value;
}

json ends(char const* lower_name, char const* upper_name, sigmax::interval values) {
  return {{lower_name, number(values.lower)}, {upper_name, number(values.upper)}};
}

/// Degrees and coefficients of the steps.
void describe(sigmax::polynomial_schedule const& schedule, json& result) {
  result["steps"] = schedule.size();
  result["degrees"] = json::array();
  result["coefficients"] = json::array();
  for (auto const& step : schedule) {
    result["degrees"].push_back(step.degree());
    json coefficients = json::array();
    for (int k = 0; k < step.terms(); ++k) coefficients.push_back(step[k]);
    result["coefficients"].push_back(std::move(coefficients));
  }
}

json proven(analysis const& a) {
  json result;
  result["range"] = ends("lower", "upper", a.range);
  result["max_error"] = json::array();
  for (auto const& error : a.errors) {
    result["max_error"].push_back({{"from", error.from}, {"to", a.upper}, {"at_most", number(error.value)}});
  }
  result["reach"] = json::array();
  for (auto const& each : a.reaches) {
    result["reach"].push_back({{"least", 1 - each.band}, {"greatest", 1 + each.band}, {"from", number(each.from)}});
  }
  result["u_max"] = number(a.u_max);
  return result;
}

json object(analysis const& a) {
  json result;
  result["name"] = a.what.name;
  result["source"] = a.what.source;
  result["target"] = a.what.aim == target::cap ? "min(1, x)" : "1";
  describe(a.what.schedule, result);
  result["interval"] = {{"lower", a.lower}, {"upper", a.upper}};
  result["refused"] = a.refusal.empty() ? json(nullptr) : json(a.refusal);
  result["proven"] = proven(a);
  result["sampled"] = ends("least", "greatest", a.sampled);
  result["sampled"]["points"] = analysis::samples;
  result["slope"] = number(a.what.schedule.slope());
  result["units"] = json::array();
  for (auto const& each : a.costs) {
    result["units"].push_back({{"aspect", each.aspect},
                               {"standard", each.standard},
                               {"gram", each.gram},
                               {"planned", each.planned},
                               {"segments", each.segments}});
  }
  return result;
}

}  // namespace

json to_json(std::vector<analysis> const& analyses) {
  json result;
  result["statement"] =
      "what is proven holds for p in real arithmetic with the coefficients as given; rounding in a matrix computation "
      "is not included";
  result["schedules"] = json::array();
  for (auto const& each : analyses) result["schedules"].push_back(object(each));
  result["version"] = sigmax::version;
  result["arch"] = sigmax::architecture;
  return result;
}

}  // namespace polynomials_program
