// SPDX-License-Identifier: MIT
/// @file
/// The system methods see.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <span>

#include <sigmax/backend/concept.hpp>
#include <sigmax/bound/interval.hpp>
#include <sigmax/config.hpp>
#include <sigmax/lipschitz/check/extract.hpp>
#include <sigmax/lipschitz/check/fold.hpp>
#include <sigmax/lipschitz/check/segment.hpp>
#include <sigmax/lipschitz/network.hpp>

namespace sigmax::inline SIGMAX_ABI::lipschitz::check {

/// `extract` without the neurons whose slope is one number; throws and abstains as it does.
template <certifying_backend<double> B>
std::optional<extracted_system> folded_system(B const& on, network const& net, segment const& piece,
                                              std::function<std::span<interval const>(std::size_t)> const& box_of,
                                              double matrix_elements) {
  auto system = extract(on, net, piece, box_of, {.elements = matrix_elements, .multiply_adds = 3e8});
  if (system) system->system = folded(on, system->system);
  return system;
}

}  // namespace sigmax::inline SIGMAX_ABI::lipschitz::check
