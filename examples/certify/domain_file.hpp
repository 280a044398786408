// SPDX-License-Identifier: MIT
/// @file
/// The set of inputs a user asks about: --radius with --centre, or --box.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include <sigmax/lipschitz/domain.hpp>

#include "arguments.hpp"

namespace certify_program {

/// The numbers of the files, before it is known how many a model takes.
struct requested_domain {
  bool is_box = false;
  /// Empty: all inputs, without a ball or box.
  bool is_bounded = false;
  double radius = 0;
  /// The centre of a ball, or the lower ends of a box; empty: the origin.
  std::vector<double> lower;
  std::vector<double> upper;
  /// Where they came from.
  std::string path;
  std::string sha256;

  /// For an input of `count` elements. @throws sigmax::domain_error that names the option if the numbers are not that
  /// many.
  sigmax::lipschitz::input_domain for_input(std::size_t count) const;
};

/// Reads the files. @throws sigmax::error that names the option, the file and what is wrong.
requested_domain read_domain(arguments const& options);

}  // namespace certify_program
