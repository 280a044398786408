// SPDX-License-Identifier: MIT
/// @file
/// The matrices of linear rules.
#pragma once

#include <cmath>
#include <cstddef>
#include <span>
#include <vector>

#include <sigmax/bound/interval.hpp>
#include <sigmax/bound/rounding.hpp>
#include <sigmax/config.hpp>
#include <sigmax/core/matrix.hpp>
#include <sigmax/lipschitz/check/dense_map.hpp>
#include <sigmax/lipschitz/rules/any_rule.hpp>
#include <sigmax/lipschitz/rules/convolution.hpp>
#include <sigmax/lipschitz/rules/linear.hpp>
#include <sigmax/lipschitz/tensor_shape.hpp>

namespace sigmax::inline SIGMAX_ABI::lipschitz::check {

/// I (x) W, exactly: W for each of the rows of an input of n elements; the coefficient is left out.
/// @throws numeric_error if W is not finite.
template <class = void>
dense_map matrix_of_linear(rules::linear const& rule, index_t rows, index_t n) {
  dense_map result{matrix<double>(rows, n)};
  rule.matrix().visit([&](auto const& w) {
    for (index_t block = 0; w.cols() > 0 && block < n / w.cols(); ++block) {
      for (index_t i = 0; i < w.rows(); ++i) {
        for (index_t j = 0; j < w.cols(); ++j) {
          auto const element = static_cast<double>(w(i, j));
          if (!is_finite(element)) result.error = result.row_error = infinity;
          result.elements(block * w.rows() + i, block * w.cols() + j) = element;
        }
      }
    }
  });
  return result;
}

/// The matrix of a convolution or a transposed one on images of a shape, exactly; the gains of its channels are left out.
/// Proof: an element of the output and one of the input meet in at most one tap of one kernel, so that at a unit vector an
/// output is a sum of one stored number times 1 and of zeros, which double evaluates without error.
/// Cost: as many evaluations as the input has elements.
template <bool Transposed>
dense_map matrix_of_convolution(rules::convolution_rule<Transposed> const& rule, tensor_shape const& shape,
                                index_t rows) {
  rules::convolution_rule<Transposed> const plain(rule.matrix(), rule.kernel(), rule.options());
  index_t const n = element_count(shape);
  dense_map result{matrix<double>(rows, n)};
  std::vector<double> unit(static_cast<std::size_t>(n), 0.0);
  std::vector<double> column(static_cast<std::size_t>(rows));
  std::span<double const> const argument(unit);
  for (index_t j = 0; j < n; ++j) {
    unit[static_cast<std::size_t>(j)] = 1;
    plain.evaluate(std::span<std::span<double const> const>(&argument, 1), {&shape, 1}, std::span<double>(column));
    unit[static_cast<std::size_t>(j)] = 0;
    for (std::size_t i = 0; i < column.size(); ++i) {
      if (column[i] == 0) continue;
      if (!is_finite(column[i])) result.error = result.row_error = infinity;
      result.elements(static_cast<index_t>(i), j) = column[i];
    }
  }
  return result;
}

/// The matrix of a linear rule with respect to input k, the other inputs being zero: column j is the rule evaluated over
/// intervals at the unit vector e_j. `rows` is the number of elements of the output.
/// Proof: the exact column lies in the intervals. Its distance from their middles is at most their radii, whose
/// Frobenius norm and row sums bound the errors.
/// Cost: as many evaluations in interval arithmetic as the input has elements.
template <class B>
dense_map matrix_by_evaluation(B const&, any_rule const& rule, std::span<tensor_shape const> shapes, std::size_t k,
                               index_t rows) {
  std::vector<std::vector<interval>> values;
  std::vector<std::span<interval const>> arguments;
  for (auto const& shape : shapes) values.emplace_back(static_cast<std::size_t>(element_count(shape)), interval(0.0));
  for (auto const& value : values) arguments.emplace_back(value);
  std::vector<interval> column(static_cast<std::size_t>(rows));
  auto const n = static_cast<index_t>(values[k].size());
  dense_map result{matrix<double>(rows, n)};
  std::vector<double> row_errors(column.size(), 0.0);
  double squares = 0;
  for (index_t j = 0; j < n; ++j) {
    values[k][static_cast<std::size_t>(j)] = 1.0;
    rule.evaluate(std::span<std::span<interval const> const>(arguments), shapes, std::span<interval>(column));
    values[k][static_cast<std::size_t>(j)] = 0.0;
    for (std::size_t i = 0; i < column.size(); ++i) {
      if (column[i] == interval(0.0)) continue;
      double const m = column[i].middle();
      result.elements(static_cast<index_t>(i), j) = m;
      if (column[i].is_point()) continue;
      double const radius = max_up(subtract_up(column[i].upper, m), subtract_up(m, column[i].lower));
      squares = add_up(squares, multiply_up(radius, radius));
      row_errors[i] = add_up(row_errors[i], radius);
    }
  }
  result.error = sqrt_up(squares);
  for (double const e : row_errors) result.row_error = max_up(result.row_error, e);
  return result;
}

}  // namespace sigmax::inline SIGMAX_ABI::lipschitz::check
