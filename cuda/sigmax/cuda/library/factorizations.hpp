// SPDX-License-Identifier: MIT
/// @file
/// Factorisations on the device, as plain functions of the compiled library, for float and double.
#pragma once

#include <sigmax/cuda/library/types.hpp>

namespace sigmax::SIGMAX_CUDA_LIBRARY {

/// a = L L^T in place, the lower triangle only. `completed` as `cpu::scalar::cholesky` returns it. Waits for the stream.
/// status_memory: one `index` in device memory.
template <class T>
status cholesky(stream on, index* status_memory, strided<T> a, index* completed);

/// b = l^-1 b by substitution.
template <class T>
status triangular_solve(stream on, strided<T const> l, strided<T> b);

/// The handle of cuSOLVER, bound to a stream.
struct eigen_solver;
status create_eigen_solver(stream on, eigen_solver** made);
void destroy_eigen_solver(eigen_solver* gone);

/// a (order n, symmetric, dense: element (i, j) at a[i * n + j]) is replaced by its eigenvectors as rows, `values` (n
/// numbers) by its eigenvalues in ascending order. Waits for the stream.
template <class T>
status symmetric_eigen(eigen_solver* solver, scratch_source scratch, index n, T* a, T* values);

/// Rows i and n - 1 - i change places, for all i; so do elements of the vector.
template <class T>
status reverse_rows(stream on, strided<T> a, strided_vector<T> values);

/// How many of `values` (ascending) are not at most the threshold. Waits for the stream.
template <class T>
status count_above(stream on, index* status_memory, T threshold, strided_vector<T const> values, index* count);

}  // namespace sigmax::SIGMAX_CUDA_LIBRARY
