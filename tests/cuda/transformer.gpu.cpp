// SPDX-License-Identifier: MIT
// What the layers of the transformer ask of a device, against their formulas in long double. Every result lies in
// memory that is filled with NaN before, and is computed twice: the bits have to be the same.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <span>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <sigmax/core/error.hpp>
#include <sigmax/core/matrix.hpp>
#include <sigmax/core/random.hpp>
#include <sigmax/core/workspace.hpp>
#include <sigmax/cuda/device_matrix.hpp>
#include <sigmax/cuda/stream.hpp>

#include "transformer/cuda/device_backend.hpp"

using sigmax::index_t;
using sigmax::matrix;
namespace gpu = sigmax::gpu;
using transformer::attention_extents;
using transformer::device_backend;

namespace {

using wide = long double;

template <class T>
matrix<T> filled(index_t rows, index_t cols, T value) {
  matrix<T> result(rows, cols);
  std::fill(result.data(), result.data() + result.size(), value);
  return result;
}

template <class T>
matrix<T> random(index_t rows, index_t cols, std::uint64_t seed, T scale = T(1)) {
  matrix<T> result(rows, cols);
  fill_normal(result.view(), seed);
  for (index_t i = 0; i < result.size(); ++i) result.data()[i] *= scale;
  return result;
}

template <class T>
gpu::device_matrix<T> on_device(gpu::stream const& on, matrix<T> const& x) {
  return x.empty() ? gpu::device_matrix<T>(on, x.rows(), x.cols()) : gpu::device_matrix<T>::copy_of(x, on);
}

/// Memory in which whatever is read before it is written shows.
template <class T>
gpu::device_matrix<T> poisoned(gpu::stream const& on, index_t rows, index_t cols) {
  return on_device(on, filled(rows, cols, std::numeric_limits<T>::quiet_NaN()));
}

template <class T>
bool same_bits(matrix<T> const& a, matrix<T> const& b) {
  return a.empty() || std::memcmp(a.data(), b.data(), static_cast<std::size_t>(a.size()) * sizeof(T)) == 0;
}

/// A number and the sum of the magnitudes of what it is computed from.
struct term {
  wide value = 0;
  wide magnitude = 0;

  void add(wide x) { add(x, std::fabs(x)); }
  void add(wide x, wide size) {
    value += x;
    magnitude += size;
  }
};

/// |x - expected| <= 50 unit roundoffs of the magnitude: chains of n roundings err by some sqrt(n) of them, and n is
/// some hundreds.
template <class T>
bool is_near(T x, term const& expected) {
  wide const unit = std::numeric_limits<T>::epsilon() / 2;
  return std::fabs(static_cast<wide>(x) - expected.value) <= 50 * unit * expected.magnitude;
}

/// Elements of x that are not near, expected(i, j) being a term.
template <class T, class F>
index_t far_elements(matrix<T> const& x, F const& expected) {
  index_t result = 0;
  for (index_t i = 0; i < x.rows(); ++i) {
    for (index_t j = 0; j < x.cols(); ++j) result += is_near(x(i, j), expected(i, j)) ? 0 : 1;
  }
  return result;
}

std::vector<int> some_tokens(index_t count, index_t vocabulary) {
  sigmax::random_sequence const sequence(7);
  std::vector<int> result;
  for (index_t i = 0; i < count; ++i) {
    result.push_back(
        static_cast<int>(sequence.bits(static_cast<std::uint64_t>(i)) % static_cast<unsigned>(vocabulary)));
  }
  return result;
}

/// A matrix in the middle of a larger one, which is NaN around it.
template <class T>
struct inner_block {
  gpu::device_matrix<T> around;
  index_t rows, cols;

