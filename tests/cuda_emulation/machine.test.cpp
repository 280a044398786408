// SPDX-License-Identifier: MIT
// That the machine finds what it is there to find: small kernels with one mistake each, and without it.
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <functional>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <sigmax/cuda/kernels/ptx.cuh>

#include "cuda_emulation/machine.hpp"

namespace {

namespace emulation = sigmax::test::emulation;
namespace detail = sigmax::gpu::detail;
namespace ptx = detail::ptx;

constexpr int orders = 50;  // of events
constexpr std::uint32_t box_at = 2048;
constexpr std::uint32_t barrier_at = box_at + 2 * 8192;

/// What went wrong in so many orders of events; empty if nothing did.
std::string outcome(int threads, int cluster, std::function<void()> const& kernel) {
  emulation::launch_shape shape;
  shape.blocks = static_cast<unsigned>(cluster);
  shape.threads = threads;
  shape.cluster = cluster;
  shape.shared_bytes = 20000;
  std::string found;
  for (int seed = 0; seed < orders; ++seed) {
    try {
      emulation::machine::run(shape, static_cast<std::uint64_t>(seed), detail::dynamic_memory,
                              sizeof(detail::dynamic_memory), kernel);
    } catch (emulation::failure const& failed) {
      found += std::string(failed.what()) + "\n";
    }
  }
  return found;
}

bool mentions(std::string const& text, char const* what) { return text.find(what) != std::string::npos; }

/// One matrix of 64 rows of 128 bytes.
struct box {
  std::vector<unsigned char> bytes = std::vector<unsigned char>(8192);
  std::vector<std::uint32_t> written = std::vector<std::uint32_t>(8192 / 4);
  CUtensorMap map{};

