// SPDX-License-Identifier: MIT
/// @file
/// Stands in for the header of this name: wgmma of `emulation::machine`.
#pragma once

#include <cstdint>
#include <cstring>

#include <sigmax/config.hpp>
#include <sigmax/cuda/kernels/element.cuh>

#include "ptx.cuh"
#include "seen_by_tensor_cores.hpp"

namespace sigmax::inline SIGMAX_ABI::gpu::detail::ptx {

inline void wgmma_fence() { machine().products_fence(); }
inline void wgmma_commit() { machine().products_commit(); }
template <int Pending>
void wgmma_wait() {
  machine().products_wait(Pending);
}
template <int Count>
void keep_here(float (&)[Count]) {}

template <class Operand, int Count>
void wgmma(float (&d)[Count], std::uint64_t a, std::uint64_t b, int accumulate) {
  machine().multiply({d, 2 * Count, a, b, accumulate != 0,
                      [](unsigned char const* at) {
                        typename Operand::storage element;
                        std::memcpy(&element, at, sizeof(element));
                        return seen_by_tensor_cores<Operand>(to_float(element));
                      },
                      static_cast<int>(sizeof(typename Operand::storage))});
}

}  // namespace sigmax::inline SIGMAX_ABI::gpu::detail::ptx
