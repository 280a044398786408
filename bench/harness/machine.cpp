// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <stdexcept>
#include <string>
#include <unistd.h>

#include <sched.h>

#include "harness/machine.hpp"

namespace bench {

namespace {

constexpr char const* mark = "SIGMAX_BENCH_PINNED_TO";

/// Narrows this process to its last `count` processors.
std::string pin_to_last_processors(int count) {
  cpu_set_t allowed;
  if (sched_getaffinity(0, sizeof allowed, &allowed) != 0) throw std::runtime_error("sched_getaffinity failed");
  if (CPU_COUNT(&allowed) < count) {
    throw std::runtime_error("--threads is " + std::to_string(count) + ", but this process may use only " +
                             std::to_string(CPU_COUNT(&allowed)) + " processors");
  }
  cpu_set_t chosen;
  CPU_ZERO(&chosen);
  std::string names;
  for (unsigned cpu = CPU_SETSIZE; cpu-- > 0 && CPU_COUNT(&chosen) < count;) {
    if (!CPU_ISSET(cpu, &allowed)) continue;
    CPU_SET(cpu, &chosen);
    names = std::to_string(cpu) + (names.empty() ? "" : ",") + names;
  }
  if (sched_setaffinity(0, sizeof chosen, &chosen) != 0) throw std::runtime_error("sched_setaffinity failed");
  return names;
}

}  // namespace

std::string start_again_pinned(int threads, char** argv) {
  if (char const* const pinned_to = std::getenv(mark)) return pinned_to;
  std::string const processors = pin_to_last_processors(threads);
  for (char const* const name : {"OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"}) unsetenv(name);
  std::string const count = std::to_string(threads);
  for (char const* const name : {"OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"}) {
    setenv(name, count.c_str(), 1);
  }
  setenv(mark, processors.c_str(), 1);
  execv("/proc/self/exe", argv);
  throw std::runtime_error("cannot start /proc/self/exe again");
}

std::string processor_name() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("model name")) return line.substr(line.find(':') + 2);
  }
  return "unknown processor";
}

long last_level_cache() {
  long bytes = 0;
  for (int level = 0; level < 8; ++level) {
    std::ifstream file("/sys/devices/system/cpu/cpu0/cache/index" + std::to_string(level) + "/size");
    long size = 0;
    char unit = 0;
    if (!(file >> size >> unit)) break;
    bytes = std::max(bytes, size * (unit == 'M' ? 1L << 20 : unit == 'K' ? 1L << 10 : 1L));
  }
  return bytes;
}

}  // namespace bench
