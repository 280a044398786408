// SPDX-License-Identifier: MIT
// The main of every bench_* program.
#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include <sigmax/config.hpp>

#include "harness/backend_for.hpp"
#include "harness/contest.hpp"
#include "harness/machine.hpp"
#include "harness/options.hpp"
#include "peers/openblas.hpp"

namespace {

/// One line a benchmark, as soon as its median is known.
class progress final : public benchmark::BenchmarkReporter {
 public:
  bool ReportContext(Context const&) override { return true; }
  void ReportRuns(std::vector<Run> const& runs) override {
    for (auto const& run : runs) {
      if (run.error_occurred) std::printf("  %-72s %s\n", run.run_name.str().c_str(), run.error_message.c_str());
      if (run.aggregate_name != "median") continue;
      double const milliseconds = run.GetAdjustedRealTime();
      double const rate = run.counters.at("flops").value / milliseconds * 1e-6;
      std::printf("  %-72s %11.3f ms %9.1f GFLOP/s  %s\n", name_of(run).c_str(), milliseconds, rate,
                  run.report_label.c_str());
    }
    std::fflush(stdout);
  }

 private:
  static std::string name_of(Run const& run) { return run.run_name.function_name; }
};

int run(int argc, char** argv) {
  char** const original = argv;
  std::vector<char*> arguments(argv, argv + argc + 1);
  auto const given = bench::take_options(argc, arguments.data());
  argv = arguments.data();
  if (given.threads > 1 && !bench::backend_has_threads) {
    if (!given.export_folder.empty()) return 0;
    std::printf("  rows of %d threads are off: the backend has no threads yet\n", given.threads);
    return 0;
  }
  std::string const processors = bench::start_again_pinned(given.threads, original);
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  if (given.export_folder.empty()) bench::enter_peak(given, "before");
  bench::enter_contests(given);
  if (bench::entered() == 0) return 0;
  bench::enter_peak(given, "after");

  benchmark::AddCustomContext("processor", bench::processor_name());
  benchmark::AddCustomContext("pinned_to", processors);
  benchmark::AddCustomContext("openblas", bench::peers::openblas_name());
  benchmark::AddCustomContext("sigmax", std::string(sigmax::version) + " " + sigmax::architecture);
  benchmark::AddCustomContext("quick", given.quick ? "yes" : "no");
  progress lines;
  benchmark::RunSpecifiedBenchmarks(&lines, ".");
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (std::exception const& e) {
    std::fprintf(stderr, "%s: %s\n", argv[0], e.what());
    return 2;
  }
}
