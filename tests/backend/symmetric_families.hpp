// SPDX-License-Identifier: MIT
/// @file
/// Symmetric matrices that are hard for one or the other step of an eigendecomposition, and how well one was found.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <type_traits>
#include <vector>

#include <sigmax/core/matrix.hpp>
#include <sigmax/core/random.hpp>
#include <sigmax/core/workspace.hpp>

namespace sigmax::test {

using symmetric_matrix = sigmax::matrix<double>;

/// x^T diag(value) x after two random reflections: dense, its spectrum known to u. O(m^2).
template <class F>
symmetric_matrix reflected(index_t m, F const& value) {
  symmetric_matrix a(m, m);
  for (index_t i = 0; i < m; ++i) a(i, i) = value(i);
  for (std::uint64_t seed : {11u, 12u}) {
    sigmax::matrix<double> v(1, m);
    sigmax::fill_normal(v.view(), seed);
    double squares = 0;
    for (index_t i = 0; i < m; ++i) squares += v(0, i) * v(0, i);
    std::vector<double> av(static_cast<std::size_t>(m));
    double along = 0;
    for (index_t i = 0; i < m; ++i) {
      for (index_t j = 0; j < m; ++j) av[static_cast<std::size_t>(i)] += a(i, j) * v(0, j) * 2 / squares;
      along += av[static_cast<std::size_t>(i)] * v(0, i) / squares;
    }
    for (index_t i = 0; i < m; ++i) av[static_cast<std::size_t>(i)] -= along * v(0, i);
    for (index_t i = 0; i < m; ++i) {
      for (index_t j = 0; j < m; ++j) {
        a(i, j) -= v(0, i) * av[static_cast<std::size_t>(j)] + av[static_cast<std::size_t>(i)] * v(0, j);
      }
    }
  }
  for (index_t i = 0; i < m; ++i) {
    for (index_t j = 0; j < i; ++j) a(j, i) = a(i, j);
  }
  return a;
}

template <class F, class G>
symmetric_matrix tridiagonal(index_t m, F const& diagonal, G const& beside) {
  symmetric_matrix a(m, m);
  for (index_t i = 0; i < m; ++i) {
    a(i, i) = diagonal(i);
    if (i > 0) a(i, i - 1) = a(i - 1, i) = beside(i);
  }
  return a;
}

inline symmetric_matrix symmetric_gaussian(index_t m) {
  symmetric_matrix a(m, m);
  sigmax::fill_normal(a.view(), 7);
  for (index_t i = 0; i < m; ++i) {
    for (index_t j = 0; j < i; ++j) a(j, i) = a(i, j);
  }
  return a;
}

inline symmetric_matrix gram_of_gaussian(index_t m, index_t rank) {
  sigmax::matrix<double> x(m, rank);
  sigmax::fill_normal(x.view(), 8);
  symmetric_matrix a(m, m);
  for (index_t i = 0; i < m; ++i) {
    for (index_t j = 0; j <= i; ++j) {
      for (index_t k = 0; k < rank; ++k) a(i, j) += x(i, k) * x(j, k);
      a(j, i) = a(i, j);
    }
  }
  return a;
}

struct symmetric_family {
  char const* name;
  symmetric_matrix (*make)(index_t m);
};

inline constexpr symmetric_family symmetric_families[] = {
    {"gaussian", symmetric_gaussian},
    {"gram", [](index_t m) { return gram_of_gaussian(m, 2 * m); }},
    {"rank deficient", [](index_t m) { return gram_of_gaussian(m, (m + 3) / 4); }},
    {"rank one", [](index_t m) { return gram_of_gaussian(m, 1); }},
    {"three clusters",
     [](index_t m) {
       return reflected(m, [](index_t i) { return static_cast<double>(i % 3) + 1e-14 * static_cast<double>(i); });
     }},
    {"close pairs",
     [](index_t m) {
       return reflected(m, [](index_t i) { return static_cast<double>(i / 2) + 1e-7 * static_cast<double>(i % 2); });
     }},
    {"plus and minus one", [](index_t m) { return reflected(m, [](index_t i) { return i % 2 == 0 ? 1.0 : -1.0; }); }},
    {"geometric",
     [](index_t m) { return reflected(m, [m](index_t i) { return std::pow(1e-12, double(i) / double(m)); }); }},
    {"one far above", [](index_t m) { return reflected(m, [](index_t i) { return i == 0 ? 1e6 : 1.0; }); }},
    {"graded rows",
     [](index_t m) {
       auto a = symmetric_gaussian(m);
       for (index_t i = 0; i < m; ++i) {
         for (index_t j = 0; j < m; ++j) a(i, j) *= std::pow(1e-20, double(i + j) / double(m));
       }
       return a;
     }},
    {"graded rows, bottom up",
     [](index_t m) {
       auto a = symmetric_gaussian(m);
       for (index_t i = 0; i < m; ++i) {
         for (index_t j = 0; j < m; ++j) a(i, j) *= std::pow(1e-20, double(2 * m - 2 - i - j) / double(m));
       }
       return a;
     }},
    {"identity",
     [](index_t m) {
       return tridiagonal(
           m, [](index_t) { return 1.0; }, [](index_t) { return 0.0; });
     }},
    {"zero", [](index_t m) { return symmetric_matrix(m, m); }},
    {"diagonal",
     [](index_t m) {
       return tridiagonal(
           m, [](index_t i) { return static_cast<double>(i * 7 % 5) - 2; }, [](index_t) { return 0.0; });
     }},
    {"blocks of order two",
     [](index_t m) {
       return tridiagonal(
           m, [](index_t) { return 0.0; }, [](index_t i) { return i % 2 == 0 ? 0.0 : 1.0; });
     }},
    {"second difference",
     [](index_t m) {
       return tridiagonal(
           m, [](index_t) { return 2.0; }, [](index_t) { return -1.0; });
     }},
    {"Wilkinson",
     [](index_t m) {
       return tridiagonal(
           m, [m](index_t i) { return std::fabs(double(2 * i - m + 1) / 2); }, [](index_t) { return 1.0; });
     }},
    {"glued Wilkinson",
     [](index_t m) {
       return tridiagonal(
           m, [](index_t i) { return std::fabs(double(i % 21) - 10); },
           [](index_t i) { return i % 21 == 0 ? 1e-8 : 1.0; });
     }},
    {"ones off the diagonal",
     [](index_t m) {
       symmetric_matrix a(m, m);
       for (index_t i = 0; i < m; ++i) {
         for (index_t j = 0; j < m; ++j) a(i, j) = i == j ? 0 : 1;
       }
       return a;
     }},
};

template <class T>
sigmax::matrix<T> rounded_to(symmetric_matrix const& given) {
  sigmax::matrix<T> a(given.rows(), given.cols());
  for (index_t i = 0; i < a.size(); ++i) a.data()[i] = static_cast<T>(given.data()[i]);
  return a;
}

template <class T>
double norm_of(sigmax::vector<T> const& eigenvalues) {
  double largest = 0;
  for (index_t i = 0; i < eigenvalues.size(); ++i) {
    largest = std::max(largest, std::fabs(static_cast<double>(eigenvalues[i])));
  }
  return largest;
}

/// ||V A V^T - D||_F / ||A|| and ||V V^T - I||_F in units of u, sums in the next wider type.
struct eigen_error {
  double residual = 0;
  double orthogonality = 0;
};

/// For the first `count` eigenpairs. Some rows of the two products where `every` > 1: each `every`-th row, squares
/// scaled up accordingly. norm: ||A||.
template <class T>
eigen_error error_of_eigenpairs(sigmax::matrix<T> const& a, sigmax::vector<T> const& values,
                                sigmax::matrix<T> const& vectors, index_t every, index_t count, double norm) {
  using wide = std::conditional_t<std::is_same_v<T, float>, double, long double>;
  index_t const m = a.rows();
  std::vector<wide> row(static_cast<std::size_t>(m));
  wide residual = 0;
  wide orthogonality = 0;
  wide const unit = norm > 0 ? wide(norm) : 1;
  for (index_t i = 0; i < count; i += every) {
    std::fill(row.begin(), row.end(), wide(0));
    for (index_t k = 0; k < m; ++k) {
      wide const factor = wide(vectors(i, k));
      for (index_t j = 0; j < m; ++j) row[static_cast<std::size_t>(j)] += factor * wide(a(k, j));
    }
    for (index_t j = 0; j < count; ++j) {
      wide along = 0;
      wide product = 0;
      for (index_t k = 0; k < m; ++k) along += row[static_cast<std::size_t>(k)] * wide(vectors(j, k));
      for (index_t k = 0; k < m; ++k) product += wide(vectors(i, k)) * wide(vectors(j, k));
      if (i == j) along -= wide(values[i]);
      if (i == j) product -= 1;
      residual += along / unit * (along / unit);
      orthogonality += product * product;
    }
  }
  double const u = static_cast<double>(std::numeric_limits<T>::epsilon()) / 2;
  return {static_cast<double>(std::sqrt(residual * wide(every))) / u,
          static_cast<double>(std::sqrt(orthogonality * wide(every))) / u};
}

}  // namespace sigmax::test
