// SPDX-License-Identifier: MIT
/// @file
/// The rule of scaled dot-product attention.
#pragma once

#include <cmath>
#include <concepts>
#include <cstddef>
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
#include <sigmax/lipschitz/dual.hpp>
#include <sigmax/lipschitz/rule.hpp>
#include <sigmax/lipschitz/rules/attention_mask.hpp>
#include <sigmax/lipschitz/rules/attention_slopes.hpp>
#include <sigmax/lipschitz/rules/attention_weights.hpp>
#include <sigmax/lipschitz/rules/interval_product.hpp>
#include <sigmax/lipschitz/rules/rms_conversion.hpp>
#include <sigmax/lipschitz/rules/row_set.hpp>
#include <sigmax/lipschitz/rules/support.hpp>
#include <sigmax/lipschitz/value_range.hpp>

namespace sigmax::inline SIGMAX_ABI::lipschitz::rules {

namespace detail {

/// scale q k^T + mask for one matrix, q: n x d, k: m x d; what the mask leaves out has its score without a mask.
/// `first_row` is the number of row 0 among all rows of the tensor of scores.
template <class T>
std::vector<T> attention_scores(std::span<T const> q, std::span<T const> k, std::size_t d, interval scale,
                                attention_mask const& mask, std::size_t first_row) {
  std::size_t const n = q.size() / d;
  std::size_t const m = k.size() / d;
  std::vector<T> scores(n * m);
  auto const transposed = transposed_elements(k, m, d);
  multiply_matrices(q, std::span<T const>(transposed), d, m, std::span<T>(scores));
  T const tau = as_scalar<T>(scale);
  for (std::size_t i = 0; i < n; ++i) {
    auto const row = mask.row(first_row + i, i, m);
    for (std::size_t j = 0; j < m; ++j) {
      T& s = scores[i * m + j];
      double const addend = row[j];
      if (addend == -infinity) continue;
      s = row.replaces(j) ? T(addend) : addend == 0 ? tau * s : tau * s + T(addend);
    }
  }
  return scores;
}

}  // namespace detail

inline constexpr char const* attention_needs_bounds =
    "dot-product attention is not Lipschitz on all inputs; give a bounded domain (--radius, --box) or normalise before "
    "it";

/// y_i = sum_j p_ij v_j with p_i = softmax over j of tau q_i.k_j + mask_ij, matrix by matrix along the leading axes:
/// q (..., n, d), k (..., m, d), v (..., m, e), y (..., n, e). tau is an interval that holds the factor (1 / sqrt(d)
/// need not be a double).
///
/// Dot-product attention is not Lipschitz on all inputs (Kim, Papamakarios, Mnih 2021); it is where q, k and v are
/// bounded. The sensitivities and their proof stand at detail::slopes_of_attention; with |v_j| <= V, |k_j| <= K,
/// |q_i| <= Q they are no larger than
///   rms:  1 to v, |tau| d V K to q, |tau| d V Q to k   (V, K, Q root mean squares, e = d);
///   l2:   kappa to v, |tau| V K to q, |tau| V Q kappa to k, kappa^2 >= the largest column sum of p;
///   linf: 1 to v, |tau| V K to q, |tau| V Q to k       (V largest entry, K and Q largest sums of |entries|);
/// V and K are radii about the best fixed points found, and where the boxes of q and k say which keys a row can see, the
/// deviations are those of these keys. Derivatives integrate to differences along segments, as the ranges are convex.
class attention {
 public:
  /// @throws numeric_error if the scale is not finite.
  template <class = void>
  explicit attention(interval scale, attention_mask mask = {}) : scale_(scale), mask_(std::move(mask)) {
    if (!scale.is_bounded()) {
      sigmax::detail::raise<numeric_error>({"attention: the scale is not finite; it must be"});
    }
  }

  interval scale() const { return scale_; }
  attention_mask const& mask() const { return mask_; }

