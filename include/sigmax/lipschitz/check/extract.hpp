// SPDX-License-Identifier: MIT
/// @file
/// From a segment of a network to its slope system.
#pragma once

#include <cmath>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <sigmax/backend/concept.hpp>
#include <sigmax/bound/interval.hpp>
#include <sigmax/bound/rounding.hpp>
#include <sigmax/config.hpp>
#include <sigmax/core/matrix.hpp>
#include <sigmax/lipschitz/check/dense_map.hpp>
#include <sigmax/lipschitz/check/deviation.hpp>
#include <sigmax/lipschitz/check/rule_matrix.hpp>
#include <sigmax/lipschitz/check/segment.hpp>
#include <sigmax/lipschitz/check/segment_ranges.hpp>
#include <sigmax/lipschitz/check/slope_system.hpp>
#include <sigmax/lipschitz/network.hpp>
#include <sigmax/lipschitz/row_norm.hpp>
#include <sigmax/lipschitz/rule.hpp>
#include <sigmax/lipschitz/rules/activation_rule.hpp>
#include <sigmax/lipschitz/rules/convolution.hpp>
#include <sigmax/lipschitz/rules/identity.hpp>
#include <sigmax/lipschitz/rules/linear.hpp>
#include <sigmax/lipschitz/rules/rearrange.hpp>
#include <sigmax/lipschitz/rules/scale.hpp>
#include <sigmax/lipschitz/rules/weighted_sum.hpp>
#include <sigmax/lipschitz/tensor_shape.hpp>
#include <sigmax/lipschitz/value_range.hpp>

namespace sigmax::inline SIGMAX_ABI::lipschitz::check {

/// What extraction may cost.
struct extraction_limits {
  /// Elements of one matrix.
  double elements = 0x1p24;
  /// Multiply-adds spent on finding the matrices of rules by evaluating them.
  double multiply_adds = 2e9;
};

/// A segment as a slope system.
struct extracted_system {
  slope_system system;
  /// True if the segment acts on each row (last axis) alone and the system is that of one row; the norms of the
  /// segment in l2 and linf are those of the row then.
  bool row_wise = false;
};

namespace detail {

/// A value of a segment as a combination of sources. An empty pointer to a map is the identity.
struct linear_form {
  struct term {
    std::size_t source;
    std::shared_ptr<dense_map const> map;
  };
  std::vector<term> terms{};
};

/// Extraction stops here: too large, or a rule whose matrix is too expensive.
struct extraction_stopped {};

template <class B>
class extraction {
 public:
  extraction(B const& on, network const& net, segment const& piece, extraction_limits const& limits)
      : on_(on), net_(net), piece_(piece), limits_(limits), forms_(static_cast<std::size_t>(net.size())) {
    row_wise_ = row_count(piece.source) > 1;
    for (std::size_t const i : piece.nodes) row_wise_ = row_wise_ && acts_on_rows(net.nodes()[i]);
  }

  extracted_system run(segment_ranges const& ranges) {
    extracted_system result{slope_system(size_of(piece_.source)), row_wise_};
    forms_[piece_.source].terms = {{0, nullptr}};
    std::optional<deviation<B>> movement = movement_of_source(ranges);
    for (std::size_t const i : piece_.nodes) {
      auto const& node = net_.nodes()[i];
      auto const* const function = node.rule.template as<rules::activation>();
      if (function == nullptr) {
        forms_[i] = image(i);
        continue;
      }
      auto const input = static_cast<std::size_t>(node.inputs[0]);
      auto maps = explicit_maps(input, size_of(i));
      auto slopes = slopes_of(*function, i, box_of(input, maps, ranges, movement));
      if (movement) movement->add_block(slopes, moved_);
      forms_[i].terms = {{result.system.add_block(std::move(maps), std::move(slopes)), nullptr}};
    }
    result.system.set_output(explicit_maps(piece_.end, size_of(piece_.end)), size_of(piece_.end));
    return result;
  }

 private:
  index_t row_count(std::size_t i) const {
    auto const& shape = net_.nodes()[i].shape;
    auto const width = static_cast<index_t>(row_norm::row_width(shape));
    return width == 0 ? 0 : element_count(shape) / width;
  }
  index_t size_of(std::size_t i) const {
    auto const& shape = net_.nodes()[i].shape;
    return row_wise_ ? static_cast<index_t>(row_norm::row_width(shape)) : element_count(shape);
  }

  /// Nothing where the movement of the source is not known, or is one of several rows.
  std::optional<deviation<B>> movement_of_source(segment_ranges const& ranges) const {
    auto const box = ranges.box(piece_.source);
    auto const centre = ranges.centre(piece_.source);
    if (row_wise_ || box.empty() || centre.size() != box.size()) return std::nullopt;
    std::vector<double> reach;
    for (std::size_t n = 0; n < box.size(); ++n) reach.push_back((box[n] - centre[n]).magnitude());
    return deviation<B>(on_, std::move(reach), ranges.source_distance);
  }

