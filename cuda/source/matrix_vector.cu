// SPDX-License-Identifier: MIT
// times_vector, gram_times_vector and row_abs_sums.
#include <sigmax/cuda/kernels/launch.cuh>
#include <sigmax/cuda/kernels/matrix_vector.cuh>
#include <sigmax/cuda/library/products.hpp>

namespace sigmax::SIGMAX_CUDA_LIBRARY {

namespace {

template <class T>
bool has_long_rows(strided<T> const& a) {
  return magnitude(a.col_stride) <= magnitude(a.row_stride);
}

template <class Term, class T>
status sum_rows(stream on, scratch_source source, row_sums<T> p) {
  index const m = p.a.rows;
  if (m == 0) return {};
  bool const by_rows = has_long_rows(p.a);
  bool const is_long = by_rows && p.a.cols >= 1024;
  index const blocks = is_long ? m : divided_up(m, by_rows ? 8 : 32);
  index const parts = row_parts(blocks, p.a.cols, by_rows ? 4096 : 64);
  p.cols_of_part = divided_up(p.a.cols, parts);
  scratch_memory scratch(on, source);
  if (parts > 1) {
    if (auto const failed = scratch.take(parts * m, &p.parts); failed.failed()) return failed;
  }
  dim3 const grid(grid_size(blocks), grid_size(parts));
  auto const kernel = is_long   ? sum_rows_kernel<256, Term, T>
                      : by_rows ? sum_rows_kernel<32, Term, T>
                                : sum_columns_kernel<Term, T>;
  auto const result = start("row_sums", kernel, grid, dim3(256), on, p);
  if (result.failed() || parts == 1) return result;
  return start("join_row_sums", join_row_sums_kernel<T>, dim3(grid_size(divided_up(m, 256))), dim3(256), on, p, parts);
}

}  // namespace

template <class T>
status times_vector(stream on, scratch_source scratch, T alpha, strided<T const> a, strided_vector<T const> x, T beta,
                    strided_vector<T const> c, strided_vector<T> y) {
  return sum_rows<product_term, T>(on, scratch, {alpha, a, x, beta, c, y, 0, nullptr});
}

template <class T>
status row_abs_sums(stream on, scratch_source scratch, strided<T const> x, strided_vector<T> sums) {
  return sum_rows<magnitude_term, T>(on, scratch, {T(1), x, {}, T(0), {}, sums, 0, nullptr});
}

template <class T>
status gram_times_vector(stream on, scratch_source source, strided<T const> x, strided_vector<T const> v,
                         strided_vector<T> y) {
  index const n = x.cols;
  if (n == 0) return {};
  if (x.rows == 0) {  // a sum of no rows: zeros
    return sum_rows<product_term, T>(on, {}, {T(1), {y.data, n, 0, 1, 1}, {}, T(0), {}, y, 0, nullptr});
  }
  scratch_memory scratch(on, source);
  T* products = nullptr;
  if (auto const failed = scratch.take(x.rows, &products); failed.failed()) return failed;
  strided_vector<T> const u{products, x.rows, 1};
  auto const failed = sum_rows<product_term, T>(on, source, {T(1), x, v, T(0), {}, u, 0, nullptr});
  if (failed.failed()) return failed;
  return sum_rows<product_term, T>(on, source, {T(1), x.transposed(), {products, x.rows, 1}, T(0), {}, y, 0, nullptr});
}

#define SIGMAX_INSTANTIATE(T)                                                                                          \
  template status times_vector<T>(stream, scratch_source, T, strided<T const>, strided_vector<T const>, T,             \
                                  strided_vector<T const>, strided_vector<T>);                                         \
  template status row_abs_sums<T>(stream, scratch_source, strided<T const>, strided_vector<T>);                        \
  template status gram_times_vector<T>(stream, scratch_source, strided<T const>, strided_vector<T const>,              \
                                       strided_vector<T>);
SIGMAX_INSTANTIATE(float)
SIGMAX_INSTANTIATE(double)
#undef SIGMAX_INSTANTIATE

}  // namespace sigmax::SIGMAX_CUDA_LIBRARY
