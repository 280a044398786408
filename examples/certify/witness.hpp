// SPDX-License-Identifier: MIT
/// @file
/// The pair of points behind a contradiction, saved for a bug report.
#pragma once

#include <filesystem>
#include <string>
#include <system_error>
#include <vector>

#include <nlohmann/json.hpp>

#include <sigmax/config.hpp>
#include <sigmax/core/error.hpp>
#include <sigmax/io/atomic_file.hpp>
#include <sigmax/io/printable.hpp>
#include <sigmax/kernels.hpp>
#include <sigmax/lipschitz/lower_bound.hpp>

namespace certify_program {

/// Writes sigmax-witness-<digest>.json to the working directory, or to the directory for temporary files where that
/// cannot be written. @return where it is, or why it is nowhere.
inline std::string save_witness(sigmax::lipschitz::lower_bound const& witness, std::string const& model,
                                std::string const& digest, std::string const& problem) {
  nlohmann::ordered_json json;
  json["model"] = {{"path", sigmax::io::printable(model, 4096)}, {"sha256", digest}};
  json["problem"] = sigmax::io::printable(problem, 4096);
  json["lipschitz_lower"] = witness.value;
  json["x"] = witness.x;
  json["y"] = witness.y;
  json["version"] = sigmax::version;
  json["arch"] = sigmax::cpu::native().architecture();
  std::string const name = "sigmax-witness-" + digest.substr(0, 12) + ".json";
  std::error_code ignored;
  std::string reason;
  for (auto const& folder : {std::filesystem::current_path(ignored), std::filesystem::temp_directory_path(ignored)}) {
    try {
      sigmax::io::write_file(folder / name, json.dump(2) + "\n");
      return "the pair of points was saved to " + sigmax::io::in_quotes((folder / name).string());
    } catch (sigmax::error const& e) {
      reason = e.what();
    }
  }
  return "the pair of points was not saved: " + reason;
}

}  // namespace certify_program
