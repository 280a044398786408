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

/// Tiles of 128 rows in a result of order m, and pieces of 128 bytes in a row of so many bytes: the last may be in part.
SIGMAX_HOST_DEVICE constexpr int row_tiles_of(long long m) { return static_cast<int>((m + 127) / 128); }
SIGMAX_HOST_DEVICE constexpr long long pieces_of(long long bytes) { return (bytes + 127) / 128; }

/// What a thread block computes at a time: 128 rows of the result, and once or twice 128 columns, which need not lie side
/// by side. Rows and columns in units of 128.
struct symmetric_tile {
  int row = 0;
  int col[2] = {0, 0};
  int cols = 0;  ///< how many of the columns are written: none where a pair has a single tile
};

/// What both tiles of a pair read, so that one copy serves both: bits of a set.
enum operand_part : unsigned { part_rows = 1, part_first_cols = 2, part_second_cols = 4 };

/// Two tiles that two thread blocks compute side by side.
struct tile_pair {
  symmetric_tile tile[2];
  unsigned shared = 0;   ///< operand_part
  bool swapped = false;  ///< the tiles lie above the diagonal: rows are taken from B and columns from A
};

/// The tiles of a symmetric m x m result in pairs, 128 columns a tile: every 128 x 128 block on or below the diagonal once.
///
/// The result is seen as a grid of 256 x 256 blocks: rows 2 a and 2 a + 1 of tiles make the block row a. A block below the
/// diagonal is two pairs. A block on it holds three tiles that are not above: a pair, and one without partner. These come
/// last, two and two, and share nothing.
struct narrow_schedule {
  int row_tiles;  ///< row_tiles_of(m)

  static constexpr int band = 8;  ///< block columns in a band

  SIGMAX_HOST_DEVICE constexpr int blocks() const { return (row_tiles + 1) / 2; }
  SIGMAX_HOST_DEVICE constexpr int left_over() const { return row_tiles / 2; }
  SIGMAX_HOST_DEVICE constexpr int pairs_below() const { return 2 * triangle_size(blocks() - 1); }
  SIGMAX_HOST_DEVICE constexpr int pairs() const { return pairs_below() + blocks() + (left_over() + 1) / 2; }

  SIGMAX_HOST_DEVICE constexpr tile_pair operator()(int index) const {
    if (index < pairs_below()) {
      auto const block = band_place(index / 2, blocks() - 1, band);
      return column_pair(block.row + 1, 2 * block.col + index % 2);
    }
    index -= pairs_below();
    if (index < blocks()) return column_pair(index, 2 * index);
    index = 2 * (index - blocks());
    tile_pair pair;
    pair.tile[0] = {2 * index + 1, {2 * index + 1, 0}, 1};
    pair.tile[1] = {2 * index + 3, {2 * index + 3, 0}, index + 1 < left_over() ? 1 : 0};
    return pair;
  }

 private:
  SIGMAX_HOST_DEVICE constexpr tile_pair column_pair(int block_row, int col) const {
    tile_pair pair;
    pair.tile[0] = {2 * block_row, {col, 0}, 1};
    pair.tile[1] = {2 * block_row + 1, {col, 0}, 2 * block_row + 1 < row_tiles ? 1 : 0};
    pair.shared = part_first_cols;
    return pair;
  }
};

/// The same with 256 columns a tile. All pairs take equally long, and read less than tiles of 128 x 128 do.
///
/// Rows 2 a and 2 a + 1 have the columns 1 to 2 a in common: a pair for every two of them. Row 2 a + 1 then lacks the
/// columns 0 and 2 a + 1: one tile, and two rows share column 0. Row 2 a lacks column 0: blocks (0, 2 a) are computed
/// instead, two a tile, and all of them share the rows. If there is a last row without partner, its columns are pairs of
/// tiles that share the rows.
struct wide_schedule {
  int row_tiles;

  static constexpr int band = 8;  ///< pairs of columns in a band

