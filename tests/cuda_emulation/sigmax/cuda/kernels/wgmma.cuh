// SPDX-License-Identifier: MIT
/// @file
/// Stands in for the header of this name: wgmma of `emulation::machine`.
#pragma once

#include <cstdint>
#include <cstring>

#include <sigmax/config.hpp>
#include <sigmax/cuda/kernels/element.cuh>

#include "ptx.cuh"

namespace sigmax::inline SIGMAX_ABI::gpu::detail::ptx {

inline void wgmma_fence() {}
inline void wgmma_commit() { machine().products_commit(); }
template <int Pending>
void wgmma_wait() {
  machine().products_wait(Pending);
}
template <int Count>
void keep_here(float (&)[Count]) {}

template <class Operand, int Count>
void wgmma(float (&d)[Count], std::uint64_t a, std::uint64_t b, int accumulate) {
  using T = typename Operand::storage;
  machine().multiply({d, 2 * Count, a, b, accumulate != 0,
                      [](unsigned char const* at) {
                        T element;
                        std::memcpy(&element, at, sizeof(T));
                        return to_float(element);
                      },
                      static_cast<int>(sizeof(T))});
}

}  // namespace sigmax::inline SIGMAX_ABI::gpu::detail::ptx
