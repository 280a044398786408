// SPDX-License-Identifier: MIT
/// @file
/// Products in IEEE arithmetic on the device, as plain functions of the compiled library, for float and double. Formulas and
/// shapes are those of `cpu::scalar`. They return when the work is queued.
#pragma once

#include <sigmax/cuda/library/types.hpp>

namespace sigmax::SIGMAX_CUDA_LIBRARY {

/// g = alpha x x^T + beta c, one triangle computed and mirrored.
template <class T>
status gram(stream on, scratch_source scratch, T alpha, strided<T const> x, T beta, strided<T const> c, strided<T> g);

/// r = alpha p q + beta c for commuting symmetric p, q, one triangle computed and mirrored.
template <class T>
status symmetric_product(stream on, scratch_source scratch, T alpha, strided<T const> p, strided<T const> q, T beta,
                         strided<T const> c, strided<T> r);

/// r = alpha a b + beta c.
template <class T>
status multiply(stream on, scratch_source scratch, T alpha, strided<T const> a, strided<T const> b, T beta,
                strided<T const> c, strided<T> r);

/// r = alpha a b + beta c on and below the diagonal of r; what is above is neither read nor written. Nothing is done if
/// `*stopped` (device memory) is not negative.
template <class T>
status multiply_lower(stream on, T alpha, strided<T const> a, strided<T const> b, T beta, strided<T const> c,
                      strided<T> r, index const* stopped);

/// y = alpha a x + beta c.
template <class T>
status times_vector(stream on, scratch_source scratch, T alpha, strided<T const> a, strided_vector<T const> x, T beta,
                    strided_vector<T const> c, strided_vector<T> y);

/// y = x^T (x v), in two sweeps over x, of which the second finds in the cache what fits there.
template <class T>
status gram_times_vector(stream on, scratch_source scratch, strided<T const> x, strided_vector<T const> v,
                         strided_vector<T> y);

/// sums_i = sum_j |x_ij|.
template <class T>
status row_abs_sums(stream on, scratch_source scratch, strided<T const> x, strided_vector<T> sums);

}  // namespace sigmax::SIGMAX_CUDA_LIBRARY
