// SPDX-License-Identifier: MIT
// Attention of the transformer on a device, against loops in long double; as transformer.gpu.cpp.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <span>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

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
    auto const query = gpu::device_matrix<T>::copy_of(with.query, stream);
    auto const key = gpu::device_matrix<T>::copy_of(with.key, stream);
    auto const value = gpu::device_matrix<T>::copy_of(with.value, stream);
    auto const position = gpu::device_matrix<T>::copy_of(with.position, stream);
    auto const d_mixed = gpu::device_matrix<T>::copy_of(with.d_mixed, stream);
    auto p = poisoned<T>(stream, rows * with.of.heads, with.of.length);
    auto o = poisoned<T>(stream, rows, cols);
    on.mix_values(how, with.scale, query.view(), key.view(), value.view(), position.view(), p.view(), o.view());
    auto dp = poisoned<T>(stream, p.rows(), p.cols());
    auto dq = poisoned<T>(stream, rows, cols);
    auto dk = poisoned<T>(stream, rows, cols);
    auto dv = poisoned<T>(stream, rows, cols);
    auto d_biases = gpu::device_matrix<T>::copy_of(with.d_position, stream);
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
