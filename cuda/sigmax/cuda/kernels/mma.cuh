// SPDX-License-Identifier: MIT
/// @file
/// mma.sync: products of small tiles in the registers of a warp.
///
/// Source: PTX ISA, "Matrix multiply-accumulate operation using mma instruction".
#pragma once

#include <cstdint>

#include <sigmax/config.hpp>

#include "element.cuh"

namespace sigmax::inline SIGMAX_ABI::gpu::detail::ptx {

/// D (16 x 8, registers of a warp) += A (16 x 32 bytes) B^T (8 x 32 bytes).
template <class Operand>
__device__ __forceinline__ void mma(float (&d)[4], std::uint32_t const (&a)[4], std::uint32_t b0, std::uint32_t b1) {
  if constexpr (Operand::kind == operand_kind::bf16) {
    asm volatile(
        "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
        : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
  } else if constexpr (Operand::kind == operand_kind::f16) {
    asm volatile(
        "mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
        : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
  } else {
    asm volatile(
        "mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
        : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
  }
}

/// float to tf32 by rounding; other operands are as they are.
template <class Operand>
__device__ __forceinline__ std::uint32_t rounded_operand(std::uint32_t word) {
  if constexpr (Operand::kind == operand_kind::tf32) {
    asm volatile("cvt.rna.tf32.f32 %0, %1;" : "=r"(word) : "f"(__uint_as_float(word)));
  }
  return word;
}

}  // namespace sigmax::inline SIGMAX_ABI::gpu::detail::ptx
