// SPDX-License-Identifier: MIT
// Every spectral function on every backend of our own: against the exact result, in all layouts, twice.

#include <doctest/doctest.h>

#include "spectral/verbs.hpp"
#include "support/backends.hpp"

using namespace sigmax::test;
using sigmax::index_t;

TEST_CASE_TEMPLATE("every function is what it says in every layout", Case, SIGMAX_TEST_OWN_BACKENDS) {
  using T = typename Case::scalar;
  typename Case::backend const on;
  for_each_verb([&](auto verb) {
    figure error(place<Case>() + verb.name);
    for (auto const shape : standard_shapes) {
      index_t const m = shape.rows;
      index_t const n = shape.cols;
      auto const w = ordinary<T>(m, n, 21);
      auto first = w;
      verb.run(on, first, 1);
      see_result<decltype(verb)>(error, w, first, 1);
      // Layouts differ in where elements stand, not in what is computed.
      for_each_layout(w, [&](sigmax::matrix_view<T> view) {
        verb.run(on, view, 1);
        CHECK(same_bits(view, first));
      });
      // f(W^T) = f(W)^T: short sides are rows inside, so for other than square matrices it is the same computation.
      auto turned = w;
      verb.run(on, turned.view().transposed(), 1);
      if (m != n) CHECK(same_bits(turned, first));
      see_result<decltype(verb)>(error, w, turned, 1);
    }
  });
}
