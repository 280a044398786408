// SPDX-License-Identifier: MIT
/// @file
/// Proven norms of convolutions.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include <sigmax/backend/default_backend.hpp>
#include <sigmax/bound/extended.hpp>
#include <sigmax/bound/interval_functions.hpp>
#include <sigmax/bound/rounding.hpp>
#include <sigmax/certified/cheap.hpp>
#include <sigmax/config.hpp>
#include <sigmax/core/matrix.hpp>
#include <sigmax/lipschitz/norm_prover.hpp>
#include <sigmax/lipschitz/rules/convolution_geometry.hpp>
#include <sigmax/lipschitz/rules/convolution_phases.hpp>
#include <sigmax/lipschitz/rules/convolution_symbol.hpp>
#include <sigmax/lipschitz/rules/rms_conversion.hpp>
#include <sigmax/lipschitz/rules/scaled_kernel.hpp>

namespace sigmax::inline SIGMAX_ABI::lipschitz::rules::detail {

/// What a bound of a convolution rests on.
enum class convolution_method : unsigned char {
  unknown,
  /// The spectral norm of the explicit matrix, with everything that padding cuts off.
  explicit_matrix,
  /// The largest norm over the frequencies of a torus that holds the image and its padding.
  torus,
  /// The largest norm over a grid of frequencies, times what can lie between its points.
  grid,
  /// The norm of the kernel as one matrix, times how often windows overlap.
  overlap,
  /// The norm of the magnitudes.
  magnitudes,
};

/// FLOPs that a bound in l2 may take, and the most a method takes that is tried besides another.
inline constexpr double most_flops = 1.5e11;
inline constexpr double most_flops_explicit = 6e9;

/// The magnitudes of one group: a_(s, phase, l) >= sum over the taps of the phase of |k_(s, l, tap)| for the true
/// kernel, as a matrix small x (phases * large).
template <class = void>
matrix<double> magnitudes_of(scaled_kernel const& kernel, convolution_phases const& phases, std::size_t first,
                             index_t small, index_t large) {
  matrix<double> result(small, large * phases.phases);
  auto const taps = phases.phase.size();
  // Proof: fl(sum of T magnitudes) misses at most gamma_T of it; |k| <= (1 + relative) |value| + absolute.
  double const growth =
      divide_up(add_up(1.0, kernel.relative), subtract_down(1.0, gamma_up(static_cast<double>(taps))));
  double const more = multiply_up(static_cast<double>(taps), kernel.absolute);
  double const* value = kernel.values.data() + first;
  for (index_t s = 0; s < small; ++s) {
    for (index_t l = 0; l < large; ++l) {
      for (std::size_t tap = 0; tap < taps; ++tap) result(s, phases.phase[tap] * large + l) += std::fabs(*value++);
    }
  }
  for (index_t i = 0; i < result.size(); ++i) {
    result.data()[i] = add_up(multiply_up(result.data()[i], growth), more);
  }
  return result;
}

/// The largest sum of a row (of a column) of the magnitudes.
inline double largest_sum(matrix<double> const& a, bool of_columns) {
  double largest = 0;
  index_t const outer = of_columns ? a.cols() : a.rows();
  index_t const inner = of_columns ? a.rows() : a.cols();
  for (index_t i = 0; i < outer; ++i) {
    double sum = 0;
    for (index_t j = 0; j < inner; ++j) sum += of_columns ? a(j, i) : a(i, j);
    largest = max_up(largest, sum);
  }
  return sigmax::detail::exact_sum_up(largest, static_cast<double>(inner));
}

/// Proves the spectral norm of one convolution on images of given extents, group by group.
class convolution_norm {
 public:
  /// What is proved: ||.|| <= value * 2^exponent of the kernel.
  struct proof {
    double value = infinity;
    convolution_method method = convolution_method::unknown;
  };

