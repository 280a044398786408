// SPDX-License-Identifier: MIT
// Leading singular triplets against an SVD in long double.
#include <cmath>
#include <limits>
#include <string>
#include <type_traits>
#include <utility>

#include <doctest/doctest.h>

#include <sigmax/estimate/block_lanczos.hpp>

#include "support/backends.hpp"
#include "support/spectra.hpp"

using sigmax::block_lanczos;
using sigmax::index_t;
using sigmax::matrix;
using sigmax::singular_triplets;
using sigmax::singular_triplets_options;
using namespace sigmax::test;

namespace {

template <class T>
long double unit() {
  return static_cast<long double>(std::numeric_limits<T>::epsilon()) / 2;
}

/// Rounding in sums of products over both sides, relative to ||W||_2.
template <class T>
long double rounding(index_t m, index_t n) {
  return 8 * static_cast<long double>(std::max(m, n)) * unit<T>();
}

/// || Q^T Q - I ||, elementwise.
long double distance_from_orthonormal(exact const& q) {
  exact const gram = product(transposed(q), q);
  long double largest = 0;
  for (index_t i = 0; i < gram.rows(); ++i) {
    for (index_t j = 0; j < gram.cols(); ++j) largest = std::max(largest, std::fabs(gram(i, j) - (i == j ? 1 : 0)));
  }
  return largest;
}

long double column_norm(exact const& a, index_t j) {
  long double squares = 0;
  for (index_t i = 0; i < a.rows(); ++i) squares += a(i, j) * a(i, j);
  return std::sqrt(squares);
}

/// What every result claims of W: orthonormal vectors, residuals that are those of the vectors, sigma in order.
template <class M, class T>
void check_claims(M const& w, singular_triplets<T> const& found) {
  exact const a = in_long_double(w);
  exact const u = in_long_double(found.u);
  exact const v = in_long_double(found.v);
  index_t const count = found.sigma.size();
  auto const slack = rounding<T>(a.rows(), a.cols());
  auto const top = static_cast<long double>(found.sigma[0]);
  CHECK(distance_from_orthonormal(u) <= slack);
  CHECK(distance_from_orthonormal(v) <= slack);
  exact const av = product(a, v);
  exact const atu = product(transposed(a), u);
  for (index_t k = 0; k < count; ++k) {
    auto const sigma = static_cast<long double>(found.sigma[k]);
    exact left(a.rows(), 1);
    exact right(a.cols(), 1);
    for (index_t i = 0; i < a.rows(); ++i) left(i, 0) = av(i, k) - sigma * u(i, k);
    for (index_t j = 0; j < a.cols(); ++j) right(j, 0) = atu(j, k) - sigma * v(j, k);
    long double const residual = std::max(column_norm(left, 0), column_norm(right, 0));
    CHECK(residual <= (static_cast<long double>(found.residual[k]) + slack) * top);
    CHECK(residual >= (static_cast<long double>(found.residual[k]) - slack) * top);
    if (k > 0) CHECK(found.sigma[k] <= found.sigma[k - 1] + static_cast<T>((found.residual[k] + slack) * top));
  }
}

/// That the singular values are the leading ones.
template <class M, class T>
void check_leading(M const& w, singular_triplets<T> const& found) {
  auto const truth = svd(w);
  auto const n = static_cast<index_t>(truth.sigma.size());
  for (index_t k = 0; k < found.sigma.size(); ++k) {
    CAPTURE(k);
    long double const error =
        std::fabs(static_cast<long double>(found.sigma[k]) - truth.sigma[static_cast<std::size_t>(k)]);
    CHECK(error <= (static_cast<long double>(found.residual[k]) + rounding<T>(w.rows(), w.cols())) * truth.sigma[0]);
  }
  CHECK(found.sigma.size() <= n);
}

}  // namespace

// One scalar of Eigen's: both would double the compile time of this file.
#if defined(SIGMAX_TEST_HAS_EIGEN)
#define BLOCK_LANCZOS_BACKENDS SIGMAX_TEST_OWN_BACKENDS, on<sigmax::cpu::eigen, float>
#else
#define BLOCK_LANCZOS_BACKENDS SIGMAX_TEST_OWN_BACKENDS
#endif

