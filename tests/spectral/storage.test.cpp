// SPDX-License-Identifier: MIT
// Every spectral function on 16-bit storage, at extreme scales and among subnormal numbers.

#include <doctest/doctest.h>

#include "spectral/verbs.hpp"
#include "support/backends.hpp"

using namespace sigmax::test;
using sigmax::index_t;

namespace {

template <class S, class B>
void see_all(char const* where, B const& on, std::initializer_list<double> scales) {
  for_each_verb([&](auto verb) {
    figure error(std::string(where) + verb.name);
    for (double const scale : scales) {
      if (!verb.any_scale && scale != 1) continue;
      for (auto const shape : {extents{12, 12}, {9, 31}, {31, 9}, {1, 13}, {1, 1}}) {
        index_t const m = shape.rows;
        index_t const n = shape.cols;
        INFO(m, " x ", n, ", scale ", scale);
        auto const w = ordinary<S>(m, n, 23, scale);
        auto result = w;
        verb.run(on, result, scale);
        see_result<decltype(verb)>(error, w, result, scale);
      }
    }
  });
}

}  // namespace

TEST_CASE("16 bits are computed in float or double and rounded once") {
  see_all<sigmax::bf16>("bf16 on simd: ", sigmax::cpu::simd<>{}, {1, 1e-30, 1e30});
  see_all<sigmax::f16>("f16 on simd: ", sigmax::cpu::simd<>{}, {1, 1e-3, 1e3});
}

// Matrices of 16 bits are read into floats, and rounded back once: nothing else tells them from a matrix of floats.
TEST_CASE_TEMPLATE("what 16 bits give is what their values as floats give, rounded", S, sigmax::bf16, sigmax::f16) {
  for (auto const shape : {extents{12, 12}, {70, 130}, {130, 70}}) {
    auto w = ordinary<S>(shape.rows, shape.cols, 5);
    sigmax::matrix<float> copy(shape.rows, shape.cols);
    for (index_t i = 0; i < w.size(); ++i) copy.data()[i] = w.data()[i];
    sigmax::orthogonalize(w);
    sigmax::orthogonalize(copy);
    for (index_t i = 0; i < w.size(); ++i) REQUIRE(w.data()[i].bits == S(copy.data()[i]).bits);
  }
}

TEST_CASE("scale does not matter, down to subnormal numbers and up to the largest") {
  see_all<float>("float, scales: ", sigmax::cpu::simd<>{}, {1e-30, 1e30, 1e-40, 1e38});
  see_all<double>("double, scales: ", sigmax::cpu::simd<>{}, {1e-300, 1e300, 1e-310, 1e307});
}

// Singular values to 1 are no use where 1 has no such storage; caps above it are.
TEST_CASE("a result that overflows its storage is refused, and W untouched") {
  auto w = ordinary<sigmax::f16>(4, 6, 3);
  auto const before = w;
  CHECK_THROWS_AS(sigmax::project_to_stiefel(w, {.sigma_max = 1e6}), sigmax::numeric_error);
  CHECK(same_bits(w, before));
  CHECK_THROWS_AS(sigmax::spectral_relu(w, {.threshold = 1e6}), sigmax::numeric_error);
  CHECK(same_bits(w, before));
  auto single = ordinary<float>(4, 6, 3);
  auto const single_before = single;
  CHECK_THROWS_AS(sigmax::spectral_relu(single, {.threshold = 1e39}), sigmax::numeric_error);
  CHECK_THROWS_AS(sigmax::orthogonalize(single, {.scale = 1e39}), sigmax::numeric_error);
  CHECK(same_bits(single, single_before));
}
