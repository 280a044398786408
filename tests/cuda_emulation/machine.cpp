// SPDX-License-Identifier: MIT
#include <algorithm>
#include <sstream>

#include "machine.hpp"

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SIGMAX_ADDRESS_SANITIZER 1
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define SIGMAX_ADDRESS_SANITIZER 1
#endif
#if defined(SIGMAX_ADDRESS_SANITIZER)
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif

namespace sigmax::test::emulation {
namespace {

machine* running = nullptr;

#if defined(SIGMAX_ADDRESS_SANITIZER)
constexpr std::size_t stack_bytes = std::size_t{1} << 17;
#else
constexpr std::size_t stack_bytes = std::size_t{1} << 16;
#endif

/// Memory for the stacks of so many threads, the same for every run.
unsigned char* stacks(std::size_t threads) {
  static std::unique_ptr<unsigned char[]> memory;
  static std::size_t there = 0;
  if (there < threads) {
    memory = std::make_unique_for_overwrite<unsigned char[]>(threads * stack_bytes);
    there = threads;
  }
#if defined(SIGMAX_ADDRESS_SANITIZER)
  ASAN_UNPOISON_MEMORY_REGION(memory.get(), threads * stack_bytes);  // threads that failed have not returned
#endif
  return memory.get();
}

constexpr int box_rows = 64;
constexpr int box_row_bytes = 128;

}  // namespace

machine& machine::now() { return *running; }

void machine::run(launch_shape const& shape, std::uint64_t seed, unsigned char* memory, std::size_t memory_bytes,
                  std::function<void()> const& kernel) {
  machine m(shape, seed, memory, memory_bytes, kernel);
  running = &m;
  for (unsigned batch = 0; batch < shape.batches; ++batch) {
    for (unsigned block = 0; block < shape.blocks; block += static_cast<unsigned>(shape.cluster)) {
      m.run_cluster(block, batch);
    }
  }
  running = nullptr;
}

machine::machine(launch_shape const& shape, std::uint64_t seed, unsigned char* memory, std::size_t memory_bytes,
                 std::function<void()> const& kernel)
    : shape_(shape), kernel_(kernel), random_(seed * 0x9e3779b97f4a7c15u + 1) {
  if (shape.threads % 32 != 0 || shape.blocks % static_cast<unsigned>(shape.cluster) != 0) {
    throw failure("a block has whole warps, and a grid whole clusters");
  }
  if (shape.shared_bytes > memory_bytes) throw failure("more shared memory than there is");
  blocks_.resize(static_cast<std::size_t>(shape.cluster));
  for (auto& block : blocks_) block.own.resize(&block == &blocks_[0] ? 0 : memory_bytes);
  for (auto& block : blocks_) block.memory = &block == &blocks_[0] ? memory : block.own.data();
  // From always a new draw to a warp that runs as long as it can while others wait for hundreds of steps.
  constexpr std::uint64_t sticks[] = {1, 8, 64, 1000};
  sticks_ = sticks[draw() % 4];
  constexpr std::uint64_t passes[] = {4, 16, 100000};
  passes_ = passes[draw() % 3];
}

std::uint64_t machine::draw() {
  random_ += 0x9e3779b97f4a7c15u;
  std::uint64_t z = random_;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

uint3 machine::thread_index() const { return {static_cast<unsigned>(self().in_block), 0, 0}; }
uint3 machine::block_index() const { return {first_block_ + static_cast<unsigned>(self().block), batch_, 0}; }
uint3 machine::grid_size() const { return {shape_.blocks, shape_.batches, 1}; }

std::string machine::place(thread const& t) const {
  std::ostringstream text;
  text << "thread " << t.in_block << " of block " << first_block_ + static_cast<unsigned>(t.block);
  return text.str();
}

// --------------------------------------------------------------------------------------------------------- fibers

void machine::fail(std::string what) {
  if (current_ == nullptr) throw failure(what);
  failed_ = place(self()) + ": " + what;
  std::string().swap(what);  // nobody comes back who would
  for (;;) leave();
}

void machine::body() {
  auto& m = now();
#if defined(SIGMAX_ADDRESS_SANITIZER)
  __sanitizer_finish_switch_fiber(nullptr, &m.scheduler_stack_, &m.scheduler_stack_bytes_);
#endif
  m.kernel_();
  m.self().done = true;
  for (;;) m.leave();
}

void machine::enter(thread& t) {
  current_ = &t;
#if defined(SIGMAX_ADDRESS_SANITIZER)
  __sanitizer_start_switch_fiber(&scheduler_fake_stack_, t.context.uc_stack.ss_sp, t.context.uc_stack.ss_size);
#endif
  swapcontext(&scheduler_, &t.context);
#if defined(SIGMAX_ADDRESS_SANITIZER)
  __sanitizer_finish_switch_fiber(scheduler_fake_stack_, nullptr, nullptr);
#endif
  current_ = nullptr;
  if (!failed_.empty()) throw failure(failed_);
}

void machine::leave() {
  thread& t = self();
#if defined(SIGMAX_ADDRESS_SANITIZER)
  __sanitizer_start_switch_fiber(t.done ? nullptr : &t.fake_stack, scheduler_stack_, scheduler_stack_bytes_);
#endif
  swapcontext(&t.context, &scheduler_);
#if defined(SIGMAX_ADDRESS_SANITIZER)
  __sanitizer_finish_switch_fiber(t.fake_stack, &scheduler_stack_, &scheduler_stack_bytes_);
#endif
}

void machine::wait(waiting const& on) {
  self().on = on;
  leave();
}

void machine::pass() {
  if (one_in(passes_)) wait({});
}

// ------------------------------------------------------------------------------------------------------ scheduling

void machine::begin_threads() {
  threads_.clear();
  threads_.resize(static_cast<std::size_t>(shape_.threads * shape_.cluster));
  warps_.assign(threads_.size() / 32, {});
  for (auto& w : warps_) w.priority = draw();
  auto* const memory = stacks(threads_.size());
  for (std::size_t i = 0; i < threads_.size(); ++i) {
    auto& t = threads_[i];
    t.number = static_cast<int>(i);
    t.in_block = t.number % shape_.threads;
    t.block = t.number / shape_.threads;
    getcontext(&t.context);
    t.context.uc_stack.ss_sp = memory + i * stack_bytes;
    t.context.uc_stack.ss_size = stack_bytes;
    t.context.uc_link = nullptr;
    makecontext(&t.context, &machine::body, 0);
  }
  living_ = static_cast<int>(threads_.size());
}

void machine::run_cluster(unsigned first_block, unsigned batch) {
  first_block_ = first_block;
  batch_ = batch;
  elected_ = static_cast<std::uint32_t>(draw() % 32);
  cluster_barrier_ = {};
  copies_.clear();
  for (auto& block : blocks_) {
    std::memset(block.memory, 0xff, shape_.shared_bytes);
    block.unfenced.assign((shared_start + shape_.shared_bytes) / 4 + 1, 0);
    block.barriers.assign((shared_start + shape_.shared_bytes) / 8 + 1, {});
    block.named = {};
    block.living = shape_.threads;
  }
  begin_threads();
  while (living_ > 0) step();
  for (auto const& t : threads_) {
    for (int const unread : t.unread_stores) {
      if (unread != 0) fail(place(t) + " ended before its copies had read shared memory");
    }
  }
  for (auto const& copy : copies_) {
    if (!copy.stores) fail("a copy to shared memory is under way when the kernel ends");
  }
}

bool machine::ready(thread const& t) {
  if (t.done) return false;
  switch (t.on.what) {
    case waits_for::nothing:
      return true;
    case waits_for::barrier: {
      auto const phase = barrier_at(t.block, t.on.address).phase;
      if (phase > t.on.generation + 1) {
        std::ostringstream text;
        text << place(t) << " waits for phase " << t.on.generation << " of the barrier at " << t.on.address
             << ", and phase " << phase << " has begun";
        fail(text.str());
      }
      return phase != t.on.generation;
    }
    case waits_for::named:
      return blocks_[static_cast<std::size_t>(t.block)].named[t.on.address].generation != t.on.generation;
    case waits_for::warp:
      return warps_[static_cast<std::size_t>(t.number / 32)].generation != t.on.generation;
    case waits_for::cluster:
      return cluster_barrier_.generation != t.on.generation;
    case waits_for::stores: {
      auto const groups = static_cast<std::ptrdiff_t>(t.unread_stores.size()) - 1;
      auto const first = t.unread_stores.begin();
      return std::all_of(first, first + std::max<std::ptrdiff_t>(0, groups - static_cast<int>(t.on.address)),
                         [](int unread) { return unread == 0; });
    }
  }
  return false;
}

void machine::step() {
  std::size_t best = warps_.size() + copies_.size();
  std::uint64_t priority = 0;
  auto const consider = [&](std::size_t i, std::uint64_t its) {
    if (best == warps_.size() + copies_.size() || its > priority) {
      best = i;
      priority = its;
    }
  };
  for (std::size_t w = 0; w < warps_.size(); ++w) {
    auto const first = threads_.begin() + static_cast<std::ptrdiff_t>(32 * w);
    if (std::any_of(first, first + 32, [&](thread const& t) { return ready(t); })) consider(w, warps_[w].priority);
  }
  for (std::size_t i = 0; i < copies_.size(); ++i) consider(warps_.size() + i, copies_[i].priority);
  if (best == warps_.size() + copies_.size()) fail(why_nobody_goes_on());
  if (best >= warps_.size()) {
    auto const at = copies_.begin() + static_cast<std::ptrdiff_t>(best - warps_.size());
    auto const copy = *at;
    *at = copies_.back();
    copies_.pop_back();
    carry_out(copy);
    return;
  }
  run_warp(best);
  if (one_in(sticks_)) warps_[best].priority = draw();
}

void machine::run_warp(std::size_t w) {
  auto const first_lane = draw() % 32;
  for (std::size_t i = 0; i < 32; ++i) {
    auto& t = threads_[32 * w + (first_lane + i) % 32];
    if (!ready(t)) continue;
    t.on = {};
    enter(t);
    if (!t.done) continue;
    --living_;
    --blocks_[static_cast<std::size_t>(t.block)].living;
  }
}

std::string machine::why_nobody_goes_on() {
  std::ostringstream text;
  text << "nobody can go on:";
  waiting last{};
  for (auto const& t : threads_) {
    if (t.done || (t.in_block % 32 != 0 && t.on.what == last.what && t.on.address == last.address)) continue;
    last = t.on;
    constexpr char const* names[] = {"nothing",  "a barrier in shared memory", "a named barrier",
                                     "its warp", "the whole cluster",          "its copies"};
    text << "\n  " << place(t) << " waits for " << names[static_cast<int>(t.on.what)];
    if (t.on.what == waits_for::warp) text << " in " << warps_[static_cast<std::size_t>(t.number / 32)].name;
    text << " (" << t.on.address << ", " << t.on.generation << ")";
  }
  return text.str();
}

bool machine::meet(char const* name, void* mine) {
  pass();
  auto& w = warps_[static_cast<std::size_t>(self().number / 32)];
  if (w.arrived == 0) w.name = name;
  if (std::strcmp(w.name, name) != 0) fail(std::string(name) + " while others of the warp are at " + w.name);
  w.values[static_cast<std::size_t>(self().number % 32)] = mine;
  if (++w.arrived == 32) return true;
  wait({waits_for::warp, 0, 0, w.generation});
  return false;
}

void* machine::met(std::size_t lane) { return warps_[static_cast<std::size_t>(self().number / 32)].values[lane]; }

void machine::part() {
  auto& w = warps_[static_cast<std::size_t>(self().number / 32)];
  w.arrived = 0;
  ++w.generation;
}

// -------------------------------------------------------------------------------------------------------- barriers

machine::memory_barrier& machine::barrier_at(int block, std::uint32_t address) {
  bytes_at(block, address, 8);
  if (address % 8 != 0) fail("a barrier whose address is no multiple of eight");
  return blocks_[static_cast<std::size_t>(block)].barriers[address / 8];
}

void machine::barrier_init(std::uint32_t barrier, std::uint32_t arrivals) {
  auto& b = barrier_at(self().block, barrier);
  if (b.made) fail("a barrier is made twice");
  b = {true, arrivals, arrivals, 0, 0};
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
  if (b.pending == 0) fail("more arrive at the barrier at " + std::to_string(barrier) + " than a phase waits for");
  b.bytes += bytes;
  --b.pending;
  settle(b, barrier);
}

void machine::barrier_wait(std::uint32_t barrier, std::uint32_t parity) {
  pass();
  auto const& b = barrier_at(self().block, barrier);
  if (!b.made) fail("waits for a barrier that was not made");
  if (b.phase % 2 == static_cast<long long>(parity)) wait({waits_for::barrier, barrier, parity, b.phase});
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
  if (b.generation == generation) wait({waits_for::named, static_cast<std::uint32_t>(id), 0, generation});
}

void machine::cluster_sync() {
  pass();
  auto const generation = cluster_barrier_.generation;
  if (++cluster_barrier_.arrived == static_cast<int>(threads_.size())) {
    cluster_barrier_.arrived = 0;
    ++cluster_barrier_.generation;
  } else {
    wait({waits_for::cluster, 0, 0, generation});
  }
}

// --------------------------------------------------------------------------------------------------- shared memory

std::uint32_t machine::address_of(void const* pointer) const {
  return static_cast<std::uint32_t>(static_cast<unsigned char const*>(pointer) - blocks_[0].memory) + shared_start;
}

unsigned char* machine::bytes_at(int block, std::uint32_t address, std::size_t bytes) {
  if (address < shared_start || address - shared_start + bytes > shape_.shared_bytes) {
    fail("address " + std::to_string(address) + " is outside of shared memory");
  }
  return blocks_[static_cast<std::size_t>(block)].memory + (address - shared_start);
}

void machine::load(void* to, std::uint32_t from, std::size_t bytes) {
  std::memcpy(to, bytes_at(self().block, from, bytes), bytes);
}

void machine::store_of(std::size_t lane, std::uint32_t to, void const* from, std::size_t bytes) {
  auto& writer = threads_[static_cast<std::size_t>(self().number / 32 * 32) + lane];
  std::memcpy(bytes_at(writer.block, to, bytes), from, bytes);
  auto& unfenced = blocks_[static_cast<std::size_t>(writer.block)].unfenced;
  for (std::uint32_t word = to / 4; word <= (to + static_cast<std::uint32_t>(bytes) - 1) / 4; ++word) {
    unfenced[word] = static_cast<std::uint16_t>(writer.in_block + 1);
    writer.unfenced.push_back(word);
  }
}

void machine::fence_for_copies() {
  pass();
  auto& unfenced = blocks_[static_cast<std::size_t>(self().block)].unfenced;
  for (auto const word : self().unfenced) {
    if (unfenced[word] == self().in_block + 1) unfenced[word] = 0;
  }
  self().unfenced.clear();
}

void machine::check_fenced(int block, std::uint32_t address, std::size_t bytes, char const* who) {
  auto const& unfenced = blocks_[static_cast<std::size_t>(block)].unfenced;
  for (std::uint32_t word = address / 4; word < (address + bytes) / 4; ++word) {
    if (unfenced[word] != 0) {
      fail(std::string(who) + " reads what thread " + std::to_string(unfenced[word] - 1) + " wrote without a fence");
    }
  }
}

// ---------------------------------------------------------------------------------------------------------- copies

void machine::load_box(mapped_matrices const& from, std::uint32_t to, std::uint32_t barrier, int x, int y, int z,
                       unsigned blocks) {
  pass();
  if (!self().touches_memory) fail("global memory is read before the kernels before have ended");
  if (to % 1024 != 0) fail("a box whose address is no multiple of 1024");
  for (unsigned b = 0; b < 32; ++b) {
    if ((blocks >> b & 1u) == 0) continue;
    bytes_at(static_cast<int>(b), to, box_rows * box_row_bytes);
    // One a block: they arrive at different times.
    copies_.push_back({from, false, to, barrier, x, y, z, b, self().block, self().number, 0, draw()});
  }
}

void machine::store_box(mapped_matrices const& to, std::uint32_t from, int x, int y, int z) {
  pass();
  auto& t = self();
  if (!t.touches_memory) fail("global memory is written before the kernels before have ended");
  if (from % 1024 != 0) fail("a box whose address is no multiple of 1024");
  if (to.written == nullptr) fail("writes what is only read");
  bytes_at(t.block, from, box_rows * box_row_bytes);
  auto const group = t.unread_stores.size() - 1;
  ++t.unread_stores[group];
  copies_.push_back({to, true, from, 0, x, y, z, 0, t.block, t.number, group, draw()});
}

void machine::stores_commit() { self().unread_stores.push_back(0); }

void machine::stores_read(int pending) {
  pass();
  waiting const on{waits_for::stores, static_cast<std::uint32_t>(pending), 0, 0};
  self().on = on;
  if (!ready(self())) {
    leave();
  } else {
    self().on = {};
  }
}

void machine::carry_out(bulk_copy const& copy) {
  auto const& m = copy.matrices;
  if (copy.z < 0 || copy.z >= m.count) fail("a box of a matrix that is not there");
  int const block = copy.stores ? copy.block : static_cast<int>(copy.blocks);
  if (blocks_[static_cast<std::size_t>(block)].living == 0 && !copy.stores) fail("a copy to a block that has ended");
  auto* const shared = bytes_at(block, copy.shared, box_rows * box_row_bytes);
  if (copy.stores) check_fenced(block, copy.shared, box_rows * box_row_bytes, "a copy");
  auto& unfenced = blocks_[static_cast<std::size_t>(block)].unfenced;
  int const per_row = box_row_bytes / m.element_bytes;
  auto const size = static_cast<std::size_t>(m.element_bytes);
  for (int r = 0; r < box_rows; ++r) {
    for (int c = 0; c < per_row; ++c) {
      auto const offset = static_cast<std::uint32_t>(r * box_row_bytes + c * m.element_bytes);
      unsigned char* const here = shared + (with_swizzle(copy.shared + offset) - copy.shared);
      long long const row = copy.y + r;
      long long const col = copy.x + c;
      bool const inside = row >= 0 && row < m.rows && col >= 0 && col < m.cols;
      long long const at = copy.z * m.matrix_bytes + row * m.row_bytes + col * m.element_bytes;
      if (!copy.stores) {
        if (inside) {
          std::memcpy(here, m.data + at, size);
        } else {
          std::memset(here, 0, size);
        }
      } else if (inside) {
        std::memcpy(m.data + at, here, size);
        ++m.written[at / m.element_bytes];
      }
    }
  }
  if (copy.stores) {
    --threads_[static_cast<std::size_t>(copy.owner)].unread_stores[copy.group];
    return;
  }
  std::fill_n(unfenced.begin() + copy.shared / 4, box_rows * box_row_bytes / 4, std::uint16_t{0});
  auto& b = barrier_at(block, copy.barrier);
  b.bytes -= box_rows * box_row_bytes;
  settle(b, copy.barrier);
}

void machine::copy_16_bytes(std::uint32_t to, void const* from, std::uint32_t bytes) {
  pass();
  self().copies.push_back({to, from, bytes});
  if (one_in(4)) {
    carry_out(self().copies.back());
    self().copies.pop_back();
  }
}

void machine::carry_out(small_copy const& copy) {
  auto* const to = bytes_at(self().block, copy.to, 16);
  std::memset(to, 0, 16);
  if (copy.bytes != 0) std::memcpy(to, copy.from, copy.bytes);
}

void machine::copies_commit() { self().copy_groups.push_back(self().copies.size()); }

void machine::copies_wait(int pending) {
  pass();
  auto& t = self();
  if (t.copy_groups.size() <= static_cast<std::size_t>(pending)) return;
  auto const groups = t.copy_groups.size() - static_cast<std::size_t>(pending);
  auto const end = t.copy_groups[groups - 1];
  for (std::size_t i = 0; i < end; ++i) carry_out(t.copies[i]);
  t.copies.erase(t.copies.begin(), t.copies.begin() + static_cast<std::ptrdiff_t>(end));
  t.copy_groups.erase(t.copy_groups.begin(), t.copy_groups.begin() + static_cast<std::ptrdiff_t>(groups));
  for (auto& group : t.copy_groups) group -= end;
}

}  // namespace sigmax::test::emulation