  std::string operator_name() const { return "attention"; }
  std::string rule_name(norm::any asked) const {
    return asked == norm::l2 ? "attention: covariances and column sums of the weights, on the domain"
                             : "attention: covariances under the weights, on the domain";
  }
  std::string refusal(norm::any) const { return attention_needs_bounds; }

  /// @throws shape_error if q, k, v do not fit each other, as attention_mask::require_fit.
  template <class = void>
  tensor_shape output_shape(std::span<tensor_shape const> shapes) const {
    detail::require_inputs("attention", shapes, 3);
    auto const& q = shapes[0];
    auto const& k = shapes[1];
    auto const& v = shapes[2];
    std::size_t const rank = q.size();
    bool fit = rank >= 2 && k.size() == rank && v.size() == rank && k.back() == q.back() && k[rank - 2] == v[rank - 2];
    for (std::size_t axis = 0; fit && axis + 2 < rank; ++axis) fit = k[axis] == q[axis] && v[axis] == q[axis];
    if (!fit) {
      sigmax::detail::raise<shape_error>({"attention: q has shape ", shape_text(q), ", k ", shape_text(k), ", v ",
                                          shape_text(v), "; they must be stacks of n x d, m x d and m x e matrices"});
    }
    auto scores = q;
    scores.back() = k[rank - 2];
    mask_.require_fit(scores);
    auto result = q;
    result.back() = v.back();
    return result;
  }

  template <class = void>
  double multiply_adds(std::span<tensor_shape const> shapes) const {
    auto const m = static_cast<double>(shapes[1][shapes[1].size() - 2]);
    auto const rows = static_cast<double>(element_count(shapes[0])) / static_cast<double>(shapes[0].back());
    return rows * m * static_cast<double>(shapes[0].back() + shapes[2].back() + 20);
  }

  bool uses_ranges() const { return true; }
  /// Rows of y are means of rows of v, whatever q and k are.
  bool bounds_values() const { return true; }

  template <norm_tag N>
  sensitivities<N> bound(std::span<tensor_shape const> shapes, rule_context const& context) const {
    auto const own = slopes(shapes, context, N{});
    double factor = 1;
    if constexpr (std::same_as<N, norm::rms_t>) {
      // ||dq|| = sqrt(d) rms(dq), rms(dy) = ||dy|| / sqrt(e).
      factor = lipschitz::detail::sqrt_of_ratio_up(static_cast<double>(shapes[0].back()),
                                                   static_cast<double>(shapes[2].back()));
    }
    return {detail::proven<N>(extended(factor) * extended(own.queries)),
            detail::proven<N>(extended(factor) * extended(own.keys)), detail::proven<N>(extended(own.values))};
  }

  /// Rows are means of rows of v; they move as the slopes say from the centre to any other member of the domain.
  template <class = void>
  void refine(std::span<tensor_shape const> shapes, rule_context const& context, value_range& output) const {
    auto const* const v = context.range(2);
    if (v == nullptr) return;
    output.longest_row = min_up(output.longest_row, v->longest_row);
    auto const* const q = context.range(0);
    auto const* const k = context.range(1);
    if (q == nullptr || k == nullptr || output.centre.empty()) return;
    auto const own = slopes(shapes, context, norm::rms);
    double const moved =
        add_up(multiply_up(own.values, v->row_distance),
               add_up(multiply_up(own.queries, q->row_distance), multiply_up(own.keys, k->row_distance)));
    output.row_distance = min_up(output.row_distance, moved);
  }

  template <class T>
  void evaluate(std::span<std::span<T const> const> inputs, std::span<tensor_shape const> shapes,
                std::span<T> output) const {
    sizes const form(shapes);
    for (std::size_t c = 0; c < form.count; ++c) {
      auto const v = inputs[2].subspan(c * form.m * form.e, form.m * form.e);
      auto const y = output.subspan(c * form.n * form.e, form.n * form.e);
      std::vector<T> scores = scores_of(form, c, inputs[0], inputs[1]);
      if constexpr (std::is_same_v<T, interval>) {
        average(form, c, std::span<interval const>(scores), v, y);
      } else {
        for (std::size_t i = 0; i < form.n; ++i) {
          soften(std::span<T>(scores).subspan(i * form.m, form.m), mask_.row(c * form.n + i, i, form.m));
        }
        detail::multiply_matrices(std::span<T const>(scores), v, form.m, form.e, y);
      }
    }
  }

