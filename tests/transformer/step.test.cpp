// SPDX-License-Identifier: MIT
// What a step of training relies on: no allocation, and bits that do not depend on threads.
#include <cstring>

#include <doctest/doctest.h>

#include <sigmax/backend/simd.hpp>
#include <sigmax/kernels.hpp>

#include "allocations.hpp"
#include "small_models.hpp"
#include "support/allocation_counter.hpp"
#include "support/executors.hpp"

using namespace transformer;
using namespace transformer::test;

long transformer::test::allocations_so_far() { return allocations; }

namespace {

/// Large enough that products are given to several threads.
model_shape threaded_shape() {
  return {.vocabulary = 65, .width = 96, .blocks = 2, .heads = 3, .key_width = 32, .mlp_width = 256, .context = 100};
}

}  // namespace

TEST_CASE_TEMPLATE("a warmed forward and backward pass allocates nothing, whatever the threads", Backend,
                   sigmax::cpu::native, sigmax::cpu::simd<>) {
  auto const shape = threaded_shape();
  model<float> const of(shape, {.ball_radius = 1});
  auto const w = random_parameters<float>(shape, 3);
  auto const batch = random_tokens(shape, 4, shape.context, 5);
  for (int threads : {1, 2}) {
    auto const on = Backend().using_workers(sigmax::executor(threads, sigmax::test::run_backwards));
    activations<float> kept(shape, 4, shape.context);
    parameters<float> gradient(shape);
    auto const step = [&] {
      set_zero(on, gradient);
      forward(on, of, w, batch.inputs, kept);
      cross_entropy_loss(on, batch.targets, 1.0f / 400, kept);
      backward(on, of, w, batch.inputs, kept, gradient);
    };
    step();
    step();
    long const before = allocations;
    step();
    CHECK(allocations == before);
  }
}

TEST_CASE_TEMPLATE("loss and gradient have the same bits on one thread, on two and on three", Backend,
                   sigmax::cpu::native, sigmax::cpu::simd<>) {
  auto const shape = threaded_shape();
  model<float> const of(shape, {.ball_radius = 1});
  auto const w = random_parameters<float>(shape, 3);
  auto const batch = random_tokens(shape, 4, shape.context, 5);
  auto const run = [&](sigmax::executor const& workers) {
    auto const on = Backend().using_workers(workers);
    activations<float> kept(shape, 4, shape.context);
    parameters<float> gradient(shape);
    forward(on, of, w, batch.inputs, kept);
    auto const loss = cross_entropy_loss(on, batch.targets, 1.0f / 400, kept);
    backward(on, of, w, batch.inputs, kept, gradient);
    return std::pair(loss, gradient);
  };
  auto const [loss, gradient] = run(sigmax::executor(1));
  int started = 0;
  for (auto const& workers :
       {sigmax::executor(2, sigmax::test::run_at_once, &started), sigmax::executor(3, sigmax::test::run_backwards)}) {
    auto const [other_loss, other] = run(workers);
    CHECK(other_loss.loss == loss.loss);
    CHECK(other_loss.correct == loss.correct);
    std::vector<sigmax::matrix<float> const*> all;
    for_each_weight(gradient, [&](auto const&, weight_role, auto const& each) { all.push_back(&each); });
    std::size_t i = 0;
    for_each_weight(other, [&](std::string const& name, weight_role, auto const& each) {
      INFO(name);
      CHECK(std::memcmp(each.data(), all[i++]->data(), static_cast<std::size_t>(each.size()) * sizeof(float)) == 0);
    });
  }
  CHECK(started > 2);
}

TEST_CASE("two halves of a batch, one after the other, add up to the gradient of the whole") {
  auto const shape = threaded_shape();
  model<double> const of(shape, {});
  sigmax::cpu::native const on;
  auto const w = random_parameters<double>(shape, 3);
  auto const batch = random_tokens(shape, 4, shape.context, 5);
  activations<double> whole(shape, 4, shape.context);
  auto const expected = gradient_of(on, of, w, batch, whole);
  activations<double> half(shape, 2, shape.context);
  parameters<double> sum(shape);
  for (std::size_t start : {0u, 200u}) {
    std::span const inputs(batch.inputs.data() + start, 200);
    forward(on, of, w, inputs, half);
    cross_entropy_loss(on, std::span(batch.targets.data() + start, 200), 1.0 / 400, half);
    backward(on, of, w, inputs, half, sum);
  }
  CHECK(relative_error(sum.blocks[1].query, expected.blocks[1].query) <= 1e-12);
  CHECK(relative_error(sum.embedding, expected.embedding) <= 1e-12);
  CHECK(relative_error(sum.head, expected.head) <= 1e-12);
}
