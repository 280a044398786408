// SPDX-License-Identifier: MIT
/// @file
/// The threads of a program: started once, used for every parallel loop.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>
#include <vector>

#include <sigmax/core/parallel.hpp>

namespace programs {

/// As many as this machine executes at once, at least 1.
int threads_here();

/// `count` threads, the caller's among them. One loop at a time.
class thread_pool {
 public:
  explicit thread_pool(int count);
  ~thread_pool();
  thread_pool(thread_pool const&) = delete;
  thread_pool& operator=(thread_pool const&) = delete;

  /// For a backend, which must not outlive this.
  sigmax::executor workers() { return {static_cast<int>(threads_.size()) + 1, run, this}; }

 private:
  static void run(void* self, int parts, sigmax::executor::body_function body, void const* data);
  void work(int first);
  /// Parts first, first + threads, ... of the loop that runs.
  void do_parts(int first);

  int parts_ = 0;
  sigmax::executor::body_function body_ = nullptr;
  void const* data_ = nullptr;
  /// Counts loops; its lowest bit says that the pool ends.
  std::atomic<std::uint64_t> loop_ = 0;
  std::atomic<int> busy_ = 0;
  std::mutex sleep_;
  std::condition_variable wake_;
  std::vector<std::thread> threads_;
};

}  // namespace programs
