// SPDX-License-Identifier: MIT
#include <array>
#include <concepts>
#include <limits>
#include <numeric>
#include <string>
#include <type_traits>

#include <doctest/doctest.h>

#include <sigmax/core/matrix_view.hpp>

using sigmax::device_space;
using sigmax::index_t;
using sigmax::matrix_view;
using sigmax::vector_view;

namespace {

/// 0, 1, 2, ...: an element tells where it lies.
std::array<int, 60> numbered() {
  std::array<int, 60> result{};
  std::iota(result.begin(), result.end(), 0);
  return result;
}

/// What `f` says when it throws a shape_error.
template <class F>
std::string refusal(F const& f) {
  try {
    f();
  } catch (sigmax::shape_error const& problem) {
    return problem.what();
  }
  return "nothing was thrown";
}

bool contains(std::string const& text, char const* part) { return text.find(part) != std::string::npos; }

/// All elements of a matrix view, row by row, against offset + i * row_step + j * col_step.
void check_steps(matrix_view<int const> view, int offset, int row_step, int col_step) {
  for (index_t i = 0; i < view.rows(); ++i) {
    for (index_t j = 0; j < view.cols(); ++j) {
      int const expected = offset + static_cast<int>(i) * row_step + static_cast<int>(j) * col_step;
      REQUIRE(view(i, j) == expected);
      REQUIRE(view.row(i)[j] == expected);
      REQUIRE(view.col(j)[i] == expected);
      REQUIRE(view.transposed()(j, i) == expected);
    }
  }
}

}  // namespace

TEST_CASE("strides describe both storage orders, padding, reversal and broadcast") {
  auto numbers = numbered();
  check_steps(matrix_view(numbers.data(), 3, 4), 0, 4, 1);
  check_steps(matrix_view(numbers.data(), 3, 4, 1, 3), 0, 1, 3);
  check_steps(matrix_view(numbers.data() + 1, 3, 4, 13, 2), 1, 13, 2);
  check_steps(matrix_view(numbers.data() + 11, 3, 4, -4, -1), 11, -4, -1);
  check_steps(matrix_view(numbers.data() + 8, 3, 4, -4, 1), 8, -4, 1);
  check_steps(matrix_view(numbers.data() + 5, 3, 4, 0, 0), 5, 0, 0);
  check_steps(matrix_view(numbers.data() + 5, 3, 4, 1, 1), 5, 1, 1);  // Hankel: elements may coincide
}

TEST_CASE("blocks, rows, columns, diagonals and transposes are views of the same memory") {
  auto numbers = numbered();
  matrix_view const whole(numbers.data() + 55, 5, 7, -10, 1);
  auto const block = whole.block(1, 2, 3, 4);
  CHECK(block.data() == &whole(1, 2));
  CHECK((block.rows() == 3 && block.cols() == 4));
  CHECK(&block(2, 3) == &whole(3, 5));
  CHECK(&block.transposed()(3, 2) == &whole(3, 5));
  CHECK(&block.transposed().transposed()(2, 3) == &block(2, 3));
  CHECK(&block.block(1, 1, 2, 2).transposed()(0, 1) == &whole(3, 3));
  CHECK((whole.diagonal().size() == 5 && whole.transposed().diagonal().size() == 5));
  for (index_t i = 0; i < 5; ++i) CHECK(&whole.diagonal()[i] == &whole(i, i));
  CHECK(&whole.row(4).segment(2, 3)[2] == &whole(4, 4));
  CHECK(&whole.col(6).segment(1, 4)[3] == &whole(4, 6));
  block(0, 0) = -1;
  CHECK(whole(1, 2) == -1);
  CHECK((whole.size() == 35 && !whole.empty()));
}

