// SPDX-License-Identifier: MIT
/// @file
/// Odd polynomials of degree at most 9: what one step of an iteration does to every singular value.
#pragma once

#include <initializer_list>

#include <sigmax/config.hpp>
#include <sigmax/core/error.hpp>
#include <sigmax/core/scalar.hpp>

namespace sigmax::inline SIGMAX_ABI {

/// p(x) = c_0 x + c_1 x^3 + c_2 x^5 + c_3 x^7 + c_4 x^9. Lifted to a matrix X = U S V^T it is
/// p(X) = (c_0 I + c_1 A + c_2 A^2 + ...) X = U p(S) V^T with A = X X^T.
template <class T = double>
class odd_polynomial {
 public:
  static constexpr int max_terms = 5;

  /// The polynomial 0.
  constexpr odd_polynomial() = default;

  /// {c_0, c_1, ...}. @throws domain_error for more than five coefficients.
  constexpr odd_polynomial(std::initializer_list<T> coefficients) {
    if (coefficients.size() > max_terms) {
      detail::raise<domain_error>(
          {"odd_polynomial: ", coefficients.size(), " coefficients; at most 5 (degree 9) are supported"});
    }
    for (T const& coefficient : coefficients) coefficients_[terms_++] = coefficient;
  }

  /// Number of coefficients; trailing zeros count.
  constexpr int terms() const { return terms_; }
  constexpr int degree() const { return terms_ > 0 ? 2 * terms_ - 1 : 0; }
  /// The coefficient of x^(2k+1); 0 beyond the last.
  constexpr T operator[](int k) const { return k >= 0 && k < terms_ ? coefficients_[k] : T(0); }

  /// p(x) by Horner's rule.
  template <class X>
  constexpr X operator()(X const& x) const {
    X const y = X(x * x);
    X sum(0);
    for (int k = terms_ - 1; k >= 0; --k) sum = X(sum * y + X(coefficients_[k]));
    return X(sum * x);
  }

  /// p'(x).
  template <class X>
  constexpr X derivative(X const& x) const {
    X const y = X(x * x);
    X sum(0);
    for (int k = terms_ - 1; k >= 0; --k) sum = X(sum * y + X(coefficients_[k]) * X(2 * k + 1));
    return sum;
  }

  /// x -> factor p(x / width): coefficients factor c_k / width^(2k+1).
  constexpr odd_polynomial scaled(T factor, T width = T(1)) const {
    odd_polynomial result = *this;
    T power = width;
    for (int k = 0; k < terms_; ++k) {
      result.coefficients_[k] = T(factor * coefficients_[k] / power);
      power = T(power * width * width);
    }
    return result;
  }

  /// x -> p(unit x) / unit, p as a map of lengths counted in units: coefficients c_k unit^(2k).
  constexpr odd_polynomial in_units_of(T unit) const {
    odd_polynomial result = *this;
    T power(1);
    for (int k = 0; k < terms_; ++k) {
      result.coefficients_[k] = T(coefficients_[k] * power);
      power = T(power * unit * unit);
    }
    return result;
  }

  /// The same polynomial with coefficients of another scalar.
  template <class U>
  constexpr odd_polynomial<U> cast() const {
    odd_polynomial<U> result;
    for (int k = 0; k < terms_; ++k) result.append(static_cast<U>(coefficients_[k]));
    return result;
  }

  /// Adds the coefficient of the next odd power. @throws domain_error if there are five.
  constexpr void append(T coefficient) {
    if (terms_ == max_terms)
      detail::raise<domain_error>({"odd_polynomial: at most 5 coefficients (degree 9) are supported"});
    coefficients_[terms_++] = coefficient;
  }

 private:
  T coefficients_[max_terms] = {};
  int terms_ = 0;
};

}  // namespace sigmax::inline SIGMAX_ABI
