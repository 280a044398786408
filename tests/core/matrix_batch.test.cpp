// SPDX-License-Identifier: MIT
#include <array>
#include <concepts>
#include <span>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <sigmax/core/matrix.hpp>
#include <sigmax/core/matrix_batch.hpp>

using sigmax::index_t;
using sigmax::matrix;
using sigmax::matrix_batch;
using sigmax::matrix_view;
using sigmax::strided_batch;
using sigmax::writable_argument;

// Arrays of matrices of any kind are batches; matrices, numbers and what cannot be indexed are not.
static_assert(matrix_batch<std::vector<matrix<float>>> && matrix_batch<std::vector<matrix<float>> const>);
static_assert(matrix_batch<std::array<matrix_view<double>, 3>> && matrix_batch<std::span<matrix_view<float const>>>);
static_assert(matrix_batch<strided_batch<float>> && matrix_batch<strided_batch<float const> const>);
static_assert(matrix_batch<std::vector<Eigen::MatrixXf>> && matrix_batch<std::span<Eigen::Map<Eigen::MatrixXd>>>);
static_assert(matrix_batch<std::vector<matrix<sigmax::bf16>>>);
static_assert(!matrix_batch<matrix<float>> && !matrix_batch<matrix_view<float>> && !matrix_batch<Eigen::MatrixXf>);
static_assert(!matrix_batch<std::vector<float>> && !matrix_batch<std::vector<bool>> && !matrix_batch<std::string>);
static_assert(!matrix_batch<float> && !matrix_batch<float*> && !matrix_batch<matrix<float>*>);
static_assert(!matrix_batch<sigmax::vector<float>> && !matrix_batch<Eigen::VectorXi>);

// What can be written: elements decide, a view may itself be constant.
static_assert(writable_argument<matrix<float>&> && writable_argument<matrix_view<float> const&>);
static_assert(writable_argument<matrix_view<float>> && !writable_argument<matrix_view<float const>>);
static_assert(!writable_argument<matrix<float> const&>);
static_assert(writable_argument<std::vector<matrix<float>>&> && !writable_argument<std::vector<matrix<float>> const&>);
static_assert(writable_argument<std::vector<matrix_view<float>> const&>);
static_assert(!writable_argument<std::vector<matrix_view<float const>>&>);
static_assert(writable_argument<strided_batch<double>> && writable_argument<strided_batch<double> const&>);
static_assert(!writable_argument<strided_batch<double const>&>);
static_assert(!writable_argument<std::vector<float>&> && !writable_argument<float&>);

static_assert(std::same_as<sigmax::value_t<sigmax::argument_matrix_t<std::vector<matrix<float>>&>>, float>);
static_assert(std::same_as<sigmax::value_t<sigmax::argument_matrix_t<matrix<double>&>>, double>);
static_assert(std::same_as<sigmax::argument_matrix_t<strided_batch<double> const&>, matrix_view<double>>);

TEST_CASE("a dense strided batch is a three-dimensional array") {
  std::vector<double> buffer(2 * 3 * 4);
  for (std::size_t i = 0; i < buffer.size(); ++i) buffer[i] = static_cast<double>(i);
  strided_batch const batch(buffer.data(), 2, 3, 4);
  static_assert(std::same_as<decltype(batch), strided_batch<double> const>);
  CHECK(batch.size() == 2);
  for (index_t b = 0; b < 2; ++b) {
    CHECK(batch[b].rows() == 3);
    CHECK(batch[b].cols() == 4);
    for (index_t i = 0; i < 3; ++i) {
      for (index_t j = 0; j < 4; ++j) CHECK(batch[b](i, j) == static_cast<double>((b * 3 + i) * 4 + j));
    }
  }
  batch[1](2, 3) = -1;
  CHECK(buffer.back() == -1);
}

TEST_CASE("a strided batch can have any strides") {
  std::vector<float> buffer(100);
  for (std::size_t i = 0; i < buffer.size(); ++i) buffer[i] = static_cast<float>(i);
  // Columns of every second element, interleaved matrices, from the end to the front.
  strided_batch<float> const interleaved(matrix_view<float>(buffer.data() + 1, 3, 2, 4, 20), 2, 2);
  CHECK(interleaved[0](2, 1) == 1 + 2 * 4 + 20);
  CHECK(interleaved[1](2, 1) == 1 + 2 * 4 + 20 + 2);
  strided_batch<float> const backwards(matrix_view<float>(buffer.data() + 90, 2, 3), 4, -10);
  CHECK(backwards[3](1, 2) == 90 - 30 + 5);
  strided_batch<float> const same(matrix_view<float>(buffer.data(), 2, 3), 4, 0);
  CHECK(same[3].data() == same[0].data());
  strided_batch<float const> const constant(matrix_view<float const>(buffer.data(), 2, 3), 2, 6);
  CHECK(constant[1](0, 0) == 6);
}

TEST_CASE("batches without matrices or elements") {
  CHECK(strided_batch<float>().size() == 0);
  CHECK(strided_batch<float>(nullptr, 0, 0, 0).size() == 0);
  strided_batch<float> const hollow(nullptr, 3, 0, 5);
  CHECK(hollow.size() == 3);
  CHECK(hollow[2].empty());
  CHECK(hollow[2].cols() == 5);
  CHECK_THROWS_AS(strided_batch<float>(nullptr, -1, 0, 0), sigmax::shape_error);
  CHECK_THROWS_AS(strided_batch<float>(nullptr, 1, -2, 2), sigmax::shape_error);
  CHECK_THROWS_AS(strided_batch<float>(nullptr, 1, 2, 2), sigmax::shape_error);
  CHECK_THROWS_WITH_AS(strided_batch<float>(matrix_view<float>(), -4, 1),
                       "strided_batch: size is -4; it must not be negative", sigmax::shape_error);
}
