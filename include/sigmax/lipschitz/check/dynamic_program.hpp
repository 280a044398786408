// SPDX-License-Identifier: MIT
/// @file
/// Bounds by expanding every slope about the centre of its interval.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include <sigmax/backend/concept.hpp>
#include <sigmax/bound/interval.hpp>
#include <sigmax/bound/norm.hpp>
#include <sigmax/bound/rounding.hpp>
#include <sigmax/bound/upper_bound.hpp>
#include <sigmax/config.hpp>
#include <sigmax/lipschitz/check/dense_map.hpp>
#include <sigmax/lipschitz/check/slope_system.hpp>

namespace sigmax::inline SIGMAX_ABI::lipschitz::check {

/// Multiply-adds of `dynamic_program_bound`, about.
inline double dynamic_program_work(slope_system const& system) {
  double work = 0;
  for (std::size_t i = 0; i <= system.blocks(); ++i) {
    auto const cols = static_cast<double>(system.width(i));
    for (std::size_t j = i + 1; j <= system.blocks() + 1; ++j) {
      auto const rows = static_cast<double>(j <= system.blocks() ? system.width(j) : system.outputs());
      double const low = rows < cols ? rows : cols;
      work += low * low * (rows + cols);
      for (std::size_t k = i + 1; k < j; ++k) {
        if (system.map(k, j) != nullptr) work += rows * cols * static_cast<double>(system.width(k));
      }
    }
  }
  return work;
}

/// L with ||y||_N <= L ||x_0||_N for the differences of a slope system; +infinity where it is not known.
///
/// Write x_k = C_k z_k + e_k with |e_k| <= R_k |z_k| elementwise, where neuron n of block k has slopes in
/// [c_n - r_n, c_n + r_n], C_k = diag(c), R_k = diag(r). The system is linear in x_0 and the e_k, so with the maps of the
/// centres alone, P_ij = A_ij + sum over i < k < j of A_kj C_k P_ik,
///
///     z_j = P_0j x_0 + sum over 0 < k < j of P_kj e_k,        ||e_k|| <= ||R_k z_k||,
///
/// and F(j) = ||R_j P_0j|| + sum over 0 < k < j of ||R_j P_kj|| F(k) bounds ||R_j z_j|| / ||x_0|| by induction; the
/// output has R = I. For a chain this is the recursion of Combettes and Pesquet (2020) in the form of LipLT (Fazlyab et
/// al. 2023), F(j) = sum of F(i) r_i prod |c| ||W_j .. W_{i+1}||; maps that skip blocks are covered by the same proof. On a
/// chain of slopes [0, 1] it is at most the product of the norms.
/// Cost: (blocks + 1)^2 / 2 norms and blocks^3 / 6 products of matrices at the most, on a chain blocks^2 / 2.
template <norm_tag N, certifying_backend<double> B>
upper_bound<op<N, N>> dynamic_program_bound(B const& on, slope_system const& system, double relative_gap = 1e-6) {
  using sigmax::detail::proof;
  SIGMAX_DETAIL_REQUIRE_STRICT_ARITHMETIC(B);
  if (!arithmetic_environment_is_sound() || !system.is_known()) return proof::upper<op<N, N>>(infinity);
  std::size_t const blocks = system.blocks();
  std::vector<std::vector<interval>> centres(blocks + 1);
  std::vector<std::vector<interval>> radii(blocks + 1);
  for (std::size_t k = 1; k <= blocks; ++k) {
    for (interval const s : system.slopes(k)) {
      auto const about = centred(s);
      centres[k].emplace_back(about.centre);
      radii[k].emplace_back(about.radius);
    }
  }
  std::vector<double> reach(blocks + 2, 0.0);                // F
  std::vector<std::optional<dense_map>> scaled(blocks + 1);  // C_k P_ik of the current source i
  // Source by source: once F(i) is known, it is passed on to all targets.
  for (std::size_t i = 0; i <= blocks; ++i) {
    double const weight = i == 0 ? 1.0 : reach[i];
    if (weight == 0) continue;
    for (auto& map : scaled) map.reset();
    for (std::size_t j = i + 1; j <= blocks + 1; ++j) {
      std::optional<dense_map> path;
      if (auto const* const direct = system.map(i, j)) path = *direct;
      for (std::size_t k = i + 1; k < j; ++k) {
        auto const* const onward = system.map(k, j);
        if (onward == nullptr || !scaled[k]) continue;
        dense_map detour = composed(on, *onward, *scaled[k]);
        if (!path) {
          path = std::move(detour);
        } else {
          add_to(on, detour, *path);
        }
      }
      if (!path) continue;
      double const size = j <= blocks ? norm_up<N>(on, with_scaled_rows(on, radii[j], *path), relative_gap)
                                      : norm_up<N>(on, *path, relative_gap);
      reach[j] = add_up(reach[j], multiply_up(weight, size));
      if (!is_finite(reach[j])) return proof::upper<op<N, N>>(infinity);
      if (j <= blocks) scaled[j] = with_scaled_rows(on, centres[j], *path);
    }
  }
  return proof::upper<op<N, N>>(reach[blocks + 1]);
}

}  // namespace sigmax::inline SIGMAX_ABI::lipschitz::check