  /// `small`, `large`: the spatial extents of both sides; `small_channels`, `large_channels`: those of a group. `only`:
  /// the method to use whatever it costs, the best one affordable where it is unknown.
  template <class = void>
  convolution_norm(convolution_geometry const& geometry, scaled_kernel const& kernel, tensor_shape small,
                   tensor_shape large, index_t small_channels, index_t large_channels,
                   convolution_method only = convolution_method::unknown)
      : geometry_(&geometry),
        kernel_(&kernel),
        phases_(geometry),
        small_(std::move(small)),
        large_(std::move(large)),
        small_channels_(small_channels),
        large_channels_(large_channels) {
    choose();
    if (only == convolution_method::unknown) return;
    method_ = only;
    tries_explicit_ = only == convolution_method::explicit_matrix;
    if (only == convolution_method::torus) grid_ = torus();
    if (only == convolution_method::grid) grid_ = fine_grid(16);
  }

  /// The largest bound over the groups: the map is block diagonal.
  template <class = void>
  proof prove(rule_context const& context) const {
    proof worst{0, convolution_method::magnitudes};
    for (index_t group = 0; group < geometry_->groups; ++group) {
      proof const own = prove_group(group, context);
      if (group == 0 || worst.value < own.value || is_nan(own.value)) worst = own;
    }
    return worst;
  }

 private:
  struct grid {
    std::vector<index_t> points;
    double factor = 1;
    double flops = infinity;
  };

  double flops_of(std::vector<index_t> const& points) const {
    double count = 0.5;
    for (index_t const n : points) count *= static_cast<double>(n);
    auto const wide = static_cast<double>(large_channels_ * phases_.phases);
    auto const high = static_cast<double>(small_channels_);
    double const n = std::fmin(wide, high);
    double const m = std::fmax(wide, high);
    double const fill = 4 * static_cast<double>(small_channels_ * large_channels_ * geometry_->taps());
    double const each = n == 1 ? 8 * m : 4 * n * n * m + 2.7 * n * n * n + 20000;
    return static_cast<double>(geometry_->groups) * (count + 0.5) * (each + fill);
  }

  /// The torus the image fits on with its padding. Proof: let the large side have L positions, of which those read lie in
  /// [-before, L + after). On a cycle of N = points * stride >= L + max(before, after) positions, a position that is read
  /// outside [0, L) is not in [0, L) modulo N, so it holds zero there as well; with points >= the outputs, these are
  /// outputs of the circular convolution, and the operator is a compression of it. Circular convolutions are block
  /// diagonal in the Fourier basis, one block F(2 pi j / points) for each j.
  template <class = void>
  grid torus() const {
    grid result;
    for (std::size_t axis = 0; axis < geometry_->axes.size(); ++axis) {
      auto const& a = geometry_->axes[axis];
      index_t const last = (small_[axis] - 1) * a.stride + (a.kernel - 1) * a.dilation - a.pad_begin;
      index_t const beyond = std::max<index_t>({0, a.pad_begin, last - (large_[axis] - 1)});
      index_t const cycle = (large_[axis] + beyond + a.stride - 1) / a.stride;
      result.points.push_back(std::max(cycle, small_[axis]));
    }
    result.flops = flops_of(result.points);
    return result;
  }

  /// `fineness` points a degree. Proof: u* F(omega) v times a number of modulus 1 is, along an axis and as a real part, a
  /// trigonometric sum of frequencies up to degree / 2. With supremum P attained at w it is at least
  /// P cos(degree / 2 |w' - w|) at w' (M. Riesz; Duffin and Schaeffer 1938), and a grid has a point within pi / points of
  /// w. Axis by axis this gives the product of the cosines.
  template <class = void>
  grid fine_grid(index_t fineness) const {
    grid result;
    for (auto const& axis : phases_.axes) {
      result.points.push_back(axis.degree == 0 ? 1 : fineness * axis.degree);
      if (axis.degree == 0) continue;
      double const angle = multiply_up(3.1415926535897936 / 2, divide_up(1.0, static_cast<double>(fineness)));
      result.factor = divide_up(result.factor, cos(interval(angle)).lower);
    }
    result.flops = flops_of(result.points);
    return result;
  }

