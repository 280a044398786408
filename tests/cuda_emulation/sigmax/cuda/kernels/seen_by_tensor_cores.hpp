// SPDX-License-Identifier: MIT
/// @file
/// What tensor cores make of an operand.
#pragma once

#include <bit>
#include <cstdint>

#include <sigmax/config.hpp>
#include <sigmax/cuda/operand.hpp>

namespace sigmax::inline SIGMAX_ABI::gpu::detail::ptx {

/// Of a float without the 13 low bits for tf32; all others as they are.
template <class Operand>
float seen_by_tensor_cores(float x) {
  return Operand::kind == operand_kind::tf32 ? std::bit_cast<float>(std::bit_cast<std::uint32_t>(x) & 0xffffe000u) : x;
}

}  // namespace sigmax::inline SIGMAX_ABI::gpu::detail::ptx
