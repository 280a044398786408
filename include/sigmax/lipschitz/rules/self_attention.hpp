// SPDX-License-Identifier: MIT
/// @file
/// The rule of multi-head self-attention as a whole.
#pragma once

#include <cmath>
#include <concepts>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <sigmax/bound/interval.hpp>
#include <sigmax/bound/norm.hpp>
#include <sigmax/bound/rounding.hpp>
#include <sigmax/config.hpp>
#include <sigmax/core/error.hpp>
#include <sigmax/lipschitz/norm_prover.hpp>
#include <sigmax/lipschitz/rule.hpp>
#include <sigmax/lipschitz/rules/attention.hpp>
#include <sigmax/lipschitz/rules/attention_head.hpp>
#include <sigmax/lipschitz/rules/matrix_times.hpp>
#include <sigmax/lipschitz/rules/product_norm.hpp>
#include <sigmax/lipschitz/rules/rms_conversion.hpp>
#include <sigmax/lipschitz/rules/rotary_embedding.hpp>
#include <sigmax/lipschitz/rules/support.hpp>
#include <sigmax/lipschitz/value_range.hpp>
#include <sigmax/lipschitz/weight.hpp>

namespace sigmax::inline SIGMAX_ABI::lipschitz::rules {

/// x (..., n, d) -> W_O concat_h y_h, y_h = attention of (W_Q,h x + b, W_K,h x + b, W_V,h x + b) for each head h; without
/// W_O the concatenation itself, (..., n, sum of the widths of the heads). The mask is that of scores (..., H, n, n). Queries
/// and keys of every head are rotated by their positions where a rotary embedding is given.
///
/// Sensitivity, with E_h, Z_h the bounds of the output of head h and of what its W_V multiplies (bound_of_head) and W_O,h
/// the columns of W_O that belong to head h:
///   l2 and Euclidean lengths of rows (rms: times sqrt(d / width of the output)):
///     min( ||W_O||_2 min(sqrt(sum_h E_h^2), by_part), sum_h min(||W_O,h||_2 E_h, ||W_O,h W_V,h||_2 Z_h) );
///   linf: max_r sum_h (sum_f |W_O,h[r, f]|) E_h.
/// Proof: a row of the concatenation is sqrt(sum_h ||y_h,i||^2) long, and W_O concat_h dy_h = sum_h W_O,h dy_h =
/// sum_h W_O,h W_V,h dz_h; in l2 the same with Frobenius norms of dy_h. Norms of heads enter as they are, never that of the
/// stacked weights: stacking would count a head's share twice.
/// Published bounds that apply a single head's formula to the stacked weights are no bounds (published_attention.hpp).
class self_attention {
 public:
  /// @throws shape_error if there is no head or the weights do not fit, numeric_error if a bias or the scale is not finite.
  template <class = void>
  self_attention(std::vector<attention_head> heads, std::optional<weight> output, interval scale,
                 attention_mask mask = {}, std::optional<rotary_embedding> rotation = {})
      : heads_(std::move(heads)),
        output_(std::move(output)),
        core_(scale, std::move(mask)),
        rotation_(std::move(rotation)) {
    if (heads_.empty()) sigmax::detail::raise<shape_error>({"self_attention: 0 heads; there must be one or more"});
    index_t const d = heads_[0].query.matrix.cols();
    for (auto const& head : heads_) {
      for (auto const* const p : {&head.query, &head.key, &head.value}) {
        if (p->matrix.cols() != d || (!p->bias.empty() && static_cast<index_t>(p->bias.size()) != p->matrix.rows())) {
          refuse("all weights of heads must have as many columns, and as many rows as their bias has elements");
        }
        detail::require_finite("self_attention", p->bias);
      }
      if (head.key.matrix.rows() != heads_[0].query.matrix.rows() ||
          head.query.matrix.rows() != heads_[0].query.matrix.rows() ||
          head.value.matrix.rows() != heads_[0].value.matrix.rows()) {
        refuse("queries and keys of all heads must be of one width, and values of one width");
      }
    }
    if (output_ && output_->cols() != width()) refuse("W_O must have a column for each element of the heads' outputs");
  }

  std::vector<attention_head> const& heads() const { return heads_; }
  std::optional<weight> const& output() const { return output_; }
  interval scale() const { return core_.scale(); }
  attention_mask const& mask() const { return core_.mask(); }
  std::optional<rotary_embedding> const& rotation() const { return rotation_; }