TEST_CASE_TEMPLATE("the leading triplets of every spectrum", Case, BLOCK_LANCZOS_BACKENDS) {
  using T = typename Case::scalar;
  typename Case::backend const be;
  for (auto const& family : standard_spectra) {
    for (auto const& shape : {extents{12, 12}, {9, 31}, {31, 9}, {1, 13}, {13, 1}, {1, 1}, {50, 64}}) {
      matrix<T> const w = rounded<T>(of_spectrum(family, shape.rows, shape.cols, 5));
      for (index_t const count : {1, 2, 5, 9}) {
        if (count > std::min(shape.rows, shape.cols)) continue;
        INFO(std::string(family.name), ", ", shape.rows, " x ", shape.cols, ", count ", count);
        auto const found = block_lanczos(be, w, {.count = count});
        CHECK(found.converged);
        check_claims(w, found);
        check_leading(w, found);
      }
    }
  }
}

// A block of count + 1 vectors sees count + 1 copies of a singular value; Lanczos from one vector sees one.
TEST_CASE("multiple and clustered singular values are found as often as they occur") {
  for (int const digits : {1, 2, 3, 5, 8, 12, 15}) {
    CAPTURE(digits);
    auto const w = rounded<double>(with_singular_values(
        60, 48, 3, [&](index_t i) { return i < 6 ? clustered(2.0L, digits)(i) : 1 / static_cast<long double>(i); }));
    auto const found = block_lanczos(w, {.count = 6});
    CHECK(found.converged);
    check_claims(w, found);
    check_leading(w, found);
  }
  matrix<float> identity(80, 80);
  for (index_t i = 0; i < 80; ++i) identity(i, i) = 3;
  auto const found = block_lanczos(identity, {.count = 7});
  CHECK(found.converged);
  for (index_t k = 0; k < 7; ++k) CHECK(std::fabs(found.sigma[k] - 3) <= 1e-5f);
  check_claims(identity, found);
}

// Restarts: 100 vectors on the short side and 10 Gaussian leaders, none of which stands alone.
TEST_CASE_TEMPLATE("Gaussian matrices larger than the space", T, float, double) {
  auto const w = rounded<T>(gaussian(100, 130, 7));
  auto const truth = svd(w);
  for (index_t const count : {1, 3, 10}) {
    auto const found = block_lanczos(w, {.count = count});
    CAPTURE(count);
    CHECK(found.converged);
    CHECK(found.iterations < 60);
    check_claims(w, found);
    for (index_t k = 0; k < count; ++k) {
      // With the others found as well, the error of sigma is that of the square of the residual over the gap.
      CHECK(std::fabs(static_cast<long double>(found.sigma[k]) / truth.sigma[static_cast<std::size_t>(k)] - 1) <=
            64 * unit<T>());
    }
  }
}

TEST_CASE("rank below count: zeros, with vectors that complete the others") {
  for (auto const& shape : {extents{20, 30}, {30, 20}, {100, 70}}) {
    auto const w = rounded<double>(
        with_singular_values(shape.rows, shape.cols, 11, [](index_t i) { return i < 2 ? 3.0L - i : 0.0L; }));
    auto const found = block_lanczos(w, {.count = 6});
    check_claims(w, found);
    check_leading(w, found);
    CHECK(found.converged);
    CHECK(found.sigma[2] <= 1e-14);
  }
  matrix<double> diagonal(5, 4);
  diagonal(0, 0) = 2;
  auto const found = block_lanczos(diagonal, {.count = 4});
  CHECK((found.sigma[0] == doctest::Approx(2) && found.sigma[1] == 0 && found.sigma[3] == 0));
  check_claims(diagonal, found);
  matrix<double> const zero(4, 5);
  auto const nothing = block_lanczos(zero, {.count = 3});
  CHECK((nothing.converged && nothing.sigma[0] == 0 && nothing.residual[2] == 0));
  CHECK(distance_from_orthonormal(in_long_double(nothing.u)) == 0);
  CHECK(distance_from_orthonormal(in_long_double(nothing.v)) == 0);
}