TEST_CASE("empty views of every kind") {
  matrix_view<double> const nothing;
  CHECK((nothing.empty() && nothing.rows() == 0 && nothing.cols() == 0 && nothing.data() == nullptr));
  CHECK(nothing.transposed().empty());
  CHECK(nothing.diagonal().empty());
  double* const null = nullptr;
  for (auto const& view : {matrix_view(null, 0, 5), matrix_view(null, 5, 0), matrix_view(null, 0, 0)}) {
    CHECK((view.empty() && view.size() == 0));
  }
  CHECK((matrix_view(null, 5, 0).rows() == 5 && matrix_view(null, 5, 0).transposed().cols() == 5));
  CHECK(vector_view(null, 0).empty());
  CHECK(vector_view<double>().segment(0, 0).empty());
}

TEST_CASE("impossible shapes are refused with the reason") {
  double number = 1;
  double* const null = nullptr;
  CHECK(contains(refusal([&] { matrix_view(&number, -1, 2); }), "-1 x 2"));
  CHECK(contains(refusal([&] { matrix_view(&number, 1, -2, 1, 1); }), "1 x -2"));
  CHECK(contains(refusal([&] { matrix_view(&number, 0, -2, 1, 1); }), "must not be negative"));
  CHECK(contains(refusal([&] { matrix_view(null, 2, 3); }), "2 x 3 matrix needs elements"));
  CHECK(contains(refusal([&] { vector_view(&number, -7); }), "-7"));
  CHECK(contains(refusal([&] { vector_view(null, 1, 2); }), "null"));
  CHECK(contains(refusal([&] { matrix_view(&number, std::numeric_limits<index_t>::min(), 1); }), "negative"));
}

TEST_CASE("mutable views are constant views, and never the other way round") {
  static_assert(std::convertible_to<matrix_view<float>, matrix_view<float const>>);
  static_assert(std::convertible_to<vector_view<float>, vector_view<float const>>);
  static_assert(!std::convertible_to<matrix_view<float const>, matrix_view<float>>);
  static_assert(!std::convertible_to<vector_view<float const>, vector_view<float>>);
  static_assert(!std::is_constructible_v<matrix_view<float>, matrix_view<float const>>);
  static_assert(!std::convertible_to<matrix_view<float>, matrix_view<double const>>);
  static_assert(std::same_as<matrix_view<float const>::value_type, float>);
  static_assert(std::is_trivially_copyable_v<matrix_view<float>> && std::is_trivially_copyable_v<vector_view<float>>);
  double numbers[6] = {1, 2, 3, 4, 5, 6};
  matrix_view<double const> const constant = matrix_view(numbers, 2, 3, 1, 2);
  CHECK((constant.data() == numbers && constant(1, 2) == 6 && constant.row_stride() == 1));
  vector_view<double const> const line = vector_view(numbers, 3, 2);
  CHECK((line.size() == 3 && line[2] == 5 && line.stride() == 2));
}

namespace {

template <class View>
concept readable = requires(View v) {
  v(0, 0);
}
|| requires(View v) { v[0]; };

}  // namespace

TEST_CASE("device memory is a type of its own and is not read by the host") {
  static_assert(readable<matrix_view<float>> && readable<vector_view<float>>);
  static_assert(!readable<matrix_view<float, device_space>> && !readable<vector_view<float, device_space>>);
  static_assert(!std::convertible_to<matrix_view<float, device_space>, matrix_view<float const>>);
  static_assert(!std::convertible_to<matrix_view<float>, matrix_view<float const, device_space>>);
  static_assert(std::convertible_to<matrix_view<float, device_space>, matrix_view<float const, device_space>>);
  // Shapes and addresses are known on the host all the same, also where the pointer means nothing there.
  auto* const far = reinterpret_cast<float*>(std::uintptr_t{0x1000});
  matrix_view<float, device_space> const view(far, 4, 6);
  CHECK(view.block(1, 2, 2, 2).data() == far + 8);
  CHECK(view.transposed().row(3).data() == far + 3);
}

TEST_CASE("views are constant expressions") {
  constexpr auto sum = [] {
    int numbers[6] = {1, 2, 3, 4, 5, 6};
    matrix_view const view(numbers, 2, 3);
    return view(0, 2) + view.transposed()(2, 1) + view.block(1, 0, 1, 2).row(0)[1];
  }();
  static_assert(sum == 3 + 6 + 5);
}