  std::string operator_name() const { return "self_attention"; }
  std::string rule_name(norm::any) const { return "multi-head attention: heads one by one, on the domain"; }
  std::string refusal(norm::any) const { return attention_needs_bounds; }

  /// @throws shape_error if the last axis is not as long as the weights have columns; as attention.
  template <class = void>
  tensor_shape output_shape(std::span<tensor_shape const> shapes) const {
    detail::require_inputs("self_attention", shapes, 1);
    if (shapes[0].size() < 2 || shapes[0].back() != heads_[0].query.matrix.cols()) {
      sigmax::detail::raise<shape_error>({"self_attention: input has shape ", shape_text(shapes[0]), ", the weights ",
                                          heads_[0].query.matrix.cols(),
                                          " columns; the input must be rows of that length"});
    }
    auto const inner = core_shapes(shapes[0]);
    core_.output_shape(inner);
    if (rotation_) rotation_->output_shape({inner.data(), 1});
    auto result = shapes[0];
    result.back() = output_ ? output_->rows() : width();
    return result;
  }

  template <class = void>
  double multiply_adds(std::span<tensor_shape const> shapes) const {
    auto const inner = core_shapes(shapes[0]);
    auto const rows = static_cast<double>(element_count(shapes[0])) / static_cast<double>(shapes[0].back());
    double per_row = 0;
    for (auto const& head : heads_) {
      per_row += static_cast<double>(2 * head.query.matrix.rows() + head.value.matrix.rows());
    }
    per_row *= static_cast<double>(shapes[0].back());
    if (output_) per_row += static_cast<double>(output_->rows() * output_->cols());
    return rows * per_row + core_.multiply_adds(inner);
  }

  bool uses_ranges() const { return true; }

  template <norm_tag N>
  sensitivities<N> bound(std::span<tensor_shape const> shapes, rule_context const& context) const {
    double factor = 1;
    if constexpr (std::same_as<N, norm::rms_t>) {
      factor = lipschitz::detail::sqrt_of_ratio_up(static_cast<double>(shapes[0].back()),
                                                   static_cast<double>(output_shape(shapes).back()));
    }
    return {detail::proven<N>(extended(factor) * extended(lipschitz_on(shapes[0], context, N{})))};
  }

  /// Rows of a head are means of rows of its values; they move as the bound in rms says.
  template <class = void>
  void refine(std::span<tensor_shape const> shapes, rule_context const& context, value_range& output) const {
    auto const* const x = context.range(0);
    if (x == nullptr) return;
    double squares = 0;
    double sum = 0;
    for (std::size_t h = 0; h < heads_.size(); ++h) {
      double const longest = detail::projected_range(heads_[h].value, *x, shapes[0], context).longest_row;
      squares = add_up(squares, multiply_up(longest, longest));
      if (output_) sum = add_up(sum, multiply_up(norm_of_part(h, context), longest));
    }
    double longest = sqrt_up(squares);
    if (output_)
      longest = min_up(sum, multiply_up(prove_operator_norm<norm::l2_t>(*output_, context).value(), longest));
    output.longest_row = min_up(output.longest_row, longest);
    if (output.centre.empty() || !is_finite(x->row_distance)) return;
    double const moved = multiply_up(lipschitz_on(shapes[0], context, norm::rms), x->row_distance);
    output.row_distance = min_up(output.row_distance, moved);
  }

  template <class T>
  void evaluate(std::span<std::span<T const> const> inputs, std::span<tensor_shape const> shapes,
                std::span<T> output) const {
    parts<T> const inner = core_inputs<T>(inputs[0], shapes[0]);
    auto const sizes = core_shapes(shapes[0]);
    std::vector<T> y(static_cast<std::size_t>(element_count(sizes[2])));
    std::span<T const> const arguments[] = {inner.query, inner.key, inner.value};
    core_.template evaluate<T>(arguments, sizes, y);
    std::vector<T> row(static_cast<std::size_t>(width()));
    auto const out = output_ ? static_cast<std::size_t>(output_->rows()) : row.size();
    for_each_row(shapes[0], [&](std::size_t token, auto const& at) {
      auto const d_v = static_cast<std::size_t>(heads_[0].value.matrix.rows());
      for (std::size_t h = 0; h < heads_.size(); ++h) {
        for (std::size_t f = 0; f < d_v; ++f) row[h * d_v + f] = y[at(h) * d_v + f];
      }
      auto const target = output.subspan(token * out, out);
      if (output_) {
        output_->visit([&](auto const& w) { detail::matrix_times(w, std::span<T const>(row), target); });
      } else {
        for (std::size_t f = 0; f < out; ++f) target[f] = row[f];
      }
    });
  }

