// SPDX-License-Identifier: MIT
/// @file
/// Models, batches and derivatives by differences, for tests of the transformer.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include <sigmax/core/matrix.hpp>
#include <sigmax/core/random.hpp>

#include "transformer/model.hpp"

namespace transformer::test {

/// Two of everything but sequences of odd length.
inline model_shape tiny_shape() {
  return {.vocabulary = 7,
          .width = 6,
          .blocks = 2,
          .heads = 2,
          .key_width = 4,
          .mlp_width = 10,
          .context = 5,
          .position_bias = true};
}

/// Longer than a block of queries, by a piece.
inline model_shape long_shape() {
  return {.vocabulary = 5,
          .width = 8,
          .blocks = 1,
          .heads = 2,
          .key_width = 2,
          .mlp_width = 6,
          .context = 131,
          .position_bias = true};
}

template <class T>
void fill(sigmax::matrix<T>& w, double scale, std::uint64_t seed) {
  sigmax::random_sequence const sequence(seed);
  for (index_t i = 0; i < w.size(); ++i) {
    w.data()[i] = T(scale * sequence.normal(static_cast<std::uint64_t>(i)));
  }
}

/// Weights of ordinary size, none zero.
template <class T>
parameters<T> random_parameters(model_shape const& shape, std::uint64_t seed, double gain = 1.5) {
  parameters<T> result(shape);
  for_each_weight(result, [&](std::string const&, weight_role role, sigmax::matrix<T>& w) {
    double const fan_in = is_map(role) ? static_cast<double>(w.cols()) : 1.0;
    fill(w, gain / std::sqrt(fan_in), seed++);
  });
  return result;
}

/// One list of tokens: inputs and targets are its ends.
struct token_batch {
  std::vector<token> inputs, targets;
};

inline token_batch random_tokens(model_shape const& shape, index_t sequences, index_t length, std::uint64_t seed) {
  sigmax::random_sequence const sequence(seed);
  token_batch result;
  auto const draw = [&](index_t i) {
    return static_cast<token>(sequence.bits(static_cast<std::uint64_t>(i)) %
                              static_cast<std::uint64_t>(shape.vocabulary));
  };
  for (index_t i = 0; i < sequences * length; ++i) {
    result.inputs.push_back(draw(2 * i));
    result.targets.push_back(draw(2 * i + 1));
  }
  return result;
}

/// f'(0) by differences of fourth order (-f(2h) + 8 f(h) - 8 f(-h) + f(-2h)) / 12 h.
template <class T, class F>
T derivative_at_0(F const& f, T h) {
  return T((8 * (f(h) - f(-h)) - (f(2 * h) - f(-2 * h))) / (12 * h));
}

/// Derivatives of `loss()` by every element of x, which is changed and put back.
template <class T, class Loss>
sigmax::matrix<T> differences(sigmax::matrix<T>& x, T h, Loss const& loss) {
  sigmax::matrix<T> result(x.rows(), x.cols());
  for (index_t i = 0; i < x.size(); ++i) {
    T const middle = x.data()[i];
    result.data()[i] = derivative_at_0<T>(
        [&](T step) {
          x.data()[i] = T(middle + step);
          return loss();
        },
        h);
    x.data()[i] = middle;
  }
  return result;
}

/// Largest |a - b| over largest |b|.
template <class T>
double relative_error(sigmax::matrix<T> const& a, sigmax::matrix<T> const& b) {
  using std::abs;
  T difference(0);
  T size(0);
  for (index_t i = 0; i < a.rows(); ++i) {
    for (index_t j = 0; j < a.cols(); ++j) {
      difference = std::max(difference, T(abs(T(a(i, j) - b(i, j)))));
      size = std::max(size, T(abs(b(i, j))));
    }
  }
  return static_cast<double>(T(difference / size));
}

/// Sum of r_ij x_ij: makes a number of a matrix, whose derivative is r.
template <class T>
T weighted_sum(sigmax::matrix<T> const& r, sigmax::matrix_view<T const> x) {
  T sum(0);
  for (index_t i = 0; i < x.rows(); ++i) {
    for (index_t j = 0; j < x.cols(); ++j) sum = T(sum + r(i, j) * x(i, j));
  }
  return sum;
}

/// Mean loss of a model on a batch.
template <class Backend, class T>
T mean_loss(Backend const& on, model<T> const& of, parameters<T> const& w, token_batch const& batch,
            activations<T>& kept) {
  forward(on, of, w, batch.inputs, kept);
  cross_entropy_loss(on, batch.targets, T(1), kept);
  T sum(0);
  for (index_t i = 0; i < kept.tokens(); ++i) sum = T(sum + kept.losses[i]);
  return T(sum / T(kept.tokens()));
}

/// Its gradient, by the passes that are tested.
template <class Backend, class T>
parameters<T> gradient_of(Backend const& on, model<T> const& of, parameters<T> const& w, token_batch const& batch,
                          activations<T>& kept) {
  parameters<T> result(of.shape);
  forward(on, of, w, batch.inputs, kept);
  cross_entropy_loss(on, batch.targets, T(T(1) / T(kept.tokens())), kept);
  backward(on, of, w, batch.inputs, kept, result);
  return result;
}

}  // namespace transformer::test