  template <class = void>
  void pull_back(std::span<std::span<double const> const> inputs, std::span<tensor_shape const> shapes,
                 std::span<double const> output_gradient, std::span<std::span<double> const> input_gradients) const {
    sizes const form(shapes);
    auto const [count, n, m, d, e] = form;
    double const tau = scale_.middle();
    std::vector<double> slope(m);
    for (std::size_t c = 0; c < count; ++c) {
      std::vector<double> weights = scores_of(form, c, inputs[0], inputs[1]);
      for (std::size_t i = 0; i < n; ++i) {
        auto const mask = mask_.row(c * n + i, i, m);
        auto const p = std::span<double>(weights).subspan(i * m, m);
        soften(p, mask);
        double mean = 0;
        for (std::size_t j = 0; j < m; ++j) {
          slope[j] = 0;
          for (std::size_t f = 0; f < e; ++f) {
            double const g = output_gradient[(c * n + i) * e + f];
            slope[j] += g * inputs[2][(c * m + j) * e + f];
            if (!input_gradients[2].empty()) input_gradients[2][(c * m + j) * e + f] += p[j] * g;
          }
          mean += p[j] * slope[j];
        }
        for (std::size_t j = 0; j < m; ++j) {
          double const s = mask.replaces(j) ? 0.0 : tau * p[j] * (slope[j] - mean);
          for (std::size_t f = 0; f < d && s != 0; ++f) {
            if (!input_gradients[0].empty())
              input_gradients[0][(c * n + i) * d + f] += s * inputs[1][(c * m + j) * d + f];
            if (!input_gradients[1].empty())
              input_gradients[1][(c * m + j) * d + f] += s * inputs[0][(c * n + i) * d + f];
          }
        }
      }
    }
  }

 private:
  /// `count` matrices: q n x d, k m x d, v m x e.
  struct sizes {
    template <class Shapes>
    explicit sizes(Shapes const& shapes)
        : n(static_cast<std::size_t>(shapes[0][shapes[0].size() - 2])),
          m(static_cast<std::size_t>(shapes[1][shapes[1].size() - 2])),
          d(static_cast<std::size_t>(shapes[0].back())),
          e(static_cast<std::size_t>(shapes[2].back())) {
      for (std::size_t axis = 0; axis + 2 < shapes[0].size(); ++axis) {
        count *= static_cast<std::size_t>(shapes[0][axis]);
      }
    }
    std::size_t count = 1;
    std::size_t n;
    std::size_t m;
    std::size_t d;
    std::size_t e;
  };

  /// The scores of matrix c.
  template <class T>
  std::vector<T> scores_of(sizes const& form, std::size_t c, std::span<T const> q, std::span<T const> k) const {
    return detail::attention_scores(q.subspan(c * form.n * form.d, form.n * form.d),
                                    k.subspan(c * form.m * form.d, form.m * form.d), form.d, scale_, mask_, c * form.n);
  }

  /// softmax over what the mask shows, in place.
  template <class T>
  static void soften(std::span<T> row, attention_mask::row_view mask) {
    using std::exp;
    double top = -infinity;
    for (std::size_t j = 0; j < row.size(); ++j) {
      double const s = value_of(row[j]);
      if (mask[j] != -infinity && s > top) top = s;
    }
    T sum(0.0);
    for (std::size_t j = 0; j < row.size(); ++j) {
      row[j] = mask[j] == -infinity ? T(0.0) : T(exp(row[j] - T(top)));
      sum += row[j];
    }
    for (T& p : row) p = p / sum;
  }
  static double value_of(double x) { return x; }
  static double value_of(dual x) { return x.value; }

