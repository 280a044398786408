// SPDX-License-Identifier: MIT
// Counts every allocation of this executable: a warmed constraint makes none.

#include <vector>

#include <doctest/doctest.h>

#include <sigmax/constraint/clipped_weight_decay.hpp>
#include <sigmax/constraint/hard_cap.hpp>
#include <sigmax/constraint/sequence.hpp>
#include <sigmax/constraint/soft_cap.hpp>
#include <sigmax/constraint/spectral_hammer.hpp>
#include <sigmax/constraint/spectral_normalize.hpp>
#include <sigmax/constraint/spectral_weight_decay.hpp>
#include <sigmax/constraint/stiefel.hpp>
#include <sigmax/constraint/weight_decay.hpp>
#include <sigmax/core/row_blocks.hpp>

#include "constraint/weights.hpp"
#include "support/allocation_counter.hpp"

using namespace sigmax::test;
namespace constraint = sigmax::constraint;

TEST_CASE_TEMPLATE("the second call with a workspace allocates nothing", S, float, double, sigmax::bf16) {
  auto const each = [](auto const& c) {
    for (auto const shape : weight_shapes) {
      sigmax::workspace scratch;
      std::vector<sigmax::matrix<S>> batch = {random_weight<S>(shape.rows, shape.cols, 1, 3),
                                              random_weight<S>(6, 8, 2, 0.5)};
      auto const start = batch;
      for (int round = 0; round < 3; ++round) {
        for (std::size_t i = 0; i < batch.size(); ++i) batch[i] = start[i];
        auto single = start[0];
        long const before = allocations;
        // Within the domain of the soft cap and outside it.
        for (double const update_norm : {0.2, 5.0}) {
          constraint::apply(c, batch, {.learning_rate = 0.1, .update_norm = update_norm, .scratch = &scratch});
          constraint::apply(c, single, {.learning_rate = 0.1, .update_norm = update_norm, .scratch = &scratch});
          constraint::apply(c, sigmax::row_blocks(batch[1], 2), {.learning_rate = 0.1, .scratch = &scratch});
        }
        long const during = allocations - before;
        CAPTURE(round);
        if (round > 0) CHECK(during == 0);
      }
    }
  };
  each(constraint::weight_decay{.decay = 1.0});
  each(constraint::spectral_weight_decay{.decay = 0.1});
  each(constraint::clipped_weight_decay{.decay = 0.1, .sigma_max = 0.5});
  for (bool const certified : {false, true}) {
    each(constraint::spectral_normalize{.sigma_max = 0.5, .certified = certified});
    each(constraint::stiefel{.certified = certified});
    each(constraint::hard_cap{.sigma_max = 0.5, .certified = certified});
    each(constraint::soft_cap{.sigma_max = 1.0, .norm = sigmax::norm::rms, .certified = certified});
    each(constraint::spectral_hammer{.sigma_max = 0.5, .certified = certified});
    each(constraint::sequence{constraint::weight_decay{.decay = 1.0},
                              constraint::spectral_normalize{.sigma_max = 0.5, .certified = certified}});
  }
}
