// SPDX-License-Identifier: MIT
/// @file
/// What became of one file given to sigmax-certify.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include <nlohmann/json.hpp>

#include <sigmax/lipschitz/certificate.hpp>

namespace certify_program {

struct outcome {
  std::string path = {};
  /// As the exit status of the program: 0, 1 or 2.
  int status = 2;
  /// Of networks.
  std::optional<sigmax::lipschitz::certificate> proof = {};
  /// Of files of weights.
  bool is_weights = false;
  /// For people; empty if nothing could be said.
  std::string table = {};
  /// One line for stderr; empty if there is nothing to complain about.
  std::string problem = {};
  nlohmann::ordered_json json = {};
  std::chrono::steady_clock::time_point start = std::chrono::steady_clock::now();

  double seconds() const { return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count(); }
};

}  // namespace certify_program
