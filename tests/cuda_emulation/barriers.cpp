// SPDX-License-Identifier: MIT
// Barriers of the machine: in shared memory, of threads of a block, of the cluster.
#include "machine.hpp"

namespace sigmax::test::emulation {

machine::memory_barrier& machine::barrier_at(int block, std::uint32_t address) {
  bytes_at(block, address, 8);
  if (address % 8 != 0) fail("a barrier whose address is no multiple of eight");
  return blocks_[static_cast<std::size_t>(block)].barriers[address / 8];
}

void machine::barrier_init(std::uint32_t barrier, std::uint32_t arrivals) {
  auto& b = barrier_at(self().block, barrier);
  if (b.made) fail("a barrier is made twice");
  b = {true, false, arrivals, arrivals, 0, 0};
  self().made.push_back(barrier);
}

void machine::barrier_init_visible() {
  for (auto const barrier : self().made) barrier_at(self().block, barrier).visible = true;
  self().made.clear();
}

void machine::settle(memory_barrier& b, std::uint32_t address) {
  if (!b.made) fail("the barrier at " + std::to_string(address) + " was not made");
  if (b.pending == 0 && b.bytes == 0) {
    b.pending = b.arrivals;
    ++b.phase;
  }
}

void machine::barrier_arrive(std::uint32_t barrier, std::uint32_t rank, std::uint32_t bytes) {
  pass();
  if (rank >= blocks_.size()) fail("a cluster has no block " + std::to_string(rank));
  if (blocks_[rank].living == 0) fail("arrives in a block that has ended");
  auto& b = barrier_at(static_cast<int>(rank), barrier);
  if (static_cast<int>(rank) != self().block && !b.visible) fail("arrives at a barrier that only its block knows of");
  if (b.pending == 0) fail("more arrive at the barrier at " + std::to_string(barrier) + " than a phase waits for");
  b.bytes += bytes;
  --b.pending;
  settle(b, barrier);
}

void machine::barrier_wait(std::uint32_t barrier, std::uint32_t parity) {
  pass();
  auto const& b = barrier_at(self().block, barrier);
  if (!b.made) fail("waits for a barrier that was not made");
  if (b.phase % 2 == static_cast<long long>(parity)) wait({waits_for::barrier, barrier, b.phase});
}

void machine::arrive(named_barrier& b, int threads) {
  if (b.arrived == 0) b.threads = threads;
  if (b.threads != threads) fail("a named barrier of different numbers of threads");
  if (++b.arrived == b.threads) {
    b.arrived = 0;
    ++b.generation;
  }
}

void machine::named_arrive(int id, int threads) {
  pass();
  arrive(blocks_[static_cast<std::size_t>(self().block)].named[static_cast<std::size_t>(id)], threads);
}

void machine::named_sync(int id, int threads) {
  pass();
  auto& b = blocks_[static_cast<std::size_t>(self().block)].named[static_cast<std::size_t>(id)];
  auto const generation = b.generation;
  arrive(b, threads);
  if (b.generation == generation) wait({waits_for::named, static_cast<std::uint32_t>(id), generation});
}

void machine::cluster_sync() {
  pass();
  for (std::size_t i = 0; i < 32; ++i) {
    auto const& other = threads_[static_cast<std::size_t>(self().number / 32 * 32) + i];
    if (other.on.what != waits_for::cluster && &other != &self() && !ready(other)) {
      fail("a barrier of the cluster while thread " + std::to_string(other.in_block) + " of its warp waits elsewhere");
    }
  }
  auto const generation = cluster_barrier_.generation;
  if (++cluster_barrier_.arrived == static_cast<int>(threads_.size())) {
    cluster_barrier_.arrived = 0;
    ++cluster_barrier_.generation;
  } else {
    wait({waits_for::cluster, 0, generation});
  }
}

}  // namespace sigmax::test::emulation
