// SPDX-License-Identifier: MIT
// Batches: the same as one by one, bit for bit; nothing is written where one matrix is not finite; at most what came before
// where one is outside a domain.

#include <array>
#include <cmath>
#include <limits>
#include <vector>

#include <doctest/doctest.h>

#include "spectral/verbs.hpp"
#include "support/backends.hpp"

using namespace sigmax::test;
using sigmax::index_t;
using sigmax::matrix;
using sigmax::matrix_view;

TEST_CASE_TEMPLATE("a batch gives what its matrices give one by one", Case, on<sigmax::cpu::scalar, double>,
                   on<sigmax::cpu::simd<>, float>) {
  using T = typename Case::scalar;
  typename Case::backend const on;
  std::vector<matrix<T>> const given = {ordinary<T>(5, 7, 1), ordinary<T>(5, 7, 2), matrix<T>(5, 7),
                                        ordinary<T>(5, 7, 3)};
  for_each_verb([&](auto verb) {
    auto alone = given;
    for (auto& w : alone) verb.run(on, w, 1);

    auto owned = given;
    verb.run(on, owned, 1);
    // 5 x 7, padded to rows of 8 and matrices of 45 elements.
    std::vector<T> buffer(4 * 45, T(77));
    sigmax::strided_batch<T> const strided(matrix_view<T>(buffer.data(), 5, 7, 8, 1), 4, 45);
    for (index_t b = 0; b < 4; ++b) {
      for (index_t i = 0; i < 5; ++i) {
        for (index_t j = 0; j < 7; ++j) strided[b](i, j) = given[static_cast<std::size_t>(b)](i, j);
      }
    }
    verb.run(on, strided, 1);
    for (std::size_t b = 0; b < 4; ++b) {
      INFO("matrix ", b);
      CHECK(same_bits(owned[b], alone[b]));
      CHECK(same_bits(strided[static_cast<index_t>(b)], alone[b]));
    }
    index_t padding = 0;
    for (T const x : buffer) padding += x == T(77) ? 1 : 0;
    CHECK(padding == 4 * (45 - 35));

    // Mixed shapes, orders and owners.
    auto tall = ordinary<T>(9, 4, 5);
    auto single = ordinary<T>(1, 1, 6);
    auto wide = ordinary<T>(3, 11, 7);
    auto const tall_alone = [&] {
      auto w = tall;
      verb.run(on, w, 1);
      return w;
    }();
    auto single_alone = single;
    verb.run(on, single_alone, 1);
    auto wide_alone = wide;
    verb.run(on, wide_alone, 1);
    std::array<matrix_view<T>, 3> const views = {tall.view(), single.view(), wide.view().transposed()};
    verb.run(on, views, 1);
    CHECK(same_bits(tall, tall_alone));
    CHECK(same_bits(single, single_alone));
    CHECK(same_bits(wide, wide_alone));

    std::vector<matrix<T>> nothing;
    CHECK_NOTHROW(verb.run(on, nothing, 1));
    std::vector<matrix<T>> without_elements(2);
    CHECK_NOTHROW(verb.run(on, without_elements, 1));
  });
}

TEST_CASE_TEMPLATE("one element that is not finite, and nothing is written", S, double, sigmax::bf16) {
  sigmax::cpu::simd<> const on;
  for_each_verb([&](auto verb) {
    for (double const poison : {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity(),
                                -std::numeric_limits<double>::infinity()}) {
      std::vector<matrix<S>> batch = {ordinary<S>(4, 6, 1), ordinary<S>(6, 4, 2), ordinary<S>(5, 5, 3)};
      batch[2](4, 4) = S(static_cast<float>(poison));
      auto const before = batch;
      CHECK_THROWS_AS(verb.run(on, batch, 1), sigmax::numeric_error);
      CHECK_THROWS_AS(verb.run(on, batch[2], 1), sigmax::numeric_error);
      for (std::size_t b = 0; b < 3; ++b) CHECK(same_bits(batch[b], before[b]));
    }
  });
}

// The domain is looked at matrix by matrix: those before the one at fault are done, it and those after it are untouched.
TEST_CASE("a matrix outside the domain stops a batch where it stands") {
  auto const good = ordinary<double>(4, 6, 1);
  auto const bad = ordinary<double>(4, 6, 2, 2);
  auto const see = [&](auto const& call) {
    auto done = good;
    call(done);
    std::vector<matrix<double>> batch = {good, bad, good};
    CHECK_THROWS_AS(call(batch), sigmax::domain_error);
    CHECK(same_bits(batch[0], done));
    CHECK(same_bits(batch[1], bad));
    CHECK(same_bits(batch[2], good));
  };
  see([](auto& w) { sigmax::soft_cap(w, {.sigma_max = 1, .update_norm = 0.3}); });
  see([](auto& w) { sigmax::apply_polynomial(w, verbs::polynomial::schedule); });
  see([](auto& w) { (void)sigmax::spectral_function(w, [](double s) { return std::sin(s); }, {.upper = 1.5}); });
}

TEST_CASE_TEMPLATE("the same input gives the same bits, with memory of its own or of others", Case,
                   SIGMAX_TEST_OWN_BACKENDS) {
  using T = typename Case::scalar;
  typename Case::backend const on;
  sigmax::workspace used;
  for_each_verb([&](auto verb) {
    // What others leave in a workspace must not matter: larger matrices, and NaN all over.
    {
      sigmax::workspace::frame frame(used);
      auto const rubbish = frame.template vector<T>(20000);
      for (index_t i = 0; i < rubbish.size(); ++i) rubbish[i] = std::numeric_limits<T>::quiet_NaN();
    }
    auto const w = ordinary<T>(7, 10, 9);
    auto first = w;
    auto second = w;
    auto third = w;
    verb.run(on, first, 1);
    verb.run(on, second, 1, &used);
    verb.run(on, third, 1, &used);
    CHECK(same_bits(first, second));
    CHECK(same_bits(first, third));
  });
}
