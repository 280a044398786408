// SPDX-License-Identifier: MIT
// Tiles of results, counted: each exactly once, all inside.
#include <vector>

#include <doctest/doctest.h>

#include <sigmax/cuda/kernels/tile_schedule.hpp>

namespace library = sigmax::SIGMAX_CUDA_LIBRARY;
using library::index;

TEST_CASE("tiles of a triangle are visited row by row, each once") {
  for (index const order : {1, 2, 3, 7, 8, 9, 64, 129, 700}) {
    index at = 0;
    for (index row = 0; row < order; ++row) {
      for (index col = 0; col <= row; ++col, ++at) {
        auto const tile = library::triangle_tile(at);
        if (tile.row != row || tile.col != col) FAIL_CHECK("tile " << at << " of order " << order);
      }
    }
    CHECK(at == library::triangle_tiles(order));
  }
  for (index const row : {index{1} << 15, index{1} << 19, (index{1} << 20) - 1}) {
    CHECK(library::triangle_tile(library::triangle_tiles(row)).row == row);
    CHECK(library::triangle_tile(library::triangle_tiles(row)).col == 0);
    CHECK(library::triangle_tile(library::triangle_tiles(row) - 1).row == row - 1);
    CHECK(library::triangle_tile(library::triangle_tiles(row) - 1).col == row - 1);
  }
}

TEST_CASE("tiles of a rectangle are visited in bands, each once") {
  for (index const rows : {1, 7, 8, 9, 16, 33}) {
    for (index const cols : {1, 2, 7, 20}) {
      std::vector<int> visits(static_cast<std::size_t>(rows * cols));
      for (index at = 0; at < rows * cols; ++at) {
        auto const tile = library::banded_tile(at, rows, cols);
        REQUIRE((tile.row >= 0 && tile.row < rows && tile.col >= 0 && tile.col < cols));
        ++visits[static_cast<std::size_t>(tile.row * cols + tile.col)];
      }
      for (int const count : visits) CHECK(count == 1);
    }
  }
}

TEST_CASE("the depth is divided only where tiles are few, into parts of some length") {
  for (index const tiles : {1, 5, 40, 131, 132, 500}) {
    for (index const depth : {0, 1, 511, 512, 4096, 50304}) {
      index const parts = library::depth_parts(tiles, depth, 256);
      CHECK(parts >= 1);
      CHECK(parts <= 32);
      if (parts > 1) CHECK(depth / parts >= 256);
      if (tiles >= 132 || depth < 512) CHECK(parts == 1);
    }
  }
}
