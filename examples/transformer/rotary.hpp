// SPDX-License-Identifier: MIT
/// @file
/// Rotary position embedding (Su et al., arXiv 2104.09864), with halves instead of neighbours as pairs.
#pragma once

#include <cmath>
#include <concepts>
#include <type_traits>

#include <sigmax/core/matrix.hpp>
#include <sigmax/core/matrix_view.hpp>

#include "memory.hpp"
#include "on_threads.hpp"

namespace transformer {

/// cos and sin of t 10000^(-i / (d_k / 2)), position t a row.
template <class T, class Space = sigmax::host_space>
struct rotary_table {
  matrix_in<T, Space> cosine, sine;

  /// On a device: the numbers of the host's.
  template <class Backend>
  rotary_table(Backend const& on, index_t positions, index_t key_width)
      : cosine(zeros<T>(on, positions, key_width / 2)), sine(zeros<T>(on, positions, key_width / 2)) {
    rotary_table<T> const from(positions, key_width);
    on.copy_from_host(from.cosine.view(), cosine.view());
    on.copy_from_host(from.sine.view(), sine.view());
  }
};

template <class T>
struct rotary_table<T, sigmax::host_space> {
  sigmax::matrix<T> cosine, sine;

  template <class Backend>
  rotary_table(Backend const&, index_t positions, index_t key_width) : rotary_table(positions, key_width) {}
  rotary_table(index_t positions, index_t key_width)
      : cosine(positions, key_width / 2), sine(positions, key_width / 2) {
    using std::cos;
    using std::pow;
    using std::sin;
    using wide = std::conditional_t<std::same_as<T, float>, double, T>;
    index_t const half = key_width / 2;
    for (index_t i = 0; i < half; ++i) {
      wide const frequency = wide(pow(wide(10000), wide(-wide(i) / wide(half))));
      for (index_t t = 0; t < positions; ++t) {
        wide const angle = wide(wide(t) * frequency);
        cosine(t, i) = T(cos(angle));
        sine(t, i) = T(sin(angle));
      }
    }
  }
};

/// Rotates the pairs (i, i + d_k / 2) of every head by the angle of the token's position; `direction` -1 turns them
/// back. X: N x H d_k, token n at position n mod length. An orthogonal map: norms stay what they are.
template <class Backend, class T>
void rotate(Backend const& on, rotary_table<T> const& table, index_t length, T direction, sigmax::matrix_view<T> x) {
  index_t const half = table.cosine.cols();
  for_ranges(x.rows(), workers_of(on), [&](index_t first, index_t last, int) {
    for (index_t n = first; n < last; ++n) {
      T const* const cosine = &table.cosine(n % length, 0);
      T const* const sine = &table.sine(n % length, 0);
      for (T* head = &x(n, 0); head != &x(n, 0) + x.cols(); head += 2 * half) {
        for (index_t i = 0; i < half; ++i) {
          T const a = head[i];
          T const b = head[half + i];
          T const turn = T(direction * sine[i]);
          head[i] = T(a * cosine[i] - b * turn);
          head[half + i] = T(a * turn + b * cosine[i]);
        }
      }
    }
  });
}

template <class Backend, class T>
void rotate(Backend const& on, rotary_table<T, sigmax::device_space> const& table, index_t length, T direction,
            sigmax::matrix_view<T, sigmax::device_space> x) {
  on.rotate(table.cosine.view(), table.sine.view(), length, direction, x);
}

template <class Backend, class T, class Space>
void rotary_forward(Backend const& on, rotary_table<T, Space> const& table, index_t length,
                    sigmax::matrix_view<T, Space> x) {
  rotate(on, table, length, T(1), x);
}

/// The transpose of a rotation is the rotation back.
template <class Backend, class T, class Space>
void rotary_backward(Backend const& on, rotary_table<T, Space> const& table, index_t length,
                     sigmax::matrix_view<T, Space> dx) {
  rotate(on, table, length, T(-1), dx);
}

}  // namespace transformer
