// SPDX-License-Identifier: MIT
/// @file
/// What an exception says.
#pragma once

#include <string>

namespace sigmax::test {

/// The message of the E that f throws; empty if it throws none.
template <class E, class F>
std::string message_of(F const& f) {
  try {
    f();
  } catch (E const& problem) {
    return problem.what();
  }
  return {};
}

}  // namespace sigmax::test
