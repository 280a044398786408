// SPDX-License-Identifier: MIT
/// @file
/// The rule of pools that are not linear: maximum, minimum, Euclidean length.
#pragma once

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <memory>
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
#include <sigmax/lipschitz/row_norm.hpp>
#include <sigmax/lipschitz/rule.hpp>
#include <sigmax/lipschitz/rules/rms_conversion.hpp>
#include <sigmax/lipschitz/rules/sliding_windows.hpp>
#include <sigmax/lipschitz/rules/support.hpp>

namespace sigmax::inline SIGMAX_ABI::lipschitz::rules {

/// y_o = max, min or (sum x^2)^(1/2) over the window o of the last axes; padding takes no part. With c the most windows
/// that share an element (counted, borders and ceilings included) and k the most elements of a window:
/// l2: sqrt(c). linf: 1, of lengths sqrt(k). rms: sqrt(k of the outer axes, times c of the last, in / out), or what
/// follows from the others.
class window_pool {
 public:
  enum class operation : unsigned char { maximum, minimum, length };

  /// One window for each of the last axes. @throws domain_error if one is out of range.
  template <class = void>
  explicit window_pool(std::vector<sliding_window> windows, operation what = operation::maximum)
      : windows_(std::move(windows)), what_(what) {
    for (auto const& window : windows_) window.check(name());
  }

  std::vector<sliding_window> const& windows() const { return windows_; }
  operation what() const { return what_; }

  char const* name() const {
    return what_ == operation::maximum ? "max_pool" : what_ == operation::minimum ? "min_pool" : "length_pool";
  }
  std::string operator_name() const { return name(); }
  std::string rule_name(norm::any asked) const {
    if (asked == norm::l2) return "square root of the most windows that share an element";
    if (asked == norm::rms) return "elements of windows in outer axes, shared ones in rows";
    return what_ == operation::length ? "square root of the most elements of a window"
                                      : "1: one element of each window";
  }
  /// @throws shape_error if there are fewer axes than windows, or a window holds no element.
  template <class = void>
  tensor_shape output_shape(std::span<tensor_shape const> shapes) const {
    detail::require_inputs(name(), shapes, 1);
    auto shape = shapes[0];
    if (shape.size() < windows_.size()) {
      sigmax::detail::raise<shape_error>(
          {name(), ": input has shape ", shape_text(shape), " for windows over ", windows_.size(), " axes"});
    }
    for (std::size_t k = 0; k < windows_.size(); ++k) {
      index_t& extent = shape[shape.size() - windows_.size() + k];
      auto const table = axis(windows_[k], extent);
      bool const none = table.empty();
      if (none || std::any_of(table.begin(), table.end(), [](auto const& window) { return window.empty(); })) {
        sigmax::detail::raise<shape_error>(
            {name(), ": an axis of extent ", extent, " has no window, or one that holds padding only"});
      }
      extent = static_cast<index_t>(table.size());
    }
    return shape;
  }

  double multiply_adds(std::span<tensor_shape const> shapes) const {
    double work = static_cast<double>(element_count(output_shape(shapes)));
    for (auto const& window : windows_) work *= static_cast<double>(window.kernel);
    return work;
  }

  template <norm_tag N>
  sensitivities<N> bound(std::span<tensor_shape const> shapes, rule_context const& context) const {
    // Proof: |max a - max b| <= max |a - b| <= ||a - b||_2 and | ||a|| - ||b|| | <= ||a - b||_2 over a window; the sum of
    // the squares over all windows counts an element at most c times, c the product of what is counted axis by axis.
    // A row of the output, at fixed outer windows, sees at most k rows of the input, each element c times.
    counted const all = count(shapes[0]);
    if constexpr (std::same_as<N, norm::l2_t>) {
      return {detail::proven<N>(extended(lipschitz::detail::sqrt_of_ratio_up(all.sharing, 1.0)))};
    } else if constexpr (std::same_as<N, norm::linf_t>) {
      double const elements = what_ == operation::length ? all.elements : 1.0;
      return {detail::proven<N>(extended(lipschitz::detail::sqrt_of_ratio_up(elements, 1.0)))};
    } else {
      auto const output = output_shape(shapes);
      auto const in = static_cast<double>(row_norm::row_width(shapes[0]));
      auto const out = static_cast<double>(row_norm::row_width(output));
      auto const converted = lipschitz::detail::rms_from_others(bound<norm::l2_t>(shapes, context),
                                                                bound<norm::linf_t>(shapes, context), shapes, output);
      extended const own(lipschitz::detail::sqrt_of_ratio_up(all.rows * in, out));
      return {tighter(converted.front(), detail::proven<N>(own))};
    }
  }

  template <class = void>
  void refine(std::span<tensor_shape const> shapes, rule_context const& context, value_range& output) const {
    auto const* const input = context.range(0);
    if (input == nullptr) return;
    double const growth = lipschitz::detail::sqrt_of_ratio_up(count(shapes[0]).rows, 1.0);
    output.row_distance = min_up(output.row_distance, multiply_up(growth, input->row_distance));
    output.longest_row = min_up(output.longest_row, multiply_up(growth, input->longest_row));
  }

  template <class T>
  void evaluate(std::span<std::span<T const> const> inputs, std::span<tensor_shape const> shapes,
                std::span<T> output) const {
    walk(shapes[0], [&](std::size_t o, std::span<std::size_t const> window) {
      T result = inputs[0][window[0]];
      if (what_ == operation::length) {
        result = length(inputs[0], window);
      } else {
        for (std::size_t k = 1; k < window.size(); ++k) {
          T const& x = inputs[0][window[k]];
          result = what_ == operation::maximum ? max_of(result, x) : min_of(result, x);
        }
      }
      output[o] = result;
    });
  }

