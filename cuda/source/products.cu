// SPDX-License-Identifier: MIT
// gram, symmetric_product and multiply in IEEE arithmetic.
#include <sigmax/cuda/kernels/launch.cuh>
#include <sigmax/cuda/kernels/product.cuh>
#include <sigmax/cuda/library/products.hpp>

namespace sigmax::SIGMAX_CUDA_LIBRARY {

namespace {

template <class T>
using large_tile = tile<T, 128, 128, 32 / static_cast<int>(sizeof(T))>;
template <class T>
using small_tile = tile<T, 64, 64, 64 / static_cast<int>(sizeof(T))>;

index tiles_of(region of, index rows, index cols, index size) {
  index const down = divided_up(rows, size);
  return of == region::mirrored ? triangle_tiles(down) : down * divided_up(cols, size);
}

template <class T>
status launch(stream on, scratch_source source, product<T> p) {
  if (p.r.empty()) return {};
  // Written along the rows of the result: a result with contiguous columns is computed as its transpose, which for a
  // symmetric one is itself.
  if (p.r.col_stride != 1 && p.r.row_stride == 1 && p.of != region::lower) {
    p.r = p.r.transposed();
    p.c = p.c.transposed();
    if (p.of == region::whole) {
      auto const a = p.a;
      p.a = p.b_cols;
      p.b_cols = a;
    }
  }
  index const depth = p.a.cols;
  index const large_tiles = tiles_of(p.of, p.r.rows, p.r.cols, large_tile<T>::rows);
  bool const is_large = large_tiles >= 132;
  index const tiles = is_large ? large_tiles : tiles_of(p.of, p.r.rows, p.r.cols, small_tile<T>::rows);
  index const parts = p.of == region::lower ? 1 : depth_parts(tiles, depth, 256);
  p.depth_of_part = divided_up(divided_up(depth, parts), 16) * 16;
  scratch_memory scratch(on, source);
  if (parts > 1) {
    if (auto const failed = scratch.take(parts * p.r.rows * p.r.cols, &p.parts); failed.failed()) return failed;
  }
  dim3 const grid(grid_size(tiles), 1, grid_size(parts));
  status result;
  if (is_large) {
    constexpr int blocks = sizeof(T) == 4 ? 2 : 1;
    result = start("product", product_kernel<T, large_tile<T>, blocks>, grid, dim3(256), on, p);
  } else {
    result = start("product", product_kernel<T, small_tile<T>, 2>, grid, dim3(256), on, p);
  }
  if (result.failed() || parts == 1) return result;
  dim3 const elements(grid_size(divided_up(p.r.cols, 32)), grid_size(divided_up(p.r.rows, 8)));
  return start("join_parts", join_parts_kernel<T>, elements, dim3(32, 8), on, p, parts);
}

}  // namespace

template <class T>
status gram(stream on, scratch_source scratch, T alpha, strided<T const> x, T beta, strided<T const> c, strided<T> g) {
  return launch<T>(on, scratch, {alpha, x, x, beta, c, g, region::mirrored, 0, nullptr, nullptr});
}

template <class T>
status symmetric_product(stream on, scratch_source scratch, T alpha, strided<T const> p, strided<T const> q, T beta,
                         strided<T const> c, strided<T> r) {
  return launch<T>(on, scratch, {alpha, p, q.transposed(), beta, c, r, region::mirrored, 0, nullptr, nullptr});
}

template <class T>
status multiply(stream on, scratch_source scratch, T alpha, strided<T const> a, strided<T const> b, T beta,
                strided<T const> c, strided<T> r) {
  return launch<T>(on, scratch, {alpha, a, b.transposed(), beta, c, r, region::whole, 0, nullptr, nullptr});
}

template <class T>
status multiply_lower(stream on, T alpha, strided<T const> a, strided<T const> b, T beta, strided<T const> c,
                      strided<T> r, index const* stopped) {
  return launch<T>(on, {}, {alpha, a, b.transposed(), beta, c, r, region::lower, 0, nullptr, stopped});
}

#define SIGMAX_INSTANTIATE(T)                                                                                          \
  template status gram<T>(stream, scratch_source, T, strided<T const>, T, strided<T const>, strided<T>);               \
  template status symmetric_product<T>(stream, scratch_source, T, strided<T const>, strided<T const>, T,               \
                                       strided<T const>, strided<T>);                                                  \
  template status multiply<T>(stream, scratch_source, T, strided<T const>, strided<T const>, T, strided<T const>,      \
                              strided<T>);                                                                             \
  template status multiply_lower<T>(stream, T, strided<T const>, strided<T const>, T, strided<T const>, strided<T>,    \
                                    index const*);
SIGMAX_INSTANTIATE(float)
SIGMAX_INSTANTIATE(double)
#undef SIGMAX_INSTANTIATE

}  // namespace sigmax::SIGMAX_CUDA_LIBRARY
