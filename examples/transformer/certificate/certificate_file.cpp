// SPDX-License-Identifier: MIT
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <sigmax/io/atomic_file.hpp>
#include <sigmax/io/json.hpp>
#include <sigmax/lipschitz/certificate_numbers.hpp>

#include "certificate_file.hpp"

namespace transformer {

namespace {

namespace numbers = sigmax::lipschitz::detail;
namespace json_detail = sigmax::io::detail;

nlohmann::ordered_json witness_of(model_certificate const& certificate) {
  if (certificate.pair.quotient <= 0) return nullptr;
  nlohmann::ordered_json result;
  result["from"] = certificate.pair.from;
  result["to"] = certificate.pair.to;
  result["share"] = certificate.pair.share;
  return result;
}

nlohmann::ordered_json residuals_of(closed_form_bound const& closed) {
  auto result = nlohmann::ordered_json::array();
  for (std::size_t i = 0; i < closed.residuals.size(); ++i) {
    auto const& each = closed.residuals[i];
    nlohmann::ordered_json row;
    row["name"] = "blocks." + std::to_string(i / 2) + (i % 2 == 0 ? ".attention" : ".mlp");
    row["rms_in"] = json_detail::number_or_null(each.radius);
    row["branch"] = json_detail::number_or_null(each.branch);
    row["lipschitz"] = json_detail::number_or_null(each.lipschitz);
    result.push_back(std::move(row));
  }
  return result;
}

}  // namespace

std::string text_of(model_certificate const& certificate) {
  std::string text = fmt::format(
      "For all sequences of {} tokens, one-hot or mixed: logits, scale {} included, move by at most L times the "
      "largest l1\n"
      "distance of two rows (2 for another token), in RMS, the largest over tokens; GELU in the form with erf.\n",
      certificate.length, certificate.settings.model.logit_scale);
  for (auto const& each : certificate.bounds) {
    text += fmt::format("  {} {:<9} L <= {:<16} from {}\n", &each == &certificate.best() ? "*" : " ", each.method,
                        numbers::short_upper(each.upper), each.from);
  }
  text += fmt::format("    {:<9} L >= {:<16} {}\n", "attack", numbers::short_lower(certificate.lower),
                      certificate.pair.quotient > 0 ? "a pair of sequences, in interval arithmetic" : "no attack");
  text += fmt::format("    {:<9} {:<21} published formula, no bound for {} heads\n", "",
                      fmt::format("{:.10g}", certificate.published), certificate.settings.shape.heads);
  return text;
}

nlohmann::ordered_json json_of(model_certificate const& certificate, std::int64_t step,
                               std::string const& architecture) {
  using json = nlohmann::ordered_json;
  auto const& best = certificate.best();
  json result;
  result["schema"] = "sigmax-transformer-certificate-1";
  result["statement"] = sigmax::lipschitz::certificate::statement;
  result["step"] = step;
  for_each_setting(certificate.settings,
                   [&](char const* name, auto const& value) { result["settings"][name] = value; });
  result["domain"] = "sequences of rows that are probability vectors over the vocabulary, one-hot rows among them";
  result["norms"] = {{"in", "l1 of a row, largest over tokens"}, {"out", "RMS of the logits, largest over tokens"}};
  result["logit_scale_included"] = true;
  result["gelu"] = "erf";
  result["sequence_length"] = certificate.length;
  result["vocabulary"] = certificate.settings.shape.vocabulary;
  result["lipschitz_upper"] = json_detail::number_or_null(best.upper.to_double_up());
  result["upper"] = json_detail::upper_to_json(best.upper);
  result["log10_upper"] = json_detail::number_or_null(best.upper.log10_up());
  result["lipschitz_lower"] = certificate.lower > 0 ? json(certificate.lower) : json(nullptr);
  result["lipschitz_estimate"] = certificate.pair.quotient > 0 ? json(certificate.pair.quotient) : json(nullptr);
  result["method"] = best.method;
  result["conditional"] = false;
  result["assumptions"] = json::array();
  result["tried"] = json::array();
  for (auto const& each : certificate.bounds) {
    result["tried"].push_back({{"method", each.method},
                               {"from", each.from},
                               {"upper", json_detail::upper_to_json(each.upper)},
                               {"log10_upper", json_detail::number_or_null(each.upper.log10_up())},
                               {"seconds", each.seconds}});
  }
  result["residuals"] = residuals_of(certificate.residuals);
  result["published"] = {{"value", json_detail::number_or_null(certificate.published)},
                         {"is_a_bound", false},
                         {"faults", faults_of_published_formula()}};
  result["witness"] = witness_of(certificate);
  result["seconds"] = certificate.seconds;
  result["version"] = sigmax::version;
  result["arch"] = architecture;
  return result;
}

void save_certificate(std::filesystem::path const& path, model_certificate const& certificate, std::int64_t step,
                      std::string const& architecture) {
  sigmax::io::write_file(path, json_of(certificate, step, architecture).dump(1) + "\n");
}

}  // namespace transformer
