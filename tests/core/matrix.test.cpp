// SPDX-License-Identifier: MIT
#include <cstdint>
#include <limits>
#include <new>
#include <stdexcept>
#include <type_traits>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <sigmax/core/matrix.hpp>

using sigmax::index_t;
using sigmax::matrix;
using sigmax::vector;

namespace {

constexpr index_t largest_index = std::numeric_limits<index_t>::max();

template <class T>
matrix<T> numbered(index_t rows, index_t cols) {
  matrix<T> result(rows, cols);
  for (index_t i = 0; i < rows * cols; ++i) result.data()[i] = static_cast<T>(static_cast<float>(i + 1));
  return result;
}

template <class T>
bool same(matrix<T> const& a, matrix<T> const& b) {
  bool equal = a.rows() == b.rows() && a.cols() == b.cols();
  for (index_t i = 0; equal && i < a.size(); ++i) equal = a.data()[i] == b.data()[i];
  return equal;
}

bool on_cache_line(void const* address) { return reinterpret_cast<std::uintptr_t>(address) % 64 == 0; }

template <class M>
concept viewable = requires(M&& m) {
  std::forward<M>(m).view();
};

/// Counts its living objects and throws when `fuse` constructions have happened.
struct explosive {
  inline static int living = 0;
  inline static int fuse = -1;
  explosive() { light(); }
  explosive(explosive const&) { light(); }
  explosive& operator=(explosive const&) {
    if (fuse == 0) throw std::runtime_error("assignment");
    if (fuse > 0) --fuse;
    return *this;
  }
  ~explosive() { --living; }

 private:
  static void light() {
    if (fuse == 0) throw std::runtime_error("construction");
    if (fuse > 0) --fuse;
    ++living;
  }
};

}  // namespace

TEST_CASE_TEMPLATE("a new matrix is zero, dense, row-major and aligned", T, float, double, sigmax::bf16, long double) {
  for (int round = 0; round < 3; ++round) {  // a later round gets memory that held other numbers
    matrix<T> a(3, 5);
    REQUIRE(on_cache_line(a.data()));
    for (index_t i = 0; i < 3; ++i) {
      for (index_t j = 0; j < 5; ++j) {
        REQUIRE(a(i, j) == T(0.0f));
        REQUIRE(&a(i, j) == a.data() + 5 * i + j);
        a(i, j) = T(7.0f);
      }
    }
    vector<T> v(9);
    REQUIRE(on_cache_line(v.data()));
    for (index_t i = 0; i < 9; ++i) {
      REQUIRE(v[i] == T(0.0f));
      v[i] = T(7.0f);
    }
  }
  matrix<T> const a(3, 5);
  CHECK((a.rows() == 3 && a.cols() == 5 && a.size() == 15 && a.row_stride() == 5 && a.col_stride() == 1 && !a.empty()));
}

TEST_CASE("copies are independent") {
  matrix<double> a = numbered<double>(3, 4);
  matrix<double> b = a;
  CHECK(same(a, b));
  CHECK(b.data() != a.data());
  b(0, 0) = -1;
  CHECK(a(0, 0) == 1);
  matrix<double> c(7, 2);
  c = a;
  CHECK(same(a, c));
  c(2, 3) = -1;
  CHECK(a(2, 3) == 12);
}

TEST_CASE("moves keep the elements where they are") {
  matrix<double> a = numbered<double>(3, 4);
  double const* const data = a.data();
  matrix<double> b = std::move(a);
  CHECK((b.data() == data && b.rows() == 3 && b.cols() == 4 && b(2, 3) == 12));
  matrix<double> c(1, 1);
  c = std::move(b);
  CHECK((c.data() == data && c.rows() == 3 && c.cols() == 4));
  static_assert(std::is_nothrow_move_constructible_v<matrix<double>> &&
                std::is_nothrow_move_assignable_v<matrix<double>>);
}

TEST_CASE("assignment to itself changes nothing") {
  matrix<double> a = numbered<double>(3, 4);
  auto& alias = a;
  a = alias;
  CHECK(same(a, numbered<double>(3, 4)));
  a = std::move(alias);
  CHECK(same(a, numbered<double>(3, 4)));
  vector<double> v(2);
  v[1] = 5;
  auto& same_v = v;
  v = same_v;
  v = std::move(same_v);
  CHECK((v.size() == 2 && v[1] == 5));
  std::swap(a, a);
  CHECK(same(a, numbered<double>(3, 4)));
}

