// SPDX-License-Identifier: MIT
/// @file
/// A symmetric matrix of blocks, most of which may be zero, and its Cholesky factorisation.
#pragma once

#include <cmath>
#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

#include <sigmax/bound/rounding.hpp>
#include <sigmax/config.hpp>
#include <sigmax/core/matrix.hpp>
#include <sigmax/core/matrix_view.hpp>

namespace sigmax::inline SIGMAX_ABI::lipschitz::check {

/// S = (S_ij), symmetric, by its blocks i <= j; blocks that were never asked for are zero. Diagonal blocks are stored in
/// full.
class symmetric_blocks {
 public:
  explicit symmetric_blocks(std::vector<index_t> sizes) : sizes_(std::move(sizes)), upper_(sizes_.size()) {
    for (std::size_t i = 0; i < sizes_.size(); ++i) {
      upper_[i].resize(sizes_.size() - i);
      upper_[i][0].emplace(sizes_[i], sizes_[i]);
    }
  }

  std::size_t count() const { return sizes_.size(); }
  index_t size(std::size_t i) const { return sizes_[i]; }
  double order() const {
    double total = 0;
    for (index_t const size : sizes_) total += static_cast<double>(size);
    return total;
  }

  /// S_ij for i <= j; nullptr where it is zero.
  matrix<double> const* find(std::size_t i, std::size_t j) const {
    auto const& block = upper_[i][j - i];
    return block ? &*block : nullptr;
  }
  /// S_ij for i <= j, made of zeros where it was zero.
  matrix<double>& at(std::size_t i, std::size_t j) {
    auto& block = upper_[i][j - i];
    if (!block) block.emplace(sizes_[i], sizes_[j]);
    return *block;
  }

  /// S = R^T R in place, R upper triangular: lower factors R_ii^T on the diagonal, R_ij in the others.
  /// True only if every pivot is positive and every element of R finite.
  ///
  /// The blocks only leave out sums with zeros: every element of R is what the algorithm of Cholesky computes from one
  /// sum of at most order() products in some order, and substitution by the stored factor, so that Theorem 10.3 of
  /// Higham holds for it: R^T R = S + D, |d_ij| <= g sqrt(s_ii s_jj).
  /// Cost: order^3 / 3 where no block is zero; the sum of 7/3 size^3 for a tridiagonal pattern.
  template <class B>
  bool factor(B const& on) {
    for (std::size_t k = 0; k < count(); ++k) {
      auto diagonal = upper_[k][0]->view();
      if (diagonal.empty()) continue;
      bool const by_elements = is_diagonal(diagonal);
      if (!(by_elements ? factor_elements(diagonal) : on.cholesky(diagonal) == diagonal.rows())) return false;
      for (index_t i = 0; i < diagonal.rows(); ++i) {
        for (index_t j = i + 1; j < diagonal.rows(); ++j) diagonal(i, j) = 0;
        if (!(diagonal(i, i) > 0)) return false;
      }
      if (!is_finite(on.max_abs(diagonal))) return false;
      for (std::size_t i = k + 1; i < count(); ++i) {
        if (!upper_[k][i - k]) continue;
        auto row = upper_[k][i - k]->view();
        if (by_elements) {
          for (index_t r = 0; r < row.rows(); ++r) {
            for (index_t c = 0; c < row.cols(); ++c) row(r, c) /= diagonal(r, r);
          }
        } else if (!row.empty()) {
          on.triangular_solve(diagonal, row);
        }
        if (!is_finite(on.max_abs(row))) return false;
      }
      for (std::size_t i = k + 1; i < count(); ++i) {
        auto const* const left = find(k, i);
        if (left == nullptr || left->empty()) continue;
        auto const transposed = left->view().transposed();
        auto own = at(i, i).view();
        on.gram(-1.0, transposed, 1.0, own, own);
        for (std::size_t j = i + 1; j < count(); ++j) {
          auto const* const right = find(k, j);
          if (right == nullptr || right->empty()) continue;
          auto other = at(i, j).view();
          on.multiply(-1.0, transposed, right->view(), 1.0, other, other);
        }
      }
    }
    return true;
  }

  /// x = S^-1 x from the factor: one column of blocks, `columns` right-hand sides each.
  template <class B>
  void solve(B const& on, std::vector<matrix<double>>& x) const {
    for (std::size_t k = 0; k < count(); ++k) {
      if (size(k) == 0) continue;
      on.triangular_solve(upper_[k][0]->view(), x[k].view());
      for (std::size_t i = k + 1; i < count(); ++i) {
        auto const* const right = find(k, i);
        if (right == nullptr || right->empty()) continue;
        on.multiply(-1.0, right->view().transposed(), x[k].view(), 1.0, x[i].view(), x[i].view());
      }
    }
    for (std::size_t k = count(); k-- > 0;) {
      if (size(k) == 0) continue;
      for (std::size_t i = k + 1; i < count(); ++i) {
        auto const* const right = find(k, i);
        if (right == nullptr || right->empty()) continue;
        on.multiply(-1.0, right->view(), x[i].view(), 1.0, x[k].view(), x[k].view());
      }
      on.triangular_solve_transposed(upper_[k][0]->view(), x[k].view());
    }
  }

 private:
  static bool is_diagonal(matrix_view<double const> a) {
    for (index_t i = 0; i < a.rows(); ++i) {
      for (index_t j = 0; j < i; ++j) {
        if (!(a(i, j) == 0)) return false;
      }
    }
    return true;
  }

  static bool factor_elements(matrix_view<double> a) {
    for (index_t i = 0; i < a.rows(); ++i) {
      if (!(a(i, i) > 0)) return false;
      a(i, i) = std::sqrt(a(i, i));
    }
    return true;
  }

  std::vector<index_t> sizes_;
  std::vector<std::vector<std::optional<matrix<double>>>> upper_;
};

}  // namespace sigmax::inline SIGMAX_ABI::lipschitz::check