  template <class = void>
  void pull_back(std::span<std::span<double const> const> inputs, std::span<tensor_shape const> shapes,
                 std::span<double const> output_gradient, std::span<std::span<double> const> input_gradients) const {
    if (input_gradients[0].empty()) return;
    parts<double> const inner = core_inputs<double>(inputs[0], shapes[0]);
    auto const sizes = core_shapes(shapes[0]);
    auto const d_v = static_cast<std::size_t>(heads_[0].value.matrix.rows());
    std::vector<double> y_gradient(static_cast<std::size_t>(element_count(sizes[2])), 0.0);
    std::vector<double> row(static_cast<std::size_t>(width()));
    auto const out = output_ ? static_cast<std::size_t>(output_->rows()) : row.size();
    for_each_row(shapes[0], [&](std::size_t token, auto const& at) {
      auto const g = output_gradient.subspan(token * out, out);
      if (output_) {
        row.assign(row.size(), 0.0);
        output_->visit(
            [&](auto const& w) { detail::add_matrix_times(w.transposed(), 1.0, g, std::span<double>(row)); });
      } else {
        row.assign(g.begin(), g.end());
      }
      for (std::size_t h = 0; h < heads_.size(); ++h) {
        for (std::size_t f = 0; f < d_v; ++f) y_gradient[at(h) * d_v + f] = row[h * d_v + f];
      }
    });
    parts<double> back{std::vector<double>(inner.query.size(), 0.0), std::vector<double>(inner.key.size(), 0.0),
                       std::vector<double>(inner.value.size(), 0.0)};
    std::span<double const> const arguments[] = {inner.query, inner.key, inner.value};
    std::span<double> const gradients[] = {back.query, back.key, back.value};
    core_.pull_back(arguments, sizes, y_gradient, gradients);
    for (auto* const part : {&back.query, &back.key}) {
      if (!rotation_) break;
      std::vector<double> turned(part->size(), 0.0);
      std::span<double> const target[] = {turned};
      rotation_->pull_back({}, {sizes.data(), 1}, *part, target);
      part->swap(turned);
    }
    auto const d = static_cast<std::size_t>(shapes[0].back());
    for_each_row(shapes[0], [&](std::size_t token, auto const& at) {
      auto const target = input_gradients[0].subspan(token * d, d);
      auto const add = [&](projection const& p, std::vector<double> const& from, std::size_t row_number) {
        auto const rows = static_cast<std::size_t>(p.matrix.rows());
        p.matrix.visit([&](auto const& w) {
          detail::add_matrix_times(w.transposed(), 1.0, std::span<double const>(from).subspan(row_number * rows, rows),
                                   target);
        });
      };
      for (std::size_t h = 0; h < heads_.size(); ++h) {
        add(heads_[h].query, back.query, at(h));
        add(heads_[h].key, back.key, at(h));
        add(heads_[h].value, back.value, at(h));
      }
    });
  }

 private:
  template <class T>
  struct parts {
    std::vector<T> query;
    std::vector<T> key;
    std::vector<T> value;
  };

  [[noreturn]] static void refuse(char const* rule) {
    sigmax::detail::raise<shape_error>({"self_attention: the weights do not fit: ", rule});
  }

  index_t width() const { return static_cast<index_t>(heads_.size()) * heads_[0].value.matrix.rows(); }

  /// (..., H, n, width) of queries, keys and values.
  template <class = void>
  std::vector<tensor_shape> core_shapes(tensor_shape const& shape) const {
    std::vector<tensor_shape> result;
    for (auto const* const p : {&heads_[0].query, &heads_[0].key, &heads_[0].value}) {
      tensor_shape own(shape.begin(), shape.end() - 2);
      own.push_back(static_cast<index_t>(heads_.size()));
      own.push_back(shape[shape.size() - 2]);
      own.push_back(p->matrix.rows());
      result.push_back(std::move(own));
    }
    return result;
  }

