// SPDX-License-Identifier: MIT
#include <set>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <sigmax/cuda/schedule/shared_memory.hpp>
#include <sigmax/cuda/schedule/triangle.hpp>

namespace {

namespace detail = sigmax::gpu::detail;

long long const orders[] = {1, 7, 8, 63, 64, 65, 127, 128, 129, 255, 256, 257, 768, 1000, 4096 + 8};

/// How often every 64 x 64 box of the result is written if all tiles of the schedule are carried out.
template <class Schedule>
std::vector<int> boxes_written(long long m) {
  Schedule const schedule{detail::row_tiles_of(m)};
  long long const boxes = (m + 63) / 64;
  std::vector<int> written(static_cast<std::size_t>(boxes * boxes));
  auto const write = [&](long long row, long long col) {
    if (row < boxes && col < boxes) ++written[static_cast<std::size_t>(row * boxes + col)];
  };
  for (int index = 0; index < schedule.pairs(); ++index) {
    auto const pair = schedule(index);
    for (auto const& tile : pair.tile) {
      for (int part = 0; part < tile.cols; ++part) {
        for (int i = 0; i < 4; ++i) {
          int const row = 2 * tile.row + i / 2;
          int const col = 2 * tile.col[part] + i % 2;
          auto const role = detail::role_of_box(row, col, pair.swapped);
          if (role == detail::box_role::left_out) continue;
          write(row, col);
          if (role == detail::box_role::mirrored) write(col, row);
        }
      }
    }
  }
  return written;
}

TEST_CASE_TEMPLATE("every box of a symmetric result is written once, by its tile or by its mirror image", schedule,
                   detail::narrow_schedule, detail::wide_schedule) {
  for (auto const m : orders) {
    CAPTURE(m);
    int wrong = 0;
    for (int const times : boxes_written<schedule>(m)) wrong += times == 1 ? 0 : 1;
    CHECK(wrong == 0);
  }
}

TEST_CASE("every element of the lower triangle is computed by one tile of 128 x 128") {
  for (auto const m : orders) {
    CAPTURE(m);
    int const tiles = detail::row_tiles_of(m);
    std::set<std::pair<int, int>> seen;
    for (int index = 0; index < detail::triangle_size(tiles); ++index) {
      auto const place = detail::triangle_place(index);
      CHECK(place.col >= 0);
      CHECK(place.col <= place.row);
      CHECK(place.row < tiles);
      seen.insert({place.row, place.col});
    }
    CHECK(seen.size() == static_cast<std::size_t>(detail::triangle_size(tiles)));
  }
  auto const last = detail::triangle_place(detail::triangle_size(32767) - 1);
  CHECK(last.row == 32766);
  CHECK(last.col == 32766);
}

template <class Schedule>
void check_pairs(Schedule const& schedule, int most_cols) {
  for (int index = 0; index < schedule.pairs(); ++index) {
    auto const pair = schedule(index);
    auto const& first = pair.tile[0];
    auto const& second = pair.tile[1];
    CHECK(first.cols >= 1);
    CHECK(first.cols <= most_cols);
    CHECK(second.cols <= first.cols);
    for (auto const& tile : pair.tile) {
      if (tile.cols == 0) continue;
      CHECK(tile.row < schedule.row_tiles);
      for (int part = 0; part < tile.cols; ++part) {
        CHECK(tile.col[part] < schedule.row_tiles);
        // On or below the diagonal unless rows are taken from where others take columns.
        CHECK((pair.swapped ? tile.row <= tile.col[part] : tile.row >= tile.col[part]));
      }
    }
    if ((pair.shared & detail::part_rows) != 0) CHECK(first.row == second.row);
    if ((pair.shared & detail::part_first_cols) != 0) CHECK(first.col[0] == second.col[0]);
    if ((pair.shared & detail::part_second_cols) != 0) CHECK(first.col[1] == second.col[1]);
  }
}

TEST_CASE("what pairs share is the same for both, and few tiles stay without use") {
  for (auto const m : orders) {
    CAPTURE(m);
    int const row_tiles = detail::row_tiles_of(m);
    detail::narrow_schedule const narrow{row_tiles};
    detail::wide_schedule const wide{row_tiles};
    check_pairs(narrow, 1);
    check_pairs(wide, 2);
    CHECK(2 * narrow.pairs() - detail::triangle_size(row_tiles) <= row_tiles + 1);
    CHECK(4 * wide.pairs() - detail::triangle_size(row_tiles) <= 9);
    if (row_tiles % 8 == 0) CHECK(4 * wide.pairs() == detail::triangle_size(row_tiles));
  }
}

TEST_CASE("every pair of wide tiles shares an operand") {
  for (auto const m : orders) {
    detail::wide_schedule const schedule{detail::row_tiles_of(m)};
    for (int index = 0; index < schedule.pairs(); ++index) CHECK(schedule(index).shared != 0);
  }
}

TEST_CASE("66 clusters take four rounds of narrow pairs for an order of 4096, and two of wide ones") {
  CHECK(detail::narrow_schedule{32}.pairs() == 4 * 66);
  CHECK(detail::wide_schedule{32}.pairs() == 2 * 66);
  CHECK(detail::wide_schedule{64}.pairs() <= 8 * 66);
}

TEST_CASE("wide tiles are taken where they fill the rounds of an H100") {
  auto const wide = [](long long m, long long inner, int count) {
    return detail::wide_tiles_are_faster(132, m, inner / 64, count);
  };
  CHECK(!wide(128, 128, 1));
  CHECK(!wide(768, 768, 48));
  CHECK(!wide(768, 3072, 24));
  CHECK(!wide(1024, 1024, 1));
  CHECK(wide(2048, 2048, 1));
  CHECK(wide(4096, 4096, 1));
  CHECK(wide(8192, 8192, 1));
  CHECK(detail::wide_tiles_are_faster(1, 4096, 64, 1));
}

TEST_CASE("bands cover a triangle whatever their width") {
  for (int order = 0; order < 20; ++order) {
    for (int band = 1; band < 24; ++band) {
      std::set<std::pair<int, int>> seen;
      for (int index = 0; index < detail::triangle_size(order); ++index) {
        auto const place = detail::band_place(index, order, band);
        REQUIRE(place.col <= place.row);
        REQUIRE(place.row < order);
        seen.insert({place.row, place.col});
      }
      CHECK(seen.size() == static_cast<std::size_t>(detail::triangle_size(order)));
    }
  }
}

TEST_CASE("the swizzle is a permutation, keeps 16 bytes together and spreads eight rows over all banks") {
  std::set<int> seen;
  for (int row = 0; row < 64; ++row) {
    for (int byte = 0; byte < 128; ++byte) seen.insert(detail::swizzled(row, byte));
  }
  CHECK(seen.size() == 64u * 128u);
  CHECK(*seen.rbegin() == 64 * 128 - 1);
  for (int piece = 0; piece < 8; ++piece) {
    std::set<int> banks;
    for (int row = 0; row < 8; ++row) {
      int const at = detail::swizzled(8 + row, 16 * piece);
      CHECK(at % 16 == 0);
      CHECK(detail::swizzled(8 + row, 16 * piece + 15) == at + 15);
      banks.insert(at % 128);
    }
    CHECK(banks.size() == 8u);
  }
}

TEST_CASE("a warp group holds every accumulator of 64 x 256 once") {
  std::set<std::pair<int, int>> seen;
  for (int thread = 0; thread < 128; ++thread) {
    for (int index = 0; index < 128; ++index) {
      auto const place = detail::accumulator_place(thread / 32, thread % 32, index);
      REQUIRE(place.row < 64);
      REQUIRE(place.col < 256);
      seen.insert({place.row, place.col});
    }
  }
  CHECK(seen.size() == 64u * 256u);
}

/// stmatrix: register i of lane l is elements (l / 4, 2 (l % 4)) and the next of the eight-row piece that lanes 8 i to 8 i
/// + 7 address. With .trans rows and columns of the piece change places.
TEST_CASE("four pieces stored by rows, and transposed by columns, put accumulators where they belong") {
  for (int warp = 0; warp < 4; ++warp) {
    for (int group = 0; group < 4; ++group) {
      for (int lane = 0; lane < 32; ++lane) {
        for (int i = 0; i < 8; ++i) {
          auto const place = detail::accumulator_place(warp, lane, 8 * group + i);
          int const piece = i / 2;
          int const piece_row = lane / 4;
          int const piece_col = 2 * (lane % 4) + i % 2;
          auto const by_rows = detail::piece_by_rows(8 * piece + piece_row);
          CHECK(16 * warp + by_rows.row == place.row);
          CHECK(16 * group + by_rows.col / 2 + piece_col == place.col);
          auto const turned = detail::piece_by_columns(8 * piece + piece_col);
          CHECK(16 * group + turned.row == place.col);
          CHECK(16 * warp + turned.col / 2 + piece_row == place.row);
        }
      }
    }
  }
}

/// mma.sync: b0 of lane l are k = 2 (l % 4) and the next of column l / 4, b1 the same 8 further.
TEST_CASE("four pieces loaded by columns are two right operands of mma") {
  for (int piece = 0; piece < 4; ++piece) {
    for (int row = 0; row < 8; ++row) {
      auto const place = detail::piece_by_columns(8 * piece + row);
      CHECK(place.row == 8 * (piece / 2) + row);
      CHECK(place.col == 16 * (piece % 2));
    }
  }
}

TEST_CASE("the operand descriptor") {
  auto const word = detail::operand_descriptor(0x12400);
  CHECK((word & 0x3fff) == 0x1240);
  CHECK(((word >> 32) & 0x3fff) == 64);
  CHECK((word >> 62) == 1);
}

}  // namespace
