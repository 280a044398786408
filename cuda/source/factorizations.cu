// SPDX-License-Identifier: MIT
// cholesky, triangular_solve and the sorting of eigenvalues.
#include <sigmax/cuda/kernels/launch.cuh>
#include <sigmax/cuda/kernels/small_cholesky.cuh>
#include <sigmax/cuda/kernels/tile_schedule.hpp>
#include <sigmax/cuda/kernels/triangular.cuh>
#include <sigmax/cuda/library/factorizations.hpp>
#include <sigmax/cuda/library/products.hpp>

namespace sigmax::SIGMAX_CUDA_LIBRARY {

namespace {

template <class T>
strided<T const> constant(strided<T> x) {
  return {x.data, x.rows, x.cols, x.row_stride, x.col_stride};
}

template <class T>
status solve_block(stream on, strided<T const> l, strided<T> b, index const* stopped) {
  return start("triangular_solve", solve_block_kernel<T>, dim3(grid_size(divided_up(b.cols, 128))), dim3(128), on, l, b,
               stopped);
}

status read_index(stream on, index const* from, index* to, char const* name) {
  auto const failed = runtime_status(cudaMemcpyAsync(to, from, sizeof(index), cudaMemcpyDeviceToHost, on), name);
  if (failed.failed()) return failed;
  return runtime_status(cudaStreamSynchronize(on), name);
}

/// The factor of the columns of `panel`, whose first rows are its diagonal block: 32 columns at a time.
template <class T>
status factor_panel(stream on, strided<T> panel, index first, index* stopped) {
  for (index at = 0; at < panel.cols; at += triangular_block) {
    index const width = panel.cols - at < triangular_block ? panel.cols - at : triangular_block;
    auto const diagonal = panel.block(at, at, width, width);
    auto failed = start("cholesky", cholesky_block_kernel<T>, dim3(1), dim3(32), on, diagonal, first + at, stopped);
    if (failed.failed()) return failed;
    index const below = panel.rows - at - width;
    if (below == 0) break;
    auto const left = panel.block(at + width, at, below, width);
    failed = solve_block<T>(on, constant(diagonal), left.transposed(), stopped);
    if (failed.failed()) return failed;
    index const right_width = panel.cols - at - width;
    if (right_width == 0) break;
    auto const right = panel.block(at + width, at + width, below, right_width);
    auto const across = left.block(0, 0, right_width, width);
    failed = multiply_lower<T>(on, T(-1), constant(left), constant(across.transposed()), T(1), constant(right), right,
                               stopped);
    if (failed.failed()) return failed;
  }
  return {};
}

/// By panels of 128 columns, each one 32 at a time.
template <class T>
status factor_by_panels(stream on, index* stopped, strided<T> a) {
  constexpr index panel_width = 128;
  index const n = a.rows;
  auto failed = runtime_status(cudaMemsetAsync(stopped, 0xff, sizeof(index), on), "cholesky");
  if (failed.failed()) return failed;
  for (index at = 0; at < n; at += panel_width) {
    index const width = n - at < panel_width ? n - at : panel_width;
    auto const panel = a.block(at, at, n - at, width);
    failed = factor_panel(on, panel, at, stopped);
    if (failed.failed()) return failed;
    index const below = n - at - width;
    if (below == 0) break;
    auto const left = constant(panel.block(width, 0, below, width));
    auto const rest = a.block(at + width, at + width, below, below);
    failed = multiply_lower<T>(on, T(-1), left, left.transposed(), T(1), constant(rest), rest, stopped);
    if (failed.failed()) return failed;
  }
  return {};
}

template <class T>
status factor_by_one_block(stream on, index* stopped, strided<T> a) {
  using memory = small_cholesky_memory;
  return start_with_memory("cholesky", small_cholesky_kernel<T>, dim3(1), dim3(memory::threads),
                           memory::elements(static_cast<int>(a.rows)) * sizeof(T), on, a, stopped);
}

}  // namespace

template <class T>
status cholesky(stream on, index* status_memory, strided<T> a, index* completed) {
  index const n = a.rows;
  *completed = n;
  if (n == 0) return {};
  auto failed = n <= small_cholesky_order ? factor_by_one_block<T>(on, status_memory, a)
                                          : factor_by_panels<T>(on, status_memory, a);
  if (failed.failed()) return failed;
  index stopped = -1;
  failed = read_index(on, status_memory, &stopped, "cholesky");
  if (!failed.failed() && stopped >= 0) *completed = stopped;
  return failed;
}

/// By halves: solve with the upper triangle, subtract, solve with the lower one. Nearly all work is in `multiply`.
template <class T>
status triangular_solve(stream on, strided<T const> l, strided<T> b) {
  index const n = l.rows;
  if (b.empty()) return {};
  if (n <= triangular_block) return solve_block<T>(on, l, b, nullptr);
  index const half = divided_up(divided_up(n, 2), triangular_block) * triangular_block;
  auto const upper = b.block(0, 0, half, b.cols);
  auto const lower = b.block(half, 0, n - half, b.cols);
  auto failed = triangular_solve<T>(on, l.block(0, 0, half, half), upper);
  if (failed.failed()) return failed;
  failed = multiply<T>(on, {}, T(-1), l.block(half, 0, n - half, half), constant(upper), T(1), constant(lower), lower);
  if (failed.failed()) return failed;
  return triangular_solve<T>(on, l.block(half, half, n - half, n - half), lower);
}

template <class T>
status reverse_rows(stream on, strided<T> a, strided_vector<T> values) {
  if (a.empty()) return {};
  // Rows in steps of the largest grid: every launch exchanges rows from both ends inwards.
  index const pairs = a.rows / 2;
  constexpr index most = 32768;
  for (index at = 0; at < pairs; at += most) {
    index const count = pairs - at < most ? pairs - at : most;
    auto const part = a.block(at, 0, a.rows - 2 * at, a.cols);
    strided_vector<T> const part_of_values{values.data + at * values.stride, values.size - 2 * at, values.stride};
    dim3 const grid(grid_size(divided_up(a.cols, 256)), grid_size(count));
    auto const failed = start("reverse_rows", reverse_rows_kernel<T>, grid, dim3(256), on, part, part_of_values);
    if (failed.failed()) return failed;
  }
  return {};
}

template <class T>
status count_above(stream on, index* status_memory, T threshold, strided_vector<T const> values, index* count) {
  auto const failed =
      start("count_above", count_above_kernel<T>, dim3(1), dim3(256), on, threshold, values, status_memory);
  if (failed.failed()) return failed;
  return read_index(on, status_memory, count, "count_above");
}

#define SIGMAX_INSTANTIATE(T)                                                                                          \
  template status cholesky<T>(stream, index*, strided<T>, index*);                                                     \
  template status triangular_solve<T>(stream, strided<T const>, strided<T>);                                           \
  template status reverse_rows<T>(stream, strided<T>, strided_vector<T>);                                              \
  template status count_above<T>(stream, index*, T, strided_vector<T const>, index*);
SIGMAX_INSTANTIATE(float)
SIGMAX_INSTANTIATE(double)
#undef SIGMAX_INSTANTIATE

}  // namespace sigmax::SIGMAX_CUDA_LIBRARY
