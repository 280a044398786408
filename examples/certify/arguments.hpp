// SPDX-License-Identifier: MIT
/// @file
/// The command line of sigmax-certify.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include <sigmax/bound/norm.hpp>

#include "methods.hpp"

namespace certify_program {

struct arguments {
  std::vector<std::string> models;
  sigmax::norm::any norm = sigmax::norm::l2;
  method how = method::automatic;
  /// Of the ball to speak of; nothing: all inputs, or those of the box.
  std::optional<double> radius;
  /// Empty: the origin.
  std::string centre;
  /// Empty: no box.
  std::string box;
  /// Where the proof goes, and where one comes from that is to be checked; empty: none.
  std::string emit_proof;
  std::string check_proof;
  /// The options given that make no sense for weights.
  std::vector<std::string> of_networks;
  /// Empty: no JSON; "-": standard output.
  std::string json;
  /// Empty: no page.
  std::string html;
  std::uint64_t max_memory = std::uint64_t{4} << 30;
  std::uint64_t seed = 1;
  int threads = 1;
  bool attack = true;
  double relative_gap = 1e-7;
};

/// The program has nothing more to do: `text` goes to stdout if `status` is 0, else it is one line for stderr.
struct finished {
  int status;
  std::string text;
};

/// "4G" is 4 * 2^30; K, M, G in either case. Nothing if the text is no such number or does not fit.
std::optional<std::uint64_t> parse_bytes(std::string const& text);

std::variant<arguments, finished> parse_arguments(int argc, char const* const* argv);

}  // namespace certify_program