// Otherwise view() of it points nowhere and a copy of it has a shape but no elements.
TEST_CASE("what was moved from is empty") {
  matrix<double> a = numbered<double>(3, 4);
  matrix<double> const b = std::move(a);
  vector<double> v(3);
  vector<double> const w = std::move(v);
  CHECK((a.rows() == 0 && a.cols() == 0 && a.empty()));  // NOLINT(bugprone-use-after-move)
  CHECK((v.size() == 0 && v.view().empty()));            // NOLINT(bugprone-use-after-move)
}

TEST_CASE("empty matrices are values too") {
  matrix<double> const none;
  matrix<double> const wide(0, 5);
  matrix<double> const tall(5, 0);
  for (auto const* a : {&none, &wide, &tall}) {
    matrix<double> copy = *a;
    CHECK((copy.empty() && copy.size() == 0 && copy.rows() == a->rows() && copy.cols() == a->cols()));
    CHECK(copy.view().empty());
    matrix<double> moved = std::move(copy);
    CHECK(moved.empty());
    moved = numbered<double>(2, 2);
    CHECK(moved(1, 1) == 4);
  }
  CHECK(matrix<double>(0, largest_index).cols() == largest_index);
  CHECK(vector<double>().empty());
  vector<double> nothing(0);
  CHECK(nothing.view().empty());
}

TEST_CASE("shapes that cannot be addressed are refused before anything is allocated") {
  index_t const root = index_t{1} << 32;
  CHECK_THROWS_AS(matrix<float>(-1, 3), sigmax::shape_error);
  CHECK_THROWS_AS(matrix<float>(3, -1), sigmax::shape_error);
  CHECK_THROWS_AS(matrix<float>(-3, -3), sigmax::shape_error);
  CHECK_THROWS_AS(matrix<float>(root, root), sigmax::shape_error);         // 2^64 wraps to 0
  CHECK_THROWS_AS(matrix<float>(root, root / 2), sigmax::shape_error);     // 2^63 wraps to a negative number
  CHECK_THROWS_AS(matrix<float>(root, root + 1), sigmax::shape_error);     // wraps to 2^32, which could be allocated
  CHECK_THROWS_AS(matrix<double>(largest_index, 1), sigmax::shape_error);  // the bytes overflow, the count does not
  CHECK_THROWS_AS(matrix<double>(largest_index / 8 + 1, 1), sigmax::shape_error);
  CHECK_THROWS_AS(vector<double>(-1), sigmax::shape_error);
  CHECK_THROWS_AS(vector<double>{largest_index}, sigmax::shape_error);
}

TEST_CASE("copies of any matrix") {
  double numbers[12];
  for (int i = 0; i < 12; ++i) numbers[i] = i;
  sigmax::matrix_view const reversed(numbers + 11, 3, 4, -4, -1);
  auto const copy = matrix<double>::copy_of(reversed);
  CHECK((copy.rows() == 3 && copy.cols() == 4));
  for (index_t i = 0; i < 3; ++i) {
    for (index_t j = 0; j < 4; ++j) CHECK(copy(i, j) == reversed(i, j));
  }
  CHECK(same(matrix<double>::copy_of(copy), copy));
  CHECK(matrix<double>::copy_of(matrix<double>(0, 4)).cols() == 4);
}

TEST_CASE("an exception while elements are made leaks nothing") {
  using array = sigmax::detail::aligned_array<explosive>;
  REQUIRE(explosive::living == 0);
  explosive::fuse = 5;
  CHECK_THROWS_AS(array(8), std::runtime_error);
  CHECK(explosive::living == 0);
  explosive::fuse = -1;
  {
    array const original(4);
    CHECK(explosive::living == 4);
    explosive::fuse = 6;  // four constructions, then the third assignment of the copy throws
    CHECK_THROWS_AS(array{original}, std::runtime_error);
    explosive::fuse = -1;
    CHECK(explosive::living == 4);
    array other(2);
    other = original;
    CHECK(explosive::living == 8);
    array moved = std::move(other);
    CHECK(explosive::living == 8);
  }
  CHECK(explosive::living == 0);
}

TEST_CASE("a view of a matrix writes to it; the view of a temporary does not exist") {
  matrix<double> a = numbered<double>(2, 3);
  a.view()(1, 2) = 9;
  CHECK(a(1, 2) == 9);
  CHECK(std::as_const(a).view().data() == a.data());
  static_assert(std::is_same_v<decltype(std::as_const(a).view()), sigmax::matrix_view<double const>>);
  static_assert(viewable<matrix<double>&> && viewable<matrix<double> const&> && viewable<vector<double>&>);
  static_assert(!viewable<matrix<double>> && !viewable<vector<double>>);
}
