// SPDX-License-Identifier: MIT
#include <cfenv>
#include <cstddef>
#include <limits>
#include <vector>

#include <doctest/doctest.h>

#include <sigmax/core/parallel.hpp>

using sigmax::index_t;

TEST_CASE("the parts of a partition cover every item once, in order, and differ in size by at most one") {
  for (index_t count = 0; count <= 50; ++count) {
    for (index_t parts = 1; parts <= 50; ++parts) {
      index_t next = 0;
      bool sound = true;
      for (index_t part = 0; part < parts; ++part) {
        auto const range = sigmax::partition(count, parts, part);
        index_t const size = range.last - range.first;
        sound = sound && range.first == next && size >= count / parts && size <= (count + parts - 1) / parts;
        next = range.last;
      }
      CAPTURE(count);
      CAPTURE(parts);
      REQUIRE((sound && next == count));
    }
  }
  static_assert(sigmax::partition(10, 3, 0).last == 4);
}

TEST_CASE("a partition of the largest count does not overflow") {
  constexpr index_t largest = std::numeric_limits<index_t>::max();
  CHECK(sigmax::partition(largest, 7, 6).last == largest);
  CHECK(sigmax::partition(largest, 1, 0).last == largest);
  CHECK(sigmax::partition(largest, largest, largest - 1).first == largest - 1);
}

TEST_CASE("parallel_for calls the body once for every index, whatever the number of threads") {
  for (index_t count = 0; count <= 50; ++count) {
    for (int threads = -1; threads <= 50; threads += 3) {
      std::vector<int> calls(static_cast<std::size_t>(count), 0);
      sigmax::parallel_for(count, threads, [&](index_t i) { ++calls[static_cast<std::size_t>(i)]; });
      REQUIRE(calls == std::vector<int>(static_cast<std::size_t>(count), 1));
    }
  }
  sigmax::parallel_for(-1, 4, [](index_t) { FAIL("a negative count has no items"); });
}

TEST_CASE("one thread works in order") {
  std::vector<index_t> order;
  sigmax::parallel_for(5, 1, [&](index_t i) { order.push_back(i); });
  CHECK(order == std::vector<index_t>{0, 1, 2, 3, 4});
}

namespace {

/// Each part on this thread, with another rounding mode, which has to be there again afterwards.
void run_rounding_down(void* intact, int parts, sigmax::executor::body_function body, void const* data) {
  int const before = std::fegetround();
  for (int part = 0; part < parts; ++part) {
    std::fesetround(FE_DOWNWARD);
    body(data, part);
    *static_cast<bool*>(intact) = *static_cast<bool*>(intact) && std::fegetround() == FE_DOWNWARD;
  }
  std::fesetround(before);
}

}  // namespace

TEST_CASE("parts run in the floating-point environment of the caller, and leave their thread its own") {
  bool intact = true;
  std::vector<int> modes(6, -1);
  sigmax::parallel_for(6, sigmax::executor(3, run_rounding_down, &intact),
                       [&](index_t i) { modes[static_cast<std::size_t>(i)] = std::fegetround(); });
  CHECK(modes == std::vector<int>(6, FE_TONEAREST));
  CHECK(intact);
}
