// SPDX-License-Identifier: MIT
/// @file
/// Takes the neurons whose slope is one number out of a slope system.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include <sigmax/backend/concept.hpp>
#include <sigmax/bound/interval.hpp>
#include <sigmax/config.hpp>
#include <sigmax/core/matrix.hpp>
#include <sigmax/lipschitz/check/dense_map.hpp>
#include <sigmax/lipschitz/check/slope_system.hpp>

namespace sigmax::inline SIGMAX_ABI::lipschitz::check {

namespace detail {

/// The stated rows or columns of a map. A submatrix has no larger norm nor row sums than the matrix.
inline dense_map selected_rows(dense_map const& a, std::vector<index_t> const& rows) {
  dense_map result{matrix<double>(static_cast<index_t>(rows.size()), a.cols()), a.error, a.row_error};
  for (index_t i = 0; i < result.rows(); ++i) {
    for (index_t j = 0; j < a.cols(); ++j) result.elements(i, j) = a.elements(rows[static_cast<std::size_t>(i)], j);
  }
  return result;
}
inline dense_map selected_cols(dense_map const& a, std::vector<index_t> const& cols) {
  dense_map result{matrix<double>(a.rows(), static_cast<index_t>(cols.size())), a.error, a.row_error};
  for (index_t i = 0; i < a.rows(); ++i) {
    for (index_t j = 0; j < result.cols(); ++j)
      result.elements(i, j) = a.elements(i, cols[static_cast<std::size_t>(j)]);
  }
  return result;
}

/// What becomes of the neurons of a block.
struct partition {
  std::vector<index_t> free{};   // slope not known exactly
  std::vector<index_t> fixed{};  // slope one number, not zero; the others are dead
  std::vector<interval> free_slopes{};
  std::vector<interval> fixed_slopes{};
  std::size_t number = 0;  // of the block of free neurons in the folded system
};

inline partition partition_of(std::span<interval const> slopes) {
  partition result;
  for (std::size_t n = 0; n < slopes.size(); ++n) {
    bool const point = slopes[n].is_point();
    if (point && slopes[n].lower == 0) continue;
    (point ? result.fixed : result.free).push_back(static_cast<index_t>(n));
    (point ? result.fixed_slopes : result.free_slopes).push_back(slopes[n]);
  }
  return result;
}

}  // namespace detail

/// The same differences with fewer neurons: where the slope of a neuron is 0 it transmits nothing, and where it is
/// another single number it is a linear map, which becomes part of the others.
///
/// With x_j = (free, fixed, dead) and x_fixed = diag(s) z_fixed the maps from free neurons i to arguments k are
///     Z_ik = A_ik[:, free_i] + sum over i < j < k of A_jk[:, fixed_j] diag(s_j) Z_ij[fixed_j, :]
/// by induction on k. Cost: a product of matrices for each pair of blocks with fixed neurons between them.
template <class B>
slope_system folded(B const& on, slope_system const& system) {
  std::size_t const blocks = system.blocks();
  std::vector<detail::partition> parts(blocks + 1);
  bool any = false;
  for (std::size_t k = 1; k <= blocks; ++k) {
    parts[k] = detail::partition_of(system.slopes(k));
    any = any || parts[k].free.size() != system.slopes(k).size();
  }
  if (!any) return system;

  slope_system result(system.inputs());
  // fixed[j][i]: diag(s_j) Z_ij[fixed_j, :]
  std::vector<std::vector<std::optional<dense_map>>> fixed(blocks + 1);
  for (std::size_t k = 1; k <= blocks + 1; ++k) {
    std::vector<std::optional<dense_map>> rows(result.blocks() + 1);
    fixed[k <= blocks ? k : 0].resize(blocks + 1);
    for (std::size_t i = 0; i < k && i <= blocks; ++i) {
      if (i > 0 && parts[i].free.empty()) continue;
      std::optional<dense_map> z;
      if (auto const* const direct = system.map(i, k)) {
        z = i == 0 ? *direct : detail::selected_cols(*direct, parts[i].free);
      }
      for (std::size_t j = i + 1; j < k; ++j) {
        auto const* const onward = system.map(j, k);
        if (onward == nullptr || parts[j].fixed.empty() || !fixed[j][i]) continue;
        dense_map path = composed(on, detail::selected_cols(*onward, parts[j].fixed), *fixed[j][i]);
        if (!z) {
          z = std::move(path);
        } else {
          add_to(on, path, *z);
        }
      }
      if (!z) continue;
      if (k <= blocks) {
        if (!parts[k].fixed.empty()) {
          fixed[k][i] = with_scaled_rows(on, parts[k].fixed_slopes, detail::selected_rows(*z, parts[k].fixed));
        }
        rows[parts[i].number] = detail::selected_rows(*z, parts[k].free);
      } else {
        rows[parts[i].number] = std::move(*z);
      }
    }
    if (k > blocks) {
      result.set_output(std::move(rows), system.outputs());
    } else if (!parts[k].free.empty()) {
      parts[k].number = result.add_block(std::move(rows), parts[k].free_slopes);
    }
  }
  return result;
}

}  // namespace sigmax::inline SIGMAX_ABI::lipschitz::check
