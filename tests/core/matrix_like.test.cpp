// SPDX-License-Identifier: MIT
#include <array>
#include <concepts>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <Eigen/Core>
#include <doctest/doctest.h>

#include <sigmax/core/matrix.hpp>
#include <sigmax/core/matrix_like.hpp>

using sigmax::const_view;
using sigmax::host_space;
using sigmax::index_t;
using sigmax::matrix_like;
using sigmax::matrix_view;
using sigmax::writable_matrix;

namespace {

using by_rows = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using by_columns = Eigen::MatrixXd;
using any_stride = Eigen::Stride<Eigen::Dynamic, Eigen::Dynamic>;

/// std::mdspan as far as sigmax looks at it: unsigned extents, a handle, strides.
template <class T, std::size_t Rank = 2>
struct mdspan_mock {
  T* handle;
  std::array<std::size_t, Rank> extents;
  std::array<std::size_t, Rank> strides;

  static constexpr std::size_t rank() { return Rank; }
  T* data_handle() const { return handle; }
  std::size_t extent(std::size_t r) const { return extents[r]; }
  std::size_t stride(std::size_t r) const { return strides[r]; }
};

/// Somebody else's matrix with our six members, by reference semantics.
struct foreign {
  using value_type = float;
  float numbers[6] = {1, 2, 3, 4, 5, 6};
  float const* data() const { return numbers; }
  short rows() const { return 2; }
  unsigned char cols() const { return 3; }
  int row_stride() const { return 3; }
  int col_stride() const { return 1; }
};

struct foreign_on_device : foreign {
  using space = sigmax::device_space;
};

/// The view must show the very elements: equal addresses mean that nothing was copied.
template <class M>
void shows_elements_of(M&& matrix) {
  auto const view = sigmax::view(matrix);
  auto const constant = const_view(matrix);
  static_assert(
      std::same_as<std::remove_cvref_t<decltype(constant)>, matrix_view<sigmax::value_t<M> const, host_space>>);
  REQUIRE((view.rows() == matrix.rows() && view.cols() == matrix.cols()));
  REQUIRE((constant.rows() == matrix.rows() && constant.cols() == matrix.cols()));
  for (index_t i = 0; i < view.rows(); ++i) {
    for (index_t j = 0; j < view.cols(); ++j) {
      REQUIRE(&view(i, j) == &matrix.coeffRef(i, j));
      REQUIRE(&constant(i, j) == &matrix.coeffRef(i, j));
    }
  }
}

/// Which elements a function template that takes any matrix sees, by value category.
template <matrix_like M>
constexpr bool accepts(M&&) {
  return true;
}

}  // namespace

TEST_CASE("Eigen matrices of both orders, maps, refs and blocks are seen in place") {
  by_columns a = by_columns::Random(5, 7);
  by_rows b = by_rows::Random(5, 7);
  shows_elements_of(a);
  shows_elements_of(b);
  shows_elements_of(std::as_const(a));
  shows_elements_of(std::as_const(b));
  CHECK((sigmax::view(a).row_stride() == 1 && sigmax::view(a).col_stride() == 5));
  CHECK((sigmax::view(b).row_stride() == 7 && sigmax::view(b).col_stride() == 1));

  Eigen::Matrix<double, 3, 4> fixed = Eigen::Matrix<double, 3, 4>::Random();
  Eigen::Matrix<float, 3, 4, Eigen::RowMajor> fixed_by_rows = Eigen::Matrix<float, 3, 4, Eigen::RowMajor>::Random();
  shows_elements_of(fixed);
  shows_elements_of(std::as_const(fixed_by_rows));

  auto block = a.block(1, 2, 3, 4);
  auto fixed_block = b.block<2, 3>(1, 1);
  auto column = b.col(3);
  auto row = a.row(4);
  auto transpose = block.transpose();
  auto const block_of_constant = std::as_const(b).bottomRightCorner(2, 2);
  shows_elements_of(block);
  shows_elements_of(fixed_block);
  shows_elements_of(column);
  shows_elements_of(row);
  shows_elements_of(transpose);
  shows_elements_of(block_of_constant);
  CHECK(&sigmax::view(transpose)(3, 2) == &a(3, 5));

  Eigen::Map<by_columns, 0, any_stride> columns(b.data(), 3, 2, any_stride(7, 2));
  Eigen::Ref<by_columns> ref = block;
  Eigen::Ref<by_columns const> constant_ref = a.block(0, 1, 2, 2);
  Eigen::Ref<by_columns, 0, any_stride> strided_ref = columns;
  shows_elements_of(ref);
  shows_elements_of(constant_ref);
  shows_elements_of(strided_ref);
  CHECK(sigmax::view(ref).data() == &a(1, 2));
  CHECK(sigmax::view(constant_ref).data() == &a(0, 1));

  Eigen::VectorXd vector = Eigen::VectorXd::Random(6);
  Eigen::RowVectorXd row_vector = Eigen::RowVectorXd::Random(6);
  Eigen::ArrayXXf array = Eigen::ArrayXXf::Random(2, 3);
  shows_elements_of(vector);
  shows_elements_of(row_vector);
  shows_elements_of(array);
}

