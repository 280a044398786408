// SPDX-License-Identifier: MIT
/// @file
/// What a bound rests on besides proofs: the reasons given to `trust`.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include <sigmax/config.hpp>

namespace sigmax::inline SIGMAX_ABI {

/// A set of reasons in the order in which they were first given. Empty for everything that is proved.
/// (`template <class = void>`: functions that a file does not call are not compiled with it.)
class assumptions {
 public:
  assumptions() = default;
  template <class = void>
  explicit assumptions(std::string reason) {
    reasons_.push_back(std::move(reason));
  }

  bool empty() const { return reasons_.empty(); }
  std::vector<std::string> const& reasons() const { return reasons_; }

  /// Adds the reasons of `other` that are not here yet.
  template <class = void>
  void include(assumptions const& other) {
    for (auto const& reason : other.reasons_) {
      bool known = false;
      for (auto const& mine : reasons_) known = known || mine == reason;
      if (!known) reasons_.push_back(reason);
    }
  }

  friend assumptions merged(assumptions a, assumptions const& b) {
    a.include(b);
    return a;
  }

 private:
  std::vector<std::string> reasons_;
};

}  // namespace sigmax::inline SIGMAX_ABI
