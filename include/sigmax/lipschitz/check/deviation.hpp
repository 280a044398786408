// SPDX-License-Identifier: MIT
/// @file
/// How far the arguments of elementwise functions move from their values at the centre of a domain.
#pragma once

#include <cmath>
#include <cstddef>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include <sigmax/backend/concept.hpp>
#include <sigmax/bound/interval.hpp>
#include <sigmax/bound/rounding.hpp>
#include <sigmax/config.hpp>
#include <sigmax/lipschitz/check/dense_map.hpp>
#include <sigmax/lipschitz/check/slope_system.hpp>

namespace sigmax::inline SIGMAX_ABI::lipschitz::check {

/// Block by block, bounds of |z_jn - z_jn at the centre|, sharper than intervals pushed through one layer after another.
///
/// As in dynamic_program_bound, for a point and the centre z_j differs by P_0j dx_0 + sum over k of P_kj e_k with
/// |e_k,m| <= r_m |dz_k,m|. So row n moves by at most
///     min(||P_0j(n,:)|| ||dx_0||, sum_m |P_0j(n,m)| w_m) + sum over k of min(||P_kj(n,:)|| ||b_k||, sum_m |P_kj(n,m)| b_km),
/// w_m bounding |dx_0,m| and b_km = r_m d_km the |e_k,m|, by Cauchy and Schwarz or term by term. (A relaxation of slopes by
/// lines through the centre; compare CROWN, Zhang et al. 2018, whose lines need not pass there.)
/// Cost: the products of matrices of the dynamic program.
template <class B>
class deviation {
 public:
  /// `reach[m]` >= |dx_0,m|, `distance` >= ||dx_0||_2.
  deviation(B const& on, std::vector<double> reach, double distance) : on_(on) {
    bound_.push_back(std::move(reach));
    length_.push_back(min_up(distance, length_up(bound_[0])));
    scaled_.emplace_back();
  }

  /// The bounds for the next target, of `rows` elements, whose maps are A_ij; remembers what `add_block` needs.
  std::vector<double> of_target(std::vector<std::optional<dense_map>> const& from, index_t rows) {
    std::size_t const j = bound_.size();
    paths_.assign(j, std::nullopt);
    std::vector<double> moved(static_cast<std::size_t>(rows), 0.0);
    for (std::size_t i = 0; i < j; ++i) {
      auto& path = paths_[i];
      if (i < from.size() && from[i]) path = *from[i];
      for (std::size_t k = i + 1; k < j && k < from.size(); ++k) {
        if (!from[k] || !scaled_[k][i]) continue;
        dense_map detour = composed(on_, *from[k], *scaled_[k][i]);
        if (!path) {
          path = std::move(detour);
        } else {
          add_to(on_, detour, *path);
        }
      }
      if (path) add_rows(*path, i, moved);
    }
    return moved;
  }

  /// The block behind the last target: its slopes on the domain and bounds of how far its arguments move.
  void add_block(std::span<interval const> slopes, std::span<double const> moved) {
    std::vector<interval> centres;
    std::vector<double> bounds;
    for (std::size_t n = 0; n < slopes.size(); ++n) {
      auto const about = centred(slopes[n]);
      centres.emplace_back(about.centre);
      bounds.push_back(multiply_up(about.radius, moved[n]));
    }
    std::vector<std::optional<dense_map>> scaled(paths_.size());
    for (std::size_t i = 0; i < paths_.size(); ++i) {
      if (paths_[i]) scaled[i] = with_scaled_rows(on_, centres, *paths_[i]);
    }
    scaled_.push_back(std::move(scaled));
    length_.push_back(length_up(bounds));
    bound_.push_back(std::move(bounds));
  }

 private:
  static double length_up(std::span<double const> v) {
    double sum = 0;
    for (double const x : v) sum = add_up(sum, multiply_up(x, x));
    return sqrt_up(sum);
  }

  /// Proof of the rounding: sums of n non-negative terms are at most (fl(sum) + n eta) / (1 - gamma_{n+2}); a row of the
  /// error of the map is no longer than `error` and sums to at most `row_error`.
  void add_rows(dense_map const& path, std::size_t source, std::vector<double>& moved) const {
    auto const& b = bound_[source];
    auto const n = static_cast<double>(b.size());
    double const kept = subtract_down(1.0, gamma_up(n + 2));
    double const underflow = multiply_up(n, double_underflow);
    double largest = 0;
    for (double const x : b) largest = max_up(largest, x);
    for (index_t i = 0; i < path.rows(); ++i) {
      double squares = 0;
      double sum = 0;
      for (index_t m = 0; m < path.cols(); ++m) {
        double const size = std::fabs(path.elements(i, m));
        squares += size * size;
        if (size > 0) sum += size * b[static_cast<std::size_t>(m)];
      }
      double const length = sqrt_up(divide_up(add_up(squares, underflow), kept));
      double const by_length = multiply_up(add_up(length, path.error), length_[source]);
      double const by_terms = add_up(divide_up(add_up(sum, underflow), kept), multiply_up(path.row_error, largest));
      auto& total = moved[static_cast<std::size_t>(i)];
      total = add_up(total, min_up(by_length, by_terms));
    }
  }

  B const& on_;
  std::vector<std::vector<double>> bound_;  // of the source: |dx_0,m|, |e_k,m|
  std::vector<double> length_;
  std::vector<std::vector<std::optional<dense_map>>> scaled_;  // [k][i]: C_k P_ik
  std::vector<std::optional<dense_map>> paths_;                // P_ij of the last target
};

}  // namespace sigmax::inline SIGMAX_ABI::lipschitz::check
