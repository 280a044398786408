// SPDX-License-Identifier: MIT
// gram, symmetric_product and multiply in IEEE arithmetic.
#include <type_traits>

#include <sigmax/cuda/kernels/launch.cuh>
#include <sigmax/cuda/kernels/product.cuh>
#include <sigmax/cuda/library/products.hpp>

namespace sigmax::SIGMAX_CUDA_LIBRARY {

namespace {

template <class T>
using large_tile =
    std::conditional_t<std::is_same_v<T, float>, tile<float, 128, 128, 16, 3>, tile<double, 128, 128, 8, 4>>;
template <class T>
using small_tile = std::conditional_t<std::is_same_v<T, float>, tile<float, 64, 64, 16, 3>, tile<double, 64, 64, 8, 3>>;

template <class T, class Tile>
status launch_tiles(stream on, dim3 grid, product<T> const& p) {
  constexpr int blocks = std::is_same_v<T, float> || Tile::rows == 64 ? 2 : 1;
  return start_with_memory("product", product_kernel<T, Tile, blocks>, grid, dim3(Tile::threads), Tile::bytes, on, p);
}

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
  // Large tiles do twice the work for what they read; small ones waste less on the edges of small results.
  bool const is_large = p.r.rows > 96 && p.r.cols > 96;
  index const tiles = tiles_of(p.of, p.r.rows, p.r.cols, is_large ? large_tile<T>::rows : small_tile<T>::rows);
  // Measured on an H100: what a tile costs beside a product of 64 or 100 more in depth.
  index const parts = p.of == region::lower ? 1 : depth_parts(tiles, depth, std::is_same_v<T, float> ? 64 : 100);
  p.depth_of_part = divided_up(divided_up(depth, parts), 16) * 16;
  scratch_memory scratch(on, source);
  if (parts > 1) {
    if (auto const failed = scratch.take(parts * p.r.rows * p.r.cols, &p.parts); failed.failed()) return failed;
  }
  dim3 const grid(grid_size(tiles), 1, grid_size(parts));
  auto const result =
      is_large ? launch_tiles<T, large_tile<T>>(on, grid, p) : launch_tiles<T, small_tile<T>>(on, grid, p);
  if (result.failed() || parts == 1) return result;
  index const down = divided_up(p.r.rows, join_tile);
  index const across = divided_up(p.r.cols, join_tile);
  index const blocks = p.of == region::mirrored ? triangle_tiles(down) : down * across;
  return start("join_parts", join_parts_kernel<T>, dim3(grid_size(blocks)), dim3(join_tile, 8), on, p, parts);
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
