// SPDX-License-Identifier: MIT
/// @file
/// What gram, symmetric_product, multiply, times_vector and gram_times_vector promise, for any backend.
///
/// The bound: a sum of k products in any order passes each of them through at most k roundings (one for the product,
/// k - 1 additions; fewer with fused multiply-add). The product with alpha, that of beta and c, and the last addition
/// are three more. Hence |computed - exact| <= gamma_{k+3} (|alpha| |A||B| + |beta| |C|), and underflow.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include <doctest/doctest.h>

#include <sigmax/core/matrix_view.hpp>

#include "backend/bounds.hpp"
#include "backend/storage.hpp"

namespace sigmax::test {

/// Coefficients and where c stands. `in_place` passes the output as c.
struct update {
  double alpha;
  double beta;
  bool in_place;
};
inline constexpr update every_update[] = {
    {1, 0, false}, {-0.75, 0, true}, {1.25, -0.5, false}, {-1, 1, true}, {0.5, 3, true}};

inline update update_at(index_t i) { return every_update[static_cast<std::size_t>(i % 5)]; }

/// The bound above for r = alpha a b^T + beta c.
template <class T>
double product_ratio(update how, matrix_view<T const> a, matrix_view<T const> b_rows, matrix_view<T const> c,
                     matrix_view<T const> r) {
  worst_ratio worst;
  for (index_t i = 0; i < r.rows(); ++i) {
    for (index_t j = 0; j < r.cols(); ++j) {
      auto const truth =
          affine_dot(static_cast<T>(how.alpha), a.row(i), b_rows.row(j), static_cast<T>(how.beta), c(i, j));
      worst.add(static_cast<long double>(r(i, j)), truth.value,
                gamma<T>(a.cols() + 3) * truth.magnitude + underflow<T>(a.cols()));
    }
  }
  return worst.value();
}

/// c as the primitive sees it: numbers if it is read, NaN if it must not be.
template <class T>
void fill_addend(update how, stored_matrix<T> const& c, number_source& source) {
  for (index_t i = 0; i < c.view().rows(); ++i) {
    for (index_t j = 0; j < c.view().cols(); ++j) {
      c(i, j) = how.beta == 0 ? std::numeric_limits<T>::quiet_NaN() : static_cast<T>(source.next());
    }
  }
}

template <class T>
void make_symmetric(matrix_view<T> x) {
  for (index_t i = 0; i < x.rows(); ++i) {
    for (index_t j = 0; j < i; ++j) x(j, i) = x(i, j);
  }
}

template <class B, class T>
void check_multiply(B const& be, index_t m, index_t n, index_t k, index_t variant, double scale = 1) {
  CAPTURE(m);
  CAPTURE(n);
  CAPTURE(k);
  CAPTURE(variant);
  number_source source(static_cast<std::uint64_t>(m * 1369 + n * 37 + k));
  auto const how = update_at(variant);
  stored_matrix<T> const a(m, k, layout_at(variant), source, scale);
  stored_matrix<T> const b(k, n, layout_at(variant / 3), source, scale);
  stored_matrix<T> const c(m, n, layout_at(variant / 5), source);
  stored_matrix<T> const r(m, n, how.in_place ? layout_at(variant / 5) : layout_at(variant / 2));
  fill_addend(how, c, source);
  r.set(c.view());
  be.multiply(static_cast<T>(how.alpha), a.view(), b.view(), static_cast<T>(how.beta),
              how.in_place ? r.view() : c.view(), r.view());
  CHECK(product_ratio<T>(how, a.view(), b.view().transposed(), c.view(), r.view()) <= 1);
  CHECK(r.gaps_intact());
}

template <class B, class T>
void check_gram(B const& be, index_t m, index_t k, index_t variant, double scale = 1) {
  CAPTURE(m);
  CAPTURE(k);
  CAPTURE(variant);
  number_source source(static_cast<std::uint64_t>(m * 37 + k));
  auto const how = update_at(variant);
  stored_matrix<T> const x(m, k, layout_at(variant), source, scale);
  stored_matrix<T> const c(m, m, layout_at(variant / 5), source);
  stored_matrix<T> const g(m, m, how.in_place ? layout_at(variant / 5) : layout_at(variant / 2));
  fill_addend(how, c, source);
  make_symmetric(c.view());
  g.set(c.view());
  be.gram(static_cast<T>(how.alpha), x.view(), static_cast<T>(how.beta), how.in_place ? g.view() : c.view(), g.view());
  CHECK(product_ratio<T>(how, x.view(), x.view(), c.view(), g.view()) <= 1);
  CHECK(same_bits(g.view(), g.view().transposed()));
  CHECK(g.gaps_intact());
}

/// P and Q = P itself and a multiple of the identity commute exactly; what is computed is not told so.
template <class B, class T>
void check_symmetric_product(B const& be, index_t m, index_t variant) {
  CAPTURE(m);
  CAPTURE(variant);
  number_source source(static_cast<std::uint64_t>(m + 1000));
  auto const how = update_at(variant);
  stored_matrix<T> const p(m, m, layout_at(variant), source);
  stored_matrix<T> const q(m, m, layout_at(variant / 3));
  stored_matrix<T> const c(m, m, layout_at(variant / 5), source);
  stored_matrix<T> const r(m, m, how.in_place ? layout_at(variant / 5) : layout_at(variant / 2));
  make_symmetric(p.view());
  q.set(p.view());
  fill_addend(how, c, source);
  make_symmetric(c.view());
  r.set(c.view());
  be.symmetric_product(static_cast<T>(how.alpha), p.view(), q.view(), static_cast<T>(how.beta),
                       how.in_place ? r.view() : c.view(), r.view());
  CHECK(product_ratio<T>(how, p.view(), q.view(), c.view(), r.view()) <= 1);
  CHECK(same_bits(r.view(), r.view().transposed()));
  CHECK(r.gaps_intact());
}

template <class B, class T>
void check_times_vector(B const& be, index_t m, index_t n, index_t variant) {
  CAPTURE(m);
  CAPTURE(n);
  CAPTURE(variant);
  number_source source(static_cast<std::uint64_t>(m * 37 + n));
  auto const how = update_at(variant);
  stored_matrix<T> const a(m, n, layout_at(variant), source);
  stored_matrix<T> const x(n, 1, layout_at(variant / 2), source);
  stored_matrix<T> const c(m, 1, layout::row_major);
  stored_matrix<T> const y(m, 1, layout_at(variant / 3));
  fill_addend(how, c, source);
  y.set(c.view());
  be.times_vector(static_cast<T>(how.alpha), a.view(), as_vector(x), static_cast<T>(how.beta), as_vector(y));
  CHECK(product_ratio<T>(how, a.view(), x.view().transposed(), c.view(), y.view()) <= 1);
  CHECK(y.gaps_intact());
}

/// X v passes each product through n roundings, X^T (X v) each of its terms through m more:
/// |computed - exact| <= gamma_{m+n} |X|^T |X| |v|.
template <class B, class T>
void check_gram_times_vector(B const& be, index_t m, index_t n, index_t variant) {
  CAPTURE(m);
  CAPTURE(n);
  CAPTURE(variant);
  number_source source(static_cast<std::uint64_t>(m * 37 + n));
  stored_matrix<T> const x(m, n, layout_at(variant), source);
  stored_matrix<T> const v(n, 1, layout_at(variant / 2), source);
  stored_matrix<T> const y(n, 1, layout_at(variant / 3));
  be.template gram_times_vector<T>(x.view(), as_vector(v), as_vector(y));

  std::vector<measured> truth(static_cast<std::size_t>(n));
  for (index_t i = 0; i < m; ++i) {
    auto const factor = affine_dot<T>(T(1), x.view().row(i), as_vector(v), T(0), T(0));
    for (index_t j = 0; j < n; ++j) {
      auto const element = static_cast<long double>(x(i, j));
      truth[static_cast<std::size_t>(j)].value += element * factor.value;
      truth[static_cast<std::size_t>(j)].magnitude += std::abs(element) * factor.magnitude;
    }
  }
  worst_ratio worst;
  for (index_t j = 0; j < n; ++j) {
    auto const& element = truth[static_cast<std::size_t>(j)];
    worst.add(static_cast<long double>(y(j, 0)), element.value,
              gamma<T>(m + n) * element.magnitude + underflow<T>(m + n));
  }
  CHECK(worst.value() <= 1);
  CHECK(y.gaps_intact());
}

/// Every remainder of every tile, register and panel width meets every other, and every layout each of them.
template <class B, class T>
void check_products_of_small_shapes(B const& be) {
  index_t variant = 0;
  for (index_t m = 0; m <= 35; ++m) {
    for (index_t n = 0; n <= 35; ++n) {
      ++variant;
      check_multiply<B, T>(be, m, n, (5 * m + 7 * n) % 36, variant);
      check_gram<B, T>(be, m, n, variant);
      check_times_vector<B, T>(be, m, n, variant);
      check_gram_times_vector<B, T>(be, m, n, variant);
    }
    for (index_t i = 0; i < 2 * layout_count; ++i) check_symmetric_product<B, T>(be, m, ++variant);
    // Row and column times matrix, outer and inner product, in every layout.
    for (index_t i = 0; i < 15 * layout_count; i += 3) {
      check_multiply<B, T>(be, 1, m, 35 - m, i);
      check_multiply<B, T>(be, m, 1, 35 - m, i);
      check_multiply<B, T>(be, m, 35 - m, 1, i);
      check_multiply<B, T>(be, 1, 1, m, i);
    }
  }
}

/// Sizes around the blocks: 96 or 128 rows, 12 to 48 columns, a depth of 256 doubles or 384 floats, vectors of 1024.
template <class B, class T>
void check_products_of_large_shapes(B const& be) {
  index_t variant = 0;
  for (index_t const depth : {127, 128, 255, 256, 257, 383, 384, 385}) {
    check_multiply<B, T>(be, 125, 49, depth, ++variant);
    check_multiply<B, T>(be, 7, 73, depth, ++variant);
    check_gram<B, T>(be, 26, depth, ++variant);
    check_times_vector<B, T>(be, 9, depth, ++variant);
    check_gram_times_vector<B, T>(be, depth, 13, ++variant);
  }
  for (index_t const rows : {95, 96, 97, 128, 129, 145, 193, 257}) {
    check_gram<B, T>(be, rows, 17, ++variant);
    check_symmetric_product<B, T>(be, rows, ++variant);
  }
  for (index_t const order : {0, 1, 2, 3, 4}) {
    check_times_vector<B, T>(be, 1030, 11, order);
    check_times_vector<B, T>(be, 11, 1030, order);
    check_gram_times_vector<B, T>(be, 70, 1030, order);
    check_gram_times_vector<B, T>(be, 1030, 70, order);
  }
}

/// Products that are subnormal or vanish: the absolute part of the bound.
template <class B, class T>
void check_products_near_underflow(B const& be) {
  double const scale = 0.25 * std::sqrt(static_cast<double>(std::numeric_limits<T>::min()));
  for (index_t k = 1; k <= 35; ++k) {
    check_multiply<B, T>(be, 5, 9, k, 0, scale);
    check_gram<B, T>(be, 9, k, 0, scale);
  }
}

/// One call in the program, so that both runs execute the same instructions: in plain loops the compiler is free to
/// fuse multiplications and additions at one call and not at another.
template <class B, class T>
[[gnu::noinline]] void multiply_and_gram(B const& be, matrix_view<T const> a, matrix_view<T const> b,
                                         matrix_view<T> product, matrix_view<T> gram) {
  be.multiply(T(1), a, b, T(0), product, product);
  be.gram(T(1), a, T(0), gram, gram);
}

/// The same input gives the same bits; if `everywhere`, at every address and in every layout.
template <class B, class T>
void check_products_are_reproducible(B const& be, bool everywhere) {
  constexpr index_t m = 29, n = 31, k = 301;
  number_source source(7);
  stored_matrix<T> const a(m, k, layout::row_major, source);
  stored_matrix<T> const b(k, n, layout::row_major, source);
  stored_matrix<T> const expected(m, n, layout::row_major);
  stored_matrix<T> const expected_gram(m, m, layout::row_major);
  multiply_and_gram<B, T>(be, a.view(), b.view(), expected.view(), expected_gram.view());
  for (auto const order : every_layout) {
    stored_matrix<T> const left(m, k, order);
    stored_matrix<T> const right(k, n, order);
    stored_matrix<T> const product(m, n, everywhere ? order : layout::row_major);
    stored_matrix<T> const gram(m, m, everywhere ? order : layout::row_major);
    left.set(a.view());
    right.set(b.view());
    if (everywhere) {
      multiply_and_gram<B, T>(be, left.view(), right.view(), product.view(), gram.view());
    } else {
      multiply_and_gram<B, T>(be, a.view(), b.view(), product.view(), gram.view());
    }
    CHECK(same_bits(product.view(), expected.view()));
    CHECK(same_bits(gram.view(), expected_gram.view()));
  }
}

}  // namespace sigmax::test
