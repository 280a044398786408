// SPDX-License-Identifier: MIT
/// @file
/// The step of divide and conquer: two halves of a tridiagonal eigenproblem, solved apart, become one.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>

#include <sigmax/backend/concept.hpp>
#include <sigmax/backend/secular_equation.hpp>
#include <sigmax/backend/small_tridiagonal.hpp>
#include <sigmax/config.hpp>
#include <sigmax/core/matrix_view.hpp>

namespace sigmax::inline SIGMAX_ABI::detail {

/// Which columns of an eigenvector of the two halves are not 0.
enum class support : char { first_half, both, second_half };

/// The eigenproblem of a tridiagonal matrix and the memory it is solved in. Numbers that decide about accuracy are
/// double even where eigenvectors are float.
template <class B, class T>
struct tridiagonal_eigenproblem {
  B const& on;
  double* d;              ///< the diagonal, then eigenvalues
  double* e;              ///< what is beside it; destroyed
  index_t* order;         ///< of each part: its rows by ascending eigenvalue, counted from the part's first
  matrix_view<T> s;       ///< rows become eigenvectors; contiguous, 0 outside the parts solved
  matrix_view<T> packed;  ///< as large as s: the rows of s a product reads
  T* vectors;             ///< m x scratch_stride(m): eigenvectors of D + w w^T
  double negligible;      ///< what may be added to the matrix at any place
  double lowest;          ///< rows of smaller eigenvalues or of this one are not wanted

