// SPDX-License-Identifier: MIT
#include <chrono>
#include <memory>
#include <thread>
#include <utility>

#include <benchmark/benchmark.h>

#include "harness/contest.hpp"
#include "harness/peak.hpp"

namespace bench {

namespace {

int count = 0;

/// Only one contender holds memory at a time.
struct stage {
  std::string name;
  prepared ready;
  verdict judged;
};

std::unique_ptr<stage>& current() {
  static std::unique_ptr<stage> instance;
  return instance;
}

/// Ends the turn of the contender before. Its threads, where it had any, spin for some time after their last work (2^26
/// ticks in OpenBLAS): they are given the time to fall asleep.
void clear_stage(int threads) {
  if (current() == nullptr) return;
  current().reset();
  if (threads > 1) std::this_thread::sleep_for(std::chrono::milliseconds(100));
}

void set_repetitions(benchmark::internal::Benchmark* registered, options const& given) {
  registered->UseRealTime()
      ->MeasureProcessCPUTime()
      ->Unit(benchmark::kMillisecond)
      ->MinTime(given.quick ? 0.02 : 0.1)
      ->Repetitions(given.quick ? 5 : 7)
      ->ReportAggregatesOnly(true);
}

}  // namespace

std::string name_of(options const& given, task const& what) {
  std::string const shape = what.rows > 0 ? std::to_string(what.rows) + "x" + std::to_string(what.cols) : "-";
  return what.work + "/" + what.variant + "/" + what.scalar + "/" + shape + "/t" + std::to_string(given.threads);
}

void enter(options const& given, task const& what, contender who) {
  std::string const name = name_of(given, what) + "/" + who.name;
  bool const ours = who.name.starts_with("sigmax");
  if (!given.export_folder.empty() || !given.matches(name) || !(ours || given.peers)) return;
  ++count;
  auto const body = [name, threads = given.threads, who = std::move(who)](benchmark::State& state) {
    if (current() == nullptr || current()->name != name) {
      clear_stage(threads);
      current() = std::make_unique<stage>(stage{name, who.prepare(), {}});
      current()->ready.run();  // twice: memory that a workspace took piece by piece is merged for the second
      current()->ready.run();
      current()->judged = current()->ready.judge();
    }
    for (auto const& unused : state) {
      static_cast<void>(unused);
      current()->ready.run();
    }
    auto const& judged = current()->judged;
    state.counters["flops"] = who.flops;
    state.counters["error"] = judged.error;
    state.counters["holds"] = judged.holds ? 1 : 0;
    state.SetLabel(judged.note);
  };
  set_repetitions(benchmark::RegisterBenchmark(name.c_str(), body), given);
}

void enter_peak(options const& given, std::string const& when) {
  auto const enter_one = [&](std::string const& scalar, int threads, auto measure) {
    std::string const name = "fma_peak/" + when + "/" + scalar + "/-/t" + std::to_string(threads) + "/sigmax";
    auto const body = [given, threads, measure](benchmark::State& state) {
      clear_stage(given.threads);
      double flops = measure(threads);
      for (auto const& unused : state) {
        static_cast<void>(unused);
        flops = measure(threads);
      }
      state.counters["flops"] = flops;
    };
    set_repetitions(benchmark::RegisterBenchmark(name.c_str(), body), given);
  };
  for (int const threads : {1, given.threads}) {
    enter_one("f32", threads, run_multiply_adds<float>);
    enter_one("f64", threads, run_multiply_adds<double>);
    if (given.threads == 1) break;
  }
}

int entered() { return count; }

}  // namespace bench
