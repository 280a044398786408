// SPDX-License-Identifier: MIT
/// @file
/// Rows that peers written in Python take part in: same matrices, through files.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>

#include <sigmax/core/matrix.hpp>

#include "harness/contest.hpp"

namespace bench {

struct python_case {
  sigmax::matrix<float> input;
  /// What the result should be; none where the peer says itself how good it is.
  std::optional<sigmax::matrix<float>> expected = {};
  /// Numbers of the work: a cap, a strength, a batch size.
  std::map<std::string, double> parameters = {};
};

/// With --export=FOLDER: writes what `make` returns as FOLDER/<name>.{json, input.npy, expected.npy} if the row matches
/// the filter. peers/run.py finds them there. Else does nothing.
void offer_to_python(options const& given, task const& what, std::function<python_case()> const& make);

/// A C-ordered NumPy file, format 1.0. @throws std::runtime_error if it cannot be written.
void save_npy(std::string const& path, sigmax::matrix<float> const& a);

}  // namespace bench
