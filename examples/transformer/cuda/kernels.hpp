// SPDX-License-Identifier: MIT
/// @file
/// What the layers of the transformer compute on a device beside products, as plain functions compiled by nvcc, for
/// float and double. The formulas stand in the headers of the layers. The order of every sum is fixed by shapes alone.
/// Includes no CUDA header; `device_backend` is what programs call.
#pragma once

#include <sigmax/cuda/library/types.hpp>

namespace transformer {

/// Of the tokens of a batch: sequences of `length`, attended to by `heads`.
struct attention_extents {
  sigmax::SIGMAX_CUDA_LIBRARY::index length;
  sigmax::SIGMAX_CUDA_LIBRARY::index heads;
};

}  // namespace transformer

namespace transformer::device_kernels {

using sigmax::SIGMAX_CUDA_LIBRARY::index;
using sigmax::SIGMAX_CUDA_LIBRARY::status;
using sigmax::SIGMAX_CUDA_LIBRARY::stream;
using sigmax::SIGMAX_CUDA_LIBRARY::strided;
using sigmax::SIGMAX_CUDA_LIBRARY::strided_vector;

template <class T>
status set_zero(stream on, strided<T> x);

/// x_n = E[token_n].
template <class T>
status embed(stream on, int const* tokens, strided<T const> embedding, strided<T> x);

/// x(n, j) = 1 where j is token_n, else 0.
template <class T>
status one_hot(stream on, int const* tokens, strided<T> x);

/// See rotary.hpp.
template <class T>
status rotate(stream on, strided<T const> cosine, strided<T const> sine, index length, T direction, strided<T> x);

/// See pointwise.hpp; x in place.
template <class T>
status gelu_forward(stream on, T divisor, strided<T> x, strided<T> slope);

/// dy <- slope dy.
template <class T>
status multiply_elements(stream on, strided<T const> slope, strided<T> dy);

/// See ball.hpp.
template <class T>
status ball_forward(stream on, T radius, strided<T> x, strided_vector<T> factors);
template <class T>
status ball_backward(stream on, strided<T const> y, strided_vector<T const> factors, strided<T> dy);

/// See pointwise.hpp; losses and correct (0 or 1): a number for each row of the logits.
template <class T>
status cross_entropy(stream on, int const* targets, T weight, strided<T> logits, T* losses, T* correct);

// Attention: rows of all matrices are contiguous (col_stride 1). See attention.hpp.

template <class T>
status mix_values(stream on, attention_extents how, T scale, strided<T const> query, strided<T const> key,
                  strided<T const> value, strided<T const> position, strided<T> weights, strided<T> mixed);

/// d_weights: scratch of the shape of weights. position_sums: scratch, a number for each row of weights; not used where
/// d_position, which is added to, is empty.
template <class T>
status mix_values_backward(stream on, attention_extents how, T scale, strided<T const> query, strided<T const> key,
                           strided<T const> value, strided<T const> weights, strided<T const> d_mixed,
                           strided<T> d_weights, strided<T> d_query, strided<T> d_key, strided<T> d_value,
                           T* position_sums, strided<T> d_position);

}  // namespace transformer::device_kernels
