// SPDX-License-Identifier: MIT
#include <algorithm>
#include <numeric>
#include <sstream>
#include <utility>

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

}  // namespace

machine& machine::now() { return *running; }

void machine::run(launch_shape const& shape, std::uint64_t seed, unsigned char* memory, std::size_t memory_bytes,
                  std::function<void()> const& kernel) {
  machine m(shape, seed, memory, memory_bytes, kernel);
  struct guard {
    explicit guard(machine& of) { running = &of; }
    ~guard() { running = nullptr; }
  } const runs(m);
  auto const cluster = static_cast<unsigned>(shape.cluster);
  std::vector<unsigned> order(shape.blocks / cluster * shape.batches);
  std::iota(order.begin(), order.end(), 0u);
  for (std::size_t left = order.size(); left > 1; --left) std::swap(order[left - 1], order[m.draw() % left]);
  for (auto const at : order) m.run_cluster(at / shape.batches * cluster, at % shape.batches);
}

machine::machine(launch_shape const& shape, std::uint64_t seed, unsigned char* memory, std::size_t memory_bytes,
                 std::function<void()> const& kernel)
    : shape_(shape), kernel_(kernel), random_(seed * 0xd1342543de82ef95u + 1) {
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
    auto const first = threads_.begin() + static_cast<std::ptrdiff_t>(w) * 32;
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
  wait({waits_for::warp, 0, w.generation});
  return false;
}

void* machine::met(std::size_t lane) { return warps_[static_cast<std::size_t>(self().number / 32)].values[lane]; }

void machine::part() {
  auto& w = warps_[static_cast<std::size_t>(self().number / 32)];
  w.arrived = 0;
  ++w.generation;
}

}  // namespace sigmax::test::emulation