  /// Calls f(token, at) for each row of x, at(h) being the number of the row of head h in tensors (..., H, n, width).
  template <class F>
  void for_each_row(tensor_shape const& shape, F&& f) const {
    auto const n = static_cast<std::size_t>(shape[shape.size() - 2]);
    auto const tokens = static_cast<std::size_t>(element_count(shape) / shape.back());
    for (std::size_t token = 0; token < tokens; ++token) {
      f(token, [&](std::size_t h) { return (token / n * heads_.size() + h) * n + token % n; });
    }
  }

  template <class T>
  parts<T> core_inputs(std::span<T const> x, tensor_shape const& shape) const {
    auto const sizes = core_shapes(shape);
    parts<T> result{std::vector<T>(static_cast<std::size_t>(element_count(sizes[0]))),
                    std::vector<T>(static_cast<std::size_t>(element_count(sizes[1]))),
                    std::vector<T>(static_cast<std::size_t>(element_count(sizes[2])))};
    auto const d = static_cast<std::size_t>(shape.back());
    for_each_row(shape, [&](std::size_t token, auto const& at) {
      auto const project = [&](projection const& p, std::vector<T>& into, std::size_t row_number) {
        auto const rows = static_cast<std::size_t>(p.matrix.rows());
        auto const target = std::span<T>(into).subspan(row_number * rows, rows);
        p.matrix.visit([&](auto const& w) { detail::matrix_times(w, x.subspan(token * d, d), target); });
        for (std::size_t f = 0; f < p.bias.size(); ++f) target[f] = target[f] + T(p.bias[f]);
      };
      for (std::size_t h = 0; h < heads_.size(); ++h) {
        project(heads_[h].query, result.query, at(h));
        project(heads_[h].key, result.key, at(h));
        project(heads_[h].value, result.value, at(h));
      }
    });
    for (auto* const part : {&result.query, &result.key}) {
      if (!rotation_) break;
      std::vector<T> turned(part->size());
      std::span<T const> const from[] = {*part};
      rotation_->template evaluate<T>(from, {sizes.data(), 1}, turned);
      part->swap(turned);
    }
    return result;
  }

  /// The largest factor by which rotations change lengths.
  double stretch() const { return rotation_ ? rotation_->euclidean_norm() : 1.0; }

  /// The columns of W_O that belong to head h.
  template <class = void>
  weight part_of_output(std::size_t h) const {
    index_t const d_v = heads_[0].value.matrix.rows();
    return output_->block(0, output_->rows(), 1, static_cast<index_t>(h) * d_v, d_v);
  }

  template <class = void>
  double norm_of_part(std::size_t h, rule_context const& context) const {
    return prove_operator_norm<norm::l2_t>(part_of_output(h), context).value();
  }

  /// The bound of the class's docstring, before the widths of rms.
  template <class = void>
  double lipschitz_on(tensor_shape const& shape, rule_context const& context, norm::any asked) const {
    auto const* const x = context.range(0);
    if (x == nullptr) return infinity;
    std::vector<detail::head_bound> heads;
    for (std::size_t h = 0; h < heads_.size(); ++h) {
      heads.push_back(detail::bound_of_head(heads_[h], h, heads_.size(), core_.scale(), core_.mask(), *x, shape,
                                            context, asked, rotation_ ? &*rotation_ : nullptr));
    }
    if (asked == norm::linf) return largest_entry(heads);
    double squares = 0;
    double sum = 0;
    for (std::size_t h = 0; h < heads.size(); ++h) {
      squares = add_up(squares, multiply_up(heads[h].output, heads[h].output));
      if (!output_) continue;
      double own = multiply_up(norm_of_part(h, context), heads[h].output);
      if (is_finite(heads[h].mixed)) {
        double const product = detail::product_norm_up(part_of_output(h), heads_[h].value.matrix, context);
        own = min_up(own, multiply_up(product, heads[h].mixed));
      }
      sum = add_up(sum, own);
    }
    double const together = min_up(sqrt_up(squares), by_part(heads, context, asked == norm::l2));
    if (!output_) return together;
    return min_up(sum, multiply_up(prove_operator_norm<norm::l2_t>(*output_, context).value(), together));
  }

