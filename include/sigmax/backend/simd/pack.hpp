// SPDX-License-Identifier: MIT
/// @file
/// The one format that operands of products are packed in.
#pragma once

#include <sigmax/backend/simd/product.hpp>
#include <sigmax/backend/simd/sixteen_bits.hpp>
#include <sigmax/backend/simd/transpose.hpp>
#include <sigmax/backend/simd/xsimd_compat.hpp>
#include <sigmax/config.hpp>
#include <sigmax/core/matrix_view.hpp>
#include <sigmax/core/scalar.hpp>

namespace sigmax::inline SIGMAX_ABI::cpu::detail {

// Panel p holds rows p V .. p V + V - 1 of x, V the lanes of a register, as
//   to[p V depth + k V + i] = x(p V + i, k),
// so that a register takes element k of V rows in one load, and a scalar load takes that of one of them. The same panel
// serves as the register side and as the broadcast side of a tile: a Gram matrix packs its operand once. Rows beyond the
// last are zero. S is the scalar that x is stored in: T, or 16 bits that are converted on the way.

/// One panel of at most `width` rows of any strides.
template <class T, class S>
void pack_panel(matrix_view<S const> x, index_t width, T* to) {
  S const* from = x.data();
  for (index_t k = 0; k < x.cols(); ++k, from += x.col_stride(), to += width) {
    for (index_t i = 0; i < x.rows(); ++i) to[i] = static_cast<T>(from[i * x.row_stride()]);
    for (index_t i = x.rows(); i < width; ++i) to[i] = T(0);
  }
}

/// Panels side by side that are filled in one pass over contiguous columns: whole cache lines of each are used.
inline constexpr index_t panels_at_once = 4;

/// `panels` whole panels from contiguous columns, one register after the other.
template <class T, class Arch, class S>
[[gnu::flatten]] void pack_columns(matrix_view<S const> x, index_t panels, T* to) {
  constexpr index_t size = lanes<T, Arch>;
  index_t const panel = size * x.cols();
  S const* from = x.data();
  for (index_t k = 0; k < x.cols(); ++k, from += x.col_stride(), to += size) {
    for (index_t p = 0; p < panels; ++p) store(load<T, Arch>(from + p * size), to + p * panel);
  }
}

/// One whole panel from contiguous rows, by transposition.
template <class T, class Arch, class S>
[[gnu::flatten]] void pack_rows(matrix_view<S const> x, T* to) {
  constexpr index_t size = lanes<T, Arch>;
  index_t k = 0;
  for (; k + size <= x.cols(); k += size) {
    transpose_square<T, Arch>(x.data() + k, x.row_stride(), to + k * size, size);
  }
  pack_panel<T, S>(x.block(0, k, size, x.cols() - k), size, to + k * size);
}

/// All rows of x, a matrix of S, and zero rows up to a multiple of `granularity`, itself a multiple of the lanes of a register.
template <class T, class Arch, class S = T>
void pack(operand bytes, index_t granularity, T* to) {
  constexpr index_t size = lanes<T, Arch>;
  auto const x = elements_of<S>(bytes);
  index_t const depth = x.cols();
  index_t const padded = (x.rows() + granularity - 1) / granularity * granularity;
  index_t i = 0;
  if (x.row_stride() == 1) {
    for (index_t panels = panels_at_once; panels > 0; panels /= 2) {
      for (; i + panels * size <= x.rows(); i += panels * size) {
        pack_columns<T, Arch, S>(x.block(i, 0, panels * size, depth), panels, to + i * depth);
      }
    }
  } else if (x.col_stride() == 1) {
    for (; i + size <= x.rows(); i += size) pack_rows<T, Arch, S>(x.block(i, 0, size, depth), to + i * depth);
  }
  for (; i < padded; i += size) {
    index_t const there = x.rows() - i < size ? x.rows() - i : size;
    pack_panel<T, S>(x.block(there > 0 ? i : 0, 0, there > 0 ? there : 0, depth), size, to + i * depth);
  }
}

}  // namespace sigmax::inline SIGMAX_ABI::cpu::detail
