// SPDX-License-Identifier: MIT
/// @file
/// Which tiles of a symmetric result are computed, in which order, and which two share an operand. Plain functions: the
/// kernels call them on the device, the tests on the host.
#pragma once

#include <sigmax/config.hpp>

namespace sigmax::inline SIGMAX_ABI::gpu::detail {

/// A place in a grid of blocks or tiles.
struct grid_place {
  int row = 0;
  int col = 0;
};

/// Blocks in the lower triangle, diagonal included, of an order x order grid.
SIGMAX_HOST_DEVICE constexpr int triangle_size(int order) { return order * (order + 1) / 2; }

/// Row r and column c <= r of the index-th element of a triangle stored by rows, r (r + 1) / 2 + c = index.
SIGMAX_HOST_DEVICE constexpr grid_place triangle_place(int index) {
  // Halving between 0 and 2^16, whose triangle is the last that fits an int: exact, unlike a square root.
  int low = 0;
  int high = 1 << 15;
  while (high - low > 1) {
    int const middle = (low + high) / 2;
    (triangle_size(middle) <= index ? low : high) = middle;
  }
  return {low, index - triangle_size(low)};
}

/// The index-th block of the lower triangle of an order x order grid, taken in bands of `band` columns and down the rows
/// of a band: what runs at the same time shares few operand panels, which then stay in the L2 cache.
SIGMAX_HOST_DEVICE constexpr grid_place band_place(int index, int order, int band) {
  for (int first = 0; first < order; first += band) {
    int const width = order - first < band ? order - first : band;
    int const head = triangle_size(width);
    int const rest = (order - first - width) * width;
    if (index < head) {
      int row = 0;
      while (index > row) index -= ++row;  // few: a band is narrow
      return {first + row, first + index};
    }
    if (index < head + rest) {
      index -= head;
      return {first + width + index / width, first + index % width};
    }
    index -= head + rest;
  }
  return {order, order};
}

/// Two tiles that two thread blocks compute side by side. With `shared` they lie in one column of tiles, so that both
/// read the same rows of the right operand.
struct tile_pair {
  grid_place tile[2];  ///< in units of 128 x 128
  bool valid[2] = {true, true};
  bool shared = true;
  bool wide = false;  ///< 256 columns instead of 128
};

/// All tiles of a symmetric m x m result that hold an element on or below the diagonal, in pairs.
///
/// The result is seen as a grid of 256 x 256 blocks: rows 2 a and 2 a + 1 of tiles make the block row a. A block below the
/// diagonal is one pair of tiles of 128 x 256 (`wide` = 2) or two pairs of 128 x 128 (`wide` = 1). A block on it holds
/// three tiles of 128 x 128 that are not above: a pair, and one without partner. These come last, two and two, and share
/// nothing.
struct symmetric_schedule {
  int row_tiles;  ///< ceil(m / 128)
  int wide;       ///< 1 or 2
  int band = 8;   ///< block columns in a band

  static constexpr int tile_rows = 128;

  SIGMAX_HOST_DEVICE static constexpr symmetric_schedule of(long long m, int wide) {
    return {static_cast<int>((m + tile_rows - 1) / tile_rows), wide};
  }
  SIGMAX_HOST_DEVICE constexpr int blocks() const { return (row_tiles + 1) / 2; }
  SIGMAX_HOST_DEVICE constexpr int left_over() const { return row_tiles / 2; }

  /// Pairs of the blocks below the diagonal, which come first, and of those on it.
  SIGMAX_HOST_DEVICE constexpr int pairs_below() const { return (3 - wide) * triangle_size(blocks() - 1); }
  SIGMAX_HOST_DEVICE constexpr int pairs_on() const { return blocks() + (left_over() + 1) / 2; }
  SIGMAX_HOST_DEVICE constexpr int pairs() const { return pairs_below() + pairs_on(); }

  SIGMAX_HOST_DEVICE constexpr tile_pair operator()(int index) const {
    if (index < pairs_below()) {
      int const tiles = 3 - wide;  // of a row of a block
      auto const block = band_place(index / tiles, blocks() - 1, band);
      return column_pair(block.row + 1, 2 * block.col + index % tiles, wide == 2);
    }
    index -= pairs_below();
    if (index < blocks()) return column_pair(index, 2 * index, false);
    index = 2 * (index - blocks());
    tile_pair pair;
    pair.tile[0] = {2 * index + 1, 2 * index + 1};
    pair.tile[1] = {2 * index + 3, 2 * index + 3};
    pair.valid[1] = index + 1 < left_over();
    pair.shared = false;
    return pair;
  }

 private:
  SIGMAX_HOST_DEVICE constexpr tile_pair column_pair(int block_row, int col, bool is_wide) const {
    tile_pair pair;
    pair.tile[0] = {2 * block_row, col};
    pair.tile[1] = {2 * block_row + 1, col};
    pair.valid[1] = 2 * block_row + 1 < row_tiles;
    pair.wide = is_wide;
    return pair;
  }
};

/// The `step`-th item of one of `workers`, -1 if it has no more. Items 0 to large - 1 take twice as long as the `small`
/// ones after them. Workers that get one large item fewer than others take two small ones instead, and these first: what
/// small ones read is then read by others at the same time.
SIGMAX_HOST_DEVICE constexpr int item_of_worker(int worker, int step, int workers, int large, int small) {
  int const rounds = large / workers;
  int const busy = large - rounds * workers;
  int const idle = busy == 0 ? 0 : workers - busy;
  int const early = small < 2 * idle ? small : 2 * idle;
  if (worker >= busy && idle > 0) {
    int const place = worker - busy;
    int const own_early = place >= early ? 0 : place + idle < early ? 2 : 1;
    if (step < own_early) return large + place + step * idle;
    step -= own_early;
  }
  int const own = rounds + (worker < busy ? 1 : 0);
  if (step < own) return worker + step * workers;
  int const item = early + worker + (step - own) * workers;
  return item < small ? large + item : -1;
}

/// What is done with a square box of the result that lies `row` and `col` boxes from the top left.
enum class box_role : unsigned char {
  above,     ///< written by its mirror image
  diagonal,  ///< its lower half is computed, and written to both halves
  below      ///< written as it is, and mirrored
};

SIGMAX_HOST_DEVICE constexpr box_role role_of_box(long long row, long long col) {
  return col > row ? box_role::above : col == row ? box_role::diagonal : box_role::below;
}

}  // namespace sigmax::inline SIGMAX_ABI::gpu::detail
