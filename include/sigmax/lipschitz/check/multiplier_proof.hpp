// SPDX-License-Identifier: MIT
/// @file
/// Proves a Lipschitz bound from multipliers that anybody may have found: one matrix inequality, one Cholesky
/// factorisation.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <sigmax/backend/concept.hpp>
#include <sigmax/bound/rounding.hpp>
#include <sigmax/config.hpp>
#include <sigmax/core/matrix.hpp>
#include <sigmax/lipschitz/check/dense_map.hpp>
#include <sigmax/lipschitz/check/slope_system.hpp>
#include <sigmax/lipschitz/check/symmetric_blocks.hpp>

namespace sigmax::inline SIGMAX_ABI::lipschitz::check {

/// One positive number for each neuron of each block.
using slope_multipliers = std::vector<std::vector<double>>;

namespace detail {

/// The quadratic form of a slope system, multipliers and a squared bound in scaled variables, and how far the stored
/// matrix may be from it.
template <class B>
class multiplier_form {
 public:
  multiplier_form(B const& on, slope_system const& system, slope_multipliers const& multipliers, double squared_bound)
      : on_(on), system_(system), multipliers_(multipliers), blocks_(system.blocks()), form_(sizes(system)) {
    scale_.resize(blocks_ + 2);
    row_sums_.resize(blocks_ + 2);
    for (std::size_t k = 0; k < blocks_ + 2; ++k) row_sums_[k].assign(static_cast<std::size_t>(form_.size(k)), 0.0);
    scale_[0].assign(row_sums_[0].size(), power_below_root(squared_bound));
    for (std::size_t k = 1; k <= blocks_; ++k) {
      for (double const m : multipliers[k - 1]) scale_[k].push_back(power_below_root(m));
    }
    scale_[blocks_ + 1].assign(row_sums_[blocks_ + 1].size(), 1.0);
    put_diagonal(0, std::vector<double>(row_sums_[0].size(), squared_bound));
    for (std::size_t k = 1; k <= blocks_; ++k) put_diagonal(k, multipliers[k - 1]);
    put_diagonal(blocks_ + 1, std::vector<double>(row_sums_[blocks_ + 1].size(), 1.0));
    for (std::size_t j = 1; j <= blocks_ + 1; ++j) put_target(j);
  }

  /// True only if the exact form is positive semidefinite.
  /// Proof: with H = S - (e + c) I rounded downwards on the diagonal, a Cholesky factorisation that runs to completion
  /// gives H + D >= 0 with ||D|| <= g tr H + underflow <= c (see proves_squared_norm_at_most), so S - e I >= 0, and the
  /// exact form is within e of S.
  bool is_proved_positive() {
    double const n = form_.order();
    double const g = gamma_up(n + 8);
    double trace = 0;
    double largest = 0;
    for (std::size_t k = 0; k < form_.count(); ++k) {
      auto const& block = form_.at(k, k);
      for (index_t i = 0; i < block.rows(); ++i) {
        if (!(block(i, i) > 0) || !is_finite(block(i, i))) return false;
        trace = add_up(trace, block(i, i));
        largest = max_up(largest, block(i, i));
      }
    }
    double const rounding = multiply_up(divide_up(g, subtract_down(1.0, g)), trace);
    double const underflow = multiply_up(multiply_up(6 * n, add_up(n + 1, largest)), double_underflow);
    double const shift = add_up(error(), add_up(rounding, underflow));
    if (!is_finite(shift)) return false;
    for (std::size_t k = 0; k < form_.count(); ++k) {
      auto& block = form_.at(k, k);
      for (index_t i = 0; i < block.rows(); ++i) {
        block(i, i) = subtract_down(block(i, i), shift);
        if (!(block(i, i) > 0)) return false;
      }
    }
    return form_.factor(on_);
  }

 private:
  static std::vector<index_t> sizes(slope_system const& system) {
    std::vector<index_t> result;
    for (std::size_t k = 0; k <= system.blocks(); ++k) result.push_back(system.width(k));
    result.push_back(system.outputs());
    return result;
  }

  static double power_below_root(double value) {
    int exponent = 0;
    std::frexp(value, &exponent);
    return std::ldexp(1.0, (exponent - 1) >> 1);
  }

  void put_diagonal(std::size_t k, std::vector<double> const& values) {
    auto& block = form_.at(k, k);
    for (std::size_t n = 0; n < values.size(); ++n) {
      double const scaled = values[n] / scale_[k][n] / scale_[k][n];  // in [1, 4)
      block(static_cast<index_t>(n), static_cast<index_t>(n)) = scaled;
      row_sums_[k][n] += scaled;
    }
  }

