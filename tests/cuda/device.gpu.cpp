// SPDX-License-Identifier: MIT
// Device matrices, copies, views, and what is refused.
#include <cstdint>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <sigmax/core/matrix.hpp>
#include <sigmax/core/random.hpp>
#include <sigmax/cuda/backend.hpp>
#include <sigmax/cuda/device_matrix.hpp>
#include <sigmax/io/dlpack.hpp>

#include "backend/storage.hpp"
#include "support/message_of.hpp"

using namespace sigmax::test;
using sigmax::index_t;
using sigmax::test::message_of;
namespace gpu = sigmax::gpu;

namespace {

bool holds(std::string const& text, char const* part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE_TEMPLATE("matrices go to the device and come back", T, float, double, sigmax::bf16, sigmax::f16) {
  gpu::stream const stream;
  number_source source(5);
  for (auto const order : every_layout) {
    stored_matrix<T> const host(7, 13, order, source);
    auto const there = gpu::device_matrix<T>::copy_of(host.view(), stream);
    auto copied = there;
    auto const moved = std::move(copied);
    auto const back = moved.to_host();
    CHECK(copied.rows() == 0);
    for (index_t i = 0; i < 7; ++i) {
      for (index_t j = 0; j < 13; ++j) CHECK(back(i, j) == host(i, j));
    }
  }
  gpu::device_matrix<T> const zero(stream, 3, 4);
  auto const back = zero.to_host();
  for (index_t i = 0; i < 12; ++i) CHECK(back.data()[i] == T(0.0f));
  CHECK(gpu::device_matrix<T>(stream, 0, 5).to_host().cols() == 5);
}

TEST_CASE_TEMPLATE("views of any layout are copied both ways, and rounded on the way", T, float, double) {
  gpu::stream const stream;
  gpu::cuda const on(stream);
  number_source source(6);
  for (auto const order : every_layout) {
    stored_matrix<float> const host(9, 11, order, source);
    gpu::device_matrix<T> there(stream, 9, 22);
    for (bool const is_transposed : {false, true}) {
      auto const block = is_transposed ? sigmax::matrix_view<T, sigmax::device_space>(there.data(), 9, 11, 1, 9)
                                       : there.view().block(0, 11, 9, 11);
      on.copy_from_host(host.view(), block);
      stored_matrix<double> const back(9, 11, order);
      on.copy_to_host(block, back.view());
      for (index_t i = 0; i < 9; ++i) {
        for (index_t j = 0; j < 11; ++j) CHECK(back(i, j) == static_cast<double>(host(i, j)));
      }
      CHECK(back.gaps_intact());
    }
  }
}

TEST_CASE("combine_stored and divide") {
  gpu::stream const stream;
  gpu::cuda const on(stream);
  sigmax::cpu::scalar const reference;
  sigmax::matrix<sigmax::bf16> x(5, 6);
  sigmax::matrix<sigmax::f16> y(5, 6);
  number_source source(7);
  for (index_t i = 0; i < 30; ++i) {
    x.data()[i] = sigmax::bf16(source.next());
    y.data()[i] = sigmax::f16(source.next());
  }
  auto const xd = gpu::device_matrix<sigmax::bf16>::copy_of(x, stream);
  auto yd = gpu::device_matrix<sigmax::f16>::copy_of(y, stream);
  on.combine_stored(0.75f, xd.view(), -0.5f, yd.view());
  reference.combine_stored(0.75f, x.view(), -0.5f, y.view());
  auto const back = yd.to_host();
  // Factors are exact, the sum is rounded once in float: the host may fuse what the device does, with the same result.
  for (index_t i = 0; i < 30; ++i) CHECK(back.data()[i].bits == y.data()[i].bits);
  sigmax::matrix<float> z(2, 2);
  for (index_t i = 0; i < 4; ++i) z.data()[i] = 1e-38f * static_cast<float>(i);
  auto zd = gpu::device_matrix<float>::copy_of(z, stream);
  on.divide(1e-38f, zd.view());
  auto const quotients = zd.to_host();
  for (index_t i = 0; i < 4; ++i) CHECK(quotients.data()[i] == z.data()[i] / 1e-38f);
}

TEST_CASE("device matrices are shared by DLPack") {
  gpu::stream const stream;
  gpu::cuda const on(stream);
  sigmax::matrix<float> host(3, 4);
  sigmax::fill_normal(host.view(), 2);
  auto there = gpu::device_matrix<float>::copy_of(host, stream);
  auto const* const data = there.data();
  sigmax::dlpack::owned_tensor<> const given(sigmax::dlpack::share(std::move(there)));
  CHECK(given->dl_tensor.device.device_type == sigmax::dlpack::cuda);
  auto const view = sigmax::dlpack::view_of<float, sigmax::device_space>(*given);
  CHECK(view.data() == data);
  CHECK(on.max_abs(view) == sigmax::cpu::scalar().max_abs(host.view()));
  CHECK_THROWS_AS(sigmax::dlpack::view_of<float>(*given), sigmax::unsupported_error);
}

TEST_CASE("a host pointer is refused where it is asked for") {
  gpu::stream const stream;
  gpu::cuda const on = gpu::cuda(stream).checking_pointers();
  std::vector<float> host(16);
  auto text = message_of<sigmax::domain_error>([&] { (void)gpu::device_view(host.data(), 4, 4); });
  CHECK(holds(text, "gpu::device_view"));
  CHECK(holds(text, "points to host memory"));
  sigmax::matrix_view<float, sigmax::device_space> const wrong(host.data(), 4, 4);
  gpu::device_matrix<float> right(stream, 4, 4);
  text = message_of<sigmax::domain_error>([&] { on.gram(1.0f, wrong, 0.0f, right.view(), right.view()); });
  CHECK(holds(text, "gram"));
  CHECK_THROWS_AS(on.max_abs(wrong), sigmax::domain_error);
  CHECK_THROWS_AS(on.cholesky(wrong), sigmax::domain_error);
  CHECK_NOTHROW(on.gram(1.0f, right.view(), 0.0f, wrong, right.view()));  // an addend that is not read
  CHECK_NOTHROW((void)gpu::device_view(right.data(), 4, 4));
  CHECK(on.max_abs(right.view()) == 0.0f);
}

TEST_CASE("exhausted memory is one clear error, after which work goes on") {
  gpu::stream const stream;
  auto const text = message_of<gpu::device_memory_error>(
      [&] { gpu::device_matrix<double> const too_large(stream, index_t{1} << 22, index_t{1} << 22); });
  CHECK(holds(text, "ran out of device memory"));
  CHECK(holds(text, "cudaMallocAsync"));
  gpu::device_matrix<double> const fits(stream, 100, 100);
  CHECK(gpu::cuda(stream).max_abs(fits.view()) == 0.0);
}

TEST_CASE("a warmed workspace takes no more memory from the device") {
  gpu::stream const stream;
  gpu::cuda const plain(stream);
  sigmax::workspace memory;
  sigmax::matrix<float> host(64, 5000);
  sigmax::fill_normal(host.view(), 1);
  auto const x = gpu::device_matrix<float>::copy_of(host, stream);
  gpu::device_matrix<float> g(stream, 64, 64);
  auto const on = plain.using_scratch(memory);
  on.gram(1.0f, x.view(), 0.0f, g.view(), g.view());
  memory.freeze();
  on.gram(1.0f, x.view(), 0.0f, g.view(), g.view());
  CHECK(on.cholesky(g.view()) == 64);
}
