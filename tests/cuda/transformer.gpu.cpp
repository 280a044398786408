// SPDX-License-Identifier: MIT
// What the layers of the transformer ask of a device, against their formulas in long double. Every result lies in
// memory that is filled with NaN before, and is computed twice: the bits have to be the same.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <span>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <sigmax/core/error.hpp>
#include <sigmax/core/matrix.hpp>
#include <sigmax/core/workspace.hpp>
#include <sigmax/cuda/device_matrix.hpp>
#include <sigmax/cuda/stream.hpp>

#include "transformer/cuda/device_backend.hpp"
#include "transformer_values.hpp"

using sigmax::index_t;
using sigmax::matrix;
namespace gpu = sigmax::gpu;
using namespace transformer::test;
using transformer::attention_extents;
using transformer::device_backend;

TEST_CASE_TEMPLATE("transformer: zeros, dense or in strides", T, float, double) {
  gpu::stream const stream;
  device_backend const on(stream);
  for (auto const& [rows, cols] : {std::pair<index_t, index_t>{1, 1}, {7, 65}, {70000, 2}}) {
    auto dense = poisoned<T>(stream, rows, cols);
    on.set_zero(dense.view());
    CHECK(same_bits(dense.to_host(), filled(rows, cols, T(0))));
    inner_block<T> strided(stream, random<T>(rows, cols, 1));
    on.set_zero(strided.view());
    auto const [zeros, around] = strided.fetch();
    CHECK(same_bits(zeros, filled(rows, cols, T(0))));
    CHECK(around == 0);
  }
}

TEST_CASE_TEMPLATE("transformer: tokens become rows of the embedding, or of the identity", T, float, double) {
  gpu::stream const stream;
  device_backend const plain(stream);
  sigmax::workspace memory;
  for (auto const& on : {plain, plain.using_scratch(memory)}) {
    for (index_t const tokens : {1, 7, 64, 200, 768}) {
      for (index_t const vocabulary : {2, 65, 257}) {
        auto const list = some_tokens(tokens, vocabulary);
        auto const e = random<T>(vocabulary, 33, 2);
        auto const table = gpu::device_matrix<T>::copy_of(e, stream);
        auto x = poisoned<T>(stream, tokens, 33);
        auto hot = poisoned<T>(stream, tokens, vocabulary);
        auto given = list;
        on.embed(given, table.view(), x.view());
        std::fill(given.begin(), given.end(), -1);
        given = list;
        on.one_hot(given, hot.view());
        std::fill(given.begin(), given.end(), -1);
        matrix<T> rows(tokens, 33);
        matrix<T> ones(tokens, vocabulary);
        for (index_t n = 0; n < tokens; ++n) {
          index_t const at = list[static_cast<std::size_t>(n)];
          std::copy_n(&e(at, 0), 33, &rows(n, 0));
          ones(n, at) = T(1);
        }
        CHECK(same_bits(x.to_host(), rows));
        CHECK(same_bits(hot.to_host(), ones));
      }
    }
  }
}

TEST_CASE_TEMPLATE("transformer: rotations, and back", T, float, double) {
  gpu::stream const stream;
  device_backend const on(stream);
  for (index_t const length : {1, 7, 65, 200}) {
    for (index_t const sequences : {1, 3}) {
      for (index_t const key_width : {2, 8, 64}) {
        for (index_t const heads : {1, 3, 4}) {
          index_t const half = key_width / 2;
          // A longer table than is needed.
          matrix<T> cosine(length + 2, half);
          matrix<T> sine(length + 2, half);
          for (index_t t = 0; t < cosine.rows(); ++t) {
            for (index_t i = 0; i < half; ++i) {
              auto const angle = static_cast<double>(t) / static_cast<double>(i + 1);
              cosine(t, i) = static_cast<T>(std::cos(angle));
              sine(t, i) = static_cast<T>(std::sin(angle));
            }
          }
          auto const start = random<T>(sequences * length, heads * key_width, 3);
          auto const cosine_there = gpu::device_matrix<T>::copy_of(cosine, stream);
          auto const sine_there = gpu::device_matrix<T>::copy_of(sine, stream);
          for (int const direction : {1, -1}) {
            auto x = gpu::device_matrix<T>::copy_of(start, stream);
            on.rotate(cosine_there.view(), sine_there.view(), length, T(direction), x.view());
            CHECK(far_elements(x.to_host(), [&](index_t n, index_t j) {
                    index_t const i = j % key_width % half;
                    index_t const low = j / key_width * key_width + i;
                    wide const a = start(n, low);
                    wide const b = start(n, low + half);
                    wide const c = cosine(n % length, i);
                    wide const s = direction * wide(sine(n % length, i));
                    term result;
                    result.add(j == low ? a * c : a * s);
                    result.add(j == low ? -b * s : b * c);
                    return result;
                  }) == 0);
          }
        }
      }
    }
  }
}