  /// y_i = c + sum_j p_ij (v_j - c) for any c because the weights add up to 1; within the hull of the keys that row i sees.
  template <class = void>
  void average(sizes const& form, std::size_t c, std::span<interval const> scores, std::span<interval const> v,
               std::span<interval> y) const {
    std::vector<interval> weights(form.n * form.m);
    for (std::size_t i = 0; i < form.n; ++i) {
      detail::enclose_weights(scores.subspan(i * form.m, form.m), mask_.row(c * form.n + i, i, form.m),
                              std::span<interval>(weights).subspan(i * form.m, form.m));
    }
    std::vector<double> middle(form.e, 0.0);
    for (std::size_t f = 0; f < form.e; ++f) {
      for (std::size_t j = 0; j < form.m; ++j) {
        middle[f] += v[j * form.e + f].middle() / static_cast<double>(form.m);
      }
      if (!is_finite(middle[f])) middle[f] = 0;
    }
    std::vector<interval> shifted(v.begin(), v.end());
    for (std::size_t i = 0; i < shifted.size(); ++i) shifted[i] = shifted[i] - interval(middle[i % form.e]);
    detail::multiply_matrices(std::span<interval const>(weights), std::span<interval const>(shifted), form.m, form.e,
                              y);
    std::vector<interval> around(form.e);
    for (std::size_t i = 0; i < form.n; ++i) {
      bool first = true;
      for (std::size_t j = 0; j < form.m; ++j) {
        if (weights[i * form.m + j].upper == 0) continue;
        for (std::size_t f = 0; f < form.e; ++f) {
          around[f] = first ? v[j * form.e + f] : hull(around[f], v[j * form.e + f]);
        }
        first = false;
      }
      for (std::size_t f = 0; f < form.e; ++f) {
        interval& result = y[i * form.e + f];
        result = clamped(result + interval(middle[f]), around[f].lower, around[f].upper);
      }
    }
  }

  /// The largest slopes of all matrices. Proof for l2 over several matrices: each has its own rows of y, q, k, v, and
  /// (sum over matrices of (b ||.||)^2)^(1/2) <= max b times the norm of all.
  template <class = void>
  detail::attention_slopes slopes(std::span<tensor_shape const> shapes, rule_context const& context,
                                  norm::any asked) const {
    using detail::row_measure;
    sizes const form(shapes);
    bool const largest = asked == norm::linf;
    bool const together = asked == norm::l2;
    auto const rows_measure = largest ? row_measure::sum : row_measure::length;
    double const scale = scale_.magnitude();
    auto const whole = [](std::span<interval const> box, std::size_t size) { return box.size() == size; };
    bool const boxed =
        whole(context.box(0), form.count * form.n * form.d) && whole(context.box(1), form.count * form.m * form.d);
    detail::attention_slopes result;
    for (std::size_t c = 0; c < form.count; ++c) {
      auto const q = detail::row_set_of(context.range(0), c, form.n, form.d, rows_measure);
      auto const k = detail::row_set_of(context.range(1), c, form.m, form.d, rows_measure);
      auto const v =
          detail::row_set_of(context.range(2), c, form.m, form.e, largest ? row_measure::largest : row_measure::length);
      std::vector<interval> scores;
      if (boxed) scores = scores_of(form, c, context.box(0), context.box(1));
      auto const weights = detail::largest_weights(q, k, scale, mask_, c * form.n, scores);
      auto const own = detail::slopes_of_attention(q, k, v, scale, mask_, c * form.n, weights, together);
      result.values = max_up(result.values, own.values);
      result.queries = max_up(result.queries, own.queries);
      result.keys = max_up(result.keys, own.keys);
    }
    return result;
  }

  interval scale_;
  attention_mask mask_;
};
static_assert(rule<attention>);

}  // namespace sigmax::inline SIGMAX_ABI::lipschitz::rules
