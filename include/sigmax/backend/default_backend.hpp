// SPDX-License-Identifier: MIT
/// @file
/// The backend an algorithm takes where none is named.
#pragma once

#include <concepts>
#include <type_traits>

#include <sigmax/backend/scalar.hpp>
#include <sigmax/backend/simd.hpp>
#include <sigmax/config.hpp>
#include <sigmax/core/scalar.hpp>

namespace sigmax::inline SIGMAX_ABI {

/// For matrices stored in T: `cpu::simd<>` where T is computed in float or double (16-bit storage included),
/// `cpu::scalar` for every other scalar. Meant as the default of a template parameter, never as a choice inside a
/// body: two files compiled for different processors then name two functions.
template <storage_scalar T>
using default_backend = std::conditional_t<std::same_as<compute_t<T>, float> || std::same_as<compute_t<T>, double>,
                                           cpu::simd<>, cpu::scalar>;

}  // namespace sigmax::inline SIGMAX_ABI