TEST_CASE("maps keep their inner and outer strides") {
  std::vector<double> memory(200);
  for (std::size_t i = 0; i < memory.size(); ++i) memory[i] = static_cast<double>(i);
  Eigen::Map<by_columns, 0, any_stride> columns(memory.data(), 4, 5, any_stride(17, 3));
  Eigen::Map<by_rows const, 0, any_stride> const rows(memory.data(), 4, 5, any_stride(17, 3));
  Eigen::Map<by_rows, Eigen::Aligned16, Eigen::OuterStride<>> padded(memory.data(), 3, 4, Eigen::OuterStride<>(9));
  shows_elements_of(columns);
  shows_elements_of(rows);
  shows_elements_of(padded);
  CHECK(sigmax::view(columns)(2, 3) == 2 * 3 + 3 * 17);
  CHECK(sigmax::view(rows)(2, 3) == 2 * 17 + 3 * 3);
  CHECK(sigmax::view(padded)(2, 3) == 2 * 9 + 3);
  sigmax::view(columns)(0, 1) = -1;
  CHECK(memory[17] == -1);
}

TEST_CASE("constness of the elements is kept") {
  static_assert(writable_matrix<by_columns&> && !writable_matrix<by_columns const&>);
  static_assert(writable_matrix<by_rows&> && !writable_matrix<by_rows const>);
  static_assert(writable_matrix<Eigen::Map<by_rows>&> && !writable_matrix<Eigen::Map<by_rows const>&>);
  static_assert(writable_matrix<Eigen::Ref<by_columns>&> && !writable_matrix<Eigen::Ref<by_columns const>&>);
  static_assert(writable_matrix<Eigen::Block<by_columns>> && !writable_matrix<Eigen::Block<by_columns const>>);
  static_assert(writable_matrix<Eigen::Transpose<by_columns>> && !writable_matrix<Eigen::Transpose<by_columns const>>);
  static_assert(writable_matrix<sigmax::matrix<float>&> && !writable_matrix<sigmax::matrix<float> const&>);
  // Views are pointers: a constant pointer to mutable elements still writes.
  static_assert(writable_matrix<matrix_view<float> const&> && !writable_matrix<matrix_view<float const>&>);
  static_assert(writable_matrix<mdspan_mock<float> const&> && !writable_matrix<mdspan_mock<float const>>);
  static_assert(!writable_matrix<foreign&>);
  static_assert(std::same_as<sigmax::value_t<by_columns const&>, double>);
  static_assert(std::same_as<sigmax::value_t<Eigen::Map<Eigen::MatrixXf const>>, float>);
}

TEST_CASE("what is no matrix in memory is refused") {
  using product = decltype(std::declval<by_columns&>() * std::declval<by_columns&>());
  using sum = decltype(std::declval<by_columns&>() + std::declval<by_columns&>());
  using scaled = decltype(2.0 * std::declval<by_columns&>());
  using reversed = decltype(std::declval<by_columns&>().reverse());
  using triangle = decltype(std::declval<by_columns&>().triangularView<Eigen::Lower>());
  using symmetric = decltype(std::declval<by_columns&>().selfadjointView<Eigen::Lower>());
  static_assert(!matrix_like<product> && !matrix_like<sum> && !matrix_like<scaled> && !matrix_like<reversed>);
  static_assert(!matrix_like<triangle> && !matrix_like<symmetric>);
  static_assert(!matrix_like<decltype(by_columns::Random(2, 2))> && !matrix_like<Eigen::DiagonalMatrix<double, 3>>);
  static_assert(!matrix_like<Eigen::MatrixXi> && !matrix_like<Eigen::MatrixXcd> && !matrix_like<matrix_view<int>>);
  static_assert(!matrix_like<int> && !matrix_like<double*> && !matrix_like<std::vector<double>>);
  static_assert(!matrix_like<std::string> && !matrix_like<sigmax::vector_view<double>>);
  static_assert(!matrix_like<mdspan_mock<double, 1>> && !matrix_like<mdspan_mock<double, 3>>);
  static_assert(!matrix_like<mdspan_mock<int>>);
}