  /// The box of the argument of a block, sharpened by its movement from the centre, which is kept in moved_.
  std::vector<interval> box_of(std::size_t input, std::vector<std::optional<dense_map>> const& maps,
                               segment_ranges const& ranges, std::optional<deviation<B>>& movement) {
    auto const known = ranges.box(input);
    auto const centre = ranges.centre(input);
    std::vector<interval> box(known.begin(), known.end());
    if (centre.size() != box.size()) movement.reset();
    if (!movement) return box;
    moved_ = movement->of_target(maps, size_of(input));
    for (std::size_t n = 0; n < box.size(); ++n) {
      box[n] = lipschitz::detail::within(box[n], centre[n], moved_[n]);
      moved_[n] = min_up(moved_[n], (box[n] - centre[n]).magnitude());
    }
    return box;
  }

  std::vector<interval> slopes_of(rules::activation const& function, std::size_t i, std::span<interval const> box) {
    auto const width = static_cast<std::size_t>(size_of(i));
    std::vector<interval> result(width);
    if (box.empty()) {
      for (std::size_t k = 0; k < width; ++k) result[k] = function.slopes(k, interval::whole());
      return result;
    }
    for (std::size_t k = 0; k < box.size(); ++k) {
      interval const s = function.slopes(k, box[k]);
      result[k % width] = k < width ? s : hull(result[k % width], s);
    }
    return result;
  }

  void require_elements(index_t rows, index_t cols) const {
    if (static_cast<double>(rows) * static_cast<double>(cols) > limits_.elements) throw extraction_stopped{};
  }

  dense_map identity(index_t n) const {
    require_elements(n, n);
    dense_map result{matrix<double>(n, n)};
    for (index_t k = 0; k < n; ++k) result.elements(k, k) = 1;
    return result;
  }

  dense_map dense(linear_form::term const& term, index_t n) const { return term.map ? *term.map : identity(n); }

  std::vector<std::optional<dense_map>> explicit_maps(std::size_t i, index_t n) const {
    std::vector<std::optional<dense_map>> result;
    for (auto const& term : forms_[i].terms) {
      if (result.size() <= term.source) result.resize(term.source + 1);
      result[term.source] = dense(term, n);
    }
    return result;
  }

  /// The form of a linear node from those of its inputs.
  linear_form image(std::size_t i) {
    auto const& node = net_.nodes()[i];
    linear_form result;
    for (std::size_t k = 0; k < node.inputs.size(); ++k) {
      auto const from = static_cast<std::size_t>(node.inputs[k]);
      for (auto const& term : forms_[from].terms) add(result, term.source, through(i, k, term, size_of(from)), i);
    }
    return result;
  }

  void add(linear_form& form, std::size_t source, std::shared_ptr<dense_map const> map, std::size_t i) const {
    for (auto& term : form.terms) {
      if (term.source != source) continue;
      dense_map sum = dense(term, size_of(i));
      add_to(on_, dense({source, std::move(map)}, size_of(i)), sum);
      term.map = std::make_shared<dense_map const>(std::move(sum));
      return;
    }
    form.terms.push_back({source, std::move(map)});
  }

  using shared = std::shared_ptr<dense_map const>;
  static shared share(dense_map map) { return std::make_shared<dense_map const>(std::move(map)); }

  /// The map of one term behind input k of node i; `n` is the size of the input.
  shared through(std::size_t i, std::size_t k, linear_form::term const& term, index_t n) {
    auto const& rule = net_.nodes()[i].rule;
    if (rule.difference() == linearity::translation || rule.template as<rules::identity>() != nullptr) return term.map;
    if (auto const* const sum = rule.template as<rules::weighted_sum>()) {
      interval const c = sum->coefficients()[k];
      if (c == interval(1.0)) return term.map;
      std::vector<interval> const factors(static_cast<std::size_t>(n), c);
      return share(with_scaled_rows(on_, factors, dense(term, n)));
    }
    if (auto const* const s = rule.template as<rules::scale>()) {
      std::vector<interval> factors(static_cast<std::size_t>(n));
      for (std::size_t e = 0; e < factors.size(); ++e) {
        interval const f = s->factors()[e % s->factors().size()];
        factors[e] = s->how() == rules::scale::operation::multiply ? f : interval(1.0) / f;
      }
      return share(with_scaled_rows(on_, factors, dense(term, n)));
    }
    if (auto const* const move = rule.template as<rules::rearrange>()) {
      return move->map().empty() ? term.map : share(gathered(move->map(), term, n));
    }
    dense_map own = matrix_of(i, k, n);
    return term.map ? share(composed(on_, own, *term.map)) : share(std::move(own));
  }

