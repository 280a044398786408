// SPDX-License-Identifier: MIT
/// @file
/// The rule of rotary position embeddings.
#pragma once

#include <cmath>
#include <concepts>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <sigmax/bound/interval.hpp>
#include <sigmax/bound/norm.hpp>
#include <sigmax/bound/rounding.hpp>
#include <sigmax/config.hpp>
#include <sigmax/core/error.hpp>
#include <sigmax/lipschitz/rule.hpp>
#include <sigmax/lipschitz/rules/rms_conversion.hpp>
#include <sigmax/lipschitz/rules/support.hpp>
#include <sigmax/lipschitz/value_range.hpp>

namespace sigmax::inline SIGMAX_ABI::lipschitz::rules {

/// Turns pairs of elements of each token by an angle of its position: of the first 2 r elements, element p with element
/// r + p (halves) or 2 p with 2 p + 1 (interleaved): (a, b) -> (c a - s b, s a + c b). Elements behind are kept. c and s are
/// the stored numbers (n x r), whose squares need not add up to 1. Sensitivity max(1, max sqrt(c^2 + s^2)) in l2 and rms,
/// max(1, max |c| + |s|) <= about sqrt(2) in linf. Copies share the numbers.
class rotary_embedding {
 public:
  enum class pairing : unsigned char { halves, interleaved };

  /// `cosines` and `sines` are n x r, row-major. @throws shape_error if they are not, numeric_error if one is not finite.
  template <class = void>
  rotary_embedding(index_t positions, index_t pairs, std::vector<double> cosines, std::vector<double> sines,
                   pairing how = pairing::halves)
      : positions_(positions), pairs_(pairs), how_(how) {
    auto const count = element_count({positions, pairs});
    if (static_cast<index_t>(cosines.size()) != count || static_cast<index_t>(sines.size()) != count) {
      sigmax::detail::raise<shape_error>({"rotary_embedding: ", cosines.size(), " cosines and ", sines.size(),
                                          " sines for ", positions, " positions and ", pairs,
                                          " pairs; there must be one of each for each pair"});
    }
    detail::require_finite("rotary_embedding", cosines);
    detail::require_finite("rotary_embedding", sines);
    cosines_ = std::make_shared<std::vector<double> const>(std::move(cosines));
    sines_ = std::make_shared<std::vector<double> const>(std::move(sines));
  }

  index_t positions() const { return positions_; }
  index_t pairs() const { return pairs_; }
  std::vector<double> const& cosines() const { return *cosines_; }
  std::vector<double> const& sines() const { return *sines_; }
  /// >= the largest factor of the Euclidean length of a row, and of its largest element.
  double euclidean_norm() const { return largest(false); }
  double row_sum_norm() const { return largest(true); }

  /// f(pair, a, b) for the two elements a and b of each pair of a row.
  template <class F>
  void for_each_pair_of_row(F&& f) const {
    auto const r = static_cast<std::size_t>(pairs_);
    bool const halves = how_ == pairing::halves;
    for (std::size_t p = 0; p < r; ++p) f(p, halves ? p : 2 * p, halves ? r + p : 2 * p + 1);
  }

  std::string operator_name() const { return "rotary_embedding"; }
  std::string rule_name(norm::any asked) const {
    return asked == norm::linf ? "max |cos| + |sin|: rotations of pairs"
                               : "max sqrt(cos^2 + sin^2): rotations of pairs";
  }
  /// @throws shape_error unless the input is (..., n, w) with w >= 2 r.
  template <class = void>
  tensor_shape output_shape(std::span<tensor_shape const> shapes) const {
    detail::require_inputs("rotary_embedding", shapes, 1);
    auto const& shape = shapes[0];
    if (shape.size() < 2 || shape[shape.size() - 2] != positions_ || shape.back() < 2 * pairs_) {
      sigmax::detail::raise<shape_error>({"rotary_embedding: input has shape ", shape_text(shape),
                                          "; it must be rows of ", 2 * pairs_, " elements or more for ", positions_,
                                          " positions"});
    }
    return shape;
  }

  template <norm_tag N>
  sensitivities<N> bound(std::span<tensor_shape const>, rule_context const&) const {
    // Proof: the map is linear and block diagonal with blocks [c -s; s c], of spectral norm sqrt(c^2 + s^2) and of row
    // sums |c| + |s|, and 1 for elements that are kept. Blocks stay within rows: the same in rms.
    return {detail::proven<N>(extended(std::same_as<N, norm::linf_t> ? largest(true) : largest(false)))};
  }

  linearity difference() const { return linearity::linear; }

  template <class = void>
  void refine(std::span<tensor_shape const>, rule_context const& context, value_range& output) const {
    auto const* const input = context.range(0);
    if (input == nullptr) return;
    output.longest_row = min_up(output.longest_row, multiply_up(largest(false), input->longest_row));
    output.row_distance = min_up(output.row_distance, multiply_up(largest(false), input->row_distance));
  }

  template <class T>
  void evaluate(std::span<std::span<T const> const> inputs, std::span<tensor_shape const> shapes,
                std::span<T> output) const {
    for (std::size_t i = 0; i < output.size(); ++i) output[i] = inputs[0][i];
    for_each_pair(shapes[0], output.size(), [&](std::size_t a, std::size_t b, double c, double s) {
      output[a] = T(c) * inputs[0][a] - T(s) * inputs[0][b];
      output[b] = T(s) * inputs[0][a] + T(c) * inputs[0][b];
    });
  }

  template <class = void>
  void pull_back(std::span<std::span<double const> const>, std::span<tensor_shape const> shapes,
                 std::span<double const> output_gradient, std::span<std::span<double> const> input_gradients) const {
    if (input_gradients[0].empty()) return;
    std::vector<double> turned(output_gradient.begin(), output_gradient.end());
    for_each_pair(shapes[0], turned.size(), [&](std::size_t a, std::size_t b, double c, double s) {
      turned[a] = c * output_gradient[a] + s * output_gradient[b];
      turned[b] = c * output_gradient[b] - s * output_gradient[a];
    });
    for (std::size_t i = 0; i < turned.size(); ++i) input_gradients[0][i] += turned[i];
  }

 private:
  template <class F>
  void for_each_pair(tensor_shape const& shape, std::size_t elements, F&& f) const {
    auto const width = static_cast<std::size_t>(shape.back());
    auto const r = static_cast<std::size_t>(pairs_);
    auto const n = static_cast<std::size_t>(positions_);
    for (std::size_t row = 0; row < elements / width; ++row) {
      for_each_pair_of_row([&](std::size_t p, std::size_t a, std::size_t b) {
        std::size_t const at = row % n * r + p;
        f(row * width + a, row * width + b, (*cosines_)[at], (*sines_)[at]);
      });
    }
  }

  template <class = void>
  double largest(bool sum) const {
    double result = 1;
    for (std::size_t i = 0; i < cosines_->size(); ++i) {
      double const c = std::fabs((*cosines_)[i]);
      double const s = std::fabs((*sines_)[i]);
      result = max_up(result, sum ? add_up(c, s) : sqrt_up(add_up(multiply_up(c, c), multiply_up(s, s))));
    }
    return result;
  }

  index_t positions_;
  index_t pairs_;
  pairing how_;
  std::shared_ptr<std::vector<double> const> cosines_;
  std::shared_ptr<std::vector<double> const> sines_;
};
static_assert(rule<rotary_embedding>);

}  // namespace sigmax::inline SIGMAX_ABI::lipschitz::rules
