// SPDX-License-Identifier: MIT
// Every spectral function on matrices in device memory, which the host cannot read: the bits of the host.

#include <doctest/doctest.h>

#include "spectral/verbs.hpp"
#include "support/emulated_device.hpp"

using namespace sigmax::test;
using sigmax::index_t;
using sigmax::matrix;

TEST_CASE_TEMPLATE("every function gives the bits of the host", S, float, sigmax::bf16) {
  for_each_verb([](auto verb) {
    for (auto const shape : {extents{12, 20}, extents{20, 7}, extents{9, 9}, extents{1, 5}}) {
      auto const w = ordinary<S>(shape.rows, shape.cols, 21);
      emulated_memory device;
      {
        emulated_device<> const on(device);
        auto there = on_device(device, w);
        auto here = w;
        verb.run(on, there, 1);
        verb.run(products_on_host{}, here, 1);
        CHECK(same_bits(on_host(device, there), here));
        CHECK((shape.rows == 1 || !same_bits(here, w)));

        // A column-major block of something larger, with a workspace that is warm the second time.
        device_matrix<S> larger(device.source(), shape.cols + 3, shape.rows + 2);
        auto const block = larger.view().block(1, 2, shape.cols, shape.rows).transposed();
        auto const place = device.seen_by_host(block);
        sigmax::workspace memory;
        int taken = 0;
        for (int round = 0; round < 3; ++round) {
          for (index_t i = 0; i < shape.rows; ++i) {
            for (index_t j = 0; j < shape.cols; ++j) place(i, j) = w(i, j);
          }
          taken = device.taken();
          verb.run(on, block, 1, &memory);
          CHECK(same_bits(on_host(device, block), here));
        }
        CHECK(device.taken() == taken);
        CHECK(memory.device_peak() > 0);
      }
      CHECK(device.pieces() == 0);
    }
  });
}

TEST_CASE("without the ways of devices they are the bits of cpu::scalar") {
  auto const w = ordinary<float>(12, 20, 21);
  emulated_memory device;
  emulated_device<> const on(device);
  for_each_verb([&](auto verb) {
    auto there = on_device(device, w);
    auto here = w;
    verb.run(on, there, 1);
    verb.run(sigmax::cpu::scalar{}, here, 1);
    bool const takes_triplets =
        std::is_same_v<decltype(verb), verbs::hard<sigmax::hard_cap_path::deflation>>;  // found by Lanczos
    CHECK((takes_triplets || same_bits(on_host(device, there), here)));
  });
}

TEST_CASE("batches in device memory") {
  emulated_memory device;
  emulated_device<> const on(device);
  matrix<float> here(3 * 5, 4);
  sigmax::fill_normal(here.view(), 3);
  auto there = on_device(device, here);
  sigmax::orthogonalize(on, sigmax::strided_batch<float, sigmax::device_space>(there.view().block(0, 0, 5, 4), 3, 20));
  sigmax::orthogonalize(sigmax::cpu::scalar{}, sigmax::strided_batch<float>(here.view().block(0, 0, 5, 4), 3, 20));
  CHECK(same_bits(on_host(device, there), here));
}

TEST_CASE("what is wrong is found before anything is written") {
  emulated_memory device;
  emulated_device<> const on(device);
  auto w = ordinary<float>(6, 9, 5);
  auto there = on_device(device, w);
  CHECK_THROWS_AS(sigmax::soft_cap(on, there, {.sigma_max = 0.1, .update_norm = 0.01}), sigmax::domain_error);
  CHECK(same_bits(on_host(device, there), w));
  w(3, 4) = std::numeric_limits<float>::infinity();
  there = on_device(device, w);
  CHECK_THROWS_AS(sigmax::orthogonalize(on, there), sigmax::numeric_error);
  CHECK(same_bits(on_host(device, there), w));
}