  box() {
    emulation::mapped_matrices const matrices{bytes.data(), written.data(), 32, 64, 1, 128, 8192, 4};
    std::memcpy(&map, &matrices, sizeof(matrices));
  }
};

TEST_CASE("threads that wait for each other are named") {
  auto const found = outcome(64, 1, [] {
    if (threadIdx.x < 32) __syncthreads();
    if (threadIdx.x >= 32) ptx::named_sync(1, 64);
  });
  CHECK(mentions(found, "nobody can go on"));
  CHECK(mentions(found, "thread 32 of block 0 waits for a named barrier"));
  CHECK(outcome(64, 1, [] { __syncthreads(); }) == "");
}

TEST_CASE("a phase that a thread missed is a failure, and one that it cannot miss is not") {
  auto const two_phases = [](bool waits) {
    return [waits] {
      if (threadIdx.x == 0) ptx::barrier_init(barrier_at, 1);
      __syncthreads();
      if (threadIdx.x == 0) {
        ptx::barrier_arrive(barrier_at);
      } else if (threadIdx.x == 32) {
        ptx::barrier_wait(barrier_at, 0);
      }
      if (waits) __syncthreads();
      if (threadIdx.x == 0) ptx::barrier_arrive(barrier_at);
    };
  };
  auto const found = outcome(64, 1, two_phases(false));
  bool const missed = mentions(found, "thread 32 of block 0 waits for phase 0") || mentions(found, "nobody can go on");
  CHECK(missed);
  CHECK(outcome(64, 1, two_phases(true)) == "");
}

TEST_CASE("more arrivals than a phase waits for, and barriers that were not made") {
  auto const crowd = [] {
    if (threadIdx.x == 0) {
      ptx::barrier_init(barrier_at, 2);
      ptx::barrier_expect(barrier_at, 8192);
      ptx::barrier_arrive(barrier_at);
      ptx::barrier_arrive(barrier_at);
    }
  };
  CHECK(mentions(outcome(32, 1, crowd), "more arrive"));
  CHECK(mentions(outcome(32, 1, [] { ptx::barrier_wait(barrier_at, 0); }), "not made"));
}

TEST_CASE("copies read what was written and fenced before, while shared memory is there") {
  box to;
  auto const kernel = [&](bool fences, bool waits) {
    return [&, fences, waits] {
      ptx::wait_for_kernels_before();
      for (std::uint32_t i = threadIdx.x; i < 8192 / 4; i += 32) ptx::store(box_at + 4 * i, static_cast<float>(i));
      if (fences) ptx::fence_for_copies();
      __syncwarp();
      if (threadIdx.x == 0) {
        ptx::store_box(&to.map, box_at, 0, 0, 0);
        ptx::stores_commit();
        if (waits) ptx::stores_read<0>();
      }
    };
  };
  CHECK(mentions(outcome(32, 1, kernel(false, true)), "without a fence"));
  CHECK(mentions(outcome(32, 1, kernel(true, false)), "ended before its copies had read"));
  std::fill(to.written.begin(), to.written.end(), 0u);
  CHECK(outcome(32, 1, kernel(true, true)) == "");
  // Word 1 of row 1 lies in piece 1 ^ 0 of its row: the swizzle moves pieces of 16 bytes by the row.
  float word = 0;
  std::memcpy(&word, to.bytes.data() + 128 + 4, 4);
  CHECK(word == 32 + 5);
  CHECK(std::count(to.written.begin(), to.written.end(), orders) == 8192 / 4);
}

TEST_CASE("a copy arrives after it was waited for, in every block it goes to") {
  box from;
  for (std::size_t i = 0; i < 8192 / 4; ++i) {
    auto const word = static_cast<float>(i);
    std::memcpy(from.bytes.data() + 4 * i, &word, 4);
  }
  auto const kernel = [&](bool waits) {
    return [&, waits] {
      if (threadIdx.x == 0) {
        ptx::barrier_init(barrier_at, 1);
        ptx::barrier_init_visible();
      }
      ptx::cluster_sync();
      ptx::wait_for_kernels_before();
      if (threadIdx.x == 0) {
        ptx::barrier_expect(barrier_at, 8192);
        if (ptx::cluster_rank() == 0) ptx::load_box_to_blocks(&from.map, box_at, barrier_at, 0, 0, 0, 3);
      }
      if (waits) ptx::barrier_wait(barrier_at, 0);
      float word = 0;
      ptx::load(word, box_at + 128 + ((threadIdx.x / 4 ^ 1) << 4) + 4 * (threadIdx.x % 4));
      if (word != static_cast<float>(32 + threadIdx.x)) emulation::machine::now().fail("a wrong word");
      ptx::cluster_sync();
    };
  };
  CHECK(mentions(outcome(32, 2, kernel(false)), "a wrong word"));
  CHECK(outcome(32, 2, kernel(true)) == "");
}

TEST_CASE("blocks that have ended, and lanes that do different things") {
  auto const late = [] {
    if (ptx::cluster_rank() == 0) ptx::barrier_init(barrier_at, 1);
    ptx::cluster_sync();
    if (ptx::cluster_rank() == 1 && threadIdx.x == 0) ptx::barrier_arrive_at(barrier_at, 0);
  };
  CHECK(mentions(outcome(32, 2, late), "twice"));
  auto const ended = [] {
    if (ptx::cluster_rank() == 0 && threadIdx.x == 0) {
      ptx::barrier_init(barrier_at, 1);
      ptx::barrier_init_visible();
    }
    ptx::cluster_sync();
    if (ptx::cluster_rank() == 1 && threadIdx.x == 0) ptx::barrier_arrive_at(barrier_at, 0);
  };
  CHECK(mentions(outcome(32, 2, ended), "has ended"));
  auto const apart = [] {
    std::uint32_t words[4] = {};
    if (threadIdx.x == 7) {
      __syncwarp();
    } else {
      ptx::load_matrices(words, box_at);
    }
  };
  CHECK(mentions(outcome(32, 1, apart), "of the warp are at"));
}

TEST_CASE("what other blocks are not told of, lanes that run ahead, and addresses that are not aligned") {
  auto const told = [](bool tells) {
    return [tells] {
      if (threadIdx.x == 0) {
        ptx::barrier_init(barrier_at, 1);
        if (tells) ptx::barrier_init_visible();
      }
      ptx::cluster_sync();
      if (threadIdx.x == 0) ptx::barrier_arrive_at(barrier_at, 1 - ptx::cluster_rank());
      __syncwarp();
      ptx::cluster_sync();
    };
  };
  CHECK(mentions(outcome(32, 2, told(false)), "only its block knows of"));
  CHECK(outcome(32, 2, told(true)) == "");
  auto const ahead = [] {
    if (threadIdx.x == 0) {
      ptx::barrier_init(barrier_at, 1);
      ptx::barrier_wait(barrier_at, 0);
    }
    ptx::cluster_sync();
  };
  CHECK(mentions(outcome(32, 1, ahead), "while thread 0 of its warp waits elsewhere"));
  CHECK(mentions(outcome(32, 1, [] { ptx::store(box_at + 4, float2{}); }), "no multiple of the size"));
}

}  // namespace
