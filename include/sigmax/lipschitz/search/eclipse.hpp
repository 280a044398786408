// SPDX-License-Identifier: MIT
/// @file
/// Multipliers in closed form: where searches begin, and a method of its own. Nothing here proves anything.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

#include <sigmax/config.hpp>
#include <sigmax/core/matrix.hpp>
#include <sigmax/lipschitz/check/multiplier_proof.hpp>
#include <sigmax/lipschitz/check/slope_system.hpp>

namespace sigmax::inline SIGMAX_ABI::lipschitz::search {

namespace detail {

/// The largest eigenvalue of a positive semidefinite matrix, a little too large as a rule.
template <class B>
double largest_eigenvalue(B const& on, matrix<double> const& s) {
  auto const n = static_cast<std::size_t>(s.rows());
  std::vector<double> x(n, 1.0);
  std::vector<double> y(n);
  double value = 0;
  for (std::size_t i = 0; i < n; ++i) x[i] += 0.3 * std::sin(static_cast<double>(i + 1));
  for (int step = 0; step < 60; ++step) {
    double length = 0;
    for (double const v : x) length += v * v;
    length = std::sqrt(length);
    if (!(length > 0)) return 0;
    for (double& v : x) v /= length;
    on.times_vector(1.0, s.view(), vector_view<double const>(x.data(), s.rows()), 0.0,
                    vector_view<double>(y.data(), s.rows()));
    double next = 0;
    for (std::size_t i = 0; i < n; ++i) next += x[i] * y[i];
    std::swap(x, y);
    bool const settled = std::fabs(next - value) < 1e-7 * next;
    value = next;
    if (settled) break;
  }
  return value;
}

/// y = S^-1 y and S = L L^T in place; false if S is not positive definite.
template <class B>
bool solve_in_place(B const& on, matrix<double>& s, matrix<double>& y) {
  if (on.cholesky(s.view()) != s.rows()) return false;
  if (y.empty()) return true;
  on.triangular_solve(s.view(), y.view());
  on.triangular_solve_transposed(s.view(), y.view());
  return true;
}

}  // namespace detail

/// ECLipsE-Fast (Xu and Sivaranjani 2024) for chains of slopes [0, s_n], the values of blocks carried forwards:
///     X_0 = I,  B_k = C_k W_k X_{k-1}^-1 W_k^T C_k,  lambda_k = 1 / (2 ||B_k||),  X_k = lambda_k I - lambda_k^2 B_k,
/// and F = ||W_K+1 X_K^-1 W_K+1^T||. The multipliers returned are F lambda, those of `check::multipliers_prove`.
/// Empty where the system is no such chain or numbers leave the range of double.
template <class B>
check::slope_multipliers eclipse_forwards(B const& on, check::slope_system const& system) {
  if (!system.is_chain()) return {};
  std::vector<double> lambda;
  matrix<double> below;  // X_{k-1}; empty for I
  for (std::size_t k = 1; k <= system.blocks() + 1; ++k) {
    auto const* const map = system.map(k - 1, k);
    if (map == nullptr || map->elements.empty()) return {};
    bool const last = k > system.blocks();
    matrix<double> w = map->elements;
    for (index_t n = 0; n < w.rows() && !last; ++n) {
      auto const about = check::centred(system.slopes(k)[static_cast<std::size_t>(n)]);
      if (std::fabs(about.centre - about.radius) > 1e-9 * about.radius) return {};
      for (index_t j = 0; j < w.cols(); ++j) w(n, j) *= about.centre;
    }
    matrix<double> product(w.rows(), w.rows());
    if (below.empty()) {
      on.gram(1.0, w.view(), 0.0, w.view(), product.view());
    } else {
      if (on.cholesky(below.view()) != below.rows()) return {};
      matrix<double> y(w.cols(), w.rows());
      for (index_t i = 0; i < y.rows(); ++i) {
        for (index_t j = 0; j < y.cols(); ++j) y(i, j) = w(j, i);
      }
      on.triangular_solve(below.view(), y.view());
      on.gram(1.0, y.view().transposed(), 0.0, product.view(), product.view());
    }
    double const size = detail::largest_eigenvalue(on, product) * (1 + 1e-6);
    if (!(size > 1e-250) || !(size < 1e250)) return {};
    if (last) {
      check::slope_multipliers result;
      for (std::size_t b = 1; b <= system.blocks(); ++b) {
        result.emplace_back(static_cast<std::size_t>(system.width(b)), size * lambda[b - 1]);
      }
      return result;
    }
    lambda.push_back(1 / (2 * size));
    on.combine(-lambda.back() * lambda.back(), product.view(), 0.0, product.view());
    on.add_to_diagonal(lambda.back(), product.view());
    below = std::move(product);
  }
  return {};
}

/// The same from the output back to the input, for every slope system: with V(x_0, .., x_k) >= ||y||^2 the quadratic form
/// that is left, H its part in x_k alone,
///     lambda_n = ||H|| (1 + |c_n| / r_n),   V' = V with x_k at its maximum of V - sum lambda (x^2 - 2 c x z + p z^2).
/// For scalars lambda minimises V', which is then ||H|| (|c| + r)^2 z^2. Empty where numbers leave the range of double.
template <class B>
check::slope_multipliers eclipse_backwards(B const& on, check::slope_system const& system) {
  std::size_t const blocks = system.blocks();
  std::vector<std::vector<std::optional<matrix<double>>>> form(blocks + 1);  // form[k][i], i <= k, of shape k x i
  for (std::size_t k = 1; k <= blocks; ++k) form[k].resize(k + 1);
  auto const add_product = [&](std::size_t k, std::size_t i, double sign, matrix<double> const& a,
                               matrix<double> const& b) {
    if (a.empty() || b.empty() || k == 0 || i == 0) return;
    auto& block = form[k][i];
    if (!block) block.emplace(a.cols(), b.cols());
    on.multiply(sign, a.view().transposed(), b.view(), 1.0, block->view(), block->view());
  };
  for (std::size_t k = 1; k <= blocks; ++k) {
    for (std::size_t i = 1; i <= k; ++i) {
      auto const* const a = system.map(k, blocks + 1);
      auto const* const b = system.map(i, blocks + 1);
      if (a != nullptr && b != nullptr) add_product(k, i, 1.0, a->elements, b->elements);
    }
  }
  check::slope_multipliers result(blocks);
  for (std::size_t k = blocks; k > 0; --k) {
    auto const width = static_cast<std::size_t>(system.width(k));
    double size = form[k][k] ? detail::largest_eigenvalue(on, *form[k][k]) * (1 + 1e-6) : 0.0;
    if (!(size > 1e-250)) size = 1e-250;  // nothing behind this block reaches the output
    if (!(size < 1e250)) return {};
    std::vector<double> centres(width);
    std::vector<double> curvatures(width);
    for (std::size_t n = 0; n < width; ++n) {
      auto const about = check::centred(system.slopes(k)[n]);
      centres[n] = about.centre;
      curvatures[n] = (about.centre - about.radius) * (about.centre + about.radius);
      double const ratio = about.radius > 0 ? std::fabs(about.centre) / about.radius : 1e6;
      result[k - 1].push_back(size * (1 + std::fmax(ratio, 1e-3)));
    }
    std::vector<std::pair<std::size_t, matrix<double>>> sides;  // Q_ki = H_ki + Lambda C A_ik
    for (std::size_t i = 1; i < k; ++i) {
      auto const* const map = system.map(i, k);
      if (map == nullptr && !form[k][i]) continue;
      matrix<double> side = form[k][i] ? *form[k][i] : matrix<double>(system.width(k), system.width(i));
      for (index_t n = 0; n < side.rows() && map != nullptr; ++n) {
        auto const at = static_cast<std::size_t>(n);
        for (index_t j = 0; j < side.cols(); ++j) {
          side(n, j) += result[k - 1][at] * centres[at] * map->elements(n, j);
        }
      }
      sides.emplace_back(i, std::move(side));
    }
    for (auto const& [i, side] : sides) {
      matrix<double> y(system.width(k), system.width(k));
      for (index_t n = 0; n < y.rows(); ++n) {
        for (index_t j = 0; j < y.cols(); ++j) y(n, j) = form[k][k] ? -(*form[k][k])(n, j) : 0.0;
        y(n, n) += result[k - 1][static_cast<std::size_t>(n)];
      }
      matrix<double> solved = side;
      if (!detail::solve_in_place(on, y, solved)) return {};
      for (auto const& [m, other] : sides) {
        if (m >= i) add_product(m, i, 1.0, other, solved);
      }
    }
    for (std::size_t i = 1; i < k; ++i) {
      auto const* const b = system.map(i, k);
      if (b == nullptr) continue;
      matrix<double> weighted = b->elements;
      for (index_t n = 0; n < weighted.rows(); ++n) {
        auto const at = static_cast<std::size_t>(n);
        for (index_t j = 0; j < weighted.cols(); ++j) weighted(n, j) *= result[k - 1][at] * curvatures[at];
      }
      for (std::size_t m = i; m < k; ++m) {
        if (auto const* const a = system.map(m, k)) add_product(m, i, -1.0, a->elements, weighted);
      }
    }
  }
  return result;
}

}  // namespace sigmax::inline SIGMAX_ABI::lipschitz::search
