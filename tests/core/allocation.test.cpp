// SPDX-License-Identifier: MIT
// Counts every allocation of this executable: what a workspace is for is that there are none.

#include <doctest/doctest.h>

#include <sigmax/core/matrix.hpp>
#include <sigmax/core/workspace.hpp>

#include "support/allocation_counter.hpp"

namespace {

/// An algorithm of some depth: pieces before, between and above frames.
void use(sigmax::workspace& memory, sigmax::index_t n, int depth) {
  sigmax::workspace::frame frame(memory);
  auto const a = frame.matrix<double>(n, n + 1);
  a(n - 1, n) = 1;
  if (depth > 0) use(memory, n + 3, depth - 1);
  auto const v = frame.vector<float>(7 * n);
  v[0] = 1;
  if (depth > 0) use(memory, n / 2 + 1, depth - 1);
}

}  // namespace

TEST_CASE("from the second round on, a workspace allocates nothing") {
  sigmax::workspace memory;
  use(memory, 20, 5);
  CHECK(memory.capacity() >= memory.peak());
  for (sigmax::index_t const n : {20, 20, 3, 19, 20}) {
    long const before = allocations;
    use(memory, n, 5);
    long const during = allocations - before;
    CHECK(during == 0);
  }
  memory.freeze();
  CHECK_NOTHROW(use(memory, 20, 5));
}

TEST_CASE("growing once more costs one merge and is over") {
  sigmax::workspace memory;
  use(memory, 10, 2);
  use(memory, 100, 2);
  long const before = allocations;
  use(memory, 100, 2);
  use(memory, 10, 2);
  long const during = allocations - before;
  CHECK(during == 0);
}

TEST_CASE("views, blocks and moves of matrices allocate nothing") {
  sigmax::matrix<double> a(10, 10);
  long const before = allocations;
  auto const block = a.view().block(1, 1, 4, 4).transposed();
  sigmax::matrix_view<double const> const constant = block;
  sigmax::matrix<double> b = std::move(a);
  sigmax::matrix<double> const empty(0, 10);
  long const during = allocations - before;
  CHECK(during == 0);
  CHECK((constant.rows() == 4 && b(0, 0) == 0 && empty.empty()));
}

TEST_CASE("a matrix is one allocation") {
  long const before = allocations;
  sigmax::matrix<double> const a(10, 10);
  long const made = allocations - before;
  CHECK(made == 1);
  sigmax::matrix<double> const b = a;
  long const copied = allocations - before - made;
  CHECK(copied == 1);
}
