// SPDX-License-Identifier: MIT
#include <nlohmann/json.hpp>

#include "table/json.hpp"
#include "table/owed.hpp"

namespace bench_table {

namespace {

using nlohmann::ordered_json;

ordered_json number(double value) { return is_known(value) ? ordered_json(value) : ordered_json(nullptr); }

ordered_json of(row const& r, result const& each) {
  auto const* const ours = r.ours();
  ordered_json object;
  object["contender"] = each.contender;
  object["seconds"] = number(each.seconds);
  object["variation"] = number(each.variation);
  object["busy"] = number(each.busy);
  object["flops"] = each.flops;
  object["fraction_of_peak"] = number(each.rate() / (r.peak * r.threads));
  object["ratio"] = number(ours != nullptr ? each.seconds / ours->seconds : unknown);
  object["error"] = number(each.error);
  object["holds"] = each.holds;
  object["note"] = each.note;
  return object;
}

}  // namespace

std::string to_json(results const& all, doubts const& about) {
  ordered_json document;
  document["context"] = all.context;
  document["valid"] = about.invalid.empty();
  document["invalid"] = about.invalid;
  document["disturbed"] = about.disturbed;
  document["peaks"] = ordered_json::array();
  for (auto const& p : all.peaks) {
    document["peaks"].push_back({{"program", p.program},
                                 {"when", p.when},
                                 {"scalar", p.scalar},
                                 {"threads", p.threads},
                                 {"flops_per_second", p.rate},
                                 {"busy", number(p.busy)}});
  }
  document["rows"] = ordered_json::array();
  for (auto const& r : all.rows) {
    ordered_json object{{"work", r.work},   {"variant", r.variant}, {"scalar", r.scalar},
                        {"shape", r.shape}, {"threads", r.threads}, {"peak", number(r.peak)}};
    object["results"] = ordered_json::array();
    for (auto const& each : r.results) object["results"].push_back(of(r, each));
    object["owed"] = ordered_json::array();
    for (auto const& each : judge(all, r)) {
      object["owed"].push_back({{"promise", each.promise}, {"measured", number(each.measured)}, {"kept", each.kept}});
    }
    document["rows"].push_back(std::move(object));
  }
  return document.dump(2) + "\n";
}

}  // namespace bench_table
