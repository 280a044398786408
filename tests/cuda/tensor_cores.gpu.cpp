// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cmath>
#include <vector>

#include <doctest/doctest.h>

#include <sigmax/cuda/product_plans.hpp>
#include <sigmax/cuda/symmetric.hpp>

#include "cuda/tensor_cores.hpp"

using namespace sigmax;
using sigmax::test::device_operand;
using sigmax::test::noise;

namespace {

constexpr gpu::operand_kind kinds[] = {gpu::operand_kind::bf16, gpu::operand_kind::f16, gpu::operand_kind::tf32};

double unit(gpu::operand_kind kind) { return kind == gpu::operand_kind::bf16 ? 0x1p-8 : 0x1p-11; }

struct symmetric_case {
  gpu::operand_kind kind;
  gpu::tensor_kernel kernel;
  index_t m, n, padding;
  int count;
  bool addend, in_place;
  gpu::coefficients k;
};

/// D against the product in double; that it is symmetric to the last bit; that padding keeps its NaN.
void check_symmetric(gpu::stream const& on, symmetric_case const& c, float* scratch = nullptr,
                     std::size_t scratch_bytes = 0) {
  index_t const row = (c.m + 7) / 8 * 8 + c.padding;
  device_operand a(on, c.kind, c.m, c.n, c.n + c.padding, c.count);
  device_operand b(on, c.kind, c.m, c.n, c.n + c.padding, c.count);
  device_operand addend(on, c.kind, c.m, c.m, row, c.count);
  device_operand own(on, c.kind, c.m, c.m, row, c.count);
  auto const symmetric_noise = [](int z, index_t i, index_t j) { return noise(3)(z, std::max(i, j), std::min(i, j)); };
  a.set(noise(1));
  b.set(noise(2));
  addend.set(symmetric_noise);
  std::vector<float> kept;
  for (int z = 0; z < c.count; ++z) {
    for (index_t i = 0; i < c.m; ++i) {
      for (index_t j = 0; j < c.m; ++j) kept.push_back(addend(z, i, j));
    }
  }
  gpu::symmetric_options options;
  options.same = c.k;
  options.kernel = c.kernel;
  options.scratch = scratch;
  options.scratch_bytes = scratch_bytes;
  auto& d = c.in_place ? addend : own;
  gpu::symmetric_product(on, c.kind, a.view(), b.view(), c.addend ? addend.view() : gpu::device_batch{}, d.view(),
                         options);
  d.fetch();
  double error = 0;
  double size = 0;
  int unsymmetric = 0;
  int overwritten = 0;
  for (int z = 0; z < c.count; ++z) {
    for (index_t i = 0; i < c.m; ++i) {
      for (index_t j = 0; j <= i; ++j) {
        double sum = 0;
        for (index_t k = 0; k < c.n; ++k) sum += static_cast<double>(a(z, i, k)) * static_cast<double>(b(z, j, k));
        sum *= static_cast<double>(c.k.alpha);
        if (c.addend) {
          sum += static_cast<double>(c.k.beta) *
                 static_cast<double>(kept[static_cast<std::size_t>((z * c.m + i) * c.m + j)]);
        }
        if (i == j) sum += static_cast<double>(c.k.diagonal);
        error = std::fmax(error, std::fabs(static_cast<double>(d(z, i, j)) - sum));
        size = std::fmax(size, std::fabs(sum));
        unsymmetric += d(z, i, j) == d(z, j, i) ? 0 : 1;
      }
      for (index_t j = c.m; j < row && !c.in_place; ++j) overwritten += std::isnan(d(z, i, j)) ? 0 : 1;
    }
  }
  CAPTURE(static_cast<int>(c.kind));
  CAPTURE(static_cast<int>(c.kernel));
  CAPTURE(c.m);
  CAPTURE(c.n);
  CHECK(error <= unit(c.kind) * size + 1e-6);
  CHECK(unsymmetric == 0);
  CHECK(overwritten == 0);
}

TEST_CASE("symmetric products of every shape on every kernel") {
  gpu::stream const on;
  for (auto const kind : kinds) {
    for (auto const kernel : {gpu::tensor_kernel::any_shape, gpu::tensor_kernel::automatic}) {
      for (index_t const m : {1, 7, 8, 65, 127, 128, 129, 257}) {
        for (index_t const n : {8, 72, 136}) {
          check_symmetric(on, {kind, kernel, m, n, 0, 1, false, false, {1, 0, 0}});
          check_symmetric(on, {kind, kernel, m, n, 8, 2, true, m % 2 == 0, {0.5f, -1.5f, 2}});
        }
      }
      check_symmetric(on,
                      {kind, kernel, 33, 19, 3, 2, true, false, {0.5f, 2, 0}});  // rows not at multiples of 16 bytes
    }
  }
}

TEST_CASE("the kernels for sm_90 by name") {
  gpu::stream const on;
  for (auto const kind : kinds) {
    for (auto const kernel : {gpu::tensor_kernel::hopper_128x2, gpu::tensor_kernel::hopper_256x2}) {
      try {
        for (index_t const m : {8, 128, 200, 400}) {
          check_symmetric(on, {kind, kernel, m, 264, 0, 2, true, false, {0.5f, 0.5f, 1}});
        }
      } catch (gpu::architecture_error const&) {
        MESSAGE("skipped: the device is not of compute capability 9.0");
        return;
      }
    }
  }
}

TEST_CASE("a split inner dimension gives the product, with the same bits every time") {
  gpu::stream const on;
  index_t const m = 136;
  index_t const n = 12000;
  for (auto const kind : kinds) {
    auto const bytes = gpu::symmetric_scratch_bytes(kind, m, n, 1);
    void* scratch = nullptr;
    gpu::detail::check(gpu::library::take_memory(on, bytes + 16, &scratch), "test");
    check_symmetric(on, {kind, gpu::tensor_kernel::automatic, m, n, 0, 1, true, false, {0.5f, 0.5f, 1}},
                    static_cast<float*>(scratch), bytes);
    device_operand x(on, kind, m, n, n, 1);
    device_operand first(on, kind, m, m, m, 1);
    device_operand again(on, kind, m, m, m, 1);
    x.set(noise(5));
    gpu::symmetric_options options;
    options.scratch = static_cast<float*>(scratch);
    options.scratch_bytes = bytes;
    gpu::gram(on, kind, x.view(), {}, first.view(), options);
    first.fetch();
    for (int run = 0; run < 5; ++run) {
      gpu::gram(on, kind, x.view(), {}, again.view(), options);
      again.fetch();
      int different = 0;
      for (index_t i = 0; i < m; ++i) {
        for (index_t j = 0; j < m; ++j) different += first(0, i, j) == again(0, i, j) ? 0 : 1;
      }
      CHECK(different == 0);
    }
    gpu::detail::check(gpu::library::give_back_memory(on, scratch), "test");
  }
}

TEST_CASE("general products through cuBLASLt, D apart from C") {
  gpu::stream const on;
  std::size_t const bytes = std::size_t{8} << 20;
  void* workspace = nullptr;
  gpu::detail::check(gpu::library::take_memory(on, bytes, &workspace), "test");
  {
    gpu::product_plans plans(workspace, bytes);
    for (auto const kind : kinds) {
      for (bool const addend : {false, true}) {
        index_t const m = 40;
        index_t const k = 24;
        index_t const n = 72;
        device_operand a(on, kind, m, k, k + 8, 2);
        device_operand b(on, kind, k, n, n, 2);
        device_operand c(on, kind, m, n, n, 2);
        device_operand d(on, kind, m, n, n + 8, 2);
        a.set(noise(1));
        b.set(noise(2));
        c.set(noise(3));
        plans.multiply(on, kind, 0.5f, a.view(), b.view(), -2, addend ? c.view() : gpu::device_batch{}, d.view());
        d.fetch();
        double error = 0;
        for (int z = 0; z < 2; ++z) {
          for (index_t i = 0; i < m; ++i) {
            for (index_t j = 0; j < n; ++j) {
              double sum = 0;
              for (index_t l = 0; l < k; ++l) sum += static_cast<double>(a(z, i, l)) * static_cast<double>(b(z, l, j));
              sum = 0.5 * sum - (addend ? 2 * static_cast<double>(c(z, i, j)) : 0.0);
              error = std::fmax(error, std::fabs(static_cast<double>(d(z, i, j)) - sum));
            }
          }
        }
        CHECK(error <= 8 * unit(kind));
      }
    }
    device_operand a(on, gpu::operand_kind::f16, 8, 16, 16, 1);
    CHECK_THROWS_AS(plans.multiply(on, gpu::operand_kind::f16, 1, a.view(), a.view(), 0, {}, a.view()), shape_error);
  }
  gpu::detail::check(gpu::library::give_back_memory(on, workspace), "test");
}

TEST_CASE("what does not fit is refused") {
  gpu::stream const on;
  device_operand x(on, gpu::operand_kind::f16, 16, 32, 32, 1);
  device_operand d(on, gpu::operand_kind::f16, 16, 16, 16, 1);
  device_operand other(on, gpu::operand_kind::f16, 8, 8, 8, 1);
  CHECK_THROWS_AS(gpu::gram(on, gpu::operand_kind::f16, x.view(), {}, other.view()), shape_error);
  CHECK_THROWS_AS(gpu::gram(on, gpu::operand_kind::f16, x.view(), other.view(), d.view()), shape_error);
  auto null = x.view();
  null.data = nullptr;
  CHECK_THROWS_AS(gpu::gram(on, gpu::operand_kind::f16, null, {}, d.view()), domain_error);
}

}  // namespace
