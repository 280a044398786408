// SPDX-License-Identifier: MIT
// Every constraint on weights in device memory.
#include <doctest/doctest.h>

#include <sigmax/constraint/clipped_weight_decay.hpp>
#include <sigmax/constraint/hard_cap.hpp>
#include <sigmax/constraint/none.hpp>
#include <sigmax/constraint/sequence.hpp>
#include <sigmax/constraint/soft_cap.hpp>
#include <sigmax/constraint/spectral_hammer.hpp>
#include <sigmax/constraint/spectral_normalize.hpp>
#include <sigmax/constraint/spectral_weight_decay.hpp>
#include <sigmax/constraint/stiefel.hpp>
#include <sigmax/constraint/weight_decay.hpp>

#include "constraint/weights.hpp"
#include "support/emulated_device.hpp"

using namespace sigmax::test;
namespace constraint = sigmax::constraint;

TEST_CASE_TEMPLATE("every constraint gives the bits of the host, and proves as much", S, float, sigmax::bf16) {
  auto const check = [](auto const& c) {
    INFO(c.name);
    for (auto const shape : weight_shapes) {
      emulated_memory device;
      emulated_device<> const on(device);
      auto here = random_weight<S>(shape.rows, shape.cols, 3, 1.2);
      auto there = on_device(device, here);
      for (int round = 0; round < 2; ++round) {
        constraint::step_info const step{.learning_rate = 0.1, .update_norm = round == 0 ? 0.22 : 0.5};
        auto const expected = apply(products_on_host{}, c, here, step);
        CHECK(apply(on, c, there, step) == expected);
        CHECK(same_bits(on_host(device, there), here));
      }
      CHECK(device.pieces() == 1);
    }
  };
  check(constraint::none{});
  check(constraint::weight_decay{.decay = 1.0});
  check(constraint::clipped_weight_decay{.decay = 0.1, .sigma_max = 0.5});
  check(constraint::spectral_weight_decay{.decay = 0.1});
  check(constraint::spectral_normalize{.sigma_max = 1.0});
  check(constraint::spectral_normalize{.sigma_max = 1.0, .certified = true});
  check(constraint::stiefel{.certified = true});
  check(constraint::soft_cap{.sigma_max = 1.0, .certified = true});
  check(constraint::hard_cap{.sigma_max = 0.5, .certified = true});
  check(constraint::spectral_hammer{.sigma_max = 1.0, .count = 2, .certified = true});
  check(constraint::sequence{constraint::weight_decay{.decay = 1.0}, constraint::stiefel{}});
}