  dense_map gathered(std::span<index_t const> from, linear_form::term const& term, index_t n) const {
    auto const rows = static_cast<index_t>(from.size());
    index_t const cols = term.map ? term.map->cols() : n;
    require_elements(rows, cols);
    dense_map result{matrix<double>(rows, cols)};
    std::vector<double> copies(static_cast<std::size_t>(n), 0.0);
    double most = 0;
    for (index_t r = 0; r < rows; ++r) {
      index_t const at = from[static_cast<std::size_t>(r)];
      if (at < 0) continue;
      most = std::fmax(most, ++copies[static_cast<std::size_t>(at)]);
      if (!term.map) {
        result.elements(r, at) = 1;
        continue;
      }
      for (index_t c = 0; c < cols; ++c) result.elements(r, c) = term.map->elements(at, c);
    }
    if (!term.map) return result;
    // A gather multiplies norms by at most the square root of the most copies (rules::rearrange), row sums by 1.
    result.error = multiply_up(sqrt_up(most), term.map->error);
    result.row_error = term.map->row_error;
    return result;
  }

  /// The matrix of node i with respect to input k of n elements.
  dense_map matrix_of(std::size_t i, std::size_t k, index_t n) {
    index_t const rows = size_of(i);
    require_elements(rows, n);
    auto const& node = net_.nodes()[i];
    if (auto const* const w = node.rule.template as<rules::linear>()) {
      dense_map result = matrix_of_linear(*w, rows, n);
      if (w->coefficient() == 1) return result;
      std::vector<interval> const factors(static_cast<std::size_t>(rows), interval(w->coefficient()));
      return with_scaled_rows(on_, factors, result);
    }
    std::vector<tensor_shape> shapes;
    for (node_id const from : node.inputs) shapes.push_back(net_[from].shape);
    double const work = (node.rule.multiply_adds(shapes) + static_cast<double>(rows)) * static_cast<double>(n);
    auto const* const straight = node.rule.template as<rules::convolution>();
    auto const* const transposed = node.rule.template as<rules::transposed_convolution>();
    // Intervals cost about ten times what doubles do.
    spent_ += straight != nullptr || transposed != nullptr ? work : 10 * work;
    if (!(spent_ <= limits_.multiply_adds)) throw extraction_stopped{};
    if (straight != nullptr)
      return with_gains(matrix_of_convolution(*straight, shapes[0], rows), straight->gains(),
                        plane_of(node.shape, straight->kernel().size()));
    if (transposed != nullptr)
      return with_gains(matrix_of_convolution(*transposed, shapes[0], rows), transposed->gains(),
                        plane_of(node.shape, transposed->kernel().size()));
    return matrix_by_evaluation(on_, node.rule, shapes, k, rows);
  }

  static index_t plane_of(tensor_shape const& shape, std::size_t rank) {
    index_t plane = 1;
    for (std::size_t axis = 0; axis < rank; ++axis) plane *= shape[shape.size() - 1 - axis];
    return plane;
  }

  /// diag(gains of channels) A for outputs (..., channels, plane).
  dense_map with_gains(dense_map map, std::vector<interval> const& gains, index_t plane) const {
    if (gains.empty()) return map;
    std::vector<interval> factors(static_cast<std::size_t>(map.rows()));
    for (std::size_t i = 0; i < factors.size(); ++i) {
      factors[i] = gains[i / static_cast<std::size_t>(plane) % gains.size()];
    }
    return with_scaled_rows(on_, factors, map);
  }

  B const& on_;
  network const& net_;
  segment const& piece_;
  extraction_limits limits_;
  bool row_wise_ = false;
  double spent_ = 0;
  std::vector<double> moved_;
  std::vector<linear_form> forms_;
};

}  // namespace detail

/// The slope system of a segment; nothing where it is too large for `limits`. Its slopes hold between points where the
/// values of the nodes lie in `ranges`.
/// Cost: products of the matrices of successive linear nodes, and evaluations of the rules whose matrix is not stored; on
/// domains the products of the dynamic program too.
template <certifying_backend<double> B>
std::optional<extracted_system> extract(B const& on, network const& net, segment const& piece,
                                        segment_ranges const& ranges = {}, extraction_limits const& limits = {}) {
  try {
    return detail::extraction<B>(on, net, piece, limits).run(ranges);
  } catch (detail::extraction_stopped const&) {
    return std::nullopt;
  }
}

}  // namespace sigmax::inline SIGMAX_ABI::lipschitz::check
