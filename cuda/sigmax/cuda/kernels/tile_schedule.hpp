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

/// Into how many parts the sum over `depth` products is divided, where a result has too few tiles for the chip: a part has
/// at least `least` products. Depends on shapes alone, so that bits do not depend on the device.
SIGMAX_HOST_DEVICE constexpr index depth_parts(index tiles, index depth, index least) {
  constexpr index enough_tiles = 264;  // two blocks for each multiprocessor of an H100
  if (tiles >= enough_tiles / 2 || depth < 2 * least) return 1;
  index parts = enough_tiles / tiles;
  if (parts > depth / least) parts = depth / least;
  return parts < 32 ? parts : 32;
}

}  // namespace sigmax::SIGMAX_CUDA_LIBRARY