TEST_CASE_TEMPLATE("every storage and layout", S, float, double, sigmax::bf16, sigmax::f16, long double) {
  for (auto const& shape : {extents{14, 10}, {10, 14}}) {
    auto const w = rounded<S>(of_spectrum(standard_spectra[1], shape.rows, shape.cols, 13));
    for_each_layout(w, [&](auto view) {
      auto const found = block_lanczos(view, {.count = 3});
      static_assert(std::is_same_v<decltype(found.sigma), sigmax::vector_view<sigmax::compute_t<S>>>);
      CHECK(found.converged);
      check_claims(view, found);
      check_leading(view, found);
    });
  }
}

TEST_CASE_TEMPLATE("every scale", T, float, double) {
  exact const w = of_spectrum(standard_spectra[1], 16, 12, 17);
  int const last = std::numeric_limits<T>::max_exponent;
  for (int const exponent : {-last - 8, -last + 2, -last / 2, -3, last / 2, last - 2}) {
    CAPTURE(exponent);
    exact scaled = w;
    for (index_t i = 0; i < w.size(); ++i) scaled.data()[i] = std::ldexp(w.data()[i], exponent);
    auto const stored = rounded<T>(scaled);
    auto const found = block_lanczos(stored, {.count = 3});
    CHECK(found.converged);
    if (exponent <= -last + 2) {  // sigma is a subnormal number or nearly one: good to its last bit
      auto const error = std::fabs(static_cast<long double>(found.sigma[0]) - svd(stored).sigma[0]);
      CHECK(error <= 2 * static_cast<long double>(std::numeric_limits<T>::denorm_min()) + 1e-5L * found.sigma[0]);
    } else {
      check_claims(stored, found);
      check_leading(stored, found);
    }
  }
  auto all_large = rounded<T>(exact(30, 30));
  for (index_t i = 0; i < all_large.size(); ++i) all_large.data()[i] = std::numeric_limits<T>::max();
  auto const found = block_lanczos(all_large, {.count = 2});
  CHECK(found.sigma[0] == std::numeric_limits<T>::infinity());
  CHECK(found.converged);
}

TEST_CASE_TEMPLATE("a warm start continues in the caller's storage, and notices who has overtaken", Case,
                   SIGMAX_TEST_OWN_BACKENDS) {
  using T = typename Case::scalar;
  typename Case::backend const be;
  for (auto const& shape : {extents{60, 90}, {90, 60}, {70, 70}}) {
    auto w = rounded<T>(gaussian(shape.rows, shape.cols, 19));
    matrix<T> u(shape.rows, 3);
    matrix<T> v(shape.cols, 3);
    singular_triplets_options<T> options{.count = 3, .u = u.view(), .v = v.view()};
    auto const cold = block_lanczos(be, w, options);
    CHECK((cold.converged && cold.v.data() == v.data() && cold.u.data() == u.data()));
    options.warm_start = true;
    auto const again = block_lanczos(be, w, options);
    CHECK((again.converged && 2 * again.iterations <= cold.iterations));
    check_claims(w, again);
    // Lengths do not matter, zero columns are replaced.
    for (index_t j = 0; j < shape.cols; ++j) {
      v(j, 0) = T(0);
      v(j, 1) = T(v(j, 1) * std::numeric_limits<T>::max() / 2);
      v(j, 2) = T(v(j, 2) * std::numeric_limits<T>::min());
    }
    auto const patched = block_lanczos(be, w, options);
    CHECK(patched.converged);
    check_leading(w, patched);
  }
  // The three old directions are exactly invariant, and the new leader is orthogonal to them.
  matrix<T> diagonal(40, 40);
  for (index_t i = 0; i < 40; ++i) diagonal(i, i) = i < 3 ? T(3) - T(i) / T(2) : T(1) / T(i);
  matrix<T> v(40, 3);
  singular_triplets_options<T> options{.count = 3, .v = v.view()};
  CHECK(block_lanczos(be, diagonal, options).converged);
  for (index_t k = 0; k < 3; ++k) {
    for (index_t j = 0; j < 40; ++j) v(j, k) = T(j == k ? 1 : 0);
  }
  diagonal(20, 20) = 5;
  options.warm_start = true;
  auto const found = block_lanczos(be, diagonal, options);
  CHECK(found.converged);
  check_leading(diagonal, found);
}

