// SPDX-License-Identifier: MIT
/// @file
/// Times on a device and the rows of the CUDA benchmarks: a table on the standard output, JSON where --json names a file.
#pragma once

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

#include <cuda_runtime_api.h>

namespace sigmax::bench {

inline void check(cudaError_t code, char const* call) {
  if (code != cudaSuccess) throw std::runtime_error(std::string(call) + ": " + cudaGetErrorString(code));
}

/// What a row says: who did what to which shape, how long it took and how wrong it was.
struct row {
  std::string work;
  std::string shape;
  std::string contender;
  double milliseconds;
  double flops;  // 0: no rate
  double bytes;  // 0: no rate
  double error;  // negative: not measured
};

class rows {
 public:
  void add(row const& added) {
    all_.push_back(added);
    std::printf("%-26s %-20s %-24s %10.4f ms", added.work.c_str(), added.shape.c_str(), added.contender.c_str(),
                added.milliseconds);
    if (added.flops > 0) std::printf(" %8.2f TFLOP/s", added.flops / added.milliseconds * 1e-9);
    if (added.bytes > 0) std::printf(" %8.1f GB/s", added.bytes / added.milliseconds * 1e-6);
    if (added.error >= 0) std::printf("  error %.2e", added.error);
    std::printf("\n");
    std::fflush(stdout);
  }

  void write(char const* path) const {
    std::ofstream out(path);
    out << "{\"rows\": [";
    char const* separator = "\n";
    for (auto const& r : all_) {
      char numbers[256];
      std::snprintf(numbers, sizeof numbers,
                    "\"milliseconds\": %.9g, \"flops\": %.9g, \"bytes\": %.9g, \"error\": ", r.milliseconds, r.flops,
                    r.bytes);
      out << separator << "  {\"work\": \"" << r.work << "\", \"shape\": \"" << r.shape << "\", \"contender\": \""
          << r.contender << "\", " << numbers;
      if (r.error >= 0) {
        std::snprintf(numbers, sizeof numbers, "%.9g", r.error);
        out << numbers << "}";
      } else {
        out << "null}";
      }
      separator = ",\n";
    }
    out << "\n]}\n";
    if (!out) throw std::runtime_error(std::string("cannot write ") + path);
  }

 private:
  std::vector<row> all_;
};

/// The median of several measured times of `work`, which queues its work on the stream; each covers as many calls as take
/// two milliseconds or more.
template <class F>
double median_milliseconds(cudaStream_t on, F const& work, int samples = 7) {
  cudaEvent_t begin = nullptr;
  cudaEvent_t end = nullptr;
  check(cudaEventCreate(&begin), "cudaEventCreate");
  check(cudaEventCreate(&end), "cudaEventCreate");
  auto const time = [&](int calls) {
    check(cudaEventRecord(begin, on), "cudaEventRecord");
    for (int i = 0; i < calls; ++i) work();
    check(cudaEventRecord(end, on), "cudaEventRecord");
    check(cudaEventSynchronize(end), "cudaEventSynchronize");
    float milliseconds = 0;
    check(cudaEventElapsedTime(&milliseconds, begin, end), "cudaEventElapsedTime");
    return static_cast<double>(milliseconds) / calls;
  };
  time(1);
  double const once = time(2);
  int const calls = std::clamp(static_cast<int>(2.0 / std::max(once, 1e-3)), 1, 200);
  std::vector<double> times;
  for (int i = 0; i < samples; ++i) times.push_back(time(calls));
  std::sort(times.begin(), times.end());
  check(cudaEventDestroy(begin), "cudaEventDestroy");
  check(cudaEventDestroy(end), "cudaEventDestroy");
  return times[times.size() / 2];
}

}  // namespace sigmax::bench
