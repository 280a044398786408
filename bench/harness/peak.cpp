// SPDX-License-Identifier: MIT
#include <thread>
#include <vector>

#include "harness/peak.hpp"

namespace bench {

namespace {

#if defined(__AVX512F__)
constexpr int register_bytes = 64;
constexpr int accumulators = 24;  // of 32 registers
#elif defined(__AVX__)
constexpr int register_bytes = 32;
constexpr int accumulators = 12;  // of 16: two units of latency 4 or 5 keep ten busy
#else
constexpr int register_bytes = 16;
constexpr int accumulators = 12;
#endif

constexpr long rounds = 1'000'000;

/// x <- a x + b in every lane of every accumulator. The compiler contracts it to fused multiply-adds where there are
/// any; the fixed point b / (1 - a) keeps numbers ordinary.
template <class T>
[[gnu::noinline]] T multiply_add_for(long count, T a, T b) {
  typedef T pack __attribute__((vector_size(register_bytes)));
  pack x[accumulators];
  pack const factor = a - pack{};
  pack const addend = b - pack{};
  for (int i = 0; i < accumulators; ++i) x[i] = factor * static_cast<T>(i);
  for (long round = 0; round < count; ++round) {
#pragma GCC unroll 24
    for (int i = 0; i < accumulators; ++i) x[i] = x[i] * factor + addend;
  }
  pack sum = x[0];
  for (int i = 1; i < accumulators; ++i) sum += x[i];
  T total = 0;
  for (int lane = 0; lane < static_cast<int>(register_bytes / sizeof(T)); ++lane) total += sum[lane];
  return total;
}

template <class T>
void multiply_add_on_this_thread() {
  T const volatile a = T(0.5);
  T const volatile b = T(1);
  T const volatile sink = multiply_add_for<T>(rounds, a, b);
  static_cast<void>(sink);
}

}  // namespace

template <class T>
double run_multiply_adds(int threads) {
  std::vector<std::thread> others;
  for (int t = 1; t < threads; ++t) others.emplace_back(multiply_add_on_this_thread<T>);
  multiply_add_on_this_thread<T>();
  for (auto& each : others) each.join();
  return 2.0 * static_cast<double>(rounds) * accumulators * static_cast<double>(register_bytes / sizeof(T)) * threads;
}

template double run_multiply_adds<float>(int threads);
template double run_multiply_adds<double>(int threads);

}  // namespace bench
