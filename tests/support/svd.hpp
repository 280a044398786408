// SPDX-License-Identifier: MIT
/// @file
/// The singular value decomposition and the spectral norm that tests compare with: in long double, 2^-64 relative, by
/// code that shares nothing with the library. For matrices up to about 256 x 256.
#pragma once

#include <algorithm>
#include <cmath>
#include <type_traits>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <sigmax/core/matrix.hpp>

namespace sigmax::test {

/// What the oracles compute in.
using exact = sigmax::matrix<long double>;

/// Rounded once to T (by way of double for the 16-bit types).
template <class T>
T rounded(long double x) {
  if constexpr (std::is_same_v<T, sigmax::bf16> || std::is_same_v<T, sigmax::f16>) {
    return T(static_cast<double>(x));
  } else {
    return static_cast<T>(x);
  }
}

template <class T>
sigmax::matrix<T> rounded(exact const& a) {
  sigmax::matrix<T> result(a.rows(), a.cols());
  for (index_t i = 0; i < a.rows(); ++i) {
    for (index_t j = 0; j < a.cols(); ++j) result(i, j) = rounded<T>(a(i, j));
  }
  return result;
}

/// Any matrix as long doubles.
template <sigmax::matrix_like M>
exact in_long_double(M const& w) {
  auto const from = sigmax::const_view(w);
  exact result(from.rows(), from.cols());
  for (index_t i = 0; i < from.rows(); ++i) {
    for (index_t j = 0; j < from.cols(); ++j) result(i, j) = static_cast<long double>(from(i, j));
  }
  return result;
}

inline exact transposed(exact const& a) {
  exact result(a.cols(), a.rows());
  for (index_t i = 0; i < a.rows(); ++i) {
    for (index_t j = 0; j < a.cols(); ++j) result(j, i) = a(i, j);
  }
  return result;
}

/// a b
inline exact product(exact const& a, exact const& b) {
  exact result(a.rows(), b.cols());
  for (index_t i = 0; i < a.rows(); ++i) {
    for (index_t k = 0; k < a.cols(); ++k) {
      for (index_t j = 0; j < b.cols(); ++j) result(i, j) += a(i, k) * b(k, j);
    }
  }
  return result;
}

/// a - b
inline exact difference(exact a, exact const& b) {
  for (index_t i = 0; i < a.size(); ++i) a.data()[i] -= b.data()[i];
  return a;
}

/// A = U diag(sigma) V^T: u is m x r, v is n x r, sigma descending. Columns of u and v that belong to singular values
/// of exactly 0 may be 0.
struct decomposition {
  exact u;
  std::vector<long double> sigma;
  exact v;