TEST_CASE_TEMPLATE("transformer: GELU and its slope", T, float, double) {
  gpu::stream const stream;
  device_backend const on(stream);
  auto const check = [](matrix<T> const& start, matrix<T> const& y, matrix<T> const& slope) {
    wide const divisor = T(1.129);
    auto const phi = [](wide x) { return (1 + std::erf(x * std::sqrt(0.5L))) / 2; };
    auto const density = [](wide x) { return std::exp(-x * x / 2) / std::sqrt(8 * std::atan(1.0L)); };
    // 1 + erf(x) loses what is far below 1: the errors are absolute.
    CHECK(far_elements(y, [&](index_t i, index_t j) {
            wide const x = start(i, j);
            return term{x * phi(x) / divisor, std::fabs(x)};
          }) == 0);
    CHECK(far_elements(slope, [&](index_t i, index_t j) {
            wide const x = start(i, j);
            return term{(phi(x) + x * density(x)) / divisor, 1};
          }) == 0);
  };
  for (auto const& [rows, cols] : {std::pair<index_t, index_t>{1, 1}, {7, 65}, {200, 257}, {2100, 501}}) {
    auto const start = random<T>(rows, cols, 4, T(3));
    auto x = gpu::device_matrix<T>::copy_of(start, stream);
    auto slope = poisoned<T>(stream, rows, cols);
    on.gelu_forward(T(1.129), x.view(), slope.view());
    check(start, x.to_host(), slope.to_host());
    inner_block<T> strided(stream, start);
    auto slope_beside = poisoned<T>(stream, rows, cols);
    on.gelu_forward(T(1.129), strided.view(), slope_beside.view());
    CHECK(same_bits(strided.fetch().first, x.to_host()));
    CHECK(strided.fetch().second == 0);
    CHECK(same_bits(slope_beside.to_host(), slope.to_host()));
    auto dy = gpu::device_matrix<T>::copy_of(start, stream);
    on.multiply_elements(slope.view(), dy.view());
    auto const factors = slope.to_host();
    CHECK(far_elements(dy.to_host(), [&](index_t i, index_t j) {
            wide const product = wide(start(i, j)) * factors(i, j);
            return term{product, std::fabs(product)};
          }) == 0);
  }
}

TEST_CASE_TEMPLATE("transformer: projection on a ball, and its derivative", T, float, double) {
  gpu::stream const stream;
  device_backend const on(stream);
  T const radius = T(1);
  for (auto const& [rows, cols] : {std::pair<index_t, index_t>{1, 1}, {7, 2}, {65, 33}, {200, 256}}) {
    index_t const d = cols;
    auto start = random<T>(rows, d, 5);
    for (index_t j = 0; j < d; ++j) start(0, j) = T(0);
    auto x = gpu::device_matrix<T>::copy_of(start, stream);
    auto factors = poisoned<T>(stream, 1, rows);
    on.ball_forward(radius, x.view(), factors.view().row(0));
    auto const y = x.to_host();
    auto const f = factors.to_host();
    index_t moved = 0;
    for (index_t n = 0; n < rows; ++n) {
      term squares;
      for (index_t j = 0; j < d; ++j) squares.add(wide(start(n, j)) * start(n, j));
      wide const rms = std::sqrt(squares.value / wide(d));
      wide const exact = rms > 1 ? 1 / rms : 1;
      CHECK(is_near(f(0, n), {exact, exact}));
      moved += f(0, n) < T(1) ? 1 : 0;
      for (index_t j = 0; j < d; ++j) CHECK(y(n, j) == T(f(0, n) < T(1) ? T(start(n, j) * f(0, n)) : start(n, j)));
    }
    if (rows > 60) {
      CHECK(moved > 0);
      CHECK(moved < rows);
    }
    auto const dy = random<T>(rows, d, 6);
    auto dx = gpu::device_matrix<T>::copy_of(dy, stream);
    on.ball_backward(x.view(), factors.view().row(0), dx.view());
    auto const result = dx.to_host();
    for (index_t n = 0; n < rows; ++n) {
      term product;
      wide squares = 0;
      for (index_t j = 0; j < d; ++j) {
        product.add(wide(y(n, j)) * dy(n, j));
        squares += wide(y(n, j)) * y(n, j);
      }
      for (index_t j = 0; j < d; ++j) {
        if (!(f(0, n) < T(1))) {
          CHECK(result(n, j) == dy(n, j));
          continue;
        }
        wide const factor = f(0, n);
        term expected;
        expected.add(factor * dy(n, j));
        expected.add(-factor * y(n, j) * product.value / squares,
                     factor * std::fabs(wide(y(n, j))) * product.magnitude / squares);
        CHECK(is_near(result(n, j), expected));
      }
    }
  }
}

