// SPDX-License-Identifier: MIT
/// @file
/// From tokens to vectors.
#pragma once

#include <cmath>
#include <span>

#include <sigmax/core/matrix.hpp>
#include <sigmax/core/matrix_view.hpp>

#include "memory.hpp"
#include "on_threads.hpp"

namespace transformer {

/// A token: its row in the embedding.
using token = int;

/// x_t = E[token_t]. E: V x d, X: N x d.
template <class Backend, class T>
void embedding_forward(Backend const& on, std::span<token const> tokens, sigmax::matrix<T> const& embedding,
                       sigmax::matrix_view<T> x) {
  for_ranges(x.rows(), workers_of(on), [&](index_t first, index_t last, int) {
    for (index_t t = first; t < last; ++t) {
      T const* const row = &embedding(tokens[static_cast<std::size_t>(t)], 0);
      for (index_t j = 0; j < x.cols(); ++j) x(t, j) = row[j];
    }
  });
}

template <class Backend, class T>
void embedding_forward(Backend const& on, std::span<token const> tokens,
                       matrix_in<T, sigmax::device_space> const& embedding,
                       sigmax::matrix_view<T, sigmax::device_space> x) {
  on.embed(tokens, embedding.view(), x);
}

/// dE[token_t] += dx_t, in the order of the tokens, because several may be the same. `unused`: N x V that may be overwritten.
template <class Backend, class T>
void embedding_backward(Backend const&, std::span<token const> tokens, sigmax::matrix_view<T const> dx,
                        sigmax::matrix_view<T>, sigmax::matrix<T>& gradient) {
  for (index_t t = 0; t < dx.rows(); ++t) {
    T* const row = &gradient(tokens[static_cast<std::size_t>(t)], 0);
    for (index_t j = 0; j < dx.cols(); ++j) row[j] = T(row[j] + dx(t, j));
  }
}

/// On a device as a product: rows that are 1 at the token, else 0, know every sum's order.
template <class Backend, class T>
void embedding_backward(Backend const& on, std::span<token const> tokens,
                        sigmax::matrix_view<T const, sigmax::device_space> dx,
                        sigmax::matrix_view<T, sigmax::device_space> unused,
                        matrix_in<T, sigmax::device_space>& gradient) {
  on.one_hot(tokens, unused);
  on.multiply(T(1), unused.transposed(), dx, T(1), gradient.view(), gradient.view());
}

}  // namespace transformer
