// SPDX-License-Identifier: MIT
/// @file
/// Which ways of putting layers together a certificate tries.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

#include <sigmax/config.hpp>

namespace sigmax::inline SIGMAX_ABI::lipschitz {

/// Ways to bound a piece of a network that consists of linear maps and elementwise functions. `product`, the rule of each
/// layer by itself, always runs; the others only make the bound smaller.
enum class method : unsigned char {
  /// All of them; the least bound of each piece counts.
  automatic,
  /// Layer by layer.
  product,
  /// Products of matrices with slopes at the centres of their intervals (Combettes and Pesquet, LipLT); l2, linf, rms.
  dynamic_program,
  /// Products of absolute values; l2, linf, rms.
  absolute,
  /// Multipliers in closed form (ECLipsE-Fast), proved; l2, rms.
  eclipse,
  /// The multipliers that make the bound least (LipSDP-Neuron, for any slopes and branches), proved; l2, rms.
  lipsdp,
};

/// Their names, in the order of the enumeration.
inline constexpr std::array<std::string_view, 6> method_names{"auto",     "product", "dynamic program",
                                                              "absolute", "eclipse", "lipsdp"};

inline constexpr std::string_view name_of(method m) { return method_names[static_cast<std::size_t>(m)]; }

/// True if a certificate made with `asked` tries `m`.
inline constexpr bool includes(method asked, method m) {
  return asked == method::automatic || asked == m || m == method::product;
}

}  // namespace sigmax::inline SIGMAX_ABI::lipschitz
