// SPDX-License-Identifier: MIT
/// @file
/// A sign of life while something takes long.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdio>
#include <mutex>
#include <string>
#include <thread>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>

namespace certify_program {

/// How far the work is: so many done, of how many (0: not known yet), and of what. Written by the worker, read by the
/// heartbeat.
struct progress {
  std::atomic<std::size_t> done{0};
  std::atomic<std::size_t> all{0};
  std::atomic<char const*> unit{"layers"};
};

/// From construction to destruction: nothing in the first two seconds; then on a terminal one line with a bar, which
/// disappears in the end, elsewhere a plain line now and then, ever more rarely. Writes to stderr.
class heartbeat {
 public:
  heartbeat(std::string what, progress const& work)
      : what_(std::move(what)), work_(work), terminal_(isatty(STDERR_FILENO) == 1) {
    watcher_ = std::thread([this] { watch(); });
  }
  heartbeat(heartbeat const&) = delete;
  heartbeat& operator=(heartbeat const&) = delete;
  ~heartbeat() {
    {
      std::lock_guard const lock(mutex_);
      done_ = true;
    }
    changed_.notify_one();
    watcher_.join();
  }

 private:
  void watch() {
    using namespace std::chrono_literals;
    auto const start = std::chrono::steady_clock::now();
    std::chrono::milliseconds next = 2s;
    std::size_t widest = 0;
    std::unique_lock lock(mutex_);
    while (!changed_.wait_until(lock, start + next, [this] { return done_; })) {
      std::string const line = text(std::chrono::duration_cast<std::chrono::seconds>(next).count());
      if (terminal_) {
        widest = std::max(widest, line.size());
        fmt::print(stderr, "\r{:<{}}", line, widest);
        std::fflush(stderr);
        next += 500ms;
      } else {
        fmt::print(stderr, "{}\n", line);
        next *= 2;
      }
    }
    if (widest > 0) fmt::print(stderr, "\r{:<{}}\r", "", widest);
  }

  std::string text(long long seconds) const {
    std::size_t const all = work_.all;
    std::size_t const done = std::min<std::size_t>(work_.done, all);
    char const* const unit = work_.unit;
    if (all == 0) return fmt::format("{}: reading, {} s", what_, seconds);
    if (all == 1) return fmt::format("{}: {}, {} s", what_, unit, seconds);
    if (done == all) return fmt::format("{}: all {} {} done, {} s", what_, all, unit, seconds);
    if (!terminal_) return fmt::format("{}: {} of {} {}, {} s", what_, done, all, unit, seconds);
    std::size_t const filled = 24 * done / all;
    return fmt::format("{} [{:#<{}}{:.<{}}] {}/{} {}, {} s", what_, "", filled, "", 24 - filled, done, all, unit,
                       seconds);
  }

  std::string what_;
  progress const& work_;
  bool terminal_;
  bool done_ = false;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::thread watcher_;
};

}  // namespace certify_program
