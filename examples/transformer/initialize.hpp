// SPDX-License-Identifier: MIT
/// @file
/// Where training starts.
#pragma once

#include <cmath>
#include <cstdint>

#include <sigmax/core/random.hpp>
#include <sigmax/spectral/orthogonalize.hpp>

#include "parameters.hpp"

namespace transformer {

/// The sum of squares of a row of n floats below which RMS(row) <= 1 is proven. The proof: squares of floats are exact in
/// double, and their computed sum is below the exact one by at most a factor 1 - gamma_{n-1} (Higham 3.1), for which the
/// limit leaves room.
inline double largest_sum_of_squares(index_t n) {
  return static_cast<double>(n) * (1 - 4e-16 * static_cast<double>(n));
}

inline double sum_of_squares(sigmax::matrix<float> const& e, index_t row) {
  double sum = 0;
  for (index_t j = 0; j < e.cols(); ++j) sum += static_cast<double>(e(row, j)) * static_cast<double>(e(row, j));
  return sum;
}

/// RMS(row) <= 1 is proven of every row, in exact arithmetic.
template <class = void>
bool rows_are_capped(sigmax::matrix<float> const& e) {
  bool all = true;
  for (index_t i = 0; i < e.rows(); ++i) all = all && sum_of_squares(e, i) <= largest_sum_of_squares(e.cols());
  return all;
}

/// Makes it so; rows that are known to be shorter stay as they are.
template <class = void>
void cap_rows(sigmax::matrix<float>& e) {
  double const largest = largest_sum_of_squares(e.cols());
  for (index_t i = 0; i < e.rows(); ++i) {
    // Rounding to float may take a row back above: once more then, a little shorter.
    for (double shrink = 1; sum_of_squares(e, i) > largest; shrink -= 0x1p-22) {
      auto const factor = static_cast<float>(shrink * std::sqrt(largest / sum_of_squares(e, i)));
      for (index_t j = 0; j < e.cols(); ++j) e(i, j) *= factor;
    }
  }
}

/// As in the paper, section 4.2: semi-orthogonal matrices of norm `norm` from RMS to RMS, zero where a residual or the
/// network ends (so that it begins as the identity, and all tokens as likely) and for all positions, and embedding rows of
/// RMS 1.
template <class Backend>
void initialize(Backend const& on, parameters<float>& w, double norm, std::uint64_t seed) {
  sigmax::random_sequence const seeds(seed ^ 0x696e697469616cu);
  std::uint64_t count = 0;
  for_each_weight(w, [&](std::string const&, weight_role role, sigmax::matrix<float>& each) {
    std::uint64_t const own = seeds.bits(count++);
    bool const begins_at_zero = role == weight_role::attention_output || role == weight_role::mlp_out ||
                                role == weight_role::head || role == weight_role::position_bias;
    if (begins_at_zero) return set_zero(each);
    sigmax::fill_normal(each.view(), own);
    if (role == weight_role::embedding) {
      for (index_t i = 0; i < each.rows(); ++i) {
        auto const row = each.view().row(i);
        float const rms = std::sqrt(on.dot(row, row) / static_cast<float>(each.cols()));
        for (index_t j = 0; j < each.cols(); ++j) each(i, j) /= rms;
      }
      return cap_rows(each);
    }
    sigmax::orthogonalize(on, each);
    // A little below: singular values are 1 but for rounding.
    auto const scale = static_cast<float>(
        norm * (1 - 1e-5) * std::sqrt(static_cast<double>(each.rows()) / static_cast<double>(each.cols())));
    for (index_t i = 0; i < each.size(); ++i) each.data()[i] *= scale;
  });
}

}  // namespace transformer