  /// The terms of target j: -2 x^T Lambda C z + z^T Lambda P z for a block, 2 y^T A x for the output.
  void put_target(std::size_t j) {
    bool const last = j == blocks_ + 1;
    std::vector<double> factors(row_sums_[j].size(), 1.0);
    std::vector<double> products(factors.size(), 0.0);  // <= lambda (c^2 - r^2)
    bool curved = false;
    double largest = last ? 1.0 : 0.0;
    for (std::size_t n = 0; n < factors.size() && !last; ++n) {
      auto const about = centred(system_.slopes(j)[n]);
      double const lambda = multipliers_[j - 1][n];
      factors[n] = -(about.centre * lambda) / scale_[j][n];
      largest = max_up(largest, next_up(std::fabs(factors[n])));
      double const p =
          about.centre == about.radius || about.centre == -about.radius
              ? 0.0
              : subtract_down(multiply_down(about.centre, about.centre), multiply_up(about.radius, about.radius));
      products[n] = p < 0 ? -multiply_up(lambda, -p) : multiply_down(lambda, p);
      curved = curved || products[n] != 0;
    }
    for (std::size_t i = 0; i < j && i <= blocks_; ++i) {
      auto const* const map = system_.map(i, j);
      if (map == nullptr) continue;
      auto& block = form_.at(i, j);
      for (index_t n = 0; n < map->rows(); ++n) {
        auto const at = static_cast<std::size_t>(n);
        for (index_t a = 0; a < map->cols(); ++a) {
          auto const from = static_cast<std::size_t>(a);
          double const value = factors[at] * map->elements(n, a) / scale_[i][from];
          block(a, n) = value;
          row_sums_[i][from] += std::fabs(value);
          row_sums_[j][at] += std::fabs(value);
        }
      }
      // ||Lambda C E D^-1|| <= max |lambda c| max 1 / d ||E||
      map_errors_ = add_up(map_errors_, multiply_up(multiply_up(largest, largest_inverse(i)), map->error));
    }
    if (curved) put_products(j, products);
  }

  double largest_inverse(std::size_t i) const {
    double least = infinity;
    for (double const d : scale_[i]) least = d < least ? d : least;
    return divide_up(1.0, least);
  }

  /// S_ii' += B_i^T diag(q) B_i' for the scaled maps B_i of target j.
  ///
  /// Proof of the errors: an entry is a sum of n products of three numbers, added to what is there: off by at most
  /// gamma_{n + blocks + 8} of the sum of absolute values, which is an entry of |B|^T |q| |B|, B = (B_0, B_1, ..); that
  /// matrix is symmetric and non-negative, so its largest row sum bounds its norm. For exact maps B + E,
  /// ||(B + E)^T q (B + E) - B^T q B|| <= max |q| (2 ||B|| + ||E||) ||E||.
  void put_products(std::size_t j, std::vector<double> const& q) {
    std::vector<std::size_t> from;
    std::vector<matrix<double>> maps;
    std::vector<double> sums(q.size(), 0.0);
    double map_error = 0;
    double map_norm = 0;
    for (std::size_t i = 0; i < j; ++i) {
      auto const* const map = system_.map(i, j);
      if (map == nullptr) continue;
      from.push_back(i);
      matrix<double> scaled(map->rows(), map->cols());
      for (index_t n = 0; n < map->rows(); ++n) {
        for (index_t a = 0; a < map->cols(); ++a) {
          scaled(n, a) = map->elements(n, a) / scale_[i][static_cast<std::size_t>(a)];
          sums[static_cast<std::size_t>(n)] += std::fabs(scaled(n, a));
        }
      }
      if (map->error > 0) {
        map_error = add_up(map_error, multiply_up(largest_inverse(i), map->error));
        map_norm = add_up(map_norm, absolute_norms_up(on_, scaled.view()).spectral);
      } else {
        map_norm = add_up(map_norm, 0.0);
      }
      maps.push_back(std::move(scaled));
    }
    double largest = 0;
    for (double const value : q) largest = max_up(largest, std::fabs(value));
    double most = 0;
    for (std::size_t k = 0; k < maps.size(); ++k) {
      matrix<double> weighted = maps[k];
      for (index_t n = 0; n < weighted.rows(); ++n) {
        for (index_t a = 0; a < weighted.cols(); ++a) weighted(n, a) *= q[static_cast<std::size_t>(n)];
      }
      for (std::size_t m = 0; m <= k; ++m) {
        auto block = form_.at(from[m], from[k]).view();
        if (block.empty() || weighted.empty()) continue;
        on_.multiply(1.0, maps[m].view().transposed(), weighted.view(), 1.0, block, block);
        if (m < k) continue;
        for (index_t a = 0; a < block.rows(); ++a) {  // the computed block need not be symmetric; its lower half counts
          for (index_t b = 0; b < a; ++b) block(b, a) = block(a, b);
        }
      }
      for (index_t a = 0; a < weighted.cols(); ++a) {
        double sum = 0;
        for (index_t n = 0; n < weighted.rows(); ++n) {
          sum += std::fabs(weighted(n, a)) * sums[static_cast<std::size_t>(n)];
        }
        most = max_up(most, sum);
      }
    }
    if (map_error > 0) {
      // Maps without error add to the norm too.
      map_norm = 0;
      for (auto const& map : maps) map_norm = add_up(map_norm, absolute_norms_up(on_, map.view()).spectral);
      double const reach = add_up(multiply_up(2.0, map_norm), map_error);
      map_errors_ = add_up(map_errors_, multiply_up(largest, multiply_up(reach, map_error)));
    }
    auto const n = static_cast<double>(q.size());
    double const gamma = gamma_up(n + static_cast<double>(blocks_) + 8);
    double const width = form_.order();
    product_errors_ =
        add_up(product_errors_, multiply_up(gamma, divide_up(most, subtract_down(1.0, gamma_up(n + width + 8)))));
  }

