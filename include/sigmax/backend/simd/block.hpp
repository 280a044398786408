// SPDX-License-Identifier: MIT
/// @file
/// r = alpha a b^T + beta c by blocks: what gram, symmetric_product, multiply and the factorisations are made of.
#pragma once

#include <cmath>
#include <concepts>
#include <cstddef>

#include <sigmax/backend/simd/kernel.hpp>
#include <sigmax/backend/simd/pack.hpp>
#include <sigmax/backend/simd/packing_memory.hpp>
#include <sigmax/backend/simd/product.hpp>
#include <sigmax/backend/simd/unpacked.hpp>
#include <sigmax/config.hpp>
#include <sigmax/core/matrix_view.hpp>
#include <sigmax/core/parallel.hpp>
#include <sigmax/core/scalar.hpp>

namespace sigmax::inline SIGMAX_ABI::cpu::detail {

// The blocks are those of Goto and van de Geijn ("Anatomy of high-performance matrix multiplication", 2008): a panel of
// b stays in the first-level cache while the tiles of a block of a, which stays in the second, pass by it. `block_depth`
// alone decides the order of sums; it depends on nothing but the scalar, so bits do not depend on strides, threads or
// scratch memory.
template <class T>
inline constexpr index_t block_depth = sizeof(T) == 4 ? 384 : 256;
inline constexpr index_t block_rows = 96;
inline constexpr index_t block_cols = 2048;

/// The kernels of one architecture; `multiply` by the number of registers side by side less one.
template <class T>
struct tiling {
  index_t rows;
  index_t lanes;
  void (*multiply[tile_registers])(T const* a, T const* b, index_t depth, T* sums) noexcept;
  void (*finish)(T alpha, T const* sums, index_t width, T beta, T const* c, index_t c_stride, T* r, index_t r_stride,
                 index_t rows) noexcept;
  /// Packing, of a and of b.
  void (*pack_left)(operand x, index_t granularity, T* to);
  void (*pack_right)(operand x, index_t granularity, T* to);
  void (*mirror)(matrix_view<T> g, index_t first, index_t last, bool diagonal_done);
  /// One register side by side, and two; null where an operand has to be converted.
  void (*multiply_unpacked[2])(product<T> const& p, index_t row, index_t col) noexcept;

