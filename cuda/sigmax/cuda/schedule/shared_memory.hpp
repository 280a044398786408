// SPDX-License-Identifier: MIT
/// @file
/// Where an element lies in shared memory, and which elements of a tile a thread holds.
#pragma once

#include <sigmax/config.hpp>

namespace sigmax::inline SIGMAX_ABI::gpu::detail {

/// Rows of 128 bytes whose eight pieces of 16 bytes are permuted by the row: reading eight rows of one piece, or one row,
/// touches every bank once. The same as the 128-byte swizzle of tensor maps and of wgmma, for boxes aligned to 1024 bytes.
SIGMAX_HOST_DEVICE constexpr int swizzled(int row, int byte) {
  return row * 128 + ((((byte >> 4) ^ row) & 7) << 4) + (byte & 15);
}

/// Row and column of one accumulator of an mma m16n8 or wgmma m64nN instruction: every warp holds 16 rows, lane l rows
/// l / 4 and l / 4 + 8, columns 2 (l % 4) and the next of every eight.
struct fragment_place {
  int row;
  int col;
};

/// Accumulator `index` (of N / 2) of lane `lane` of warp `warp` of a warp group.
SIGMAX_HOST_DEVICE constexpr fragment_place accumulator_place(int warp, int lane, int index) {
  return {16 * warp + lane / 4 + 8 * ((index >> 1) & 1), 8 * (index >> 2) + 2 * (lane % 4) + (index & 1)};
}

/// The row and the first byte, within 16 rows of 32 bytes, of the eight-row piece that lane `lane` addresses in an
/// ldmatrix or stmatrix of four: the accumulator order, upper and lower half first, then left and right.
SIGMAX_HOST_DEVICE constexpr fragment_place piece_by_rows(int lane) {
  return {(lane >> 3 & 1) * 8 + (lane & 7), (lane >> 4) * 16};
}

/// The same with left and right first: what two n8 operands of mma need, and a transposed store of four pieces.
SIGMAX_HOST_DEVICE constexpr fragment_place piece_by_columns(int lane) {
  return {(lane >> 4) * 8 + (lane & 7), (lane >> 3 & 1) * 16};
}

/// The descriptor of a wgmma operand whose K runs along rows of 128 bytes, with the 128-byte swizzle: address / 16, eight
/// rows every 1024 bytes. Source: PTX ISA, "Asynchronous warpgroup level matrix shared memory layout".
SIGMAX_HOST_DEVICE constexpr unsigned long long operand_descriptor(unsigned address) {
  unsigned long long const start = (address & 0x3ffffu) >> 4;
  return start | 1ull << 16 | (1024ull >> 4) << 32 | 1ull << 62;
}

}  // namespace sigmax::inline SIGMAX_ABI::gpu::detail
