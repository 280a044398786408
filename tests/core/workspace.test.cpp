// SPDX-License-Identifier: MIT
#include <cstddef>
#include <cstdint>
#include <limits>
#include <new>
#include <stdexcept>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <sigmax/core/random.hpp>
#include <sigmax/core/workspace.hpp>

using sigmax::index_t;
using sigmax::workspace;

namespace {

constexpr index_t largest_index = std::numeric_limits<index_t>::max();

bool on_cache_line(void const* address) { return reinterpret_cast<std::uintptr_t>(address) % 64 == 0; }

/// Counts its living objects; construction number `fuse` throws.
struct counted {
  inline static int living = 0;
  inline static int fuse = -1;
  double value;
  counted() : value(0) {
    if (fuse == 0) throw std::runtime_error("construction");
    if (fuse > 0) --fuse;
    ++living;
  }
  counted(counted const& other) : value(other.value) { ++living; }
  ~counted() { --living; }
};

/// Opens a frame, fills what it takes with its own number, opens frames above itself, and finds everything unharmed.
bool frames_keep_to_themselves(workspace& memory, sigmax::random_sequence const& numbers, std::uint64_t& position,
                               int depth) {
  workspace::frame frame(memory);
  std::vector<sigmax::vector_view<double>> taken;
  std::vector<double> marks;
  bool unharmed = true;
  std::uint64_t const steps = 1 + numbers.bits(position++) % 4;
  for (std::uint64_t step = 0; step < steps; ++step) {
    auto const size = static_cast<index_t>(numbers.bits(position++) % 900);
    taken.push_back(frame.vector<double>(size));
    marks.push_back(static_cast<double>(position));
    for (index_t i = 0; i < size; ++i) taken.back()[i] = marks.back();
    if (depth > 0) unharmed = frames_keep_to_themselves(memory, numbers, position, depth - 1) && unharmed;
  }
  for (std::size_t k = 0; k < taken.size(); ++k) {
    unharmed = unharmed && on_cache_line(taken[k].data());
    for (index_t i = 0; i < taken[k].size(); ++i) unharmed = unharmed && taken[k][i] == marks[k];
  }
  return unharmed;
}

}  // namespace

TEST_CASE("frames nest, and no two living pieces of scratch overlap") {
  sigmax::random_sequence const numbers(5);
  std::uint64_t position = 0;
  workspace memory;
  for (int round = 0; round < 200; ++round) REQUIRE(frames_keep_to_themselves(memory, numbers, position, 4));
  CHECK(memory.capacity() >= memory.peak());
}

TEST_CASE("a frame gives its memory back to the next") {
  workspace memory;
  double* first = nullptr;
  {
    workspace::frame outer(memory);
    auto const kept = outer.vector<double>(10);
    {
      workspace::frame inner(memory);
      first = inner.vector<double>(20).data();
    }
    {
      workspace::frame inner(memory);
      CHECK(inner.vector<double>(20).data() == first);
    }
    CHECK(outer.vector<double>(5).data() == first);
    CHECK(kept.data() < first);
    CHECK(&outer.owner() == &memory);
  }
  // 10, 20 and again 20 doubles in lines of 64 bytes: never more than the first two at once.
  CHECK(memory.peak() == 128 + 192);
}

TEST_CASE("when the outermost frame closes, one block holds the peak") {
  workspace memory;
  CHECK((memory.capacity() == 0 && memory.peak() == 0));
  {
    workspace::frame frame(memory);
    for (int i = 0; i < 50; ++i) (void)frame.vector<double>(1000 + i);
    CHECK(memory.capacity() > 50 * 8000);
  }
  std::size_t const merged = memory.capacity();
  CHECK(merged == memory.peak());
  for (int round = 0; round < 3; ++round) {
    workspace::frame frame(memory);
    double const* previous = nullptr;
    for (int i = 0; i < 50; ++i) {
      double const* const data = frame.vector<double>(1000 + i).data();
      CHECK(data > previous);  // one block after the other
      previous = data;
    }
  }
  CHECK(memory.capacity() == merged);
}

TEST_CASE("matrices from a frame are dense, row-major and aligned") {
  workspace memory;
  workspace::frame frame(memory);
  (void)frame.vector<char>(1);
  auto const a = frame.matrix<float>(3, 5);
  CHECK((on_cache_line(a.data()) && a.rows() == 3 && a.cols() == 5 && a.row_stride() == 5 && a.col_stride() == 1));
  (void)frame.vector<char>(65);
  CHECK(on_cache_line(frame.matrix<sigmax::bf16>(1, 1).data()));
  CHECK(frame.matrix<float>(0, 5).empty());
  CHECK(frame.matrix<float>(5, 0).rows() == 5);
  CHECK(frame.vector<float>(0).empty());
}

TEST_CASE("sizes that cannot be addressed are refused and leave the workspace as it was") {
  workspace memory;
  workspace::frame frame(memory);
  auto const before = frame.vector<double>(3);
  index_t const root = index_t{1} << 32;
  CHECK_THROWS_AS(frame.vector<double>(-1), sigmax::shape_error);
  CHECK_THROWS_AS(frame.vector<double>(largest_index), sigmax::shape_error);
  CHECK_THROWS_AS(frame.vector<double>(largest_index / 8 + 1), sigmax::shape_error);
  CHECK_THROWS_AS(frame.matrix<double>(root, root), sigmax::shape_error);
  CHECK_THROWS_AS(frame.matrix<double>(root, root + 1), sigmax::shape_error);
  CHECK_THROWS_AS(frame.matrix<double>(-1, -1), sigmax::shape_error);
  CHECK(frame.vector<double>(3).data() == before.data() + 8);
}

