// SPDX-License-Identifier: MIT
/// @file
/// The matrices F(omega) of a convolution at the frequencies of a grid, as a family whose norms can be proved.
#pragma once

#include <cmath>
#include <cstddef>
#include <span>
#include <vector>

#include <sigmax/bound/interval.hpp>
#include <sigmax/bound/interval_functions.hpp>
#include <sigmax/bound/rounding.hpp>
#include <sigmax/certified/largest_norm.hpp>
#include <sigmax/config.hpp>
#include <sigmax/core/matrix_view.hpp>
#include <sigmax/lipschitz/rules/convolution_phases.hpp>

namespace sigmax::inline SIGMAX_ABI::lipschitz::rules::detail {

/// The symbol of one group, F(omega) = sum over taps of K_tap e^(i shift . omega), small x (phases * large), or its
/// transpose where that has fewer rows.
class convolution_symbol {
 public:
  /// `kernel` is the scaled kernel of the group, small x large x taps.
  template <class = void>
  convolution_symbol(std::span<double const> kernel, convolution_phases const& phases, index_t small, index_t large)
      : phases_(&phases), transposed_(small > large * phases.phases) {
    block_rows_ = transposed_ ? large : small;
    block_cols_ = transposed_ ? small : large;
    rows = transposed_ ? large * phases.phases : small;
    cols = transposed_ ? small : large * phases.phases;
    auto const taps = static_cast<index_t>(phases.phase.size());
    blocks_.resize(kernel.size());
    for (index_t s = 0; s < small; ++s) {
      for (index_t l = 0; l < large; ++l) {
        index_t const at = transposed_ ? l * small + s : s * large + l;
        for (index_t tap = 0; tap < taps; ++tap) {
          blocks_[static_cast<std::size_t>(tap * small * large + at)] =
              kernel[static_cast<std::size_t>((s * large + l) * taps + tap)];
        }
      }
    }
  }

  index_t rows = 0;
  index_t cols = 0;

  /// Frequencies 2 pi j / points for j on the grid, one of each pair omega, -omega: F(-omega) is the conjugate.
  /// `reduced`: with the reduced shifts, which have the same supremum (the columns of a phase are multiplied by a number
  /// of modulus 1, and omega runs through all of the torus in either case).
  template <class = void>
  void set_grid(std::vector<index_t> points, bool reduced) {
    points_ = std::move(points);
    reduced_ = reduced;
    twiddle_error_ = 0;
    cosines_.clear();
    sines_.clear();
    interval const two_pi(6.283185307179586, 6.283185307179587);
    for (index_t const n : points_) {
      auto& cosine = cosines_.emplace_back();
      auto& sine = sines_.emplace_back();
      for (index_t j = 0; j < n; ++j) {
        interval const angle =
            two_pi * interval(static_cast<double>(2 * j > n ? j - n : j)) / interval(static_cast<double>(n));
        interval const c = cos(angle);
        interval const s = sin(angle);
        cosine.push_back(c.middle());
        sine.push_back(s.middle());
        twiddle_error_ = max_up(twiddle_error_, max_up(c.width(), s.width()));
      }
    }
    frequencies_.clear();
    index_t all = 1;
    for (index_t const n : points_) all *= n;
    for (index_t k = 0; k < all; ++k) {
      if (conjugate(k) >= k) frequencies_.push_back(k);
    }
  }