  template <class = void>
  void choose() {
    double explicit_rows = static_cast<double>(small_channels_) * static_cast<double>(element_count(small_));
    double explicit_cols = static_cast<double>(large_channels_) * static_cast<double>(element_count(large_));
    if (explicit_rows > explicit_cols) std::swap(explicit_rows, explicit_cols);
    double const flops = static_cast<double>(geometry_->groups) * (explicit_rows * explicit_rows * explicit_cols +
                                                                   explicit_rows * explicit_rows * explicit_rows / 3);
    tries_explicit_ = flops <= most_flops_explicit && explicit_rows * explicit_cols < 0x1p25;
    grid const circle = torus();
    if (phases_.is_constant()) {
      method_ = convolution_method::overlap;
    } else if (circle.flops <= most_flops) {
      method_ = convolution_method::torus;
      grid_ = circle;
    } else {
      method_ = convolution_method::overlap;
      for (index_t const fineness : {32, 16, 8, 4, 3}) {
        grid const finer = fine_grid(fineness);
        if (finer.flops > most_flops) continue;
        method_ = convolution_method::grid;
        grid_ = finer;
        break;
      }
    }
  }

  template <class = void>
  proof prove_group(index_t group, rule_context const& context) const {
    auto const elements = static_cast<std::size_t>(small_channels_ * large_channels_ * geometry_->taps());
    auto const first = static_cast<std::size_t>(group) * elements;
    auto const kernel = std::span<double const>(kernel_->values).subspan(first, elements);
    if (std::all_of(kernel.begin(), kernel.end(), [](double x) { return x == 0; })) {
      return {error_of_zeros(), convolution_method::magnitudes};
    }
    auto a = magnitudes_of(*kernel_, phases_, first, small_channels_, large_channels_);
    double const squared = magnitude_squared(a);
    // |F(omega)| <= A entry by entry, and the symbol over all frequencies bounds the operator (compression of an
    // infinite block Toeplitz operator).
    proof best{sqrt_up(squared), convolution_method::magnitudes};
    if (method_ == convolution_method::magnitudes) return best;
    auto const take = [&](double value, convolution_method method) {
      if (value < best.value) best = {value, method};
    };
    if (tries_explicit_) {
      take(explicit_norm(kernel, squared, context), convolution_method::explicit_matrix);
      return best;
    }
    if (method_ == convolution_method::overlap) {
      take(overlap_norm(kernel, squared, context), method_);
      return best;
    }
    convolution_symbol symbol(kernel, phases_, small_channels_, large_channels_);
    symbol.set_grid(grid_.points, method_ == convolution_method::grid);
    double const largest = prove_largest_norm(symbol.family(squared, kernel_->relative, kernel_->absolute), context);
    take(multiply_up(grid_.factor, largest), method_);
    return best;
  }

  /// A kernel whose elements are at most `absolute` has no larger norm than its sum of magnitudes.
  double error_of_zeros() const {
    auto const area = static_cast<double>(small_channels_ * large_channels_) * static_cast<double>(geometry_->taps());
    return multiply_up(area, kernel_->absolute);
  }

  /// >= ||A||_2^2, not above 2^500 as |a_ij| <= 4 taps.
  template <class = void>
  double magnitude_squared(matrix<double>& a) const {
    workspace memory;
    // The bounds of cheap.hpp want entries up to 1, rows no longer than columns.
    double const largest = default_backend<double>{}.max_abs(a.view());
    int exponent = 0;
    if (!(largest > 0) || !is_finite(largest)) return largest > 0 ? infinity : 0.0;
    std::frexp(largest, &exponent);
    for (index_t i = 0; i < a.size(); ++i) a.data()[i] = scale_up(a.data()[i], -exponent);
    auto view = a.view();
    if (view.rows() > view.cols()) view = view.transposed();
    return scale_up(sigmax::detail::absolute_norm_squared_up(default_backend<double>{}, view, memory), 2 * exponent);
  }

  /// One real matrix with the given elements, written by `write(target, transposed)`.
  struct single {
    void const* self;
    void (*write)(void const* self, matrix_view<double> to);
    bool transposed;
  };