  // Scratch of one merge: whole registers.
  double* z;
  double* poles;
  double* squares;
  double* weights;
  double* packed_poles;
  double* packed_weights;
  double* values;
  index_t* sources;
  index_t* places;
  index_t* deflated;
  support* supports;
  secular_root* roots;
};

/// What deflation leaves: `kept` rows by ascending pole in sources, supports, poles and squares, the other rows in
/// `deflated`.
struct deflation {
  index_t kept = 0;
  index_t deflated = 0;
};

/// Leaves out every z_i that is negligible, and one of two whose d are so close that a rotation, which makes its z 0,
/// adds no more than a negligible element beside them.
/// Source: Dongarra and Sorensen, SIAM J. Sci. Stat. Comput. 8, 1987, section 4.
template <class B, class T>
deflation deflate(tridiagonal_eigenproblem<B, T> const& p, index_t first, index_t split, index_t n, double rho) {
  double* const d = p.d + first;
  double* const z = p.z;
  index_t* const order = p.order + first;
  support* const of_row = p.supports + n;
  deflation found;
  auto const keep = [&](index_t row) {
    p.sources[found.kept] = row;
    p.supports[found.kept] = of_row[row];
    p.poles[found.kept] = d[row];
    p.squares[found.kept] = rho * z[row] * z[row];
    p.weights[found.kept] = z[row];
    ++found.kept;
  };
  for (index_t i = 0; i < n; ++i) of_row[i] = i < split ? support::first_half : support::second_half;
  index_t pending = -1;
  for (index_t at = 0; at < n; ++at) {
    index_t const row = order[at];
    if (rho * std::fabs(z[row]) <= p.negligible) {
      p.deflated[found.deflated++] = row;
      continue;
    }
    if (pending >= 0) {
      double const length = std::sqrt(z[pending] * z[pending] + z[row] * z[row]);
      double const c = z[row] / length;
      double const s = -z[pending] / length;
      double const distance = d[row] - d[pending];
      if (std::fabs(distance * c * s) <= p.negligible) {
        rotate_rows(&p.s(first + pending, first), &p.s(first + row, first), n, static_cast<T>(c), static_cast<T>(s));
        z[row] = length;
        d[pending] += distance * s * s;
        d[row] -= distance * s * s;
        if (of_row[pending] != of_row[row]) of_row[row] = support::both;
        p.deflated[found.deflated++] = pending;
      } else {
        keep(pending);
      }
    }
    pending = row;
  }
  if (pending >= 0) keep(pending);
  return found;
}

/// How many of the rows kept have which support.
struct packing {
  index_t first_only = 0;
  index_t both = 0;
  index_t second_only = 0;
};

/// Copies the rows that are kept, by support, to `packed`: the first halves of those that have one to rows 0, 1, ... of
/// its left part, the second halves to its right part; whole rows that were deflated below both.
template <class B, class T>
packing pack_rows(tridiagonal_eigenproblem<B, T> const& p, index_t first, index_t split, index_t n,
                  deflation const& found) {
  packing counts;
  for (index_t i = 0; i < found.kept; ++i) {
    (p.supports[i] == support::first_half ? counts.first_only
     : p.supports[i] == support::both     ? counts.both
                                          : counts.second_only)++;
  }
  index_t next[3] = {0, counts.first_only, counts.first_only + counts.both};
  for (index_t i = 0; i < found.kept; ++i) {
    index_t const place = next[static_cast<int>(p.supports[i])]++;
    p.places[i] = place;
    T const* const row = &p.s(first + p.sources[i], first);
    if (p.supports[i] != support::second_half) std::copy_n(row, split, &p.packed(first + place, first));
    if (p.supports[i] != support::first_half) {
      std::copy_n(row + split, n - split, &p.packed(first + place - counts.first_only, first + split));
    }
  }
  for (index_t i = 0; i < found.deflated; ++i) {
    std::copy_n(&p.s(first + p.deflated[i], first), n, &p.packed(first + found.kept + i, first));
  }
  return counts;
}

/// Eigenvalues of what was kept to `values`, ascending; eigenvectors of those above `lowest`, with elements in the order
/// of packed rows, to the first rows of `vectors`, of which the view is returned.
template <class B, class T>
matrix_view<T> solve_kept(tridiagonal_eigenproblem<B, T> const& p, index_t kept, double lowest) {
  constexpr double far = 1e30;
  index_t const padded = whole_registers<double>(kept);
  double sum_of_squares = 0;
  for (index_t i = 0; i < kept; ++i) sum_of_squares += p.squares[i];
  for (index_t i = kept; i < padded; ++i) {
    p.poles[i] = p.packed_poles[i] = far;
    p.squares[i] = p.packed_weights[i] = p.weights[i] = 0;
  }
  secular_poles const poles{p.poles, p.squares, kept};
  for (index_t j = 0; j < kept; ++j) {
    p.roots[j] = solve_secular_equation(poles, j, sum_of_squares);
    p.values[j] = p.poles[p.roots[j].origin] + p.roots[j].shift;
  }
  weights_of_roots(p.poles, p.roots, kept, p.weights, p.squares);
  for (index_t i = 0; i < kept; ++i) {
    p.packed_poles[p.places[i]] = p.poles[i];
    p.packed_weights[p.places[i]] = p.squares[i];
  }
  index_t const stride = scratch_stride<T>(kept);
  index_t const skipped = std::upper_bound(p.values, p.values + kept, lowest) - p.values;
  for (index_t j = skipped; j < kept; ++j) {
    write_secular_vector<T>(p.packed_poles, p.packed_weights, kept, p.poles[p.roots[j].origin], p.roots[j].shift, p.z,
                            p.vectors + (j - skipped) * stride);
  }
  return matrix_view<T>::unchecked(p.vectors, kept - skipped, kept, stride, 1);
}

/// Joins the halves [first, first + split) and [first + split, first + n), solved apart, by the element `coupling`
/// between them: T = diag(T_1, T_2) + |coupling| q q^T, q = (..., 0, 1, sign(coupling), 0, ...). Both eigenvector
/// matrices are multiplied by those of D + rho z z^T: 2 kept (n_1^2 + n_2^2) FLOPs or less.
template <class B, class T>
void merge_halves(tridiagonal_eigenproblem<B, T> const& p, index_t first, index_t split, index_t n, double coupling) {
  double* const d = p.d + first;
  index_t* const order = p.order + first;
  double const sign = coupling < 0 ? -1 : 1;
  auto const of_part = p.s.block(first, first, n, n);
  for (index_t i = 0; i < split; ++i) p.z[i] = static_cast<double>(of_part(i, split - 1));
  for (index_t i = split; i < n; ++i) p.z[i] = sign * static_cast<double>(of_part(i, split));
  for (index_t i = split; i < n; ++i) order[i] += split;
  std::copy_n(order, n, p.places);
  auto const by_value = [d](index_t i, index_t j) { return d[i] < d[j]; };
  std::merge(p.places, p.places + split, p.places + split, p.places + n, order, by_value);

  auto const found = deflate(p, first, split, n, std::fabs(coupling));
  if (found.kept > 0) {
    auto const counts = pack_rows(p, first, split, n, found);
    for (index_t i = 0; i < found.deflated; ++i) p.values[found.kept + i] = d[p.deflated[i]];
    // Only the last merge may leave rows out: the others are read by the one after them.
    bool const is_last = n == p.s.rows();
    auto const w = solve_kept(p, found.kept, is_last ? p.lowest : -std::numeric_limits<double>::infinity());
    index_t const skipped = found.kept - w.rows();
    index_t const firsts = counts.first_only + counts.both;
    index_t const seconds = counts.both + counts.second_only;
    auto const packed = p.packed.block(first, first, n, n);
    auto const left = of_part.block(skipped, 0, w.rows(), split);
    auto const right = of_part.block(skipped, split, w.rows(), n - split);
    if (w.rows() > 0) {
      p.on.multiply(T(1), w.block(0, 0, w.rows(), firsts), packed.block(0, 0, firsts, split), T(0), left, left);
      p.on.multiply(T(1), w.block(0, counts.first_only, w.rows(), seconds), packed.block(0, split, seconds, n - split),
                    T(0), right, right);
    }
    for (index_t i = found.kept; i < n; ++i) std::copy_n(packed.row(i).data(), n, of_part.row(i).data());
    std::copy_n(p.values, n, d);
    for (index_t i = 0; i < n; ++i) p.places[i] = i;
  } else {
    std::copy_n(p.deflated, n, p.places);
  }
  // What was kept is ascending, what was deflated nearly.
  std::sort(p.places + found.kept, p.places + n, by_value);
  std::merge(p.places, p.places + found.kept, p.places + found.kept, p.places + n, order, by_value);
}

}  // namespace sigmax::inline SIGMAX_ABI::detail
