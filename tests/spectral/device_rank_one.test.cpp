// SPDX-License-Identifier: MIT
// What acts through singular vectors, on matrices in device memory.
#include <doctest/doctest.h>

#include <sigmax/spectral/spectral_hammer.hpp>
#include <sigmax/spectral/spectral_normalize.hpp>
#include <sigmax/spectral/spectral_weight_decay.hpp>

#include "spectral/figures.hpp"
#include "support/emulated_device.hpp"
#include "support/spectra.hpp"

using namespace sigmax::test;
using sigmax::index_t;
using sigmax::matrix;

namespace {

/// verb(backend, matrix, u, v) on the device and on the host, with warm starts from the second call on.
template <class S, class Verb>
void same_on_device(Verb const& verb, index_t count) {
  using T = sigmax::compute_t<S>;
  for (auto const shape : {extents{12, 20}, extents{20, 7}}) {
    auto here = rounded<S>(gaussian(shape.rows, shape.cols, 11));
    emulated_memory device;
    emulated_device<> const on(device);
    auto there = on_device(device, here);
    matrix<T> u(shape.rows, count);
    matrix<T> v(shape.cols, count);
    auto u_there = on_device(device, u);
    auto v_there = on_device(device, v);
    for (int round = 0; round < 3; ++round) {
      auto const expected = verb(products_on_host{}, here, u.view(), v.view());
      auto const found = verb(on, there, u_there.view(), v_there.view());
      CHECK(found.sigma == expected.sigma);
      CHECK(found.residual == expected.residual);
      CHECK(found.factor == expected.factor);
      CHECK(found.changed == expected.changed);
      CHECK(same_bits(on_host(device, there), here));
      CHECK(same_bits(on_host(device, v_there), v));
    }
  }
}

}  // namespace

TEST_CASE_TEMPLATE("hammers give the bits of the host", S, float, sigmax::bf16) {
  for (index_t const count : {1, 3}) {
    same_on_device<S>(
        [=](auto const& on, auto& w, auto u, auto v) {
          return sigmax::spectral_hammer(on, w, {.sigma_max = 3.0, .count = count, .warm_start = true, .u = u, .v = v});
        },
        count);
  }
}

TEST_CASE_TEMPLATE("normalisation and decay give the bits of the host", S, float, sigmax::bf16) {
  same_on_device<S>(
      [](auto const& on, auto& w, auto u, auto v) {
        return sigmax::spectral_normalize(on, w, {.sigma_max = 3.0, .warm_start = true, .u = u.col(0), .v = v.col(0)});
      },
      1);
  same_on_device<S>(
      [](auto const& on, auto& w, auto u, auto v) {
        return sigmax::spectral_weight_decay(on, w, {.decay = 0.25, .warm_start = true, .u = u.col(0), .v = v.col(0)});
      },
      1);
}

TEST_CASE("normalisation on a device ends with a proof if asked") {
  auto here = rounded<float>(gaussian(12, 20, 11));
  emulated_memory device;
  emulated_device<> const on(device);
  auto there = on_device(device, here);
  auto const found = sigmax::spectral_normalize(on, there, {.sigma_max = 3.0, .certified = true});
  auto const expected = sigmax::spectral_normalize(products_on_host{}, here, {.sigma_max = 3.0, .certified = true});
  CHECK(found.factor == expected.factor);
  CHECK(same_bits(on_host(device, there), here));
  CHECK(sigmax::prove_norm_at_most(here, 3.0));
}

TEST_CASE("a product in place of many sums adds the same") {
  auto by_products = rounded<float>(gaussian(12, 20, 11));
  auto one_by_one = by_products;
  (void)sigmax::spectral_hammer(products_on_host{}, by_products, {.sigma_max = 3.0, .count = 3});
  (void)sigmax::spectral_hammer(sigmax::cpu::scalar{}, one_by_one, {.sigma_max = 3.0, .count = 3});
  for (index_t i = 0; i < by_products.size(); ++i) {
    CHECK(by_products.data()[i] == doctest::Approx(one_by_one.data()[i]).epsilon(1e-5));
  }
}
