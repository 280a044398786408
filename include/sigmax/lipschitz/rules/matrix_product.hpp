// SPDX-License-Identifier: MIT
/// @file
/// The rule of products of two computed matrices.
#pragma once

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <sigmax/bound/norm.hpp>
#include <sigmax/bound/rounding.hpp>
#include <sigmax/certified/operator_norm.hpp>
#include <sigmax/config.hpp>
#include <sigmax/core/error.hpp>
#include <sigmax/core/matrix_view.hpp>
#include <sigmax/lipschitz/rule.hpp>
#include <sigmax/lipschitz/rules/interval_product.hpp>
#include <sigmax/lipschitz/rules/rms_conversion.hpp>
#include <sigmax/lipschitz/rules/support.hpp>
#include <sigmax/lipschitz/value_range.hpp>

namespace sigmax::inline SIGMAX_ABI::lipschitz::rules {

/// C = A B, matrix by matrix along the leading axes: A (..., n, k), B (..., k, m), C (..., n, m); leading axes are
/// broadcast as in numpy. Bilinear, so Lipschitz on bounded sets only: it needs the ranges of both factors, or that of
/// the constant one where the other varies.
///
/// Proof of the sensitivities: A B - A' B' = (A - A') B + A' (B - B'). Matrix by matrix,
///   l2:   ||D B||_F <= ||D||_F ||B||_2 and ||A D||_F <= ||A||_2 ||D||_F; a matrix that is used t times because of
///         broadcasting counts sqrt(t) times;
///   linf: |(D B)_ij| <= max |D| sum_l |B_lj|, |(A D)_ij| <= sum_l |A_il| max |D|;
///   rms:  row i of D B is at most ||D_i|| ||B||_2 long, row i of A D at most (sum_l |A_il|) max_l ||D_l||.
class matrix_product {
 public:
  std::string operator_name() const { return "matrix_product"; }
  std::string rule_name(norm::any asked) const {
    if (asked == norm::linf) return "|column sums| of B, |row sums| of A: bilinear, on the domain";
    return asked == norm::rms ? "||B||_2 and |row sums| of A: bilinear, on the domain"
                              : "||B||_2 and ||A||_2: bilinear, on the domain";
  }
  std::string refusal(norm::any) const {
    return "a product of two computed values is not Lipschitz on all inputs; give a bounded domain (--radius, --box)";
  }

  /// @throws shape_error if the matrices do not fit or the leading axes cannot be broadcast.
  template <class = void>
  tensor_shape output_shape(std::span<tensor_shape const> shapes) const {
    detail::require_inputs("matrix_product", shapes, 2);
    auto const& a = shapes[0];
    auto const& b = shapes[1];
    bool fit = a.size() >= 2 && b.size() >= 2 && a.back() == b[b.size() - 2];
    tensor_shape result(std::max(a.size(), b.size()), 1);
    for (std::size_t back = 3; fit && back <= result.size(); ++back) {
      index_t const in_a = back <= a.size() ? a[a.size() - back] : 1;
      index_t const in_b = back <= b.size() ? b[b.size() - back] : 1;
      fit = in_a == in_b || in_a == 1 || in_b == 1;
      result[result.size() - back] = in_a == 1 ? in_b : in_a;
    }
    if (!fit) {
      sigmax::detail::raise<shape_error>({"matrix_product: inputs have shapes ", shape_text(a), " and ", shape_text(b),
                                          "; they must be stacks of n x k and k x m matrices"});
    }
    result[result.size() - 2] = a[a.size() - 2];
    result.back() = b.back();
    return result;
  }

  template <class = void>
  double multiply_adds(std::span<tensor_shape const> shapes) const {
    return static_cast<double>(element_count(output_shape(shapes))) * static_cast<double>(shapes[0].back());
  }

  template <class = void>
  bool uses_ranges() const {
    return true;
  }

