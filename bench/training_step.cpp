// SPDX-License-Identifier: MIT
// A warmed training step allocates nothing: orthogonalize, soft cap and proof of one weight, with every operator new of
// the program counted.
#include <cmath>
#include <memory>

#include <fmt/format.h>

#include <sigmax/core/matrix.hpp>
#include <sigmax/core/random.hpp>
#include <sigmax/core/workspace.hpp>

#include "../tests/support/allocation_counter.hpp"
#include "data/weight_step.hpp"
#include "harness/backend_for.hpp"
#include "harness/contest.hpp"

namespace bench {

namespace {

struct state {
  sigmax::matrix<float> w, gradient, update;
  sigmax::workspace memory;
  bool proved = false;

  state(index_t m, index_t n) : w(m, n), gradient(m, n), update(m, n) {
    sigmax::fill_normal(w.view(), 1);
    sigmax::fill_normal(gradient.view(), 2);
    // A norm of about a half.
    float const scale = 0.5f / (std::sqrt(static_cast<float>(m)) + std::sqrt(static_cast<float>(n)));
    for (index_t i = 0; i < w.size(); ++i) w.data()[i] *= scale;
  }
};

void enter_shape(options const& given, index_t m, index_t n) {
  task const what{.work = "training_step", .rows = m, .cols = n};
  auto const on = backend_for(given.threads);
  enter(given, what, {"sigmax", weight_step_flops(m, n).with_proof(), [=] {
                        auto const s = std::make_shared<state>(m, n);
                        weight_step const step{s->w.view(), s->gradient.view(), s->update.view()};
                        auto const run = [=] {
                          step.orthogonalize(on, s->memory);
                          step.cap(on, s->memory);
                          s->proved = step.prove(on, s->memory);
                        };
                        auto const judge = [=] {
                          long const start = allocations;
                          step.orthogonalize(on, s->memory);
                          long const orthogonalized = allocations;
                          step.cap(on, s->memory);
                          long const capped = allocations;
                          s->proved = step.prove(on, s->memory);
                          long const end = allocations;
                          return verdict{
                              .holds = end == start && s->proved,
                              .note = fmt::format("{} allocations (orthogonalize {}, soft cap {}, proof {}), {}",
                                                  end - start, orthogonalized - start, capped - orthogonalized,
                                                  end - capped, s->proved ? "proved" : "not proved")};
                        };
                        return prepared{run, judge};
                      }});
}

}  // namespace

void enter_contests(options const& given) {
  if (given.threads > 1) return;
  enter_shape(given, 512, 512);
  if (!given.quick) enter_shape(given, 768, 3072);
}

}  // namespace bench
