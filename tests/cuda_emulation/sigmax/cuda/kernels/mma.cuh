// SPDX-License-Identifier: MIT
/// @file
/// Stands in for the header of this name: mma.sync of `emulation::machine`, with the layouts of PTX ISA, "Matrix
/// multiply-accumulate operation using mma instruction".
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

#include <sigmax/config.hpp>
#include <sigmax/cuda/kernels/element.cuh>

#include "ptx.cuh"
#include "seen_by_tensor_cores.hpp"

namespace sigmax::inline SIGMAX_ABI::gpu::detail::ptx {

struct mma_registers {
  float* d;
  std::uint32_t const* a;
  std::uint32_t b[2];
};

/// D (16 x 8) += A (16 x 32 bytes) B^T (8 x 32 bytes). A word of lane l holds what lies side by side in a row: words 0 and 2
/// of a in row l / 4, 1 and 3 in row l / 4 + 8; 0 and 1 in the first 16 bytes, the others in the next; b likewise.
template <class Operand>
void mma(float (&d)[4], std::uint32_t const (&a)[4], std::uint32_t b0, std::uint32_t b1) {
  mma_registers mine{d, a, {b0, b1}};
  machine().together("mma", mine, [](auto const& all) {
    constexpr std::size_t per_word = 4 / sizeof(typename Operand::storage);
    auto const element = [](std::uint32_t word, [[maybe_unused]] std::size_t which) {
      if constexpr (per_word == 1) {
        return seen_by_tensor_cores<Operand>(std::bit_cast<float>(word));
      } else {
        auto const both = unpack_two<typename Operand::storage>(word);
        return which == 0 ? both.x : both.y;
      }
    };
    for (std::size_t row = 0; row < 16; ++row) {
      for (std::size_t col = 0; col < 8; ++col) {
        float sum = 0;
        for (std::size_t k = 0; k < 8; ++k) {  // words of a row
          auto const left = all[4 * (row % 8) + k % 4]->a[row / 8 + k / 4 * 2];
          auto const right = all[4 * col + k % 4]->b[k / 4];
          for (std::size_t i = 0; i < per_word; ++i) sum += element(left, i) * element(right, i);
        }
        all[4 * (row % 8) + col / 2]->d[row / 8 * 2 + col % 2] += sum;
      }
    }
  });
}

/// To tf32 by rounding, ties away from zero.
template <class Operand>
std::uint32_t rounded_operand(std::uint32_t word) {
  return Operand::kind == operand_kind::tf32 ? (word + 0x1000u) & 0xffffe000u : word;
}

}  // namespace sigmax::inline SIGMAX_ABI::gpu::detail::ptx