  /// >= the norm of the difference of the stored and the exact form: roundings of the elements outside products, each of
  /// at most four operations and blocks + 2 additions, relative to the row sums; products; errors of the maps; underflow.
  double error() const {
    double most = 0;
    for (auto const& sums : row_sums_) {
      for (double const sum : sums) most = max_up(most, sum);
    }
    double const n = form_.order();
    double const exact = divide_up(most, subtract_down(1.0, gamma_up(n + 8)));
    double const elements = multiply_up(gamma_up(static_cast<double>(blocks_) + 8), exact);
    double const underflow = multiply_up(multiply_up(multiply_up(n, n), n + 8), 4 * double_underflow);
    return add_up(add_up(elements, product_errors_), add_up(map_errors_, underflow));
  }

  B const& on_;
  slope_system const& system_;
  slope_multipliers const& multipliers_;
  std::size_t blocks_;
  symmetric_blocks form_;
  std::vector<std::vector<double>> scale_;
  std::vector<std::vector<double>> row_sums_;
  double product_errors_ = 0;
  double map_errors_ = 0;
};

}  // namespace detail

/// True only if ||y||_2 <= sqrt(squared_bound) ||x_0||_2 for the differences of a slope system, proved by these
/// multipliers lambda, one for each neuron of each block.
///
/// A neuron with slopes in [c - r, c + r] satisfies (x - c z)^2 <= r^2 z^2, that is x^2 - 2 c x z + p z^2 <= 0 with
/// p = c^2 - r^2. So it is enough that for all x_0, x_1, .. with z_j = sum of A_ij x_i and y = sum of A_i,out x_i
///
///     F ||x_0||^2 + sum over neurons of lambda (x^2 - 2 c x z + p z^2) - ||y||^2 >= 0,
///
/// and by the lemma of Schur that the symmetric matrix of F I, Lambda_1, .., Lambda_K, I on the diagonal, -A_ij^T
/// Lambda_j C_j and A_i,out^T beside it and + A_ij^T Lambda_j P_j A_i'j from the last term, is positive semidefinite.
/// For a chain of slopes [0, 1] this is LipSDP-Neuron (Fazlyab et al. 2019), for x + W_2 phi(W_1 x) the residual form of
/// Araujo et al. (2023); every slope interval and every way in which branches meet is the same statement. Unlike
/// LipSDP-Network it couples no two neurons, which would need equal biases.
///
/// False says nothing: the multipliers may not fit, may not be positive and finite or not as many as there are neurons.
/// Cost: one Cholesky factorisation of the size of all sources and the output, less where blocks are not coupled.
template <certifying_backend<double> B>
bool multipliers_prove(B const& on, slope_system const& system, slope_multipliers const& multipliers,
                       double squared_bound) {
  SIGMAX_DETAIL_REQUIRE_STRICT_ARITHMETIC(B);
  // Scaled numbers must stay far from the ends of the range of double.
  auto const usable = [](double value) { return value > 0x1p-900 && value < 0x1p900; };
  if (!arithmetic_environment_is_sound() || !system.is_known() || !usable(squared_bound)) return false;
  if (multipliers.size() != system.blocks()) return false;
  for (std::size_t k = 1; k <= system.blocks(); ++k) {
    if (multipliers[k - 1].size() != system.slopes(k).size()) return false;
    for (double const m : multipliers[k - 1]) {
      if (!usable(m)) return false;
    }
  }
  return detail::multiplier_form<B>(on, system, multipliers, squared_bound).is_proved_positive();
}

}  // namespace sigmax::inline SIGMAX_ABI::lipschitz::check