  template <class = void>
  double norm_of_single(single const& one, index_t rows, index_t cols, double squared,
                        rule_context const& context) const {
    matrix_family family;
    family.rows = one.transposed ? cols : rows;
    family.cols = one.transposed ? rows : cols;
    family.count = 1;
    family.all_real = true;
    family.self = &one;
    family.fill = [](void const* self, index_t, matrix_view<double> real, matrix_view<double>) {
      auto const& it = *static_cast<single const*>(self);
      for (index_t i = 0; i < real.rows(); ++i) {
        for (index_t j = 0; j < real.cols(); ++j) real(i, j) = 0;
      }
      it.write(it.self, it.transposed ? real.transposed() : real);
      return false;
    };
    family.magnitude_squared = squared;
    // Each element of the matrix is one of the kernel: it errs by relative |value| + absolute.
    family.error = add_up(
        multiply_up(kernel_->relative, sqrt_up(squared)),
        multiply_up(kernel_->absolute, sqrt_up(multiply_up(static_cast<double>(rows), static_cast<double>(cols)))));
    return prove_largest_norm(family, context);
  }

  /// The matrix of the map itself, small x large.
  template <class = void>
  double explicit_norm(std::span<double const> kernel, double squared, rule_context const& context) const {
    struct {
      convolution_norm const* norm;
      std::span<double const> kernel;
    } const data{this, kernel};
    index_t const rows = small_channels_ * element_count(small_);
    index_t const cols = large_channels_ * element_count(large_);
    single const one{&data,
                     [](void const* self, matrix_view<double> to) {
                       auto const& it = *static_cast<decltype(data) const*>(self);
                       it.norm->write_explicit(it.kernel, to);
                     },
                     rows > cols};
    return norm_of_single(one, rows, cols, squared, context);
  }

  template <class = void>
  void write_explicit(std::span<double const> kernel, matrix_view<double> to) const {
    index_t const small_plane = element_count(small_);
    index_t const large_plane = element_count(large_);
    index_t const step = geometry_->axes.empty() ? 1 : geometry_->axes.back().stride;
    auto const segments = convolution_segments(*geometry_, small_, large_);
    auto const taps = static_cast<index_t>(phases_.phase.size());
    for (index_t s = 0; s < small_channels_; ++s) {
      for (index_t l = 0; l < large_channels_; ++l) {
        for (auto const& segment : segments) {
          double const value =
              kernel[static_cast<std::size_t>((s * large_channels_ + l) * taps + static_cast<index_t>(segment.tap))];
          index_t const row = s * small_plane + static_cast<index_t>(segment.small_first);
          index_t const col = l * large_plane + static_cast<index_t>(segment.large_first);
          for (index_t i = 0; i < static_cast<index_t>(segment.count); ++i) to(row + i, col + i * step) = value;
        }
      }
    }
  }

  /// The kernel as a matrix small x (large * taps). Proof: the map is that matrix applied to each window, and a position
  /// is in as many windows as its phase has taps at most (Tsuzuku et al. 2018); in one of them at most, the windows are
  /// orthogonal parts of the image and the bound is the norm but for borders.
  template <class = void>
  double overlap_norm(std::span<double const> kernel, double squared, rule_context const& context) const {
    index_t const rows = small_channels_;
    index_t const cols = large_channels_ * geometry_->taps();
    struct {
      std::span<double const> kernel;
      index_t rows;
      index_t cols;
    } const data{kernel, rows, cols};
    single const one{&data,
                     [](void const* self, matrix_view<double> to) {
                       auto const& it = *static_cast<decltype(data) const*>(self);
                       for (index_t i = 0; i < it.rows; ++i) {
                         for (index_t j = 0; j < it.cols; ++j) {
                           to(i, j) = it.kernel[static_cast<std::size_t>(i * it.cols + j)];
                         }
                       }
                     },
                     rows > cols};
    // With B the magnitudes of this matrix, B B^T <= A A^T entry by entry, as products of sums exceed sums of products.
    double const overlap = static_cast<double>(phases_.most_taps);
    double const each = norm_of_single(one, rows, cols, squared, context);
    return multiply_up(lipschitz::detail::sqrt_of_ratio_up(overlap, 1.0), each);
  }

  convolution_geometry const* geometry_;
  scaled_kernel const* kernel_;
  convolution_phases phases_;
  tensor_shape small_;
  tensor_shape large_;
  index_t small_channels_;
  index_t large_channels_;
  bool tries_explicit_ = false;
  convolution_method method_ = convolution_method::overlap;
  grid grid_;
};

}  // namespace sigmax::inline SIGMAX_ABI::lipschitz::rules::detail
