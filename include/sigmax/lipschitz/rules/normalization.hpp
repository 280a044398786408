// SPDX-License-Identifier: MIT
/// @file
/// The rule of layer, RMS, group, instance and length normalisation.
#pragma once

#include <cmath>
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
#include <sigmax/lipschitz/rule.hpp>
#include <sigmax/lipschitz/rules/centred_gain.hpp>
#include <sigmax/lipschitz/rules/fiber_size.hpp>
#include <sigmax/lipschitz/rules/fibers.hpp>
#include <sigmax/lipschitz/rules/normalized.hpp>
#include <sigmax/lipschitz/rules/radial_divisor.hpp>
#include <sigmax/lipschitz/rules/support.hpp>

namespace sigmax::inline SIGMAX_ABI::lipschitz::rules {

/// What makes one normalisation another.
struct normalization_options {
  /// The axes that are normalised together.
  axis_range axes = {};
  /// Subtracts the mean first (layer normalisation).
  bool centred = false;
  /// The size r of a fibre of d elements is its root mean square, else its length.
  bool root_mean_square = true;
  /// D(r), by which the fibre is divided.
  radial_divisor divisor = {};
  /// Factors and summands of the elements afterwards, repeated along the leading axes; none if empty.
  std::vector<double> gain = {};
  std::vector<double> bias = {};
  std::string operator_name = "rms_normalization";
};

/// y = gain * z / D(r(z)) + bias for every fibre x of d elements along some axes, z = x or z = x - mean(x).
/// Sensitivity G / D(rho) in l2, where rho is a proven lower bound of the sizes r on the range of the input, 0 without
/// one, and G = max |gain|, or the norm of diag(gain) on vectors of mean zero. Copies share gain and bias.
class normalization {
 public:
  /// @throws numeric_error if a gain, a bias or epsilon is not finite, domain_error if epsilon is negative.
  template <class = void>
  explicit normalization(normalization_options options)
      : options_(std::make_shared<normalization_options const>(std::move(options))) {
    detail::require_finite(name() + ": gain", gain());
    detail::require_finite(name() + ": bias", bias());
    detail::require_finite(name() + ": epsilon", {&divisor().epsilon, 1});
    if (divisor().epsilon < 0) {
      sigmax::detail::raise<domain_error>(
          {name(), ": epsilon is ", detail::short_number(divisor().epsilon), "; it must not be negative"});
    }
  }

  normalization_options const& options() const { return *options_; }

  std::string operator_name() const { return name(); }
  template <class = void>
  std::string rule_name(norm::any asked) const {
    std::string const size = options_->root_mean_square ? "RMS" : "length";
    std::string const factor = divisor().how == radial_divisor::form::root      ? "1/sqrt(rho^2 + epsilon)"
                               : divisor().how == radial_divisor::form::maximum ? "1/max(rho, epsilon)"
                                                                                : "1/(rho + epsilon)";
    return (asked == norm::linf ? "row sums of the gain times " : "gain times ") + factor + ", rho <= every " + size;
  }
  template <class = void>
  std::string refusal(norm::any) const {
    return "not Lipschitz with epsilon = 0 where its input may vanish; a smaller domain may keep it away from there";
  }
  /// @throws shape_error if the axes do not exist, or gain or bias do not fill the last axes.
  template <class = void>
  tensor_shape output_shape(std::span<tensor_shape const> shapes) const {
    detail::require_inputs(name(), shapes, 1);
    fibers::of(name(), shapes[0], options_->axes);
    detail::require_trailing(name() + " (gain)", shapes[0], gain().size());
    detail::require_trailing(name() + " (bias)", shapes[0], bias().size());
    return shapes[0];
  }