TEST_CASE("who runs out of steps says so, and results are functions of the seed") {
  auto const w = rounded<double>(gaussian(60, 60, 23));
  for (index_t const limit : {1, 2, 3, 5}) {
    auto const found = block_lanczos(w, {.count = 4, .max_iterations = limit});
    CHECK(found.iterations == limit);
    CHECK_FALSE(found.converged);
    check_claims(w, found);
  }
  auto const strict = block_lanczos(w, {.count = 2, .tolerance = std::numeric_limits<double>::min()});
  CHECK_FALSE(strict.converged);
  check_claims(w, strict);
  auto const first = block_lanczos(w, {.count = 2, .max_iterations = 2, .seed = 5});
  auto const same = block_lanczos(w, {.count = 2, .max_iterations = 2, .seed = 5});
  auto const other = block_lanczos(w, {.count = 2, .max_iterations = 2, .seed = 6});
  CHECK((first.sigma[0] == same.sigma[0] && first.v(3, 1) == same.v(3, 1)));
  CHECK((first.sigma[0] != other.sigma[0] && first.v(3, 1) != other.v(3, 1)));
  auto moved = block_lanczos(w, {.count = 2});
  double const v = moved.v(1, 1);
  auto const taken = std::move(moved);
  CHECK(taken.v(1, 1) == v);
}

namespace {

template <class Error, class F>
std::string refusal(F const& f) {
  try {
    f();
  } catch (Error const& problem) {
    return problem.what();
  } catch (std::exception const& other) {
    return std::string("another exception: ") + other.what();
  }
  return "nothing was thrown";
}

}  // namespace

TEST_CASE("bad options and bad numbers are refused by name") {
  using options = singular_triplets_options<double>;
  auto const w = rounded<double>(gaussian(4, 3, 29));
  matrix<double> storage(4, 2);
  sigmax::vector<double> three(3);
  auto const shape = [&](options const& o) { return refusal<sigmax::shape_error>([&] { block_lanczos(w, o); }); };
  auto const domain = [&](options const& o) { return refusal<sigmax::domain_error>([&] { block_lanczos(w, o); }); };
  CHECK(domain({.count = 0}).starts_with("block_lanczos: count is 0"));
  CHECK(domain({.count = 4}).starts_with("block_lanczos: count is 4; W is 4 x 3 and has 3 singular values"));
  CHECK(shape({.count = 1, .u = storage.view()}) == "block_lanczos: u is 4 x 2; it must be 4 x 1");
  CHECK(shape({.count = 2, .v = storage.view()}) == "block_lanczos: v is 4 x 2; it must be 3 x 2");
  CHECK(shape({.count = 2, .sigma = three.view()}) == "block_lanczos: sigma has 3 elements; count is 2");
  CHECK(shape({.count = 2, .residual = three.view()}) == "block_lanczos: residual has 3 elements; count is 2");
  CHECK(domain({.warm_start = true}).starts_with("block_lanczos: warm_start is set but v is empty"));
  CHECK(domain({.tolerance = -1}).starts_with("block_lanczos: tolerance"));
  CHECK(domain({.tolerance = std::nan("")}).starts_with("block_lanczos: tolerance"));
  CHECK(domain({.max_iterations = -1}).starts_with("block_lanczos: max_iterations is -1"));
  for (double const bad : {std::nan(""), std::numeric_limits<double>::infinity()}) {
    matrix<double> v(3, 1);
    v(1, 0) = bad;
    CHECK(domain({.warm_start = true, .v = v.view()}).starts_with("block_lanczos: v has an element"));
    auto broken = w;
    broken(3, 2) = bad;
    CHECK(
        refusal<sigmax::numeric_error>([&] { block_lanczos(broken); }).starts_with("block_lanczos: W has an element"));
  }
}
