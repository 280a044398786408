// SPDX-License-Identifier: MIT
// Counts every allocation of this executable: a warmed estimate makes none.

#include <doctest/doctest.h>

#include <sigmax/core/matrix.hpp>
#include <sigmax/core/random.hpp>
#include <sigmax/estimate/lanczos.hpp>
#include <sigmax/estimate/power_iteration.hpp>

#include "support/allocation_counter.hpp"

namespace {

/// W of a scale at which it is computed in place, or (1e35) from a scaled copy.
template <class Storage, class B>
void allocates_nothing(float scale) {
  using T = sigmax::compute_t<Storage>;
  sigmax::index_t const rows = 40;
  sigmax::index_t const cols = 60;
  sigmax::matrix<float> noise(rows, cols);
  sigmax::fill_normal(noise.view(), 1);
  sigmax::matrix<Storage> w(cols, rows);
  for (sigmax::index_t i = 0; i < cols; ++i) {
    for (sigmax::index_t j = 0; j < rows; ++j) w(i, j) = Storage(noise(j, i) * scale);
  }
  sigmax::vector<T> u(rows);
  sigmax::vector<T> v(cols);
  sigmax::workspace scratch;
  sigmax::singular_estimate_options<T> options{.u = u.view(), .v = v.view(), .scratch = &scratch};
  auto const by_columns = std::as_const(w).view().transposed();
  for (int round = 0; round < 4; ++round) {
    options.warm_start = round >= 2;
    options.seed = static_cast<std::uint64_t>(round);
    long const before = allocations;
    auto const krylov = sigmax::lanczos(B{}, by_columns, options);
    auto const power = sigmax::power_iteration(B{}, by_columns, options);
    long const during = allocations - before;
    CHECK((krylov.sigma > 0 && power.sigma > 0));
    CAPTURE(round);
    if (round == 0) {
      CHECK(during > 0);
    } else {
      CHECK(during == 0);
    }
  }
}

}  // namespace

TEST_CASE_TEMPLATE("the second call with scratch and storage allocates nothing", B, sigmax::cpu::scalar,
                   sigmax::cpu::simd<>) {
  for (float const scale : {1.0f, 1e-30f, 1e35f}) {
    allocates_nothing<float, B>(scale);
    allocates_nothing<double, B>(scale);
  }
  allocates_nothing<sigmax::bf16, B>(1);
  allocates_nothing<sigmax::f16, B>(1);
}

TEST_CASE("a matrix that needs less than the last one allocates nothing either") {
  sigmax::workspace scratch;
  sigmax::vector<double> storage(50);
  for (sigmax::index_t const n : {50, 50, 7, 31, 50}) {
    sigmax::matrix<double> w(n, n);
    sigmax::fill_normal(w.view(), 3);
    sigmax::vector<double> u(n);
    auto const v = storage.view().segment(0, n);
    bool const first = scratch.capacity() == 0;
    long const before = allocations;
    (void)sigmax::lanczos(w, {.u = u.view(), .v = v, .scratch = &scratch});
    long const during = allocations - before;
    if (!first) CHECK(during == 0);
  }
}
