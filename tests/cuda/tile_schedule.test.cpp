// SPDX-License-Identifier: MIT
// Tiles of results, counted: each exactly once, all inside.
#include <vector>

#include <doctest/doctest.h>

#include <sigmax/cuda/kernels/tile_schedule.hpp>

namespace library = sigmax::SIGMAX_CUDA_LIBRARY;
using index_t = library::index;

TEST_CASE("tiles of a triangle are visited row by row, each once") {
  for (index_t const order : {1, 2, 3, 7, 8, 9, 64, 129, 700}) {
    index_t at = 0;
    for (index_t row = 0; row < order; ++row) {
      for (index_t col = 0; col <= row; ++col, ++at) {
        auto const tile = library::triangle_tile(at);
        if (tile.row != row || tile.col != col) FAIL_CHECK("tile " << at << " of order " << order);
      }
    }
    CHECK(at == library::triangle_tiles(order));
  }
  for (index_t const row : {index_t{1} << 15, index_t{1} << 19, (index_t{1} << 20) - 1}) {
    CHECK(library::triangle_tile(library::triangle_tiles(row)).row == row);
    CHECK(library::triangle_tile(library::triangle_tiles(row)).col == 0);
    CHECK(library::triangle_tile(library::triangle_tiles(row) - 1).row == row - 1);
    CHECK(library::triangle_tile(library::triangle_tiles(row) - 1).col == row - 1);
  }
}

TEST_CASE("tiles of a rectangle are visited in bands, each once") {
  for (index_t const rows : {1, 7, 8, 9, 16, 33}) {
    for (index_t const cols : {1, 2, 7, 20}) {
      std::vector<int> visits(static_cast<std::size_t>(rows * cols));
      for (index_t at = 0; at < rows * cols; ++at) {
        auto const tile = library::banded_tile(at, rows, cols);
        REQUIRE((tile.row >= 0 && tile.row < rows && tile.col >= 0 && tile.col < cols));
        ++visits[static_cast<std::size_t>(tile.row * cols + tile.col)];
      }
      for (int const count : visits) CHECK(count == 1);
    }
  }
}

TEST_CASE("the depth is divided where that makes a shorter schedule, into parts of some length") {
  for (index_t const tiles : {1, 5, 21, 40, 131, 132, 136, 500, 2000}) {
    for (index_t const depth : {0, 1, 127, 128, 768, 4096, 50304}) {
      index_t const parts = library::depth_parts(tiles, depth, 64);
      CHECK(parts >= 1);
      CHECK(parts <= 32);
      if (parts > 1) CHECK(parts * 64 <= depth);
      CHECK(library::depth_parts(tiles, depth, 1 << 30) == 1);
    }
  }
  CHECK(library::depth_parts(132, 4096, 64) == 1);
  CHECK(library::depth_parts(21, 768, 64) == 6);   // 126 blocks in one round
  CHECK(library::depth_parts(136, 2048, 64) > 2);  // two rounds, the second all but empty
}

TEST_CASE("sums of rows are divided until there are blocks enough") {
  CHECK(library::row_parts(2000, 1 << 20, 64) == 1);
  CHECK(library::row_parts(128, 4096, 64) == 8);
  CHECK(library::row_parts(1, 4096, 4096) == 1);
  CHECK(library::row_parts(1, 1 << 20, 64) == 32);
}