  /// The part of values, of queries and of keys, each over all heads, by the triangle inequality. Where a part's slopes
  /// meet differences of the same rows in all heads (queries; in l2 all), the largest slope times the norm of the stacked
  /// weights holds as well: sum_h (b_h ||dq_h||)^2 <= max b_h^2 ||W_Q dx||^2. And row by row the slopes to keys are
  /// deviations times lengths of queries, whose squares add up over the heads to those of whole rows.
  template <class = void>
  double by_part(std::vector<detail::head_bound> const& heads, rule_context const& context, bool together) const {
    double total = 0;
    for (int part = 0; part < 3; ++part) {
      double squares = 0;
      double largest = 0;
      std::optional<weight> stack;
      for (std::size_t h = 0; h < heads.size(); ++h) {
        auto const& bound = heads[h];
        auto const& own = part == 0 ? heads_[h].query : part == 1 ? heads_[h].key : heads_[h].value;
        double const slope = part == 0 ? bound.slopes.queries : part == 1 ? bound.slopes.keys : bound.slopes.values;
        double const norm = part == 0 ? bound.norm_q : part == 1 ? bound.norm_k : bound.norm_v;
        double const product = multiply_up(slope, norm);
        squares = add_up(squares, multiply_up(product, product));
        largest = max_up(largest, slope);
        if (h == 0) {
          stack = own.matrix;
        } else if (stack) {
          stack = stack->above(own.matrix);
        }
      }
      double of_part = sqrt_up(squares);
      if (stack && (part == 0 || together)) {
        double const norm = prove_operator_norm<norm::l2_t>(*stack, context).value();
        of_part = min_up(of_part, multiply_up(largest, part < 2 ? multiply_up(stretch(), norm) : norm));
      }
      if (part == 1 && !together) of_part = min_up(of_part, by_whole_queries(heads, *context.range(0), context));
      total = add_up(total, of_part);
    }
    return total;
  }

  /// max_h (|tau| D_h ||W_K,h||) times the longest row of queries of all heads.
  template <class = void>
  double by_whole_queries(std::vector<detail::head_bound> const& heads, value_range const& x,
                          rule_context const& context) const {
    double factor = 0;
    double longest = 0;
    double bias = 0;
    std::optional<weight> stack;
    for (std::size_t h = 0; h < heads.size(); ++h) {
      factor = max_up(factor, multiply_up(heads[h].slopes.deviation, heads[h].norm_k));
      for (double const b : heads_[h].query.bias) bias = add_up(bias, multiply_up(b, b));
      stack = h == 0 ? heads_[h].query.matrix : stack ? stack->above(heads_[h].query.matrix) : stack;
    }
    for (std::size_t row = 0; row < heads[0].query_sizes.size(); ++row) {
      double squares = 0;
      for (auto const& head : heads) {
        squares = add_up(squares, multiply_up(head.query_sizes[row], head.query_sizes[row]));
      }
      longest = max_up(longest, sqrt_up(squares));
    }
    if (stack) {
      double const norm = prove_operator_norm<norm::l2_t>(*stack, context).value();
      longest = min_up(longest, multiply_up(stretch(), add_up(multiply_up(norm, x.longest_row), sqrt_up(bias))));
    }
    return multiply_up(factor, longest);
  }

  template <class = void>
  double largest_entry(std::vector<detail::head_bound> const& heads) const {
    double largest = 0;
    if (!output_) {
      for (auto const& head : heads) largest = max_up(largest, head.output);
      return largest;
    }
    auto const d_v = static_cast<std::size_t>(heads_[0].value.matrix.rows());
    output_->visit([&](auto const& w) {
      for (index_t r = 0; r < w.rows(); ++r) {
        double sum = 0;
        for (std::size_t h = 0; h < heads.size(); ++h) {
          double own = 0;
          for (std::size_t f = 0; f < d_v; ++f) {
            own = add_up(own, std::fabs(static_cast<double>(w(r, static_cast<index_t>(h * d_v + f)))));
          }
          sum = add_up(sum, multiply_up(own, heads[h].output));
        }
        largest = max_up(largest, sum);
      }
    });
    return largest;
  }

  std::vector<attention_head> heads_;
  std::optional<weight> output_;
  attention core_;
  std::optional<rotary_embedding> rotation_;
};
static_assert(rule<self_attention>);

}  // namespace sigmax::inline SIGMAX_ABI::lipschitz::rules
