// SPDX-License-Identifier: MIT
/// @file
/// The space in which `block_lanczos` looks for singular vectors.
#pragma once

#include <cmath>
#include <cstdint>
#include <utility>

#include <sigmax/backend/concept.hpp>
#include <sigmax/backend/host_access.hpp>
#include <sigmax/config.hpp>
#include <sigmax/core/matrix_view.hpp>
#include <sigmax/core/random.hpp>
#include <sigmax/core/workspace.hpp>

namespace sigmax::inline SIGMAX_ABI::detail {

/// An orthonormal basis of a block Krylov space of X^T X and the Ritz vectors in it. All vectors are rows.
/// x: long x short, |x_ij| <= 1. Long vectors are where the backend works; the projected problem is solved on the host.
template <class B, real T>
class block_krylov_space {
 public:
  block_krylov_space(B const& backend, matrix_view_on<B, T const> x, index_t count, workspace::frame& frame)
      : on_(backend),
        frame_(frame),
        x_(x),
        short_(x.cols()),
        count_(count),
        block_(count < short_ ? count + 1 : count),
        capacity_(3 * block_ + 24 < short_ ? 3 * block_ + 24 : short_),
        kept_((count + capacity_) / 3 < count ? count : (count + capacity_) / 3),
        basis_(frame.template matrix<T, typename B::space>(capacity_, short_)),
        work_(frame.template matrix<T, typename B::space>(capacity_, short_)),
        next_(frame.template matrix<T, typename B::space>(2 * block_, short_)),
        image_(frame.template matrix<T, typename B::space>(count, x.rows())),
        coefficients_(frame.template matrix<T, typename B::space>(2 * block_, capacity_)),
        projection_(frame.template matrix<T>(capacity_, capacity_)),
        vectors_(frame.template matrix<T>(capacity_, capacity_)),
        values_(frame.template vector<T>(capacity_)) {
    if constexpr (works_on_host<B>) {
      given_vectors_ = vectors_;
    } else {
      given_vectors_ = frame.template matrix<T, typename B::space>(kept_, capacity_);
      small_ = frame.template matrix<T>(capacity_, capacity_);
    }
  }

  /// No room for another block. A part of one would not do: what the space is told of the other part is wrong.
  bool is_full() const { return capacity_ < short_ && 2 * size_ - first_ > capacity_; }

  /// The first block: the columns of v (long or short side, as many elements as they have), then random vectors. Those
  /// of v are disturbed by `noise` relative to their length, each in a direction of its own.
  void start(matrix_view_on<B, T const> v, double noise, std::uint64_t seed) {
    using std::sqrt;
    auto const given = next_.block(0, 0, v.cols(), short_);
    if (v.rows() == short_) {
      on_.combine(T(1), v.transposed(), T(0), given);
    } else if (!v.empty()) {
      auto const directions = image_.block(0, 0, v.cols(), v.rows());
      on_.combine(T(1), v.transposed(), T(0), directions);
      scale_rows(directions);
      on_.multiply(T(1), directions, x_, T(0), given, given);
    }
    scale_rows(given);
    random_sequence const normal(seed + 1);
    double const size = noise / std::sqrt(static_cast<double>(short_));
    auto const disturbance = work_.row(0);
    auto const staged = staging_for(on_, disturbance, frame_);
    for (index_t i = 0; i < given.rows(); ++i) {
      T const length = T(sqrt(on_.dot(given.row(i), given.row(i))));
      if (length > T(0)) on_.divide(length, as_row(given.row(i)));
      for (index_t j = 0; j < short_; ++j) {
        staged[j] = T(size * normal.normal(static_cast<std::uint64_t>(i * short_ + j)));
      }
      deliver(on_, staged, disturbance);
      on_.combine(T(1), as_row(disturbance), T(1), as_row(given.row(i)));
    }
    // Dense rows, one after the other, are numbered as the elements of a matrix are.
    auto const random = next_.block(v.cols(), 0, block_, short_);
    auto const numbers = vector_view_on<B, T>::unchecked(random.data(), random.size(), 1);
    auto const start = staging_for(on_, numbers, frame_);
    fill_normal(start, seed);
    deliver(on_, start, numbers);
    append(orthonormalize(next_.block(0, 0, v.cols() + block_, short_), T(T(1) / T(1024))));
  }

  /// The image of the newest vectors under X^T X: its part in the space completes the projection of X^T X, the
  /// remainder is what the space would grow by.
  void expand() {
    auto const rest = remainder();
    for (index_t i = 0; i < rest.rows(); ++i) on_.gram_times_vector(x_, basis_.row(first_ + i), rest.row(i));
    auto const inside = readable(project(rest));
    for (index_t i = 0; i < inside.rows(); ++i) {
      for (index_t j = 0; j < size_; ++j) projection_(first_ + i, j) = projection_(j, first_ + i) = inside(i, j);
    }
    project(rest);
  }