  /// U f(S) V^T
  template <class F>
  exact apply(F const& f) const {
    exact scaled = u;
    for (index_t i = 0; i < u.rows(); ++i) {
      for (index_t k = 0; k < u.cols(); ++k) scaled(i, k) *= f(sigma[static_cast<std::size_t>(k)]);
    }
    return product(scaled, transposed(v));
  }
};

/// One-sided Jacobi (Hestenes) on the rows of the short side, until all are orthogonal to 2^-61.
inline decomposition svd_of(exact const& a) {
  if (a.rows() > a.cols()) {
    auto other = svd_of(transposed(a));
    return {std::move(other.v), std::move(other.sigma), std::move(other.u)};
  }
  index_t const r = a.rows();
  index_t const n = a.cols();
  exact x(r, n + r);  // [A | I], rotated to [S V^T | U^T]
  for (index_t i = 0; i < r; ++i) {
    std::copy_n(&a.data()[i * n], n, &x(i, 0));
    x(i, n + i) = 1;
  }
  auto const dot = [&](index_t p, index_t q) {
    long double sums[4] = {};
    for (index_t k = 0; k < n; ++k) sums[k % 4] += x(p, k) * x(q, k);
    return sums[0] + sums[1] + (sums[2] + sums[3]);
  };
  std::vector<long double> squares(static_cast<std::size_t>(r));
  bool rotated = r > 0;
  for (int sweep = 0; rotated && sweep < 60; ++sweep) {
    rotated = false;
    for (index_t p = 0; p < r; ++p) squares[static_cast<std::size_t>(p)] = dot(p, p);
    long double const floor = 0x1p-126L * *std::max_element(squares.begin(), squares.end());
    for (index_t p = 0; p < r; ++p) {
      for (index_t q = p + 1; q < r; ++q) {
        long double& pp = squares[static_cast<std::size_t>(p)];
        long double& qq = squares[static_cast<std::size_t>(q)];
        long double const pq = dot(p, q);
        if (!(std::fabs(pq) > floor) || !(pq * pq > 0x1p-122L * std::fabs(pp * qq))) continue;
        rotated = true;
        long double const theta = (qq - pp) / (2 * pq);
        long double const t = (theta < 0 ? -1 : 1) / (std::fabs(theta) + std::sqrt(1 + theta * theta));
        long double const c = 1 / std::sqrt(1 + t * t);
        long double* const first = &x(p, 0);
        long double* const second = &x(q, 0);
        for (index_t k = 0; k < n + r; ++k) {
          long double const old = first[k];
          first[k] = c * (old - t * second[k]);
          second[k] = c * (t * old + second[k]);
        }
        pp -= t * pq;
        qq += t * pq;
      }
    }
  }
  REQUIRE_FALSE(rotated);
  std::vector<std::pair<long double, index_t>> order;
  for (index_t p = 0; p < r; ++p) order.emplace_back(std::sqrt(dot(p, p)), p);
  std::sort(order.begin(), order.end(), [](auto const& l, auto const& m) { return l.first > m.first; });
  decomposition result{exact(r, r), {}, exact(n, r)};
  for (index_t k = 0; k < r; ++k) {
    auto const [sigma, p] = order[static_cast<std::size_t>(k)];
    result.sigma.push_back(sigma);
    for (index_t i = 0; i < r; ++i) result.u(i, k) = x(p, n + i);
    for (index_t j = 0; j < n; ++j) result.v(j, k) = sigma > 0 ? x(p, j) / sigma : 0;
  }
  return result;
}

/// The singular value decomposition of any matrix.
template <sigmax::matrix_like M>
decomposition svd(M const& w) {
  return svd_of(in_long_double(w));
}

/// U f(S) V^T of any matrix.
template <sigmax::matrix_like M, class F>
exact apply_to_singular_values(M const& w, F const& f) {
  return svd(w).apply(f);
}

/// ||A||_2, from the Householder tridiagonalisation of the Gram matrix of the short side and Sturm's count.
inline long double spectral_norm(exact const& a) {
  if (a.rows() > a.cols()) return spectral_norm(transposed(a));
  auto const r = static_cast<std::size_t>(a.rows());
  exact g = product(a, transposed(a));
  std::vector<long double> d(r), e(r), p(r);
  for (index_t k = 0; k < g.rows(); ++k) {
    auto const at = static_cast<std::size_t>(k);
    d[at] = g(k, k);
    // I - 2 w w^T / w^T w takes column k below the diagonal to its first entry; G <- G - w q^T - q w^T.
    auto const w = g.view().row(k);
    long double length = 0, along = 0;
    for (index_t i = k + 1; i < g.rows(); ++i) length += w[i] * w[i];
    e[at] = std::sqrt(length);
    if (!(length > 0)) continue;
    long double const step = w[k + 1] < 0 ? -e[at] : e[at];
    long double const scale = 1 / (length + step * w[k + 1]);
    w[k + 1] += step;
    for (index_t i = k + 1; i < g.rows(); ++i) {
      long double sum = 0;
      for (index_t j = k + 1; j < g.rows(); ++j) sum += g(i, j) * w[j];
      p[static_cast<std::size_t>(i)] = scale * sum;
      along += scale * sum * w[i];
    }
    for (index_t i = k + 1; i < g.rows(); ++i) p[static_cast<std::size_t>(i)] -= scale / 2 * along * w[i];
    for (index_t i = k + 1; i < g.rows(); ++i) {
      for (index_t j = k + 1; j < g.rows(); ++j) {
        g(i, j) -= w[i] * p[static_cast<std::size_t>(j)] + p[static_cast<std::size_t>(i)] * w[j];
      }
    }
  }
  auto const is_above_all = [&](long double level) {
    long double pivot = 1;
    for (std::size_t i = 0; i < r && pivot > 0; ++i) {
      pivot = level - d[i] - (i > 0 ? e[i - 1] * e[i - 1] / pivot : 0);
    }
    return pivot > 0;
  };
  long double low = 0, high = 0;
  for (std::size_t i = 0; i < r; ++i) high += d[i];
  for (int i = 0; i < 80; ++i) (is_above_all((low + high) / 2) ? high : low) = (low + high) / 2;
  return std::sqrt(high);
}

/// ||A - B||_2 of any two matrices of one shape.
template <sigmax::matrix_like A, sigmax::matrix_like B>
long double spectral_distance(A const& a, B const& b) {
  return spectral_norm(difference(in_long_double(a), in_long_double(b)));
}

}  // namespace sigmax::test
