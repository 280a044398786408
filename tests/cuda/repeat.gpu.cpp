// SPDX-License-Identifier: MIT
// The same input gives the same bits, a hundred times, for every primitive and shapes of every path.
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <sigmax/core/matrix.hpp>
#include <sigmax/core/random.hpp>
#include <sigmax/cuda/backend.hpp>
#include <sigmax/cuda/device_matrix.hpp>

#include "cuda/random_matrix.hpp"

using sigmax::index_t;
namespace gpu = sigmax::gpu;
using sigmax::test::random_on_device;

namespace {

template <class T>
bool same_bits(sigmax::matrix<T> const& a, sigmax::matrix<T> const& b) {
  return std::memcmp(a.data(), b.data(), static_cast<std::size_t>(a.size()) * sizeof(T)) == 0;
}

/// work(on, r) writes r, which is refilled from `start` before each run.
template <class T, class F>
void repeat(gpu::cuda const& on, gpu::device_matrix<T> const& start, F const& work) {
  sigmax::matrix<T> first;
  for (int run = 0; run < 100; ++run) {
    auto r = start;
    work(on, r);
    auto const bits = r.to_host();
    if (run == 0) first = bits;
    if (!same_bits(first, bits)) FAIL_CHECK("run " << run << " differs");
  }
}

}  // namespace

TEST_CASE_TEMPLATE("the same bits a hundred times", T, float, double) {
  gpu::stream const stream;
  gpu::cuda const plain(stream);
  sigmax::workspace memory;
  gpu::cuda const on = plain.using_scratch(memory);
  // Divided depth with few tiles, tiles of both sizes, edges.
  for (auto const& [rows, cols] : {std::pair<index_t, index_t>{70, 3000}, {300, 129}, {1030, 520}, {1800, 64}}) {
    index_t const m = rows;
    index_t const n = cols;
    CAPTURE(m);
    CAPTURE(n);
    auto const x = random_on_device<T>(stream, m, n, 1);
    auto const y = random_on_device<T>(stream, n, m, 2);
    auto const square = random_on_device<T>(stream, m, m, 3);
    auto const row = random_on_device<T>(stream, 1, n, 4);
    repeat<T>(on, square, [&](auto const& be, auto& r) { be.gram(T(1.5), x.view(), T(0), r.view(), r.view()); });
    repeat<T>(on, square,
              [&](auto const& be, auto& r) { be.multiply(T(1), x.view(), y.view(), T(-0.5), r.view(), r.view()); });
    repeat<T>(on, square, [&](auto const& be, auto& r) {
      be.symmetric_product(T(1), square.view(), square.view(), T(0), r.view(), r.view());
    });
    repeat<T>(on, row,
              [&](auto const& be, auto& r) { be.gram_times_vector(x.view(), row.view().row(0), r.view().row(0)); });
    repeat<T>(on, row, [&](auto const& be, auto& r) {
      be.gram_times_vector(y.view().transposed(), row.view().row(0), r.view().row(0));
      be.row_abs_sums(y.view(), r.view().row(0));
    });
    repeat<T>(on, row, [&](auto const& be, auto& r) {
      be.times_vector(T(2), x.view().transposed(), square.view().row(0), T(0), r.view().row(0));
    });
    T const squares = on.sum_squares(x.view());
    T const product = on.dot(row.view().row(0), row.view().row(0));
    T const largest = on.max_abs(x.view());
    for (int run = 0; run < 100; ++run) {
      CHECK(on.sum_squares(x.view()) == squares);
      CHECK(on.dot(row.view().row(0), row.view().row(0)) == product);
      CHECK(on.max_abs(x.view()) == largest);
    }
  }
  auto const x = random_on_device<T>(stream, 260, 400, 5);
  gpu::device_matrix<T> definite(stream, 260, 260);
  on.gram(T(1), x.view(), T(0), definite.view(), definite.view());
  repeat<T>(on, definite, [&](auto const& be, auto& r) { CHECK(be.cholesky(r.view()) == 260); });
  // Larger than one block factors.
  auto const wide = random_on_device<T>(stream, 600, 900, 6);
  gpu::device_matrix<T> large(stream, 600, 600);
  on.gram(T(1), wide.view(), T(0), large.view(), large.view());
  repeat<T>(on, large, [&](auto const& be, auto& r) { CHECK(be.cholesky(r.view()) == 600); });
  auto factor = definite;
  CHECK(on.cholesky(factor.view()) == 260);
  repeat<T>(on, x, [&](auto const& be, auto& r) {
    be.triangular_solve(factor.view(), r.view());
    be.triangular_solve_transposed(factor.view(), r.view());
  });
  gpu::device_matrix<T> values(stream, 1, 260);
  repeat<T>(on, definite, [&](auto const& be, auto& r) {
    auto destroyed = r;
    be.symmetric_eigen(destroyed.view(), values.view().row(0), r.view());
  });
}