  /// Packed operands have a multiple of this many rows: whole panels and whole tiles.
  constexpr index_t granularity() const { return rows > lanes ? rows : lanes; }
  constexpr index_t padded(index_t count) const { return (count + granularity() - 1) / granularity() * granularity(); }
};

/// For products of a matrix stored in A with one stored in B.
template <class T, class Arch, class A = T, class B = T>
inline constexpr tiling<T> tiling_of = {
    static_cast<index_t>(tile_rows<T, Arch>),
    lanes<T, Arch>,
    {multiply_panels<T, Arch, 1>, multiply_panels<T, Arch, 2>, multiply_panels<T, Arch, 3>},
    finish_rows<T, Arch>,
    pack<T, Arch, A>,
    pack<T, Arch, B>,
    mirror_rows<T, Arch>,
    {std::same_as<A, T> && std::same_as<B, T> ? multiply_unpacked<T, Arch, 1> : nullptr,
     std::same_as<A, T>&& std::same_as<B, T> ? multiply_unpacked<T, Arch, 2> : nullptr}};

/// No tile has more elements: 8 x 3 registers of AVX-512.
template <class T>
inline constexpr index_t largest_tile = 8 * 3 * 64 / static_cast<index_t>(sizeof(T));

/// One step of the loops: rows [row, row + rows) of a times rows [col, col + cols) of b, both packed, `depth` terms.
struct block_position {
  index_t row, rows;
  index_t col, cols;
  index_t depth;
};

/// The elements of a tile at (i, j) of r, one by one: tiles on the edge or the diagonal, and r or c of other strides.
template <class T>
void finish_elements(product<T> const& p, T const* sums, index_t width, index_t i, index_t rows, index_t j,
                     index_t cols) {
  for (index_t row = i; row < i + rows; ++row, sums += width) {
    index_t const below = row + p.diagonal + 1 - j;
    index_t const end = below < cols && !p.mirrored ? below : cols;
    T* r = &p.r(row, j);
    T const* c = p.beta == T(0) ? r : &p.c(row, j);
    index_t const c_stride = p.beta == T(0) ? p.r.col_stride() : p.c.col_stride();
    for (index_t col = 0; col < end; ++col, r += p.r.col_stride(), c += c_stride) {
      T const value = p.alpha * sums[col];
      *r = p.beta == T(0) ? value : multiply_add(p.beta, *c, value);
    }
  }
}

/// Elements of a result that is too large to wait in a cache for its next block of terms: 4 MB.
template <class T>
inline constexpr index_t far_result = 4194304 / static_cast<index_t>(sizeof(T));

/// Asks for the rows of a tile of r while its sums are computed: they come from far where r is large.
template <class T>
void prefetch_rows(T const* r, index_t stride, index_t rows, index_t width) {
  constexpr index_t line = 64 / static_cast<index_t>(sizeof(T));
  for (index_t i = 0; i < rows; ++i, r += stride) {
    for (index_t j = 0; j < width; j += line) __builtin_prefetch(r + j, 1);
  }
}

template <class T>
void multiply_packed(tiling<T> const& tile, product<T> const& p, T const* a, T const* b, block_position const& at) {
  alignas(64) T sums[largest_tile<T>];
  bool const contiguous = p.r.col_stride() == 1 && (p.beta == T(0) || p.c.col_stride() == 1);
  // Measured: 10 to 15 % for results of 16 MB, and a loss of some percent where they stay in a cache.
  bool const far = p.r.size() > far_result<T>;
  index_t const widest = static_cast<index_t>(tile_registers) * tile.lanes;
  for (index_t j = 0; j < at.cols; j += widest) {
    index_t const cols = at.cols - j < widest ? at.cols - j : widest;
    index_t const above = at.col + j - p.diagonal - at.row;  // rows before it need no column of this panel
    for (index_t i = above > 0 ? above / tile.rows * tile.rows : 0; i < at.rows; i += tile.rows) {
      index_t const row = at.row + i;
      index_t const rows = at.rows - i < tile.rows ? at.rows - i : tile.rows;
      index_t const below = row + rows + p.diagonal - at.col - j;  // columns that the last row of the tile has here
      index_t const needed = below < cols ? below : cols;
      index_t const registers = (needed + tile.lanes - 1) / tile.lanes;
      index_t const width = registers * tile.lanes;
      T const* const left = a + i / tile.lanes * tile.lanes * at.depth + i % tile.lanes;
      bool const inside = p.mirrored ? width <= cols : needed == width && at.col + j + width <= row + p.diagonal + 1;
      bool const whole = contiguous && inside;
      if (whole && far) prefetch_rows(&p.r(row, at.col + j), p.r.row_stride(), rows, width);
      tile.multiply[registers - 1](left, b + j * at.depth, at.depth, sums);
      if (whole) {
        auto const addend = p.addend();
        tile.finish(p.alpha, sums, width, p.beta, &addend(row, at.col + j), addend.row_stride(), &p.r(row, at.col + j),
                    p.r.row_stride(), rows);
      } else {
        index_t const computed = width < cols ? width : cols;
        finish_elements(p, sums, width, row, rows, at.col + j, p.mirrored ? computed : needed);
      }
    }
  }
}

/// Elements of packing memory that `multiply_blocks` takes for an m x k by k x n product; `once` for X X^T.
template <class T>
constexpr index_t packing_size(tiling<T> const& tile, index_t m, index_t n, index_t k, bool once) {
  index_t const depth = k < block_depth<T> ? k : block_depth<T>;
  index_t const cols = n < block_cols ? n : block_cols;
  index_t const rows = m < block_rows ? m : block_rows;
  return depth * (tile.padded(cols) + (once && n <= block_cols ? 0 : tile.padded(rows)));
}
template <class T>
index_t packing_size(tiling<T> const& tile, product<T> const& p) {
  return packing_size(tile, p.a.rows(), p.b.rows(), p.a.cols(), p.is_gram());
}

/// The product, on this thread. `memory`: packing_size elements.
template <class T>
void multiply_blocks(tiling<T> const& tile, product<T> const& p, T* memory) {
  bool const once = p.is_gram() && p.b.rows() <= block_cols;
  for (index_t col = 0; col < p.r.cols(); col += block_cols) {
    index_t const cols = p.r.cols() - col < block_cols ? p.r.cols() - col : block_cols;
    index_t const above = col - p.diagonal;
    index_t const first_row = above > 0 ? above / tile.rows * tile.rows : 0;
    index_t k = 0;
    do {
      index_t const depth = p.a.cols() - k < block_depth<T> ? p.a.cols() - k : block_depth<T>;
      product<T> step = p;
      if (k > 0) {
        step.beta = T(1);
        step.c = p.r;
      }
      T* const right = memory;
      T* const left = memory + tile.padded(cols) * depth;
      tile.pack_right(p.b.block(col, k, cols, depth), tile.granularity(), right);
      for (index_t row = first_row; row < p.r.rows(); row += block_rows) {
        index_t const rows = p.r.rows() - row < block_rows ? p.r.rows() - row : block_rows;
        if (!once) tile.pack_left(p.a.block(row, k, rows, depth), tile.granularity(), left);
        multiply_packed<T>(tile, step, once ? right + row * depth : left, right, {row, rows, col, cols, depth});
      }
      k += block_depth<T>;
    } while (k < p.a.cols());
  }
}

/// A product that is sooner computed from where its operands lie: up to about 32^3 terms (measured), whole tiles, rows of
/// b and of the result that registers can load and store.
template <class T>
bool is_unpacked(tiling<T> const& tile, product<T> const& p) {
  return tile.multiply_unpacked[0] != nullptr && p.a.cols() > 0 && p.r.size() * p.a.cols() <= 32768 &&
         p.a.cols() <= block_depth<T> && p.b.row_stride() == static_cast<index_t>(sizeof(T)) && p.r.col_stride() == 1 &&
         (p.beta == T(0) || p.c.col_stride() == 1) && p.r.rows() % tile.rows == 0 && p.r.cols() % tile.lanes == 0 &&
         (p.mirrored || p.diagonal >= p.r.cols());
}

/// The product, unpacked, tile by tile; none that lies beyond the diagonal.
template <class T>
void multiply_where_it_lies(tiling<T> const& tile, product<T> const& p) {
  for (index_t i = 0; i < p.r.rows(); i += tile.rows) {
    index_t const below = i + tile.rows + p.diagonal;
    index_t const end = below < p.r.cols() ? below : p.r.cols();
    for (index_t j = 0; j < end;) {
      index_t const registers = j + 2 * tile.lanes <= p.r.cols() ? 2 : 1;
      tile.multiply_unpacked[registers - 1](p, i, j);
      j += registers * tile.lanes;
    }
  }
}

/// Where part `part` of `parts` of the rows [0, count) begins: at multiples of `granularity`, each part with the same
/// share of the rows, or of the area of a triangle that has i elements in row i.
inline index_t first_of_part(index_t count, index_t parts, index_t part, index_t granularity, bool triangle) {
  double const share = static_cast<double>(part) / static_cast<double>(parts);
  double const first = static_cast<double>(count) * (triangle ? std::sqrt(share) : share);
  auto const rounded = static_cast<index_t>(first / static_cast<double>(granularity) + 0.5) * granularity;
  return part == parts || rounded > count ? count : rounded;
}

/// The product on the threads of `on`: each takes a band of rows, or of columns where r is wanted whole and has more of
/// them, and packs what it needs.
template <class T>
[[gnu::noinline]] void multiply_bands(tiling<T> const& tile, product<T> const& p, index_t parts, executor const& on,
                                      workspace* scratch) {
  bool const triangle = p.diagonal < p.r.cols();
  bool const by_columns = !triangle && p.r.rows() < p.r.cols();
  index_t const bands = by_columns ? p.r.cols() : p.r.rows();
  auto const band = [&](index_t part) {
    index_t const first = first_of_part(bands, parts, part, tile.granularity(), triangle);
    index_t const last = first_of_part(bands, parts, part + 1, tile.granularity(), triangle);
    return by_columns ? p.columns(first, last) : p.rows(first, last);
  };
  index_t share = 0;
  for (index_t part = 0; part < parts; ++part) {
    index_t const size = packing_size(tile, band(part));
    share = share < size ? size : share;
  }
  packing_memory<T> memory(parts * share, scratch);
  T* const data = memory.data();
  parallel_for(parts, on, [&](index_t part) { multiply_blocks(tile, band(part), data + part * share); });
}

/// The product on as many threads of `on` as it is worth. 2 m n k FLOPs, or what the diagonal leaves of them.
template <class T>
void multiply_in_parallel(tiling<T> const& tile, product<T> const& p, executor const& on, workspace* scratch) {
  if (p.r.empty()) return;
  if (is_unpacked(tile, p)) return multiply_where_it_lies(tile, p);
  if (on.threads() > 1) {
    // A thread is worth its start from some microseconds of work on.
    double const work = static_cast<double>(p.r.size()) * static_cast<double>(p.a.cols());
    index_t const longest = p.diagonal < p.r.cols() || p.r.rows() >= p.r.cols() ? p.r.rows() : p.r.cols();
    index_t const most = work < 2e6 ? 1 : longest / (2 * tile.granularity());
    index_t const parts = most < on.threads() ? most : static_cast<index_t>(on.threads());
    if (parts > 1) return multiply_bands(tile, p, parts, on, scratch);
  }
  index_t const size = packing_size(tile, p);
  if (size <= stack_packing<T>) {
    alignas(64) T stack[stack_packing<T>];
    return multiply_blocks(tile, p, stack);
  }
  packing_memory<T> memory(size, scratch);
  multiply_blocks(tile, p, memory.data());
}

/// Copies the strictly lower triangle of g, which has contiguous rows, to the upper one; where `diagonal_done`, its whole
/// blocks on the diagonal are symmetric already.
template <class T>
void mirror_in_parallel(tiling<T> const& tile, matrix_view<T> g, bool diagonal_done, executor const& on) {
  if (on.threads() == 1 || g.size() < 100000) return tile.mirror(g, 0, g.rows(), diagonal_done);
  index_t const parts = on.threads();
  parallel_for(parts, on, [&](index_t part) {
    tile.mirror(g, first_of_part(g.rows(), parts, part, tile.granularity(), true),
                first_of_part(g.rows(), parts, part + 1, tile.granularity(), true), diagonal_done);
  });
}

}  // namespace sigmax::inline SIGMAX_ABI::cpu::detail