  template <class = void>
  void pull_back(std::span<std::span<double const> const> inputs, std::span<tensor_shape const> shapes,
                 std::span<double const> output_gradient, std::span<std::span<double> const> input_gradients) const {
    if (input_gradients[0].empty()) return;
    auto const x = inputs[0];
    walk(shapes[0], [&](std::size_t o, std::span<std::size_t const> window) {
      if (what_ == operation::length) {
        double const size = length(x, window);
        for (std::size_t const at : window) {
          if (size > 0) input_gradients[0][at] += output_gradient[o] * (x[at] / size);
        }
        return;
      }
      std::size_t chosen = window[0];
      for (std::size_t const at : window) {
        if (what_ == operation::maximum ? x[at] > x[chosen] : x[at] < x[chosen]) chosen = at;
      }
      input_gradients[0][chosen] += output_gradient[o];
    });
  }

 private:
  /// Most windows that share an element, most elements of a window, and for rows k of the outer axes times c of the last.
  struct counted {
    double sharing = 1;
    double elements = 1;
    double rows = 1;
  };

  template <class = void>
  static std::vector<std::vector<index_t>> axis(sliding_window const& window, index_t extent) {
    std::vector<std::vector<index_t>> result;
    index_t const windows = window.count(extent);
    for (index_t o = 0; o < windows; ++o) result.push_back(window.positions(o, extent));
    return result;
  }

  template <class = void>
  counted count(tensor_shape const& shape) const {
    counted result;
    for (std::size_t k = 0; k < windows_.size(); ++k) {
      index_t const extent = shape[shape.size() - windows_.size() + k];
      std::vector<index_t> uses(static_cast<std::size_t>(extent), 0);
      index_t sharing = 0;
      std::size_t elements = 0;
      for (auto const& positions : axis(windows_[k], extent)) {
        elements = std::max(elements, positions.size());
        for (index_t const at : positions) sharing = std::max(sharing, ++uses[static_cast<std::size_t>(at)]);
      }
      result.sharing *= static_cast<double>(sharing);
      result.elements *= static_cast<double>(elements);
      result.rows *= k + 1 == windows_.size() ? static_cast<double>(sharing) : static_cast<double>(elements);
    }
    return result;
  }

  /// Calls visit(o, elements of window o) for all outputs in order.
  template <class F>
  void walk(tensor_shape const& shape, F const& visit) const {
    std::size_t const rank = windows_.size();
    std::size_t const leading = shape.size() - rank;
    std::vector<std::vector<std::vector<index_t>>> tables;
    std::size_t images = 1;
    std::size_t plane = 1;
    std::size_t outputs = 1;
    for (std::size_t k = 0; k < leading; ++k) images *= static_cast<std::size_t>(shape[k]);
    for (std::size_t k = 0; k < rank; ++k) {
      tables.push_back(axis(windows_[k], shape[leading + k]));
      plane *= static_cast<std::size_t>(shape[leading + k]);
      outputs *= tables.back().size();
    }
    std::vector<std::size_t> at(rank, 0);
    std::vector<std::size_t> offsets;
    std::vector<std::size_t> wider;
    std::vector<std::size_t> window;
    // Windows are the same for all images: each is listed once.
    for (std::size_t o = 0; o < outputs; ++o) {
      offsets.assign(1, 0);
      for (std::size_t k = 0; k < rank; ++k) {
        wider.clear();
        for (std::size_t const before : offsets) {
          for (index_t const position : tables[k][at[k]]) {
            wider.push_back(before * static_cast<std::size_t>(shape[leading + k]) + static_cast<std::size_t>(position));
          }
        }
        std::swap(offsets, wider);
      }
      for (std::size_t image = 0; image < images; ++image) {
        window.clear();
        for (std::size_t const offset : offsets) window.push_back(image * plane + offset);
        visit(image * outputs + o, std::span<std::size_t const>(window));
      }
      for (std::size_t k = rank; k-- > 0;) {
        if (++at[k] < tables[k].size()) break;
        at[k] = 0;
      }
    }
  }

  template <class T>
  static T max_of(T a, T b) {
    if constexpr (std::is_same_v<T, double>) {
      return a < b ? b : a;
    } else {
      return max(a, b);
    }
  }
  template <class T>
  static T min_of(T a, T b) {
    if constexpr (std::is_same_v<T, double>) {
      return b < a ? b : a;
    } else {
      return min(a, b);
    }
  }

  template <class T>
  static T length(std::span<T const> x, std::span<std::size_t const> window) {
    if constexpr (std::is_same_v<T, interval>) {
      interval sum(0.0);
      for (std::size_t const at : window) sum += square(x[at]);
      return sqrt(sum);
    } else if constexpr (std::is_same_v<T, dual>) {
      double sum = 0;
      double product = 0;
      for (std::size_t const at : window) {
        sum += x[at].value * x[at].value;
        product += x[at].value * x[at].derivative;
      }
      double const root = std::sqrt(sum);
      return dual(root, root > 0 ? product / root : 0.0);
    } else {
      double sum = 0;
      for (std::size_t const at : window) sum += x[at] * x[at];
      return std::sqrt(sum);
    }
  }

  std::vector<sliding_window> windows_;
  operation what_;
};
static_assert(rule<window_pool>);

}  // namespace sigmax::inline SIGMAX_ABI::lipschitz::rules