TEST_CASE("a frozen workspace serves what it holds and never grows") {
  workspace memory;
  {
    workspace::frame frame(memory);
    (void)frame.vector<double>(1000);
  }
  memory.freeze();
  std::size_t const held = memory.capacity();
  for (int round = 0; round < 3; ++round) {
    workspace::frame frame(memory);
    (void)frame.vector<double>(1000);
    CHECK_THROWS_AS(frame.vector<double>(1), std::bad_alloc);
  }
  workspace::frame frame(memory);
  CHECK_THROWS_AS(frame.vector<double>(1001), std::bad_alloc);
  CHECK(memory.capacity() == held);
}

TEST_CASE("scalars that own memory are constructed as zero and destroyed with the frame") {
  REQUIRE(counted::living == 0);
  workspace memory;
  {
    workspace::frame outer(memory);
    auto const first = outer.vector<counted>(3);
    CHECK(counted::living == 3);
    {
      workspace::frame inner(memory);
      auto const second = inner.matrix<counted>(2, 5);
      CHECK(counted::living == 13);
      CHECK((second(1, 4).value == 0 && first[2].value == 0));
    }
    CHECK(counted::living == 3);
    (void)outer.vector<counted>(0);
  }
  CHECK(counted::living == 0);
}

TEST_CASE("a constructor that throws leaves nothing behind") {
  REQUIRE(counted::living == 0);
  workspace memory;
  {
    workspace::frame frame(memory);
    (void)frame.vector<counted>(2);
    counted::fuse = 4;
    CHECK_THROWS_AS(frame.vector<counted>(9), std::runtime_error);
    counted::fuse = -1;
    (void)frame.vector<counted>(1);
  }
  CHECK(counted::living == 0);
}

TEST_CASE("frames close in the right order when an exception passes") {
  workspace memory;
  for (int round = 0; round < 3; ++round) {
    try {
      workspace::frame outer(memory);
      (void)outer.vector<double>(100);
      workspace::frame inner(memory);
      (void)inner.vector<double>(5000);
      throw std::runtime_error("through two frames");
    } catch (std::runtime_error const&) {
    }
  }
  CHECK(memory.capacity() == memory.peak());
  CHECK(memory.peak() == 832 + 40000);
}

TEST_CASE("a moved workspace takes its memory along") {
  workspace memory;
  double* data = nullptr;
  {
    workspace::frame frame(memory);
    data = frame.vector<double>(100).data();
  }
  std::size_t const held = memory.capacity();
  workspace target(std::move(memory));
  CHECK((target.capacity() == held && memory.capacity() == 0));  // NOLINT(bugprone-use-after-move)
  {
    workspace::frame frame(target);
    CHECK(frame.vector<double>(100).data() == data);
    workspace::frame other(memory);
    CHECK(other.vector<double>(100).data() != data);
  }
  memory.freeze();
  memory = std::move(target);
  CHECK((memory.capacity() == held && target.capacity() == 0));  // NOLINT(bugprone-use-after-move)
  workspace::frame frame(memory);
  CHECK_NOTHROW(frame.vector<double>(100000));  // not frozen any more: everything moved
}

TEST_CASE("scratch is the caller's workspace, or one of its own") {
  workspace memory;
  sigmax::detail::scratch given(&memory);
  sigmax::detail::scratch own(nullptr);
  CHECK(&given.get() == &memory);
  CHECK(&own.get() != &memory);
  CHECK(&own.get() == &own.get());
}

TEST_CASE("workspaces of threads are apart, are found again, and count") {
  workspace memory;
  workspace& first = memory.of_thread(0);
  workspace& third = memory.of_thread(2);
  CHECK(&first == &memory.of_thread(0));
  CHECK(&third == &memory.of_thread(2));
  CHECK(&first != &memory);
  {
    workspace::frame outer(memory);
    auto const mine = outer.vector<double>(100);
    workspace::frame inner(third);
    auto const theirs = inner.vector<double>(50);
    mine[0] = 1;
    theirs[0] = 2;
    CHECK(mine[0] == 1);
  }
  CHECK(memory.peak() == 832 + 448);
  CHECK(memory.capacity() >= memory.peak());
  memory.freeze();
  CHECK_THROWS_AS(memory.of_thread(3), std::bad_alloc);
  workspace::frame frame(third);
  CHECK_THROWS_AS((void)frame.vector<double>(100000), std::bad_alloc);
}

TEST_CASE("a workspace can stand on memory of somebody else's") {
  workspace below;
  workspace::frame frame(below);
  int asked = 0;
  struct source {
    workspace::frame* from;
    int* asked;
  } context{&frame, &asked};
  {
    workspace above(&context, [](void* data, std::size_t bytes) -> void* {
      auto* const where = static_cast<source*>(data);
      ++*where->asked;
      return where->from->vector<std::byte>(static_cast<index_t>(bytes)).data();
    });
    workspace::frame inner(above);
    auto const values = inner.vector<double>(2000);
    CHECK(on_cache_line(values.data()));
    values[1999] = 3;
  }
  CHECK(asked == 1);
}
