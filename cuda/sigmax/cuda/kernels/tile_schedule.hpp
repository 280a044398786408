// SPDX-License-Identifier: MIT
/// @file
/// Which tile of a result a thread block computes, as functions that host and device share: tests count the tiles.
#pragma once

#include <sigmax/config.hpp>
#include <sigmax/cuda/library/types.hpp>

namespace sigmax::SIGMAX_CUDA_LIBRARY {

struct tile_position {
  index row;
  index col;
};

SIGMAX_HOST_DEVICE constexpr index magnitude(index a) { return a < 0 ? -a : a; }
SIGMAX_HOST_DEVICE constexpr index divided_up(index a, index b) { return (a + b - 1) / b; }

/// Number of tiles on and below the diagonal of an order x order square of tiles.
SIGMAX_HOST_DEVICE constexpr index triangle_tiles(index order) { return order * (order + 1) / 2; }

/// Tile number `at` of the lower triangle, row by row: (0, 0), (1, 0), (1, 1), (2, 0), ...
SIGMAX_HOST_DEVICE constexpr tile_position triangle_tile(index at) {
  if (at == 0) return {0, 0};
  // Newton's method for the largest row with row (row + 1) / 2 <= at, in integers, from above.
  index row = 1;
  while (row * row <= 2 * at) row *= 2;
  for (index next = (row + 2 * at / row) / 2; next < row; next = (row + 2 * at / row) / 2) row = next;
  while (triangle_tiles(row) > at) --row;
  while (triangle_tiles(row + 1) <= at) ++row;
  return {row, at - triangle_tiles(row)};
}

/// Tile number `at` of rows x cols tiles: in bands of eight rows, each column by column, so that blocks that run at the same
/// time read few different rows and columns of the operands.
SIGMAX_HOST_DEVICE constexpr tile_position banded_tile(index at, index rows, index cols) {
  constexpr index band = 8;
  index const first = at / (band * cols) * band;
  index const height = rows - first < band ? rows - first : band;
  index const within = at - first * cols;
  return {first + within % height, within / height};
}

/// Into how many parts the sum over `depth` is divided, each of 64 or more, so that a result of few tiles makes use of the
/// chip: the number with the shortest schedule. A round of tiles takes its depth; adding a tile to the parts and reading it
/// back takes as long as `exchange` of depth. Depends on shapes alone, and on the chip the kernels are tuned for (132
/// multiprocessors), so that bits do not depend on the device.
constexpr index depth_parts(index tiles, index depth, index exchange) {
  constexpr index most = 32;
  constexpr index least = 64;
  constexpr index multiprocessors = 132;
  index best = 1;
  index best_time = divided_up(tiles, multiprocessors) * depth;
  for (index parts = 2; parts <= most && parts * least <= depth; ++parts) {
    index const computing = divided_up(tiles * parts, multiprocessors) * divided_up(depth, parts);
    index const time = computing + tiles * parts * exchange / multiprocessors;
    if (time < best_time) {
      best = parts;
      best_time = time;
    }
  }
  return best;
}

/// The same for sums of rows of a matrix, which take no time but that of reading: `blocks` a part, to the number that keeps
/// the memory busy, each of `least` or more.
constexpr index row_parts(index blocks, index depth, index least) {
  constexpr index enough = 1056;  // eight blocks a multiprocessor
  index const wanted = blocks < enough ? enough / blocks : 1;
  index const possible = depth / least > 1 ? depth / least : 1;
  index const parts = wanted < possible ? wanted : possible;
  return parts < 32 ? parts : 32;
}

}  // namespace sigmax::SIGMAX_CUDA_LIBRARY
