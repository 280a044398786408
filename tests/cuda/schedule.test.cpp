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
std::vector<int> boxes_written(long long m, int wide) {
  auto const schedule = detail::symmetric_schedule::of(m, wide);
  long long const boxes = (m + 63) / 64;
  std::vector<int> written(static_cast<std::size_t>(boxes * boxes));
  auto const write = [&](long long row, long long col) {
    if (row < boxes && col < boxes) ++written[static_cast<std::size_t>(row * boxes + col)];
  };
  for (int index = 0; index < schedule.pairs(); ++index) {
    auto const pair = schedule(index);
    for (int member = 0; member < 2; ++member) {
      if (!pair.valid[member]) continue;
      for (long long i = 0; i < 2; ++i) {
        for (long long j = 0; j < (pair.wide ? 4 : 2); ++j) {
          long long const row = 2 * pair.tile[member].row + i;
          long long const col = 2 * pair.tile[member].col + j;
          auto const role = detail::role_of_box(row, col);
          if (role == detail::box_role::above) continue;
          write(row, col);
          if (role == detail::box_role::below) write(col, row);
        }
      }
    }
  }
  return written;
}

TEST_CASE("every box of a symmetric result is written once, by its tile or by its mirror image") {
  for (int wide = 1; wide <= 2; ++wide) {
    for (auto const m : orders) {
      CAPTURE(wide);
      CAPTURE(m);
      int wrong = 0;
      for (int const times : boxes_written(m, wide)) wrong += times == 1 ? 0 : 1;
      CHECK(wrong == 0);
    }
  }
}

TEST_CASE("every element of the lower triangle is computed by one tile of 128 x 128") {
  for (auto const m : orders) {
    CAPTURE(m);
    int const tiles = static_cast<int>((m + 127) / 128);
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

TEST_CASE("pairs that share an operand lie in one column, and few tiles stay without use") {
  for (int wide = 1; wide <= 2; ++wide) {
    for (auto const m : orders) {
      CAPTURE(wide);
      CAPTURE(m);
      auto const schedule = detail::symmetric_schedule::of(m, wide);
      int idle = 0;
      for (int index = 0; index < schedule.pairs(); ++index) {
        auto const pair = schedule(index);
        CHECK(pair.valid[0]);
        CHECK(pair.tile[0].row < schedule.row_tiles);
        if (pair.shared) CHECK(pair.tile[0].col == pair.tile[1].col);
        if (!pair.valid[1]) ++idle;
      }
      CHECK(idle <= schedule.row_tiles + 1);
      if (schedule.row_tiles % 4 == 0) CHECK(idle == 0);
    }
  }
  CHECK(2 * detail::symmetric_schedule::of(4096, 1).pairs() == 528);  // four rounds of 132 multiprocessors
}

TEST_CASE("workers share all items, and none works more than one small item longer than it has to") {
  for (int workers : {1, 2, 5, 66}) {
    for (int large : {0, 1, 28, 54, 66, 120, 144, 496}) {
      for (int small : {0, 1, 3, 12, 24, 48, 240}) {
        CAPTURE(workers);
        CAPTURE(large);
        CAPTURE(small);
        std::set<int> seen;
        int longest = 0;
        int count = 0;
        for (int worker = 0; worker < workers; ++worker) {
          int time = 0;
          for (int step = 0;; ++step) {
            int const item = detail::item_of_worker(worker, step, workers, large, small);
            if (item < 0) break;
            REQUIRE(item < large + small);
            seen.insert(item);
            ++count;
            time += item < large ? 2 : 1;
          }
          longest = time > longest ? time : longest;
        }
        CHECK(count == large + small);
        CHECK(seen.size() == static_cast<std::size_t>(count));
        int const even = (2 * large + small + workers - 1) / workers;
        int const rounds = 2 * ((large + workers - 1) / workers);
        CHECK(longest <= (even > rounds ? even : rounds) + 1);
      }
    }
  }
  auto const longest = [](int m) {  // in halves of a round of 66 clusters
    auto const schedule = detail::symmetric_schedule::of(m, 2);
    int most = 0;
    for (int worker = 0; worker < 66; ++worker) {
      int time = 0;
      for (int step = 0;; ++step) {
        int const item = detail::item_of_worker(worker, step, 66, schedule.pairs_below(), schedule.pairs_on());
        if (item < 0) break;
        time += item < schedule.pairs_below() ? 2 : 1;
      }
      most = time > most ? time : most;
    }
    return most;
  };
  CHECK(longest(4096) == 4);
  CHECK(longest(8192) == 16);
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
