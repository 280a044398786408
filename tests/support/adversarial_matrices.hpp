// SPDX-License-Identifier: MIT
/// @file
/// Matrices on which bounds of the spectral norm have failed elsewhere, by group, and the random ones between them.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>

#include <sigmax/core/matrix.hpp>
#include <sigmax/core/random.hpp>

namespace adversarial {

using sigmax::index_t;
using dense = sigmax::matrix<double>;

/// The storage a case is rounded to before anything else sees it.
enum class storage { float64, float32, bfloat16, float16 };

struct test_case {
  std::string group;
  std::string name;
  dense values;
  storage stored_as = storage::float64;
};

inline dense gaussian(index_t m, index_t n, std::uint64_t seed) {
  dense a(m, n);
  sigmax::fill_normal(a.view(), seed);
  return a;
}

inline dense product(dense const& a, dense const& b) {
  dense c(a.rows(), b.cols());
  for (index_t i = 0; i < a.rows(); ++i) {
    for (index_t k = 0; k < a.cols(); ++k) {
      for (index_t j = 0; j < b.cols(); ++j) c(i, j) += a(i, k) * b(k, j);
    }
  }
  return c;
}

/// Product of n Householder reflections: orthogonal to about n u.
inline dense orthogonal(index_t n, std::uint64_t seed) {
  dense q(n, n);
  for (index_t i = 0; i < n; ++i) q(i, i) = 1;
  auto const vectors = gaussian(std::min<index_t>(n, 12), n, seed);
  for (index_t r = 0; r < vectors.rows(); ++r) {
    double length = 0;
    for (index_t j = 0; j < n; ++j) length += vectors(r, j) * vectors(r, j);
    for (index_t i = 0; i < n; ++i) {
      double along = 0;
      for (index_t j = 0; j < n; ++j) along += q(i, j) * vectors(r, j);
      for (index_t j = 0; j < n; ++j) q(i, j) -= 2 * along / length * vectors(r, j);
    }
  }
  return q;
}

/// U diag(s) V^T for an m x n matrix with min(m, n) given singular values.
template <class F>
dense with_singular_values(index_t m, index_t n, std::uint64_t seed, F const& sigma) {
  index_t const r = std::min(m, n);
  auto const u = orthogonal(m, seed);
  auto const v = orthogonal(n, seed + 1);
  dense a(m, n);
  for (index_t k = 0; k < r; ++k) {
    for (index_t i = 0; i < m; ++i) {
      for (index_t j = 0; j < n; ++j) a(i, j) += u(i, k) * sigma(k) * v(j, k);
    }
  }
  return a;
}

inline dense laplacian(index_t n) {
  dense a(n, n);
  for (index_t i = 0; i < n; ++i) {
    a(i, i) = 2;
    if (i > 0) a(i, i - 1) = a(i - 1, i) = -1;
  }
  return a;
}

inline dense filled(index_t m, index_t n, double value) {
  dense a(m, n);
  for (index_t i = 0; i < m; ++i) {
    for (index_t j = 0; j < n; ++j) a(i, j) = value;
  }
  return a;
}

inline dense scaled(dense a, double factor) {
  for (index_t i = 0; i < a.rows(); ++i) {
    for (index_t j = 0; j < a.cols(); ++j) a(i, j) *= factor;
  }
  return a;
}

/// Case number `index` of a stream that cycles through the groups; sides are at most `largest`.
inline test_case make(std::uint64_t index, index_t largest) {
  sigmax::random_sequence const random(1000003 * index + 17);
  auto const side = [&](std::uint64_t i) {
    return 1 + static_cast<index_t>(random.uniform(i) * static_cast<double>(largest));
  };
  auto const pick = [&](std::uint64_t i, std::uint64_t n) { return random.bits(i) % n; };
  index_t const m = side(0);
  index_t const n = side(1);
  std::uint64_t const seed = random.bits(2);
  storage const any = static_cast<storage>(pick(3, 4));
  storage const wide = pick(3, 2) == 0 ? storage::float64 : storage::float32;
  switch (index % 16) {
    case 0:
    case 1:
      return {"random Gaussian", "gaussian", gaussian(m, n, seed), any};
    case 2: {
      auto a = gaussian(m, n, seed);
      for (index_t i = 0; i < m; ++i) {
        for (index_t j = 0; j < n; ++j) a(i, j) = std::fabs(std::fmod(a(i, j), 1.0));
      }
      return {"random non-negative", "non-negative", std::move(a), any};
    }
    case 3: {
      index_t const r = 1 + static_cast<index_t>(pick(4, 3));
      return {"rank deficient", "low rank", product(gaussian(m, r, seed), gaussian(r, n, seed + 1)), any};
    }
    case 4:  // 6.4.1
      switch (pick(4, 6)) {
        case 0:
          return {"1 degenerate shapes", "zero", dense(m, n), any};
        case 1:
          return {"1 degenerate shapes", "1 x 1", gaussian(1, 1, seed), any};
        case 2:
          return {"1 degenerate shapes", "1 x n", gaussian(1, n, seed), any};
        case 3:
          return {"1 degenerate shapes", "n x 1", gaussian(m, 1, seed), any};
        case 4:
          return {"1 degenerate shapes", "no elements", dense(pick(5, 2) == 0 ? 0 : m, 0), any};
        default: {
          auto a = gaussian(m, n, seed);
          for (index_t i = 1; i < m; ++i) {
            for (index_t j = 0; j < n; ++j) a(i, j) = a(0, j);
          }
          return {"1 degenerate shapes", "equal rows", std::move(a), any};
        }
      }
    case 5: {  // 6.4.2
      double const least[] = {std::numeric_limits<double>::denorm_min(), std::numeric_limits<double>::min(),
                              static_cast<double>(std::numeric_limits<float>::denorm_min()),
                              static_cast<double>(std::numeric_limits<float>::min())};
      auto const which = pick(4, 4);
      auto a = filled(m, n, least[which]);
      if (pick(5, 2) == 0) {
        for (index_t i = 0; i < m; ++i) {
          for (index_t j = 0; j < n; ++j)
            a(i, j) *= std::floor(4 * random.uniform(static_cast<std::uint64_t>(100 + i * n + j)) - 1);
        }
      }
      return {"2 smallest numbers", "least", std::move(a), which < 2 ? storage::float64 : storage::float32};
    }
    case 6: {  // 6.4.3
      if (wide == storage::float32) {
        double const scale[] = {1e-23, 1e-19, 1e19, 1e36};
        return {"3 extreme scales", "float", scaled(gaussian(m, n, seed), scale[pick(4, 4)]), wide};
      }
      double const scale[] = {1e-320, 1e-310, 1e-200, 1e200, 1e300, 1e305};
      return {"3 extreme scales", "double", scaled(gaussian(m, n, seed), scale[pick(4, 6)]), wide};
    }
    case 7:  // 6.4.4: what is accepted; refusals have a test of their own
    {
      auto a = gaussian(m, n, seed);
      for (index_t i = 0; i < m; ++i) {
        for (index_t j = 0; j < n; ++j) {
          if (random.uniform(static_cast<std::uint64_t>(100 + i * n + j)) < 0.5) a(i, j) = -0.0;
        }
      }
      return {"4 negative zeros", "negative zeros", std::move(a), any};
    }
    case 8: {  // 6.4.5
      switch (pick(4, 4)) {
        case 0: {
          dense a(2, 2);
          a(0, 0) = 1, a(0, 1) = -1, a(1, 0) = 2, a(1, 1) = -2;
          return {"5 start vectors", "orthogonal to ones", std::move(a), any};
        }
        case 1: {
          dense a(m + n, m + n);
          for (index_t i = 0; i < m; ++i) a(i, i) = 1;
          auto const block = gaussian(n, n, seed);
          for (index_t i = 0; i < n; ++i) {
            for (index_t j = 0; j < n; ++j) a(m + i, m + j) = 10 * block(i, j);
          }
          return {"5 start vectors", "block diagonal", std::move(a), any};
        }
        case 2: {
          auto a = gaussian(m, n, seed);  // zero-mean rows: ones is in the null space
          for (index_t i = 0; i < m; ++i) {
            double mean = 0;
            for (index_t j = 0; j < n; ++j) mean += a(i, j) / static_cast<double>(n);
            for (index_t j = 0; j < n; ++j) a(i, j) -= mean;
          }
          return {"5 start vectors", "zero-mean rows", std::move(a), wide};
        }
        default:
          return {"5 start vectors", "Laplacian", laplacian(m), any};
      }
    }
    case 9: {  // 6.4.6
      dense a(m, m);
      double const spike[] = {1e-15, 1e-12, 1e-8, 1e-5, 1e-2};
      for (index_t i = 0; i < m; ++i) a(i, i) = 1;
      a(m / 2, m / 2) += spike[pick(4, 5)];
      if (pick(5, 2) == 0) {
        double const excess = spike[pick(4, 5)];
        a = with_singular_values(m, n, seed, [&](index_t k) { return k == 0 ? 1 + excess : 1.0; });
      }
      return {"6 near-multiple", "spike over one", std::move(a), storage::float64};
    }
    case 10: {  // 6.4.7
      if (pick(4, 2) == 0) {
        index_t order = 1;
        while (2 * order <= largest && pick(5 + static_cast<std::uint64_t>(order), 5) != 0) order *= 2;
        dense a(order, order);
        for (index_t i = 0; i < order; ++i) {
          for (index_t j = 0; j < order; ++j)
            a(i, j) = __builtin_parityll(static_cast<unsigned long long>(i & j)) ? -1 : 1;
        }
        return {"7 flat spectra", "Hadamard", std::move(a), any};
      }
      return {"7 flat spectra", "orthogonal", orthogonal(m, seed), any};
    }
    case 11: {  // hard-capped to 1e-5
      return {"7 hard-capped to 1e-5", "capped",
              with_singular_values(m, n, seed,
                                   [&](index_t k) {
                                     double const u = random.uniform(static_cast<std::uint64_t>(50 + k));
                                     return u < 0.7 ? 1 - 1e-5 * random.uniform(static_cast<std::uint64_t>(500 + k))
                                                    : u;
                                   }),
              wide};
    }
    case 12: {  // 6.4.8
      switch (pick(4, 5)) {
        case 0: {
          auto a = gaussian(m, n, seed);
          for (index_t i = 0; i < m; ++i) {
            a(i, 0) = 1e16;
            a(i, n - 1) = n > 1 ? -1e16 : a(i, n - 1);
          }
          return {"8 cancellation and grading", "1e16 - 1e16", std::move(a), storage::float64};
        }
        case 1: {
          auto a = gaussian(m, n, seed);
          for (index_t i = 0; i < m; ++i) {
            for (index_t j = 0; j < n; ++j) a(i, j) = std::ldexp(a(i, j), static_cast<int>(j % 2 == 0 ? 500 : -500));
          }
          return {"8 cancellation and grading", "columns 2^+-500", std::move(a), storage::float64};
        }
        case 2: {
          dense a(m, n);
          for (index_t i = 0; i < m; ++i) {
            for (index_t j = 0; j < n; ++j) a(i, j) = 1 / static_cast<double>(i + j + 1);
          }
          return {"8 cancellation and grading", "Hilbert", std::move(a), any};
        }
        case 3: {
          dense a(m, m);
          for (index_t i = 0; i < m; ++i) {
            a(i, i) = std::fabs(static_cast<double>(i) - static_cast<double>(m - 1) / 2);
            if (i > 0) a(i, i - 1) = a(i - 1, i) = 1;
          }
          return {"8 cancellation and grading", "Wilkinson", std::move(a), any};
        }
        default: {
          dense a(m, m);
          double scale = 1;
          for (index_t i = 0; i < m; ++i) {
            a(i, i) = scale;
            for (index_t j = i + 1; j < m; ++j) a(i, j) = -0.285 * scale;
            scale *= 0.958;
          }
          return {"8 cancellation and grading", "Kahan", std::move(a), any};
        }
      }
    }
    case 13:
      return {"power law", "power law",
              with_singular_values(m, n, seed, [](index_t k) { return 1 / std::sqrt(1.0 + static_cast<double>(k)); }),
              any};
    case 14: {
      auto a = gaussian(m, n, seed);
      for (index_t i = 0; i < m; ++i) {
        for (index_t j = 0; j < n; ++j)
          a(i, j) = std::ldexp(
              a(i, j), static_cast<int>(random.bits(static_cast<std::uint64_t>(100 + i * n + j)) % 2000) - 1000);
      }
      return {"8 cancellation and grading", "random exponents", std::move(a), storage::float64};
    }
    default: {
      auto a = gaussian(m, n, seed);
      for (index_t i = 0; i < m; ++i) {
        for (index_t j = 0; j < n; ++j) a(i, j) = a(i, j) < 0 ? -1 : 1;
      }
      return {"random signs", "signs", std::move(a), any};
    }
  }
}

/// Rounds the values to S; 16-bit infinities become zero, since cases are finite.
template <class S>
sigmax::matrix<S> stored(dense const& values) {
  sigmax::matrix<S> a(values.rows(), values.cols());
  for (index_t i = 0; i < values.rows(); ++i) {
    for (index_t j = 0; j < values.cols(); ++j) {
      S const rounded = static_cast<S>(values(i, j));
      a(i, j) = std::isfinite(static_cast<double>(rounded)) ? rounded : S{};
    }
  }
  return a;
}

/// Calls f with the case's matrix in the scalar it is stored in.
template <class F>
void visit(test_case const& c, F const& f) {
  switch (c.stored_as) {
    case storage::float64:
      return f(stored<double>(c.values));
    case storage::float32:
      return f(stored<float>(c.values));
    case storage::bfloat16:
      return f(stored<sigmax::bf16>(c.values));
    case storage::float16:
      return f(stored<sigmax::f16>(c.values));
  }
}

}  // namespace adversarial
