// SPDX-License-Identifier: MIT
/// @file
/// The oracle of the proofs: decides at 200 bits on which side of a number the spectral norm of a stored matrix lies.
#pragma once

#include <vector>

#include <mpfr.h>

#include <sigmax/core/matrix_like.hpp>

namespace oracle {

/// One 200-bit number.
class number {
 public:
  number() {
    mpfr_init2(value_, 200);
    mpfr_set_zero(value_, 1);
  }
  explicit number(double x) : number() { mpfr_set_d(value_, x, MPFR_RNDN); }
  number(number const& other) : number() { mpfr_set(value_, other.value_, MPFR_RNDN); }
  number(number&& other) noexcept : number() { mpfr_swap(value_, other.value_); }
  number& operator=(number other) noexcept {
    mpfr_swap(value_, other.value_);
    return *this;
  }
  ~number() { mpfr_clear(value_); }

  mpfr_ptr get() { return value_; }
  mpfr_srcptr get() const { return value_; }
  double to_double() const { return mpfr_get_d(value_, MPFR_RNDN); }

 private:
  mpfr_t value_;
};

/// The Gram matrix of the short side of W at 200 bits, ready for inertia tests.
///
/// A Cholesky factorisation of c^2 I - G that runs to completion at unit roundoff 2^-200 proves ||W|| < c up to a
/// relative 2^-180 for every size used here, and one that fails proves the converse: the tests ask at c (1 +- 2^-150),
/// so that equality counts as holding and nothing else is forgiven.
class spectral_norm {
 public:
  template <sigmax::matrix_like M>
  explicit spectral_norm(M const& matrix) {
    auto w = sigmax::const_view(matrix);
    if (w.rows() > w.cols()) w = w.transposed();
    size_ = w.rows();
    std::vector<number> entries;
    entries.reserve(static_cast<std::size_t>(w.size()));
    for (sigmax::index_t i = 0; i < w.rows(); ++i) {
      for (sigmax::index_t j = 0; j < w.cols(); ++j) entries.emplace_back(static_cast<double>(w(i, j)));
    }
    gram_.resize(static_cast<std::size_t>(size_ * (size_ + 1) / 2));
    for (sigmax::index_t i = 0; i < size_; ++i) {
      for (sigmax::index_t j = 0; j <= i; ++j) {
        mpfr_ptr sum = gram_[position(i, j)].get();
        for (sigmax::index_t k = 0; k < w.cols(); ++k) {
          mpfr_srcptr a = entries[static_cast<std::size_t>(i * w.cols() + k)].get();
          mpfr_srcptr b = entries[static_cast<std::size_t>(j * w.cols() + k)].get();
          if (mpfr_zero_p(a) == 0 && mpfr_zero_p(b) == 0) mpfr_fma(sum, a, b, sum, MPFR_RNDN);
        }
      }
    }
  }

  /// ||W|| <= c.
  bool is_at_most(double c) const { return below(c, 1); }
  /// ||W|| >= c.
  bool is_at_least(double c) const { return c <= 0 || !below(c, -1); }

  /// A double within 2^-50 of the norm, by bisection of inertia tests.
  double value() const {
    if (is_at_most(0)) return 0;
    double low = 0;
    double high = 1;
    while (!is_at_most(high)) high *= 0x1p40;
    while (is_at_most(high * 0x1p-40)) high *= 0x1p-40;
    while (high - low > 0x1p-50 * high) {
      double const middle = low + (high - low) / 2;
      (is_at_most(middle) ? high : low) = middle;
    }
    return high;
  }

 private:
  static std::size_t position(sigmax::index_t i, sigmax::index_t j) {
    return static_cast<std::size_t>(i * (i + 1) / 2 + j);
  }

  /// c^2 (1 + sign 2^-150)^2 I - G is positive definite.
  bool below(double c, int sign) const {
    if (sigmax::index_t{0} == size_) return c >= 0;
    number level(c);
    number slack(1.0);
    number unit(0x1p-150);
    if (sign > 0) mpfr_add(slack.get(), slack.get(), unit.get(), MPFR_RNDN);
    if (sign < 0) mpfr_sub(slack.get(), slack.get(), unit.get(), MPFR_RNDN);
    mpfr_mul(level.get(), level.get(), slack.get(), MPFR_RNDN);
    mpfr_sqr(level.get(), level.get(), MPFR_RNDN);
    bool zero = true;
    for (auto const& entry : gram_) zero = zero && mpfr_zero_p(entry.get()) != 0;
    if (zero) return sign > 0 ? c >= 0 : c > 0;
    std::vector<number> l = gram_;
    number product;
    for (sigmax::index_t i = 0; i < size_; ++i) {
      for (sigmax::index_t j = 0; j <= i; ++j) {
        mpfr_ptr target = l[position(i, j)].get();
        mpfr_neg(target, target, MPFR_RNDN);
        if (i == j) mpfr_add(target, target, level.get(), MPFR_RNDN);
        for (sigmax::index_t k = 0; k < j; ++k) {
          mpfr_srcptr a = l[position(i, k)].get();
          mpfr_srcptr b = l[position(j, k)].get();
          if (mpfr_zero_p(a) != 0 || mpfr_zero_p(b) != 0) continue;
          mpfr_mul(product.get(), a, b, MPFR_RNDN);
          mpfr_sub(target, target, product.get(), MPFR_RNDN);
        }
        if (i == j) {
          if (mpfr_sgn(target) <= 0) return false;
          mpfr_sqrt(target, target, MPFR_RNDN);
        } else if (mpfr_zero_p(target) == 0) {
          mpfr_div(target, target, l[position(j, j)].get(), MPFR_RNDN);
        }
      }
    }
    return true;
  }

  sigmax::index_t size_ = 0;
  std::vector<number> gram_;
};

}  // namespace oracle