  /// Ritz pairs of the space, the leading ones first and in order. @return true if the wanted ones are accurate to
  /// `tolerance`, by the part of their image that is outside of the space.
  bool solve(T tolerance) {
    using std::sqrt;
    auto const values = values_.segment(0, size_);
    auto const& small = host_backend(on_);
    auto const h = small_matrix();
    small.combine(T(1), projection_.block(0, 0, size_, size_), T(0), h);
    small.symmetric_eigen(h, values, vectors_.block(0, 0, size_, size_));
    for (index_t i = 0; i < kept_ && i < size_; ++i) {
      index_t best = i;
      for (index_t j = i + 1; j < size_; ++j) best = values[best] < values[j] ? j : best;
      if (best == i) continue;
      std::swap(values[i], values[best]);
      for (index_t j = 0; j < size_; ++j) std::swap(vectors_(i, j), vectors_(best, j));
    }
    if constexpr (!works_on_host<B>) {
      index_t const kept = kept_ < size_ ? kept_ : size_;
      on_.copy_from_host(vectors_.block(0, 0, kept, size_), given_vectors_.block(0, 0, kept, size_));
    }
    // X^T X p - theta p = (rows of the remainder) times the last elements of the Ritz vector.
    auto const rest = remainder();
    auto const residual = work_.block(0, 0, 1, short_);
    T const top = values[0] > T(0) ? T(sqrt(values[0])) : T(0);
    for (index_t i = 0; i < count_; ++i) {
      auto const last = as_row(given_vectors_.row(i).segment(first_, rest.rows()));
      on_.multiply(T(1), last, rest, T(0), residual, residual);
      T const length = T(sqrt(on_.dot(residual.row(0), residual.row(0))));
      T const sigma = values[i] > T(0) ? T(sqrt(values[i])) : T(0);
      T const level = T(tolerance * top) < sigma ? sigma : T(tolerance * top);
      if (!(length <= T(tolerance * top * level / T(2)))) return false;
    }
    return true;
  }

  /// Adds the remainder to the space; where there is no room only leading Ritz vectors stay. @return false if the
  /// remainder is zero: the space is invariant. Needs a solve() before if the space is full.
  bool grow() {
    T largest(0);
    for (index_t i = 0; i < size_; ++i) largest = largest < projection_(i, i) ? projection_(i, i) : largest;
    index_t const more = orthonormalize(remainder(), T(unit_roundoff<T>() * largest));
    if (more == 0) return false;
    if (is_full()) {
      ritz_vectors(kept_, work_.block(0, 0, kept_, short_));
      on_.combine(T(1), work_.block(0, 0, kept_, short_), T(0), basis_.block(0, 0, kept_, short_));
      for (index_t i = 0; i < kept_; ++i) {
        for (index_t j = 0; j < kept_; ++j) projection_(i, j) = i == j ? values_[i] : T(0);
      }
      size_ = kept_;
    }
    append(more);
    return true;
  }

  /// The triplets of the wanted Ritz vectors p, with long-side vectors q: p (count x short), q (count x long).
  void triplets(std::uint64_t seed, vector_view<T> sigma, vector_view<T> residual, matrix_view_on<B, T>& p,
                matrix_view_on<B, T>& q) {
    using std::sqrt;
    p = next_.block(0, 0, count_, short_);
    q = image_;
    ritz_vectors(count_, p);
    size_ = 0;
    orthonormalize(p, T(T(1) / T(2)));
    on_.multiply(T(1), p, x_.transposed(), T(0), q, q);
    for (index_t i = 0; i < count_; ++i) {
      auto const row = q.row(i);
      residual[i] = subtract_earlier(q, i);
      subtract_earlier(q, i);
      sigma[i] = T(sqrt(on_.dot(row, row)));
      if (sigma[i] > T(unit_roundoff<T>() * sigma[0])) {
        on_.combine(T(T(1) / sigma[i]), as_row(row), T(0), as_row(row));
        continue;
      }
      sigma[i] = T(0);
      auto const staged = staging_for(on_, row, frame_);
      fill_normal(staged, seed + static_cast<std::uint64_t>(i) + 1);
      deliver(on_, staged, row);
      subtract_earlier(q, i);
      subtract_earlier(q, i);
      on_.combine(T(T(1) / T(sqrt(on_.dot(row, row)))), as_row(row), T(0), as_row(row));
    }
    auto const difference = work_.block(0, 0, count_, short_);
    on_.multiply(T(1), q, x_, T(0), difference, difference);
    for (index_t i = 0; i < count_; ++i) {
      auto const row = difference.row(i);
      on_.combine(T(-sigma[i]), as_row(p.row(i)), T(1), as_row(row));
      T const other = T(sqrt(on_.dot(row, row)));
      T const larger = residual[i] < other ? other : residual[i];
      residual[i] = sigma[0] > T(0) ? T(larger / sigma[0]) : T(1);
    }
  }

