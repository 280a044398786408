// SPDX-License-Identifier: MIT
// The model and its training in the memory of a device, without a device.
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <sigmax/kernels.hpp>

#include "device_cases.hpp"
#include "emulated_device.hpp"
#include "support/executors.hpp"
#include "transformer/trainer_on.hpp"

using namespace transformer;
using namespace transformer::test;

namespace {

/// Devices that fail where they orthogonalize, as long as they are to.
struct failures {
  bool wanted = false;
  std::vector<int> seen;  ///< lanes, in the order in which they failed
};

class failing_device : public emulated_device {
 public:
  failing_device(sigmax::test::emulated_memory& memory, failures& of, int lane)
      : emulated_device(memory), failures_(&of), lane_(lane) {}

  failing_device using_scratch(sigmax::workspace& scratch) const {
    emulated_device::using_scratch(scratch);
    return *this;
  }
  template <sigmax::real T>
  void gram(given<T> alpha, matrix_in<T> x, given<T> beta, matrix_in<T> c,
            sigmax::matrix_view<T, sigmax::device_space> g) const {
    if (failures_->wanted) {
      failures_->seen.push_back(lane_);
      throw sigmax::numeric_error("lane " + std::to_string(lane_));
    }
    emulated_device::gram<T>(alpha, x, beta, c, g);
  }

 private:
  failures* failures_;
  int lane_;
};

}  // namespace

TEST_CASE("the model in device memory has the losses and derivatives of that in host memory") {
  sigmax::test::emulated_memory memory;
  check_model_on(emulated_device(memory));
  CHECK(memory.pieces() == 0);
}

TEST_CASE("training in device memory is that in host memory, inside the caps, and checkpoints move between them") {
  sigmax::test::emulated_memory memory;
  check_training_on([&](run_settings const& settings, corpus const& text, int lanes) {
    emulated_device const device(memory);
    sigmax::cpu::native const host(sigmax::executor(lanes, sigmax::test::run_backwards));
    return std::make_unique<trainer_on<emulated_device>>(
        host, device, settings, text, std::vector<emulated_device>(static_cast<std::size_t>(lanes), device));
  });
  CHECK(memory.pieces() == 0);
}

TEST_CASE("where several lanes fail, what the first of them threw is thrown, and all others are done") {
  sigmax::test::emulated_memory memory;
  failures of;
  {
    auto const text = make_corpus(pattern(2000), 20);
    sigmax::cpu::native const host(sigmax::executor(3, sigmax::test::run_backwards));
    std::vector<failing_device> lanes;
    for (int lane = 0; lane < 3; ++lane) lanes.emplace_back(memory, of, lane);
    trainer_on<failing_device> there(host, lanes[0], small_settings(), text, lanes);
    there.step();
    of.wanted = true;
    CHECK_THROWS_WITH_AS(there.step(), "lane 0", sigmax::numeric_error);
    CHECK(of.seen == std::vector<int>{2, 1, 0});  // each went on to its own end, the first lane last
    of.wanted = false;
    CHECK(there.step().caps.violations == 0);
  }
  CHECK(memory.pieces() == 0);
}
