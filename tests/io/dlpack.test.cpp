// SPDX-License-Identifier: MIT
// DLPack: tensors of others as matrices and back; what is not a matrix of that scalar in that memory is refused.
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <sigmax/core/matrix.hpp>
#include <sigmax/io/dlpack.hpp>
#include <sigmax/spectral/orthogonalize.hpp>

#include "support/message_of.hpp"

namespace dlpack = sigmax::dlpack;
using sigmax::index_t;
using sigmax::test::message_of;

// The layout of dlpack.h 1.0 on a machine of 64 bits.
static_assert(sizeof(dlpack::tensor) == 48 && offsetof(dlpack::tensor, dtype) == 20);
static_assert(offsetof(dlpack::tensor, shape) == 24 && offsetof(dlpack::tensor, byte_offset) == 40);
static_assert(sizeof(dlpack::managed_tensor) == 64 && offsetof(dlpack::managed_tensor, deleter) == 56);
static_assert(sizeof(dlpack::managed_tensor_versioned) == 80);
static_assert(offsetof(dlpack::managed_tensor_versioned, flags) == 24);
static_assert(offsetof(dlpack::managed_tensor_versioned, dl_tensor) == 32);

namespace {

/// A tensor of floats as another library would lend it.
struct lent {
  std::vector<float> elements = std::vector<float>(24);
  std::int64_t shape[3] = {3, 4, 2};
  std::int64_t strides[3] = {8, 2, 1};
  dlpack::tensor tensor{elements.data(), {dlpack::cpu, 0}, 2, {dlpack::floating_point, 32, 1}, shape, strides, 0};
};

int living = 0;

/// An owning matrix that is counted.
struct counted : sigmax::matrix<double> {
  using sigmax::matrix<double>::matrix;
  counted(counted&& other) noexcept : sigmax::matrix<double>(std::move(other)) { ++living; }
  counted(index_t rows, index_t cols) : sigmax::matrix<double>(rows, cols) { ++living; }
  ~counted() { --living; }
};

}  // namespace

TEST_CASE("a strided tensor is a matrix in place") {
  lent t;
  auto const w = dlpack::view_of<float>(t.tensor);
  CHECK(w.rows() == 3);
  CHECK(w.cols() == 4);
  w(2, 1) = 5;
  CHECK(t.elements[18] == 5);
  t.tensor.strides = nullptr;
  t.tensor.byte_offset = 4;
  auto const dense = dlpack::view_of<float const>(t.tensor);
  CHECK(dense.row_stride() == 4);
  CHECK(dense.data() == t.elements.data() + 1);
  for (std::size_t i = 0; i < t.elements.size(); ++i) t.elements[i] = static_cast<float>(i * i % 7);
  sigmax::orthogonalize(dlpack::view_of<float>(t.tensor));
  float squares = 0;
  for (index_t j = 0; j < 4; ++j) squares += dense(0, j) * dense(0, j);
  CHECK(squares == doctest::Approx(1).epsilon(1e-4));
}

TEST_CASE("what does not fit is refused with its value") {
  using sigmax::shape_error;
  using sigmax::unsupported_error;
  lent t;
  auto const view = [&] { (void)dlpack::view_of<float>(t.tensor); };
  CHECK(message_of<unsupported_error>([&] { (void)dlpack::view_of<double>(t.tensor); }) ==
        "dlpack: dtype is float32 x 1; the view is of float64");
  CHECK(message_of<unsupported_error>([&] { (void)dlpack::view_of<sigmax::bf16>(t.tensor); }) ==
        "dlpack: dtype is float32 x 1; the view is of bfloat16");
  auto const on_device = [&] { return dlpack::view_of<float, sigmax::device_space>(t.tensor); };
  CHECK(message_of<unsupported_error>(on_device) ==
        "dlpack: device_type is 1; a view of device memory needs 2 (CUDA) or 13 (managed)");
  t.tensor.device.device_type = dlpack::cuda;
  CHECK(message_of<unsupported_error>(view) ==
        "dlpack: device_type is 2; a view of host memory needs 1 (CPU) or 3 (pinned)");
  CHECK(on_device().data() == t.elements.data());
  t = lent();
  t.tensor = {t.elements.data(), {dlpack::cpu, 0}, 3, {dlpack::floating_point, 32, 1}, t.shape, t.strides, 0};
  CHECK(message_of<shape_error>(view) == "dlpack: ndim is 3; a matrix has 2");
  t.tensor.ndim = 2;
  t.tensor.dtype.lanes = 2;
  CHECK(message_of<unsupported_error>(view) == "dlpack: dtype is float32 x 2; the view is of float32");
  t.tensor.dtype.lanes = 1;
  t.tensor.byte_offset = 2;
  CHECK(message_of<unsupported_error>(view) == "dlpack: byte_offset is 2; elements must be aligned to 4 bytes");
  t.tensor.byte_offset = 0;
  t.shape[0] = -1;
  CHECK_THROWS_AS(view(), shape_error);
}

TEST_CASE("a matrix that is given away lives until its deleter is called") {
  {
    counted w(2, 3);
    w(1, 2) = 7;
    double const* const elements = w.data();
    dlpack::owned_tensor<> const given(dlpack::share(std::move(w)));
    CHECK(living == 2);
    CHECK(given->dl_tensor.data == elements);
    CHECK(dlpack::view_of<double>(*given)(1, 2) == 7);
    CHECK(given->dl_tensor.strides[0] == 3);
  }
  CHECK(living == 0);
}

TEST_CASE("views are shared as they lie, constant ones as read-only") {
  sigmax::matrix<sigmax::f16> w(4, 5);
  w(2, 3) = sigmax::f16(2.0f);
  using versioned = dlpack::managed_tensor_versioned;
  dlpack::owned_tensor<versioned> const given(dlpack::share<versioned>(w.view().transposed()));
  CHECK(given->version.major == 1);
  CHECK(given->flags == 0);
  CHECK(dlpack::view_of<sigmax::f16>(*given)(3, 2) == sigmax::f16(2.0f));
  dlpack::owned_tensor<versioned> const constant(dlpack::share<versioned>(std::as_const(w).view()));
  CHECK(constant->flags == dlpack::is_read_only);
  CHECK_THROWS_AS(dlpack::view_of<sigmax::f16>(*constant), sigmax::domain_error);
  CHECK(dlpack::view_of<sigmax::f16 const>(*constant)(2, 3) == sigmax::f16(2.0f));
}
