// SPDX-License-Identifier: MIT
/// @file
/// A sparse matrix that acts along one axis of a tensor.
#pragma once

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

#include <sigmax/bound/interval.hpp>
#include <sigmax/bound/rounding.hpp>
#include <sigmax/config.hpp>
#include <sigmax/core/error.hpp>
#include <sigmax/core/matrix.hpp>
#include <sigmax/lipschitz/norm_prover.hpp>
#include <sigmax/lipschitz/rule.hpp>
#include <sigmax/lipschitz/rules/rms_conversion.hpp>
#include <sigmax/lipschitz/weight.hpp>

namespace sigmax::inline SIGMAX_ABI::lipschitz::rules {

/// rows x cols, row by row; elements lie in intervals, since most of them are quotients.
class axis_matrix {
 public:
  struct element {
    index_t col;
    interval value;
  };

  explicit axis_matrix(index_t cols) : cols_(cols) {}

  /// @throws shape_error for a column that does not exist, numeric_error for an element that is not finite.
  template <class = void>
  void add_row(std::vector<element> const& row) {
    for (element const& e : row) {
      if (e.col < 0 || e.col >= cols_) {
        sigmax::detail::raise<shape_error>({"axis_matrix: column ", e.col, " of ", cols_, "; it must exist"});
      }
      if (!e.value.is_bounded()) {
        sigmax::detail::raise<numeric_error>({"axis_matrix: an element is not finite; all must be"});
      }
      elements_.push_back(e);
    }
    first_.push_back(elements_.size());
  }

  index_t rows() const { return static_cast<index_t>(first_.size()) - 1; }
  index_t cols() const { return cols_; }
  std::size_t first(index_t row) const { return first_[static_cast<std::size_t>(row)]; }
  element const& operator[](std::size_t i) const { return elements_[i]; }
  std::size_t size() const { return elements_.size(); }

  /// >= the largest sum of magnitudes of a row.
  double largest_row_sum() const {
    double largest = 0;
    for (index_t i = 0; i < rows(); ++i) {
      double sum = 0;
      for (std::size_t k = first(i); k < first(i + 1); ++k) sum = add_up(sum, elements_[k].value.magnitude());
      largest = max_up(largest, sum);
    }
    return largest;
  }

  /// >= the spectral norm: the least of Schur's bound, Frobenius', and for matrices up to 2^20 elements the norm of the
  /// middles, proven, plus the Frobenius norm of the radii.
  template <class = void>
  double spectral_norm(rule_context const& context) const {
    std::vector<double> columns(static_cast<std::size_t>(cols_), 0.0);
    double squares = 0;
    double radii = 0;
    for (element const& e : elements_) {
      double& sum = columns[static_cast<std::size_t>(e.col)];
      double const magnitude = e.value.magnitude();
      double const radius = e.value.width();
      sum = add_up(sum, magnitude);
      squares = add_up(squares, multiply_up(magnitude, magnitude));
      radii = add_up(radii, multiply_up(radius, radius));
    }
    double largest = 0;
    for (double const sum : columns) largest = max_up(largest, sum);
    double const row_sum = largest_row_sum();
    double best = lipschitz::detail::sqrt_of_ratio_up(multiply_up(largest, row_sum), 1.0);
    if (is_copy_matrix()) return lipschitz::detail::sqrt_of_ratio_up(most_copies(), 1.0);
    best = min_up(best, sqrt_up(squares));
    bool const small = rows() * cols_ <= (index_t{1} << 20) && rows() > 1 && cols_ > 1;
    if (!small) return best;
    matrix<double> middles(rows(), cols_);
    for (index_t i = 0; i < rows(); ++i) {
      for (std::size_t k = first(i); k < first(i + 1); ++k) middles(i, elements_[k].col) += elements_[k].value.middle();
    }
    // An element named twice is summed with a rounding, which a radius of one unit more covers.
    double const rounding = multiply_up(4 * double_roundoff, sqrt_up(squares));
    double const proven = prove_operator_norm<norm::l2_t>(weight::owning(std::move(middles)), context).value();
    return min_up(best,
                  add_up(add_up(proven, sqrt_up(radii)), multiply_up(rounding, static_cast<double>(most_in_row()))));
  }

 private:
  /// Every row is zero or copies one column: Schur's bound is the norm.
  bool is_copy_matrix() const {
    for (index_t i = 0; i < rows(); ++i) {
      if (first(i + 1) - first(i) > 1) return false;
    }
    for (element const& e : elements_) {
      if (!(e.value == interval(1.0))) return false;
    }
    return true;
  }
  double most_copies() const {
    std::vector<index_t> copies(static_cast<std::size_t>(cols_), 0);
    index_t most = 0;
    for (element const& e : elements_) most = std::max(most, ++copies[static_cast<std::size_t>(e.col)]);
    return static_cast<double>(most);
  }
  std::size_t most_in_row() const {
    std::size_t most = 1;
    for (index_t i = 0; i < rows(); ++i) most = std::max(most, first(i + 1) - first(i));
    return most;
  }
  index_t cols_;
  std::vector<std::size_t> first_{0};
  std::vector<element> elements_;
};

}  // namespace sigmax::inline SIGMAX_ABI::lipschitz::rules