  template <norm_tag N>
  sensitivities<N> bound(std::span<tensor_shape const> shapes, rule_context const& context) const {
    layout const form(shapes, output_shape(shapes));
    double const k = static_cast<double>(form.k);
    double const m = static_cast<double>(form.m);
    double to_a = 0;
    double to_b = 0;
    if constexpr (std::same_as<N, norm::linf_t>) {
      to_a = largest_sum(context.range(1), form.k, form.m, false);
      to_b = largest_sum(context.range(0), form.n, form.k, true);
    } else if constexpr (std::same_as<N, norm::l2_t>) {
      to_a = multiply_up(lipschitz::detail::sqrt_of_ratio_up(form.copies(0), 1.0),
                         largest_norm(context.range(1), form.k, form.m, context));
      to_b = multiply_up(lipschitz::detail::sqrt_of_ratio_up(form.copies(1), 1.0),
                         largest_norm(context.range(0), form.n, form.k, context));
    } else {
      to_a = multiply_up(lipschitz::detail::sqrt_of_ratio_up(k, m),
                         largest_norm(context.range(1), form.k, form.m, context));
      to_b = largest_sum(context.range(0), form.n, form.k, true);
    }
    return {detail::proven<N>(extended(to_a)), detail::proven<N>(extended(to_b))};
  }

  /// Row i of A B is sum_l A_il B_l, at most (sum_l |A_il|) max_l ||B_l|| long.
  template <class = void>
  void refine(std::span<tensor_shape const> shapes, rule_context const& context, value_range& output) const {
    layout const form(shapes, output_shape(shapes));
    if (context.range(0) == nullptr || context.range(1) == nullptr) return;
    output.longest_row = min_up(output.longest_row, multiply_up(largest_sum(context.range(0), form.n, form.k, true),
                                                                context.range(1)->longest_row));
  }

  template <class T>
  void evaluate(std::span<std::span<T const> const> inputs, std::span<tensor_shape const> shapes,
                std::span<T> output) const {
    layout const form(shapes, output_shape(shapes));
    for (std::size_t c = 0; c < form.count; ++c) {
      detail::multiply_matrices(inputs[0].subspan(form.first(0, c), form.n * form.k),
                                inputs[1].subspan(form.first(1, c), form.k * form.m), form.k, form.m,
                                output.subspan(c * form.n * form.m, form.n * form.m));
    }
  }

  template <class = void>
  void pull_back(std::span<std::span<double const> const> inputs, std::span<tensor_shape const> shapes,
                 std::span<double const> output_gradient, std::span<std::span<double> const> input_gradients) const {
    layout const form(shapes, output_shape(shapes));
    for (std::size_t c = 0; c < form.count; ++c) {
      std::size_t const a = form.first(0, c);
      std::size_t const b = form.first(1, c);
      for (std::size_t i = 0; i < form.n; ++i) {
        for (std::size_t l = 0; l < form.k; ++l) {
          double sum = 0;
          for (std::size_t j = 0; j < form.m; ++j) {
            double const g = output_gradient[(c * form.n + i) * form.m + j];
            sum += g * inputs[1][b + l * form.m + j];
            if (!input_gradients[1].empty())
              input_gradients[1][b + l * form.m + j] += g * inputs[0][a + i * form.k + l];
          }
          if (!input_gradients[0].empty()) input_gradients[0][a + i * form.k + l] += sum;
        }
      }
    }
  }

 private:
  /// Which matrices meet.
  struct layout {
    template <class Shapes>
    layout(Shapes const& shapes, tensor_shape const& output)
        : leading(output.begin(), output.end() - 2),
          n(static_cast<std::size_t>(output[output.size() - 2])),
          k(static_cast<std::size_t>(shapes[0].back())),
          m(static_cast<std::size_t>(output.back())) {
      for (index_t const extent : leading) count *= static_cast<std::size_t>(extent);
      for (std::size_t side = 0; side < 2; ++side) {
        steps[side].assign(leading.size(), 0);
        auto const& shape = shapes[side];
        std::size_t step = side == 0 ? n * k : k * m;
        for (std::size_t back = 3; back <= shape.size(); ++back) {
          auto const extent = static_cast<std::size_t>(shape[shape.size() - back]);
          if (extent != 1) steps[side][leading.size() + 2 - back] = step;
          step *= extent;
          matrices[side] *= extent;
        }
      }
    }
    /// Where matrix number c of the output finds its factor.
    std::size_t first(std::size_t side, std::size_t c) const {
      std::size_t result = 0;
      for (std::size_t axis = leading.size(); axis-- > 0;) {
        auto const extent = static_cast<std::size_t>(leading[axis]);
        result += (c % extent) * steps[side][axis];
        c /= extent;
      }
      return result;
    }
    /// How often each matrix of a side is used.
    double copies(std::size_t side) const {
      return matrices[side] == 0 ? 1.0 : static_cast<double>(count / matrices[side]);
    }