  inner_block(gpu::stream const& on, matrix<T> const& x) : rows(x.rows()), cols(x.cols()) {
    auto larger = filled(rows + 2, cols + 5, std::numeric_limits<T>::quiet_NaN());
    for (index_t i = 0; i < rows; ++i) std::copy_n(&x(i, 0), cols, &larger(i + 1, 2));
    around = on_device(on, larger);
  }
  auto view() { return around.view().block(1, 2, rows, cols); }
  /// The block; how many elements around it were written.
  std::pair<matrix<T>, index_t> fetch() const {
    auto const larger = around.to_host();
    matrix<T> x(rows, cols);
    index_t numbers = 0;
    for (index_t i = 0; i < rows; ++i) std::copy_n(&larger(i + 1, 2), cols, &x(i, 0));
    for (index_t i = 0; i < larger.size(); ++i) numbers += std::isnan(larger.data()[i]) ? 0 : 1;
    return {std::move(x), numbers - rows * cols};
  }
};

}  // namespace

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
        auto const table = on_device(stream, e);
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
          auto const cosine_there = on_device(stream, cosine);
          auto const sine_there = on_device(stream, sine);
          for (int const direction : {1, -1}) {
            auto x = on_device(stream, start);
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
    auto x = on_device(stream, start);
    auto slope = poisoned<T>(stream, rows, cols);
    on.gelu_forward(T(1.129), x.view(), slope.view());
    check(start, x.to_host(), slope.to_host());
    inner_block<T> strided(stream, start);
    auto slope_beside = poisoned<T>(stream, rows, cols);
    on.gelu_forward(T(1.129), strided.view(), slope_beside.view());
    CHECK(same_bits(strided.fetch().first, x.to_host()));
    CHECK(strided.fetch().second == 0);
    CHECK(same_bits(slope_beside.to_host(), slope.to_host()));
    auto dy = on_device(stream, start);
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
    auto x = on_device(stream, start);
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
    auto dx = on_device(stream, dy);
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
        auto const logits = on_device(stream, start);
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

namespace {

struct attention_case {
  index_t sequences, length, heads, key_width;
  index_t context;        // 0: no positions
  double bias_scale = 1;  // what is learnt for a distance is about this large
};

/// A case, its arguments, and what comes out of them in long double.
template <class T>
struct attention_oracle {
  attention_case of;
  T scale;
  matrix<T> query, key, value, position, d_mixed, d_position;
  std::vector<term> weights, mixed, d_query, d_key, d_value, by_position;

  explicit attention_oracle(attention_case const& given)
      : of(given),
        scale(T(1 / std::sqrt(static_cast<double>(of.key_width)))),
        query(random<T>(of.sequences * of.length, of.heads * of.key_width, 11)),
        key(random<T>(query.rows(), query.cols(), 12)),
        value(random<T>(query.rows(), query.cols(), 13)),
        position(random<T>(of.context > 0 ? of.heads : 0, of.context, 14, T(of.bias_scale))),
        d_mixed(random<T>(query.rows(), query.cols(), 15)),
        d_position(random<T>(position.rows(), position.cols(), 16)),
        weights(static_cast<std::size_t>(query.rows() * of.heads * of.length)),
        mixed(static_cast<std::size_t>(query.size())),
        d_query(mixed.size()),
        d_key(mixed.size()),
        d_value(mixed.size()),
        by_position(static_cast<std::size_t>(position.size())) {
    for (index_t i = 0; i < position.size(); ++i) by_position[static_cast<std::size_t>(i)].add(d_position.data()[i]);
    for (index_t s = 0; s < of.sequences; ++s) {
      for (index_t h = 0; h < of.heads; ++h) {
        for (index_t i = 0; i < of.length; ++i) add_query(s, h, i);
      }
    }
  }

  term const& weight(index_t row, index_t j) const { return weights[static_cast<std::size_t>(row * of.length + j)]; }
  static term const& at(std::vector<term> const& x, matrix<T> const& shape, index_t i, index_t j) {
    return x[static_cast<std::size_t>(i * shape.cols() + j)];
  }

 private:
  void add_query(index_t s, index_t h, index_t i) {
    index_t const n = s * of.length + i;
    index_t const first = h * of.key_width;
    index_t const seen = i + 1;
    term* const p = &weights[static_cast<std::size_t>(((s * of.heads + h) * of.length + i) * of.length)];
    wide most = -std::numeric_limits<wide>::infinity();
    std::vector<term> scores(static_cast<std::size_t>(seen));
    for (index_t j = 0; j < seen; ++j) {
      auto& score = scores[static_cast<std::size_t>(j)];
      for (index_t k = first; k < first + of.key_width; ++k) {
        score.add(scale * wide(query(n, k)) * key(s * of.length + j, k));
      }
      if (of.context > 0) score.add(position(h, of.context - 1 - (i - j)));
      most = std::max(most, score.value);
    }
    wide total = 0;
    wide slack = 0;  // what errors of scores do to the sum of all weights, relatively
    for (index_t j = 0; j < seen; ++j) {
      auto const& score = scores[static_cast<std::size_t>(j)];
      p[j].value = std::exp(score.value - most);
      total += p[j].value;
      slack = std::max(slack, score.magnitude);
    }
    for (index_t j = 0; j < seen; ++j) {
      p[j].value /= total;
      // What is below the normal numbers may become zero.
      p[j].magnitude = p[j].value * (1 + slack) + std::numeric_limits<T>::min() / std::numeric_limits<T>::epsilon();
    }
    auto const column = [&](std::vector<term>& x, index_t token, index_t k) -> term& {
      return x[static_cast<std::size_t>(token * query.cols() + k)];
    };
    std::vector<term> d(static_cast<std::size_t>(seen));
    term mean;
    for (index_t j = 0; j < seen; ++j) {
      index_t const m = s * of.length + j;
      auto& by_weight = d[static_cast<std::size_t>(j)];
      for (index_t k = first; k < first + of.key_width; ++k) {
        column(mixed, n, k).add(p[j].value * value(m, k), p[j].magnitude * std::fabs(wide(value(m, k))));
        column(d_value, m, k).add(p[j].value * d_mixed(n, k), p[j].magnitude * std::fabs(wide(d_mixed(n, k))));
        by_weight.add(wide(d_mixed(n, k)) * value(m, k));
      }
      mean.add(p[j].value * by_weight.value, p[j].magnitude * by_weight.magnitude);
    }
    for (index_t j = 0; j < seen; ++j) {
      index_t const m = s * of.length + j;
      auto const& by_weight = d[static_cast<std::size_t>(j)];
      wide const by_score = p[j].value * (by_weight.value - mean.value);
      wide const size = p[j].magnitude * (by_weight.magnitude + mean.magnitude);
      if (of.context > 0) {
        by_position[static_cast<std::size_t>(h * of.context + of.context - 1 - (i - j))].add(by_score, size);
      }
      for (index_t k = first; k < first + of.key_width; ++k) {
        wide const q = scale * wide(query(n, k));
        wide const c = scale * wide(key(m, k));
        column(d_query, n, k).add(by_score * c, size * std::fabs(c));
        column(d_key, m, k).add(by_score * q, size * std::fabs(q));
      }
    }
  }
};

template <class T>
struct attention_results {
  matrix<T> weights, mixed, d_query, d_key, d_value, d_position;

  attention_results(gpu::stream const& stream, device_backend const& on, attention_oracle<T> const& with) {
    attention_extents const how{with.of.length, with.of.heads};
    index_t const rows = with.query.rows();
    index_t const cols = with.query.cols();
    auto const query = on_device(stream, with.query);
    auto const key = on_device(stream, with.key);
    auto const value = on_device(stream, with.value);
    auto const position = on_device(stream, with.position);
    auto const d_mixed = on_device(stream, with.d_mixed);
    auto p = poisoned<T>(stream, rows * with.of.heads, with.of.length);
    auto o = poisoned<T>(stream, rows, cols);
    on.mix_values(how, with.scale, query.view(), key.view(), value.view(), position.view(), p.view(), o.view());
    auto dp = poisoned<T>(stream, p.rows(), p.cols());
    auto dq = poisoned<T>(stream, rows, cols);
    auto dk = poisoned<T>(stream, rows, cols);
    auto dv = poisoned<T>(stream, rows, cols);
    auto d_biases = on_device(stream, with.d_position);
    on.mix_values_backward(how, with.scale, query.view(), key.view(), value.view(), p.view(), d_mixed.view(), dp.view(),
                           dq.view(), dk.view(), dv.view(), d_biases.view());
    weights = p.to_host();
    mixed = o.to_host();
    d_query = dq.to_host();
    d_key = dk.to_host();
    d_value = dv.to_host();
    d_position = d_biases.to_host();
  }
};

template <class T>
void check_attention(attention_case const& of) {
  CAPTURE(of.sequences);
  CAPTURE(of.length);
  CAPTURE(of.heads);
  CAPTURE(of.key_width);
  CAPTURE(of.context);
  CAPTURE(of.bias_scale);
  gpu::stream const stream;
  device_backend const plain(stream);
  sigmax::workspace memory;
  attention_oracle<T> const exact(of);
  attention_results<T> const results(stream, plain, exact);
  index_t far = 0;
  for (index_t row = 0; row < results.weights.rows(); ++row) {
    index_t const i = row % of.length;
    for (index_t j = 0; j <= i; ++j) far += is_near(results.weights(row, j), exact.weight(row, j)) ? 0 : 1;
    for (index_t j = i + 1; j < std::min(of.length, (i / 64 + 1) * 64); ++j) {
      far += results.weights(row, j) == T(0) ? 0 : 1;
    }
  }
  CHECK(far == 0);
  auto const far_from = [&](matrix<T> const& x, std::vector<term> const& expected) {
    return far_elements(x, [&](index_t i, index_t j) { return attention_oracle<T>::at(expected, x, i, j); });
  };
  CHECK(far_from(results.mixed, exact.mixed) == 0);
  CHECK(far_from(results.d_query, exact.d_query) == 0);
  CHECK(far_from(results.d_key, exact.d_key) == 0);
  CHECK(far_from(results.d_value, exact.d_value) == 0);
  CHECK(far_from(results.d_position, exact.by_position) == 0);
  for (int run = 0; run < 2; ++run) {
    attention_results<T> const again(stream, plain.using_scratch(memory), exact);
    CHECK(same_bits(again.weights, results.weights));
    CHECK(same_bits(again.mixed, results.mixed));
    CHECK(same_bits(again.d_query, results.d_query));
    CHECK(same_bits(again.d_key, results.d_key));
    CHECK(same_bits(again.d_value, results.d_value));
    CHECK(same_bits(again.d_position, results.d_position));
  }
}

}  // namespace

TEST_CASE_TEMPLATE("transformer: attention and its derivatives", T, float, double) {
  // One tile and several, whole and cut off; rows of 16 bytes and others; rows that fit the registers of a warp and
  // 300; scores whose exponentials overflow.
  for (auto const& each : {attention_case{1, 1, 1, 2, 1},
                           {3, 1, 3, 8, 4},
                           {1, 7, 4, 2, 9},
                           {3, 64, 3, 8, 0},
                           {1, 65, 1, 64, 65},
                           {3, 65, 4, 8, 100},
                           {2, 70, 2, 72, 70},
                           {1, 130, 2, 65, 0},
                           {1, 200, 3, 64, 256},
                           {3, 256, 1, 64, 0},
                           {1, 256, 4, 64, 300},
                           {2, 300, 1, 8, 300},
                           {1, 65, 2, 8, 70, 400},
                           {1, 300, 1, 8, 300, 400}}) {
    check_attention<T>(each);
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