  SIGMAX_HOST_DEVICE constexpr int row_pairs() const { return row_tiles / 2; }
  SIGMAX_HOST_DEVICE constexpr int pairs_in_common() const { return triangle_size(row_pairs() - 1); }
  SIGMAX_HOST_DEVICE constexpr int pairs_of_last_row() const { return row_tiles % 2 * halves(row_pairs()); }
  SIGMAX_HOST_DEVICE constexpr int pairs_of_ends() const { return halves(row_pairs()); }
  SIGMAX_HOST_DEVICE constexpr int first_blocks() const { return halves(row_tiles); }
  SIGMAX_HOST_DEVICE constexpr int pairs_of_first_row() const { return halves(halves(first_blocks())); }
  SIGMAX_HOST_DEVICE constexpr int pairs() const {
    return pairs_in_common() + pairs_of_last_row() + pairs_of_ends() + pairs_of_first_row();
  }

  SIGMAX_HOST_DEVICE constexpr tile_pair operator()(int index) const {
    if (index < pairs_in_common()) {
      auto const place = band_place(index, row_pairs() - 1, band);
      tile_pair pair;
      pair.tile[0] = {2 * place.row + 2, {2 * place.col + 1, 2 * place.col + 2}, 2};
      pair.tile[1] = pair.tile[0];
      ++pair.tile[1].row;
      pair.shared = part_first_cols | part_second_cols;
      return pair;
    }
    index -= pairs_in_common();
    if (index < pairs_of_last_row()) {
      return pair_of(2 * index, row_pairs(), part_rows, [&](int i) {
        return symmetric_tile{row_tiles - 1, {2 * i + 1, 2 * i + 2}, 2};
      });
    }
    index -= pairs_of_last_row();
    if (index < pairs_of_ends()) {
      return pair_of(2 * index, row_pairs(), part_first_cols, [](int i) {
        return symmetric_tile{2 * i + 1, {0, 2 * i + 1}, 2};
      });
    }
    index -= pairs_of_ends();
    auto pair = pair_of(2 * index, halves(first_blocks()), part_rows, [&](int i) {
      bool const whole = 2 * i + 1 < first_blocks();
      return symmetric_tile{0, {4 * i, whole ? 4 * i + 2 : 4 * i}, whole ? 2 : 1};
    });
    pair.swapped = true;
    return pair;
  }

 private:
  SIGMAX_HOST_DEVICE static constexpr int halves(int count) { return (count + 1) / 2; }

  /// Tiles `first` and the next, of `count`. Where there is no next one, the first is read again and not written.
  template <class Tile>
  SIGMAX_HOST_DEVICE static constexpr tile_pair pair_of(int first, int count, unsigned shared, Tile const& tile) {
    tile_pair pair;
    pair.tile[0] = tile(first);
    pair.tile[1] = pair.tile[0];
    if (first + 1 < count) {
      pair.tile[1] = tile(first + 1);
    } else {
      pair.tile[1].cols = 0;
    }
    pair.shared = shared;
    return pair;
  }
};

/// Whether wide tiles take less time than narrow ones for `count` results of order m, `pieces` of 128 bytes deep, on so many
/// multiprocessors two of which work on a pair: in rounds of all of them, each of a time fitted to what an H100 took. A
/// wide tile multiplies at the full rate, and nothing is multiplied while it is written; a narrow one waits for the L2
/// cache, and is written while another is multiplied.
constexpr bool wide_tiles_are_faster(int processors, long long m, long long pieces, int count) {
  int const row_tiles = row_tiles_of(m);
  long long const pairs_at_once = processors < 2 ? 1 : processors / 2;
  auto const rounds = [&](int pairs) {
    return (static_cast<long long>(pairs) * count + pairs_at_once - 1) / pairs_at_once;
  };
  return rounds(wide_schedule{row_tiles}.pairs()) * (3 * pieces + 24) <
         rounds(narrow_schedule{row_tiles}.pairs()) * (2 * pieces + 12);
}

/// What is done with a 64 x 64 box of a tile that lies `row` and `col` boxes from the top left of the result. In a block on
/// the diagonal one half counts: the lower one, and of a swapped tile the upper one, which is the lower one of A B^T.
enum class box_role : unsigned char {
  left_out,  ///< in the half of a block on the diagonal that does not count: written by its mirror image
  diagonal,  ///< the half that counts is written to both halves
  mirrored   ///< written as it is, and mirrored
};

SIGMAX_HOST_DEVICE constexpr box_role role_of_box(int row, int col, bool swapped) {
  if (row == col) return box_role::diagonal;
  return row / 2 == col / 2 && (row > col) == swapped ? box_role::left_out : box_role::mirrored;
}

}  // namespace sigmax::inline SIGMAX_ABI::gpu::detail
