// SPDX-License-Identifier: MIT
/// @file
/// The system methods see.
#pragma once

#include <optional>

#include <sigmax/backend/concept.hpp>
#include <sigmax/config.hpp>
#include <sigmax/lipschitz/check/extract.hpp>
#include <sigmax/lipschitz/check/fold.hpp>
#include <sigmax/lipschitz/check/segment.hpp>
#include <sigmax/lipschitz/check/segment_ranges.hpp>
#include <sigmax/lipschitz/network.hpp>

namespace sigmax::inline SIGMAX_ABI::lipschitz::check {

/// `extract` without the neurons whose slope is one number; throws and abstains as it does.
template <certifying_backend<double> B>
std::optional<extracted_system> folded_system(B const& on, network const& net, segment const& piece,
                                              segment_ranges const& ranges, double matrix_elements) {
  auto system = extract(on, net, piece, ranges, {.elements = matrix_elements, .multiply_adds = 4e9});
  if (system) system->system = folded(on, system->system);
  return system;
}

}  // namespace sigmax::inline SIGMAX_ABI::lipschitz::check
