// SPDX-License-Identifier: MIT
/// @file
/// How a certificate asks for the bounds of a segment.
#pragma once

#include <cstddef>
#include <vector>

#include <sigmax/bound/extended.hpp>
#include <sigmax/bound/norm.hpp>
#include <sigmax/bound/rounding.hpp>
#include <sigmax/config.hpp>
#include <sigmax/lipschitz/check/multiplier_proof.hpp>
#include <sigmax/lipschitz/check/segment.hpp>
#include <sigmax/lipschitz/check/segment_ranges.hpp>
#include <sigmax/lipschitz/method.hpp>
#include <sigmax/lipschitz/network.hpp>

namespace sigmax::inline SIGMAX_ABI::lipschitz {

/// What methods may cost.
struct method_options {
  method which = method::automatic;
  /// Multiply-adds of the search of multipliers, all segments together, about: a count, so that the same network has the
  /// same certificate on every machine. The default is about ten seconds.
  double search_work = 1.5e11;
  /// Elements of one dense matrix; segments that need larger ones keep the bound of the product.
  double matrix_elements = 0x1p24;
  /// Multiply-adds of one method without a search, about; dearer ones abstain.
  double multiply_adds = 3e11;
};

/// The bound of a segment that a method proved; +infinity where it abstained.
struct segment_result {
  method how = method::product;
  extended upper{infinity};
  /// What proves a bound by multipliers; empty for other methods.
  check::slope_multipliers multipliers{};
  double squared_bound = infinity;
};

/// A backend, whatever its type, and how it runs methods: the walk through a network does not know its backend's type.
struct method_runner {
  void const* backend;
  std::vector<segment_result> (*run)(void const* backend, norm::any norm, network const& net,
                                     check::segment const& piece, check::segment_ranges const& ranges,
                                     method_options const& options);
};

}  // namespace sigmax::inline SIGMAX_ABI::lipschitz
