// SPDX-License-Identifier: MIT
// Estimates on matrices in device memory, which the host cannot read: the bits of the same steps in host memory.
#include <cmath>
#include <cstdint>
#include <cstring>

#include <doctest/doctest.h>

#include <sigmax/core/random.hpp>
#include <sigmax/estimate/block_lanczos.hpp>
#include <sigmax/estimate/lanczos.hpp>
#include <sigmax/estimate/power_iteration.hpp>

#include "support/emulated_device.hpp"

using namespace sigmax::test;
using sigmax::device_space;
using sigmax::index_t;
using sigmax::matrix;

namespace {

template <class S>
matrix<S> gaussian_matrix(index_t m, index_t n, double scale) {
  matrix<double> a(m, n);
  sigmax::fill_normal(a.view(), 7);
  matrix<S> result(m, n);
  for (index_t i = 0; i < a.size(); ++i) result.data()[i] = static_cast<S>(scale * a.data()[i]);
  return result;
}

template <class T>
bool same_bits(matrix<T> const& a, matrix<T> const& b) {
  return a.rows() == b.rows() && a.cols() == b.cols() &&
         std::memcmp(a.data(), b.data(), static_cast<std::size_t>(a.size()) * sizeof(T)) == 0;
}

/// Of vectors, one of them on the device.
template <class T>
bool same_vector(emulated_memory const& device, sigmax::vector_view<T, device_space> a, sigmax::vector_view<T> b) {
  return same_bits(on_host(device, sigmax::as_row(a)), matrix<T>::copy_of(sigmax::as_row(b)));
}

template <class A, class B>
void same_estimate(emulated_memory const& device, A const& found, B const& expected) {
  CHECK(found.sigma == expected.sigma);
  CHECK(found.residual == expected.residual);
  CHECK(found.iterations == expected.iterations);
  CHECK(found.converged == expected.converged);
  CHECK(same_vector(device, found.u, expected.u));
  CHECK(same_vector(device, found.v, expected.v));
}

constexpr double scales[] = {1, 0, 1e30};

}  // namespace

TEST_CASE_TEMPLATE("power iteration and Lanczos on a device take the same steps", S, float, sigmax::bf16) {
  for (double const scale : scales) {
    for (auto const& w : {gaussian_matrix<S>(9, 14, scale), gaussian_matrix<S>(20, 6, scale)}) {
      emulated_memory device;
      emulated_device<> const on(device);
      auto const there = on_device(device, w);
      same_estimate(device, sigmax::power_iteration(on, there), sigmax::power_iteration(products_on_host{}, w));
      same_estimate(device, sigmax::lanczos(on, there), sigmax::lanczos(products_on_host{}, w));
      CHECK(same_bits(on_host(device, there), w));
      CHECK(device.pieces() == 1);
    }
  }
}

TEST_CASE("the products that devices prefer find what modified Gram and Schmidt finds") {
  for (auto const& w : {gaussian_matrix<double>(40, 90, 1), gaussian_matrix<double>(60, 60, 1)}) {
    auto const by_products = sigmax::lanczos(products_on_host{}, w, {.tolerance = 1e-9});
    auto const one_by_one = sigmax::lanczos(sigmax::cpu::scalar{}, w, {.tolerance = 1e-9});
    CHECK(by_products.converged);
    CHECK(by_products.sigma == doctest::Approx(one_by_one.sigma).epsilon(1e-13));
  }
}

TEST_CASE("block Lanczos on a device takes the same steps") {
  for (double const scale : scales) {
    for (auto const& w : {gaussian_matrix<float>(70, 80, scale), gaussian_matrix<float>(20, 6, scale)}) {
      emulated_memory device;
      emulated_device<> const on(device);
      auto const there = on_device(device, w);
      for (index_t const count : {1, 3}) {
        auto const found = sigmax::block_lanczos(on, there, {.count = count, .tolerance = 1e-5f});
        auto const expected = sigmax::block_lanczos(products_on_host{}, w, {.count = count, .tolerance = 1e-5f});
        CHECK(found.converged == expected.converged);
        CHECK(found.iterations == expected.iterations);
        CHECK(same_bits(matrix<float>::copy_of(sigmax::as_row(found.sigma)),
                        matrix<float>::copy_of(sigmax::as_row(expected.sigma))));
        CHECK(same_bits(matrix<float>::copy_of(sigmax::as_row(found.residual)),
                        matrix<float>::copy_of(sigmax::as_row(expected.residual))));
        CHECK(same_bits(on_host(device, found.u), matrix<float>::copy_of(expected.u)));
        CHECK(same_bits(on_host(device, found.v), matrix<float>::copy_of(expected.v)));
      }
    }
  }
}

TEST_CASE("warm starts and storage of the caller's are of the device too") {
  emulated_memory device;
  emulated_device<> const on(device);
  auto const w = gaussian_matrix<float>(70, 80, 1);
  auto const there = on_device(device, w);
  device_matrix<float> u(device.source(), 70, 2);
  device_matrix<float> v(device.source(), 80, 2);
  matrix<float> u_here(70, 2);
  matrix<float> v_here(80, 2);
  {
    sigmax::workspace memory;
    for (bool const warm : {false, true, true}) {
      auto const found = sigmax::block_lanczos(
          on, there, {.count = 2, .warm_start = warm, .u = u.view(), .v = v.view(), .scratch = &memory});
      (void)sigmax::block_lanczos(products_on_host{}, w,
                                  {.count = 2, .warm_start = warm, .u = u_here.view(), .v = v_here.view()});
      CHECK(found.u.data() == u.data());
      CHECK(same_bits(on_host(device, v), v_here));
      auto const single = sigmax::lanczos(on, there, {.warm_start = warm, .v = v.view().col(0), .scratch = &memory});
      auto const expected = sigmax::lanczos(products_on_host{}, w, {.warm_start = warm, .v = v_here.view().col(0)});
      same_estimate(device, single, expected);
    }
    // Once warm, a workspace asks the device for no more.
    int const taken = device.taken();
    device_matrix<float> long_side(device.source(), 1, 70);
    device_matrix<float> short_side(device.source(), 1, 80);
    (void)sigmax::lanczos(on, there, {.u = long_side.view().row(0), .v = short_side.view().row(0), .scratch = &memory});
    CHECK(device.taken() == taken + 2);
    CHECK(memory.device_peak() > 0);
  }
  CHECK(device.pieces() == 3);
}

TEST_CASE("host memory given to a device is noticed") {
  emulated_memory device;
  emulated_device<> const on(device);
  matrix<float> const w(3, 3);
  sigmax::matrix_view<float const, device_space> const wrong(w.data(), 3, 3);
  CHECK_THROWS_AS(sigmax::power_iteration(on, wrong), std::logic_error);
}