    tensor_shape leading;
    std::size_t n;
    std::size_t k;
    std::size_t m;
    std::size_t count = 1;
    std::size_t matrices[2] = {1, 1};
    std::vector<std::size_t> steps[2];
  };

  /// The largest sum of |elements| of a row or column over all matrices; for rows also sqrt(cols) times their length.
  template <class = void>
  static double largest_sum(value_range const* range, std::size_t rows, std::size_t cols, bool of_rows) {
    if (range == nullptr) return infinity;
    double largest = range->box.empty() ? infinity : 0.0;
    auto const& box = range->box;
    for (std::size_t first = 0; first + rows * cols <= box.size() && rows * cols > 0; first += rows * cols) {
      for (std::size_t outer = 0; outer < (of_rows ? rows : cols); ++outer) {
        double sum = 0;
        for (std::size_t inner = 0; inner < (of_rows ? cols : rows); ++inner) {
          sum = add_up(sum, box[first + (of_rows ? outer * cols + inner : inner * cols + outer)].magnitude());
        }
        largest = max_up(largest, sum);
      }
    }
    if (of_rows) largest = min_up(largest, multiply_up(sqrt_up(static_cast<double>(cols)), range->longest_row));
    return largest;
  }

  /// The largest spectral norm over all matrices and all members of the range. Proof: ||M||_2 <= || |M| ||_2, which is
  /// monotone in |M|, is at most the Frobenius norm and sqrt(||M||_1 ||M||_inf) (Schur), and ||M||_F <= sqrt(rows) times
  /// the longest row. Of a constant matrix the spectral norm itself is proven.
  template <class = void>
  static double largest_norm(value_range const* range, std::size_t rows, std::size_t cols,
                             rule_context const& context) {
    if (range == nullptr) return infinity;
    double const by_rows = multiply_up(sqrt_up(static_cast<double>(rows)), range->longest_row);
    if (range->box.empty()) return by_rows;
    double largest = 0;
    std::vector<double> columns(cols);
    for (std::size_t first = 0; first + rows * cols <= range->box.size() && rows * cols > 0; first += rows * cols) {
      std::span<interval const> const box(range->box.data() + first, rows * cols);
      std::fill(columns.begin(), columns.end(), 0.0);
      double squares = 0;
      double longest = 0;
      for (std::size_t i = 0; i < rows; ++i) {
        double sum = 0;
        for (std::size_t j = 0; j < cols; ++j) {
          double const magnitude = box[i * cols + j].magnitude();
          sum = add_up(sum, magnitude);
          columns[j] = add_up(columns[j], magnitude);
          squares = add_up(squares, multiply_up(magnitude, magnitude));
        }
        longest = max_up(longest, sum);
      }
      double own = 0;
      for (double const sum : columns) own = max_up(own, sum);
      own = min_up(sqrt_up(squares), multiply_up(sqrt_up(longest), sqrt_up(own)));
      if (is_finite(own) && std::all_of(box.begin(), box.end(), [](interval x) { return x.is_point(); })) {
        std::vector<double> elements;
        for (interval const x : box) elements.push_back(x.lower);
        auto const view = matrix_view<double const>(elements.data(), static_cast<index_t>(rows),
                                                    static_cast<index_t>(cols), static_cast<index_t>(cols), 1);
        own = min_up(own, certified_operator_norm<norm::l2_t>(view, context.relative_gap).value());
      }
      largest = max_up(largest, own);
    }
    return min_up(largest, by_rows);
  }
};
static_assert(rule<matrix_product>);

}  // namespace sigmax::inline SIGMAX_ABI::lipschitz::rules
