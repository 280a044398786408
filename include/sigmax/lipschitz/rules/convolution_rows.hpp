// SPDX-License-Identifier: MIT
/// @file
/// What bounds convolutions in linf and rows in rms: sums of magnitudes.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <sigmax/bound/rounding.hpp>
#include <sigmax/config.hpp>
#include <sigmax/core/matrix.hpp>
#include <sigmax/lipschitz/rules/convolution_geometry.hpp>
#include <sigmax/lipschitz/rules/convolution_norm.hpp>
#include <sigmax/lipschitz/rules/convolution_phases.hpp>
#include <sigmax/lipschitz/rules/scaled_kernel.hpp>

namespace sigmax::inline SIGMAX_ABI::lipschitz::rules::detail {

/// Bounds that need no spectral norm, all of them times 2^exponent.
struct convolution_rows {
  std::int64_t exponent = 0;
  /// >= the sum of the magnitudes that meet in an output: the norm in linf.
  double largest_sum = 0;
  /// >= ||row of y||_2 / largest ||row of x||_2, rows along the last axis.
  double longest_row = 0;
  /// Of output channel c: |y| <= lengths[c] times the largest ||row of x||_2.
  std::vector<double> lengths;

  /// Proofs. linf: an output of a convolution is a sum over all taps, one of a transposed convolution over those of one
  /// phase. Rows: a row of y is a sum, over channels and taps of the outer axes (of a phase, when transposed), of
  /// one-dimensional convolutions of rows of x, each of norm at most sqrt(R C) for the largest row sum R and column sum
  /// C of its matrix (Schur): the sum of the magnitudes of the taps and the largest such sum of a phase. Lengths: Cauchy's
  /// inequality over the rows of x that an output reads, at most channels times outer taps.
  template <class = void>
  convolution_rows(convolution_geometry const& geometry, scaled_kernel const& kernel, index_t small, index_t large,
                   bool transposed)
      : exponent(kernel.exponent) {
    convolution_phases const phases(geometry);
    index_t const taps = geometry.taps();
    index_t const inner = geometry.axes.empty() ? 1 : geometry.axes.back().kernel;
    index_t const inner_phases = geometry.axes.empty() ? 1 : phases.axes.back().phases;
    index_t const outer_phases = phases.phases / inner_phases;
    double const growth = add_up(1.0, kernel.relative);
    auto const elements = static_cast<std::size_t>(small * large * taps);
    double const rows_read = sqrt_up(static_cast<double>((transposed ? small : large) * (taps / inner)));
    index_t const outputs = transposed ? large : small;
    for (index_t group = 0; group < geometry.groups; ++group) {
      auto const first = static_cast<std::size_t>(group) * elements;
      auto const a = magnitudes_of(kernel, phases, first, small, large);
      largest_sum = max_up(largest_sum, detail::largest_sum(a, transposed));
      matrix<double> sums(outputs, transposed ? outer_phases : 1);
      std::vector<double> squares(static_cast<std::size_t>(outputs), 0.0);
      std::vector<double> of_phase(static_cast<std::size_t>(inner_phases));
      double const* value = kernel.values.data() + first;
      for (index_t s = 0; s < small; ++s) {
        for (index_t l = 0; l < large; ++l) {
          index_t const channel = transposed ? l : s;
          for (index_t tap = 0; tap < taps; tap += inner) {
            for (double& sum : of_phase) sum = 0;
            double all = 0;
            for (index_t b = tap; b < tap + inner; ++b) {
              double const magnitude = add_up(multiply_up(std::fabs(*value++), growth), kernel.absolute);
              all = add_up(all, magnitude);
              double& phase =
                  of_phase[static_cast<std::size_t>(phases.phase[static_cast<std::size_t>(b)] % inner_phases)];
              phase = add_up(phase, magnitude);
              double& square = squares[static_cast<std::size_t>(channel)];
              square = add_up(square, multiply_up(magnitude, magnitude));
            }
            double most = 0;
            for (double const sum : of_phase) most = max_up(most, sum);
            double& row = sums(channel, transposed ? phases.phase[static_cast<std::size_t>(tap)] / inner_phases : 0);
            row = add_up(row, inner_phases == 1 ? all : sqrt_up(multiply_up(all, most)));
          }
        }
      }
      for (index_t i = 0; i < sums.size(); ++i) longest_row = max_up(longest_row, sums.data()[i]);
      for (double const square : squares) lengths.push_back(multiply_up(sqrt_up(square), rows_read));
    }
  }
};

}  // namespace sigmax::inline SIGMAX_ABI::lipschitz::rules::detail