TEST_CASE_TEMPLATE("transformer: cross-entropy and its derivative", T, float, double) {
  gpu::stream const stream;
  device_backend const plain(stream);
  sigmax::workspace memory;
  T const weight = T(0.37);
  for (auto const& on : {plain, plain.using_scratch(memory)}) {
    for (index_t const rows : {1, 7, 200}) {
      for (index_t const vocabulary : {1, 2, 65, 257, 3000}) {
        auto const targets = some_tokens(rows, vocabulary);
        auto start = random<T>(rows, vocabulary, 8, T(3));
        // Several are the largest, in one lane and in others: in every second row the target is one of them, but seldom
        // the first.
        for (index_t n = 1; n < rows; n += 2) {
          for (index_t j = n % 5; j < vocabulary; j += 1 + n % 40) start(n, j) = T(14);
          start(n, targets[static_cast<std::size_t>(n)]) = T(14);
        }
        auto const logits = gpu::device_matrix<T>::copy_of(start, stream);
        std::vector<T> first_losses;
        matrix<T> first_derivatives;
        for (int run = 0; run < 2; ++run) {
          auto x = logits;
          std::vector<T> losses(static_cast<std::size_t>(rows), T(-1));
          std::vector<T> correct(static_cast<std::size_t>(2 * rows), T(-1));
          on.cross_entropy(targets, weight, x.view(), sigmax::vector_view<T>(losses.data(), rows),
                           sigmax::vector_view<T>(correct.data(), rows, 2));
          auto const derivatives = x.to_host();
          if (run > 0) {
            CHECK(losses == first_losses);
            CHECK(same_bits(derivatives, first_derivatives));
            continue;
          }
          first_losses = losses;
          first_derivatives = derivatives;
          for (index_t n = 0; n < rows; ++n) {
            index_t const target = targets[static_cast<std::size_t>(n)];
            index_t best = 0;
            for (index_t j = 1; j < vocabulary; ++j) best = start(n, best) < start(n, j) ? j : best;
            wide total = 0;
            for (index_t j = 0; j < vocabulary; ++j) total += std::exp(wide(start(n, j)) - start(n, best));
            wide const loss = wide(start(n, best)) - start(n, target) + std::log(total);
            CHECK(is_near(losses[static_cast<std::size_t>(n)], {loss, 1 + std::fabs(loss)}));
            CHECK(correct[static_cast<std::size_t>(2 * n)] == T(best == target ? 1 : 0));
            index_t far = 0;
            for (index_t j = 0; j < vocabulary; ++j) {
              // The argument of exp is rounded at its own size.
              wide const away = wide(start(n, j)) - start(n, best);
              term expected;
              expected.add(weight * std::exp(away) / total, weight * std::exp(away) / total * (1 - away));
              if (j == target) expected.add(-wide(weight));
              far += is_near(derivatives(n, j), expected) ? 0 : 1;
            }
            CHECK(far == 0);
          }
        }
      }
    }
  }
}

TEST_CASE("transformer: what does not fit is refused, and host memory where pointers are checked") {
  gpu::stream const stream;
  device_backend const on = device_backend(stream).checking_pointers();
  gpu::device_matrix<float> x(stream, 4, 6);
  gpu::device_matrix<float> y(stream, 4, 5);
  gpu::device_matrix<float> p(stream, 8, 2);
  std::vector<int> const tokens = {0, 1, 2, 3};
  CHECK_THROWS_AS(on.embed(std::span(tokens).first(3), y.view(), y.view()), sigmax::shape_error);
  CHECK_THROWS_AS(on.multiply_elements(x.view(), y.view()), sigmax::shape_error);
  CHECK_THROWS_AS(on.rotate(p.view(), p.view(), 2, 1.0f, x.view()), sigmax::shape_error);
  auto const mix = [&](attention_extents how) {
    on.mix_values(how, 1.0f, x.view(), x.view(), x.view(), {}, p.view(), x.view());
  };
  CHECK_THROWS_AS(mix({3, 2}), sigmax::shape_error);
  CHECK_THROWS_AS(mix({4, 2}), sigmax::shape_error);
  CHECK_THROWS_AS(mix({2, 4}), sigmax::shape_error);
  float host[24] = {};
  auto const there = sigmax::matrix_view<float, sigmax::device_space>(host, 4, 6);
  CHECK_THROWS_AS(on.set_zero(there), sigmax::domain_error);
  CHECK_THROWS_AS(on.multiply_elements(there, x.view()), sigmax::domain_error);
}