TEST_CASE("temporaries: views and expressions that own nothing may be viewed") {
  by_columns a = by_columns::Random(3, 3);
  double* const data = a.data();
  CHECK(sigmax::view(a.topRows(2)).data() == data);
  CHECK(sigmax::view(a.transpose()).data() == data);
  CHECK(sigmax::view(Eigen::Map<by_columns>(data, 3, 3)).data() == data);
  CHECK(sigmax::view(matrix_view(data, 3, 3)).data() == data);
  CHECK(sigmax::view(mdspan_mock<double>{data, {3, 3}, {1, 3}}).data() == data);
  // An algorithm may take any temporary: it lives to the end of the call.
  CHECK(accepts(by_columns(3, 3)));
  CHECK(accepts(sigmax::matrix<double>(2, 2)));
  static_assert(sigmax::detail::owns_elements<by_columns>() && sigmax::detail::owns_elements<Eigen::Matrix3f>());
  static_assert(sigmax::detail::owns_elements<sigmax::matrix<float>>());
  static_assert(!sigmax::detail::owns_elements<Eigen::Map<by_columns>>());
  static_assert(!sigmax::detail::owns_elements<Eigen::Block<by_columns>>());
  static_assert(!sigmax::detail::owns_elements<matrix_view<float>>());
}

TEST_CASE("mdspan of rank 2, with its own order of strides") {
  double numbers[24];
  for (int i = 0; i < 24; ++i) numbers[i] = i;
  mdspan_mock<double> const left{numbers, {3, 4}, {1, 3}};
  mdspan_mock<double const> const right{numbers, {3, 4}, {8, 2}};
  auto const from_left = sigmax::view(left);
  auto const from_right = sigmax::view(right);
  static_assert(std::same_as<decltype(from_left), matrix_view<double> const>);
  static_assert(std::same_as<decltype(from_right), matrix_view<double const> const>);
  CHECK((from_left.rows() == 3 && from_left.cols() == 4 && from_left(2, 3) == 2 + 9));
  CHECK((from_right(2, 3) == 16 + 6 && from_right.data() == numbers));
}

TEST_CASE("whoever has the members of a view is a matrix, in its own memory space") {
  foreign const source;
  auto const view = sigmax::view(source);
  static_assert(std::same_as<decltype(view), matrix_view<float const> const>);
  CHECK((view.rows() == 2 && view.cols() == 3 && view(1, 2) == 6 && view.data() == source.numbers));
  static_assert(std::same_as<sigmax::space_t<foreign>, host_space>);
  static_assert(std::same_as<sigmax::space_t<foreign_on_device&>, sigmax::device_space>);
  static_assert(std::same_as<sigmax::space_t<by_columns>, host_space>);
  foreign_on_device const far;
  static_assert(std::same_as<decltype(const_view(far)), matrix_view<float const, sigmax::device_space>>);
  CHECK(const_view(far).data() == far.numbers);
}

TEST_CASE("16-bit elements in Eigen's storage") {
  Eigen::Matrix<sigmax::bf16, Eigen::Dynamic, Eigen::Dynamic> a(2, 3);
  for (int i = 0; i < 6; ++i) a.data()[i] = sigmax::bf16(static_cast<float>(i));
  static_assert(std::same_as<sigmax::value_t<decltype(a)>, sigmax::bf16>);
  CHECK(static_cast<float>(sigmax::view(a)(1, 2)) == 5);
}

TEST_CASE("empty Eigen matrices are empty views") {
  by_columns nothing;
  by_rows wide(0, 5);
  CHECK(sigmax::view(nothing).empty());
  CHECK((sigmax::view(wide).empty() && sigmax::view(wide).cols() == 5));
}