  template <norm_tag N>
  sensitivities<N> bound(std::span<tensor_shape const> shapes, rule_context const& context) const {
    // Proof. The Jacobian of a fibre is diag(gain) P (I - k c c') / D(r), P = I or I - 1 1'/d, c = z / |z|, k in [0, 1]
    // (radial_divisor). In l2 it is at most ||diag(gain) P|| / D(r), because c = P c. In linf row i of P (I - k c c') sums,
    // in absolute values, to the maximum over signs s with s_i = 1 of w_i - k c_i c'w, w = P s: convex in k, so at most
    // a + (b - a) k. For k = 0 it is a = 1, or 2 - 2/d for P = I - 1 1'/d. For k = 1, the maximum of -c_i c'w over unit
    // c being (|P e_i| |w| - w_i) / 2, it is at most (w_i + |P e_i| |w|) / 2 = b: (1 + sqrt d) / 2 for P = I, and with
    // the mean m of s ((1 - m) + sqrt((d - 1) (1 - m^2))) / 2 <= (1 + sqrt(1 + d - 1)) / 2 (Cauchy-Schwarz) else.
    // With r >= rho for both points x, y: the map with D(max(r, rho)) instead of D(r) agrees with this one at x and y,
    // and its Jacobian obeys the bounds at sizes >= rho everywhere (inside r < rho it is linear), also where the segment
    // from x to y leaves the set of sizes >= rho, which is not convex.
    fibers const all = fibers::of(name(), shapes[0], options_->axes);
    auto const [l2, linf] = constants(all, size().below(all, context.range(0)));
    if constexpr (std::is_same_v<N, norm::l2_t>) {
      return {detail::proven<N>(extended(l2))};
    } else if constexpr (std::is_same_v<N, norm::linf_t>) {
      return {detail::proven<N>(extended(linf))};
    } else {
      return {detail::proven<N>(extended(all.rms(l2, linf, shapes[0])))};
    }
  }

  /// Only without epsilon: with one, sizes are known to be away from 0 on bounded domains at most, where ranges are
  /// found anyway.
  bool uses_ranges() const { return divisor().epsilon == 0; }
  bool bounds_values() const { return true; }

  /// A row is at most as long as the gain times sqrt(d), or 1, in each fibre it meets, plus the row of the bias.
  template <class = void>
  void refine(std::span<tensor_shape const> shapes, rule_context const& context, value_range& output) const {
    fibers const all = fibers::of(name(), shapes[0], options_->axes);
    if (all.stride != 1) return;
    auto const width = static_cast<double>(row_norm::row_width(shapes[0]));
    auto const length = static_cast<double>(all.length);
    double const most_fibers = std::ceil(max_up(1.0, width / length));
    double const of_fiber = options_->root_mean_square ? lipschitz::detail::sqrt_of_ratio_up(length, 1.0) : 1.0;
    double const of_row = multiply_up(largest_gain(), of_fiber);
    double const all_fibers = most_fibers == 1 ? of_row : multiply_up(of_row, sqrt_up(most_fibers));
    double const own = bias().empty() ? all_fibers : add_up(all_fibers, longest_bias(row_norm::row_width(shapes[0])));
    output.longest_row = min_up(output.longest_row, own);
    auto const* const input = context.range(0);
    if (input == nullptr || !all.are_in_rows()) return;
    double const l2 = constants(all, size().below(all, input)).l2;
    output.row_distance = min_up(output.row_distance, multiply_up(l2, input->row_distance));
  }

  template <class T>
  void evaluate(std::span<std::span<T const> const> inputs, std::span<tensor_shape const> shapes,
                std::span<T> output) const {
    fibers const all = fibers::of(name(), shapes[0], options_->axes);
    detail::normalized<T> values(all.length, options_->centred, options_->root_mean_square, divisor());
    for (std::size_t f = 0; f < all.count; ++f) {
      auto const z = values.of(inputs[0], all.start(f), all.stride);
      for (std::size_t k = 0; k < all.length; ++k) {
        std::size_t const at = all.start(f) + k * all.stride;
        output[at] = gain().empty() ? z[k] : T(gain()[at % gain().size()]) * z[k];
        if (!bias().empty()) output[at] += T(bias()[at % bias().size()]);
      }
    }
  }

