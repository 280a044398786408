// SPDX-License-Identifier: MIT
/// @file
/// What a run has left in its folder, for pages about it.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace transformer {

struct run_record {
  /// That of the folder.
  std::string name;
  /// The lines of metrics.jsonl.
  std::vector<nlohmann::json> lines;
  /// certificate.json; null where there is none yet.
  nlohmann::json certificate;
  /// By the names of for_each_setting; null where neither certificate nor model tell them.
  nlohmann::json settings;

  /// The value of the last line that has the key; `otherwise` where none has.
  double last(char const* key, double otherwise) const;
  /// "muon + soft_cap 2": what distinguishes runs.
  std::string method() const;
};

/// True if metrics.jsonl is there.
bool is_run(std::filesystem::path const& folder);

/// @throws format_error that names the file if one is not what it should be.
run_record read_run(std::filesystem::path const& folder);

/// Of the folders in this one that are runs, by name.
std::vector<run_record> read_runs(std::filesystem::path const& folder);

}  // namespace transformer