 private:
  /// A size x size matrix of the host, for what the eigensolver destroys.
  matrix_view<T> small_matrix() const {
    if constexpr (works_on_host<B>) {
      return work_.block(0, 0, size_, size_);
    } else {
      return small_.block(0, 0, size_, size_);
    }
  }

  /// Coefficients where they can be read, until the next call.
  matrix_view<T const> readable(matrix_view_on<B, T> coefficients) const {
    if constexpr (works_on_host<B>) {
      return coefficients;
    } else {
      auto const copy = small_.block(0, 0, coefficients.rows(), coefficients.cols());
      on_.copy_to_host(coefficients, copy);
      return copy;
    }
  }

  matrix_view_on<B, T> remainder() const { return next_.block(0, 0, size_ - first_, short_); }

  /// rows <- rows - (rows Q^T) Q for the basis Q; returns the coefficients.
  matrix_view_on<B, T> project(matrix_view_on<B, T> rows) const {
    auto const q = basis_.block(0, 0, size_, short_);
    auto const c = coefficients_.block(0, 0, rows.rows(), size_);
    on_.multiply(T(1), rows, q.transposed(), T(0), c, c);
    on_.multiply(T(-1), c, q, T(1), rows, rows);
    return c;
  }

  /// Makes row i orthogonal to the rows above it; returns the length of what that took away.
  T subtract_earlier(matrix_view_on<B, T> rows, index_t i) const {
    using std::sqrt;
    T squares(0);
    for (index_t j = 0; j < i; ++j) {
      T const along = on_.dot(rows.row(j), rows.row(i));
      on_.combine(T(-along), as_row(rows.row(j)), T(1), as_row(rows.row(i)));
      squares = T(squares + along * along);
    }
    return T(sqrt(squares));
  }

  /// Makes the rows orthonormal and orthogonal to the basis, dropping those of which no more than `negligible` is left.
  /// Twice, so that what remains of a short row is orthogonal too. @return how many remain, the first ones.
  index_t orthonormalize(matrix_view_on<B, T> rows, T negligible) const {
    using std::sqrt;
    index_t count = rows.rows();
    for (int pass = 0; pass < 2; ++pass) {
      if (size_ > 0 && count > 0) project(rows.block(0, 0, count, short_));
      index_t remaining = 0;
      for (index_t i = 0; i < count; ++i) {
        if (remaining < i) on_.combine(T(1), as_row(rows.row(i)), T(0), as_row(rows.row(remaining)));
        auto const row = rows.row(remaining);
        subtract_earlier(rows, remaining);
        T const length = T(sqrt(on_.dot(row, row)));
        if (!(length > (pass == 0 ? negligible : T(T(1) / T(2))))) continue;
        on_.combine(T(T(1) / length), as_row(row), T(0), as_row(row));
        ++remaining;
      }
      count = remaining;
    }
    return count;
  }

  /// Puts the first of the next vectors into the basis, as far as there is room.
  void append(index_t count) {
    if (count > block_) count = block_;
    if (count > capacity_ - size_) count = capacity_ - size_;
    first_ = size_;
    size_ += count;
    on_.combine(T(1), next_.block(0, 0, count, short_), T(0), basis_.block(first_, 0, count, short_));
  }

  void ritz_vectors(index_t count, matrix_view_on<B, T> result) const {
    on_.multiply(T(1), given_vectors_.block(0, 0, count, size_), basis_.block(0, 0, size_, short_), T(0), result,
                 result);
  }

  /// Rows to magnitude 1; zeros stay.
  void scale_rows(matrix_view_on<B, T> rows) const {
    for (index_t i = 0; i < rows.rows(); ++i) {
      T const largest = on_.max_abs(as_row(rows.row(i)));
      if (!(largest > T(0))) continue;
      on_.divide(largest, as_row(rows.row(i)));
    }
  }

  B const& on_;
  workspace::frame& frame_;
  matrix_view_on<B, T const> x_;
  index_t short_, count_, block_, capacity_;
  index_t kept_;  // Ritz vectors that survive a restart
  index_t first_ = 0, size_ = 0;
  matrix_view_on<B, T> basis_, work_, next_, image_, coefficients_;
  matrix_view<T> projection_, vectors_;  // of the host
  vector_view<T> values_;
  matrix_view_on<B, T> given_vectors_;  // the leading rows of vectors_, for products
  matrix_view<T> small_;                // on devices
};

}  // namespace sigmax::inline SIGMAX_ABI::detail