  /// J'g = P (I - k c c') (gain * g) / D.
  template <class = void>
  void pull_back(std::span<std::span<double const> const> inputs, std::span<tensor_shape const> shapes,
                 std::span<double const> output_gradient, std::span<std::span<double> const> input_gradients) const {
    if (input_gradients[0].empty()) return;
    fibers const all = fibers::of(name(), shapes[0], options_->axes);
    detail::normalized<double> values(all.length, options_->centred, options_->root_mean_square, divisor());
    std::vector<double> g(all.length);
    auto const length = static_cast<double>(all.length);
    for (std::size_t f = 0; f < all.count; ++f) {
      auto const z = values.of(inputs[0], all.start(f), all.stride);
      double squares = 0;
      double along = 0;
      for (std::size_t k = 0; k < all.length; ++k) {
        std::size_t const at = all.start(f) + k * all.stride;
        g[k] = output_gradient[at] * (gain().empty() ? 1.0 : gain()[at % gain().size()]);
        squares += z[k] * z[k];
        along += z[k] * g[k];
      }
      double const share = squares > 0 ? divisor().contraction(values.size()) * along / squares : 0.0;
      double mean = 0;
      for (std::size_t k = 0; k < all.length; ++k) {
        g[k] -= share * z[k];
        mean += g[k] / length;
      }
      double const factor = 1 / values.divided_by();
      for (std::size_t k = 0; k < all.length; ++k) {
        input_gradients[0][all.start(f) + k * all.stride] += factor * (g[k] - (options_->centred ? mean : 0.0));
      }
    }
  }

 private:
  struct pair_of_constants {
    double l2;
    double linf;
  };

  std::string const& name() const { return options_->operator_name; }
  radial_divisor const& divisor() const { return options_->divisor; }
  std::vector<double> const& gain() const { return options_->gain; }
  std::vector<double> const& bias() const { return options_->bias; }
  detail::fiber_size size() const { return {options_->centred, options_->root_mean_square}; }

  double largest_gain() const {
    if (gain().empty()) return 1.0;
    double largest = 0;
    for (double const each : gain()) largest = max_up(largest, std::fabs(each));
    return largest;
  }

  /// >= ||diag(gain) P|| over all fibres.
  template <class = void>
  double gain_in_l2(fibers const& all) const {
    double const plain = largest_gain();
    if (!options_->centred || all.stride != 1 || gain().empty() || gain().size() % all.length != 0) return plain;
    double largest = 0;
    for (std::size_t first = 0; first < gain().size(); first += all.length) {
      largest = max_up(largest, detail::largest_centred_gain(std::span(gain()).subspan(first, all.length)));
    }
    return min_up(plain, largest);
  }

  /// The bounds for sizes >= least. See `bound`.
  template <class = void>
  pair_of_constants constants(fibers const& all, double least) const {
    if (options_->centred && all.length <= 1) return {0.0, 0.0};  // z = 0
    auto const d = static_cast<double>(all.length);
    double const none = options_->centred ? subtract_up(2.0, divide_down(2.0, d)) : 1.0;
    double const all_of_it = max_up(none, multiply_up(0.5, add_up(1.0, lipschitz::detail::sqrt_of_ratio_up(d, 1.0))));
    double const root = divisor().largest_factor(least);
    double const g = gain_in_l2(all);
    double const row = divisor().largest_row_sum(least, none, all_of_it);
    double const largest = largest_gain();
    return {g == 1 ? root : multiply_up(g, root), largest == 1 ? row : multiply_up(largest, row)};
  }

  /// >= the length of every row of the bias as it repeats, for rows of this width.
  template <class = void>
  double longest_bias(std::size_t width) const {
    double longest = 0;
    double sum = 0;
    std::size_t const row = bias().size() < width ? bias().size() : width;
    for (std::size_t i = 0; i < bias().size(); ++i) {
      if (i % row == 0) sum = 0;
      sum = add_up(sum, multiply_up(bias()[i], bias()[i]));
      longest = max_up(longest, sum);
    }
    double const repeats = std::ceil(static_cast<double>(width) / static_cast<double>(row));
    return sqrt_up(repeats == 1 ? longest : multiply_up(longest, repeats));
  }

  std::shared_ptr<normalization_options const> options_;
};
static_assert(rule<normalization>);

}  // namespace sigmax::inline SIGMAX_ABI::lipschitz::rules
