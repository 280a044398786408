// SPDX-License-Identifier: MIT
#include "thread_pool.hpp"

namespace programs {

int threads_here() {
  auto const count = static_cast<int>(std::thread::hardware_concurrency());
  return count > 0 ? count : 1;
}

namespace {

/// Loops of a training step follow each other within microseconds: waiting awake for as long is cheaper than sleeping.
constexpr int looks_before_sleep = 4000;

template <class Condition>
bool waited_awake(Condition const& holds) {
  for (int i = 0; i < looks_before_sleep; ++i) {
    if (holds()) return true;
    if (i % 64 == 63) std::this_thread::yield();
  }
  return false;
}

}  // namespace

thread_pool::thread_pool(int count) {
  for (int i = 1; i < count; ++i) threads_.emplace_back([this, i] { work(i); });
}

thread_pool::~thread_pool() {
  {
    std::lock_guard const lock(sleep_);
    loop_.fetch_or(1);
  }
  wake_.notify_all();
  for (auto& thread : threads_) thread.join();
}

void thread_pool::do_parts(int first) {
  int const step = static_cast<int>(threads_.size()) + 1;
  for (int part = first; part < parts_; part += step) body_(data_, part);
}

void thread_pool::run(void* self, int parts, sigmax::executor::body_function body, void const* data) {
  auto& pool = *static_cast<thread_pool*>(self);
  pool.parts_ = parts;
  pool.body_ = body;
  pool.data_ = data;
  pool.busy_ = static_cast<int>(pool.threads_.size());
  {
    std::lock_guard const lock(pool.sleep_);
    pool.loop_.fetch_add(2);
  }
  pool.wake_.notify_all();
  pool.do_parts(0);
  while (!waited_awake([&] { return pool.busy_ == 0; })) std::this_thread::yield();
}

void thread_pool::work(int first) {
  // `threads_` grows while the first threads start; no loop runs before all have.
  for (std::uint64_t seen = 0;;) {
    auto const has_next = [&] { return loop_ != seen; };
    if (!waited_awake(has_next)) {
      std::unique_lock lock(sleep_);
      wake_.wait(lock, has_next);
    }
    seen = loop_;
    if ((seen & 1) != 0) return;
    do_parts(first);
    --busy_;
  }
}

}  // namespace programs