  /// With A >= sum over taps of |K_tap| entry by entry, phase by phase, and ||A||_2^2 <= `magnitude_squared`;
  /// `relative` and `absolute` say how far the kernel is from the true one.
  template <class = void>
  matrix_family family(double magnitude_squared, double relative, double absolute) const {
    // A twiddle is a product of one complex number an axis, each part off by at most t: with d axes the product is off
    // by 2 d t and 8 d u of rounding (moduli are below 1 + 2 t). A sum of T products rounds by gamma_T of its
    // magnitudes, in either part; both parts together count sqrt(2).
    auto const taps = static_cast<double>(phases_->phase.size());
    auto const axes = static_cast<double>(points_.size());
    double const twiddle = multiply_up(axes, add_up(multiply_up(2.01, twiddle_error_), 8.01 * double_roundoff));
    double const error = add_up(multiply_up(1.5, add_up(twiddle, gamma_up(taps + 8))), relative);
    double const underflow = multiply_up(multiply_up(add_up(absolute, 4 * double_underflow), 2 * taps),
                                         sqrt_up(multiply_up(static_cast<double>(rows), static_cast<double>(cols))));
    matrix_family result;
    result.rows = rows;
    result.cols = cols;
    result.count = static_cast<index_t>(frequencies_.size());
    result.self = this;
    result.fill = [](void const* self, index_t k, matrix_view<double> real, matrix_view<double> imaginary) {
      return static_cast<convolution_symbol const*>(self)->fill(k, real, imaginary);
    };
    result.magnitude_squared = multiply_up(magnitude_squared, 1 + 0x1p-20);  // covers what rounding adds to |f_ij|
    result.error = add_up(multiply_up(error, sqrt_up(result.magnitude_squared)), underflow);
    return result;
  }

 private:
  index_t conjugate(index_t k) const {
    index_t result = 0;
    index_t unit = 1;
    for (std::size_t axis = points_.size(); axis-- > 0;) {
      index_t const n = points_[axis];
      index_t const j = k % n;
      k /= n;
      result += unit * (j == 0 ? 0 : n - j);
      unit *= n;
    }
    return result;
  }

  template <class = void>
  bool fill(index_t number, matrix_view<double> real, matrix_view<double> imaginary) const {
    index_t const frequency = frequencies_[static_cast<std::size_t>(number)];
    bool const is_real = conjugate(frequency) == frequency;
    for (index_t i = 0; i < rows; ++i) {
      for (index_t j = 0; j < cols; ++j) real(i, j) = 0;
      for (index_t j = 0; j < cols && !is_real; ++j) imaginary(i, j) = 0;
    }
    for (std::size_t tap = 0; tap < phases_->phase.size(); ++tap) {
      double c = 1;
      double s = 0;
      index_t rest = frequency;
      for (std::size_t axis = points_.size(); axis-- > 0;) {
        index_t const n = points_[axis];
        auto const& own = phases_->axes[axis];
        auto const at = static_cast<std::size_t>(phases_->position(static_cast<index_t>(tap), axis));
        index_t const shift = (reduced_ ? own.reduced[at] : own.shift[at]) % n;
        auto const turn = static_cast<std::size_t>(rest % n * shift % n);
        rest /= n;
        double const c_axis = cosines_[axis][turn];
        double const s_axis = sines_[axis][turn];
        double const c_all = c * c_axis - s * s_axis;
        s = c * s_axis + s * c_axis;
        c = c_all;
      }
      double const* from = blocks_.data() + static_cast<index_t>(tap) * block_rows_ * block_cols_;
      index_t const phase = phases_->phase[tap];
      index_t const row = transposed_ ? phase * block_rows_ : 0;
      index_t const col = transposed_ ? 0 : phase * block_cols_;
      for (index_t i = 0; i < block_rows_; ++i, from += block_cols_) {
        double* const re = &real(row + i, col);
        for (index_t j = 0; j < block_cols_; ++j) re[j] += c * from[j];
        if (is_real) continue;
        double* const im = &imaginary(row + i, col);
        for (index_t j = 0; j < block_cols_; ++j) im[j] += s * from[j];
      }
    }
    return !is_real;
  }

  convolution_phases const* phases_;
  bool transposed_;
  index_t block_rows_ = 0;
  index_t block_cols_ = 0;
  std::vector<double> blocks_;
  std::vector<index_t> points_;
  bool reduced_ = false;
  double twiddle_error_ = 0;
  std::vector<std::vector<double>> cosines_;
  std::vector<std::vector<double>> sines_;
  std::vector<index_t> frequencies_;
};

}  // namespace sigmax::inline SIGMAX_ABI::lipschitz::rules::detail
