// SPDX-License-Identifier: MIT
#include <algorithm>
#include <fstream>
#include <iterator>

#include <fmt/format.h>

#include <sigmax/core/error.hpp>
#include <sigmax/io/printable.hpp>

#include "../checkpoint.hpp"
#include "run_record.hpp"

namespace transformer {

namespace {

sigmax::format_error failure(std::filesystem::path const& path, std::string const& problem) {
  return sigmax::format_error(sigmax::io::printable(path.string()) + ": " + problem);
}

nlohmann::json read_json(std::filesystem::path const& path) {
  std::ifstream file(path, std::ios::binary);
  auto json = nlohmann::json::parse(file, nullptr, false);
  if (!json.is_object()) throw failure(path, "this is no JSON object");
  return json;
}

}  // namespace

double run_record::last(char const* key, double otherwise) const {
  for (auto line = lines.rbegin(); line != lines.rend(); ++line) {
    if (line->contains(key) && (*line)[key].is_number()) return (*line)[key].get<double>();
  }
  return otherwise;
}

std::string run_record::method() const {
  if (!settings.is_object()) return name;
  return fmt::format("{} + {}", settings.value("optimizer", "?"), settings.value("constraint", "?"));
}

bool is_run(std::filesystem::path const& folder) { return std::filesystem::exists(folder / "metrics.jsonl"); }

run_record read_run(std::filesystem::path const& folder) {
  auto const whole = std::filesystem::absolute(folder).lexically_normal();
  run_record result{.name = (whole.filename().empty() ? whole.parent_path() : whole).filename().string(),
                    .lines = {},
                    .certificate = nullptr,
                    .settings = nullptr};
  auto const metrics = folder / "metrics.jsonl";
  std::ifstream file(metrics, std::ios::binary);
  if (!file) throw failure(metrics, "it cannot be read");
  for (std::string line; std::getline(file, line);) {
    auto json = nlohmann::json::parse(line, nullptr, false);
    // The last line of a run that goes on may be a part of one.
    if (json.is_object() && json.contains("step") && json["step"].is_number()) result.lines.push_back(std::move(json));
  }
  if (std::filesystem::exists(folder / "certificate.json")) {
    result.certificate = read_json(folder / "certificate.json");
    if (result.certificate.contains("settings")) result.settings = result.certificate["settings"];
  }
  bool const has_model = std::filesystem::exists(folder / "model.safetensors") ||
                         std::filesystem::exists(folder / "checkpoint.safetensors");
  if (!result.settings.is_object() && has_model) {
    result.settings = nlohmann::json::parse(settings_text(load_model(folder).settings));
  }
  return result;
}

std::vector<run_record> read_runs(std::filesystem::path const& folder) {
  std::vector<std::filesystem::path> found;
  for (auto const& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.is_directory() && is_run(entry.path())) found.push_back(entry.path());
  }
  std::sort(found.begin(), found.end());
  std::vector<run_record> result;
  std::transform(found.begin(), found.end(), std::back_inserter(result), read_run);
  return result;
}

}  // namespace transformer
