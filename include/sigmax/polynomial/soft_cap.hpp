// SPDX-License-Identifier: MIT
/// @file
/// How strong a soft cap has to be, and its polynomial.
#pragma once

#include <sigmax/bound/rounding.hpp>
#include <sigmax/config.hpp>
#include <sigmax/core/error.hpp>
#include <sigmax/polynomial/odd_polynomial.hpp>

namespace sigmax::inline SIGMAX_ABI {

namespace detail {

/// a b rounded to nearest. Out of line, so that it is not contracted with what follows.
[[gnu::noinline]] constexpr double rounded_product(double a, double b) { return a * b; }

/// a b - rounded_product(a, b), exact for results in the normal range: Dekker's product, Veltkamp's splitting.
[[gnu::noinline]] constexpr double product_error(double a, double b) {
  double const product = rounded_product(a, b);
  double const a_scaled = rounded_product(a, 0x1p27 + 1);
  double const b_scaled = rounded_product(b, 0x1p27 + 1);
  double const a_high = a_scaled - (a_scaled - a);
  double const b_high = b_scaled - (b_scaled - b);
  double const a_low = a - a_high;
  double const b_low = b - b_high;
  return ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low;
}

/// The power of two 2^e with 1 <= x / 2^e < 2, for normal x > 0.
constexpr double power_of_two_below(double x) {
  return std::bit_cast<double>(std::bit_cast<std::uint64_t>(x) & 0x7ff0000000000000u);
}

/// Upper bound of the root t > 0 of 3 t^2 - 3 t^3 + t^4 = delta, 0 < delta <= 0.24. The left side is increasing for all
/// t > 0 and convex up to 1/2: Newton's iteration from sqrt(delta / 3), which is below the root, is above it from its
/// first step on and decreases. Steps of one unit in the last place then make up for rounding.
constexpr double soft_cap_root(double delta) {
  auto const from_below = [](double t) {  // <= the left side
    return multiply_down(multiply_down(t, t), subtract_down(3, multiply_up(t, subtract_up(3, t))));
  };
  double t = 1;
  for (int i = 0; i < 2000; ++i) {  // sqrt(delta / 3)
    double const next = 0.5 * (t + delta / 3 / t);
    if (!(next < t)) break;
    t = next;
  }
  for (int i = 0; i < 50; ++i) {
    double const next = t - (t * t * (3 - t * (3 - t)) - delta) / (t * (6 - t * (9 - 4 * t)));
    if (next == t || (i > 0 && !(next < t))) break;
    t = next;
  }
  for (int i = 0; i < 100 && !(from_below(t) >= delta); ++i) t = next_up(t);
  return t;
}

}  // namespace detail

/// The largest ratio k / sigma_max a soft cap can take back, 81/62.
inline constexpr double soft_cap_limit = 81.0 / 62.0;

/// The strength alpha >= 0 of the soft cap p(x) = x - 3 alpha^2 x^5 + 3 alpha^3 x^7 - alpha^4 x^9 that takes every
/// singular value a step can reach back to sigma_max: the least alpha with p(k) <= sigma_max, rounded up, where
///
///     k = sigma_max (1 - weight_decay) + update_norm
///
/// (paper, section 3, theorem 3.1). `weight_decay` is the fraction taken off in this step, the product lambda u of the
/// paper, in [0, 1]; `update_norm` bounds the spectral norm of the step in the units of sigma_max.
///
/// Guarantee, in exact arithmetic for the alpha returned: |p(x)| <= sigma_max for all |x| <= k. It is 0 if and only if
/// k <= sigma_max, decided exactly (a weight_decay below 1e-270 counts as none). Assumes
/// `arithmetic_environment_is_sound()`; a constant expression does not.
///
/// Proof: with t = alpha k^2, p(k)/k = 1 - 3t^2 + 3t^3 - t^4, which decreases for all t > 0: what is solved is
/// 3t^2 - 3t^3 + t^4 = 1 - sigma_max/k = (update_norm - sigma_max weight_decay)/k, a difference of exact numbers,
/// rounded upwards. p'(x) > 0 for 3 alpha x^2 < 1, so that p increases on [0, k] as long as t <= 1/3, that is
/// k <= 81/62 sigma_max.
/// @throws domain_error for sigma_max not in [2^-200, 2^200] (alpha is of the size of 1/sigma_max^2), update_norm
/// negative or not finite, weight_decay not in [0, 1], and k > 81/62 sigma_max, where p has its maximum inside [0, k].
constexpr double soft_cap_strength(double sigma_max, double update_norm, double weight_decay = 0) {
  if (!(sigma_max >= 0x1p-200 && sigma_max <= 0x1p200)) {
    detail::raise<domain_error>(
        {"soft_cap: sigma_max is ", sigma_max, "; it must be finite and above 0, from 2^-200 to 2^200"});
  }
  if (!(update_norm >= 0 && update_norm < infinity)) {
    detail::raise<domain_error>({"soft_cap: update_norm is ", update_norm, "; it must be finite and not negative"});
  }
  if (!(weight_decay >= 0 && weight_decay <= 1)) {
    detail::raise<domain_error>({"soft_cap: weight_decay is ", weight_decay, "; it must lie in [0, 1]"});
  }
  double const unit = detail::power_of_two_below(sigma_max);
  double const sigma = sigma_max / unit;
  double const scaled_update = update_norm / unit;
  double const update = scaled_update * unit == update_norm ? scaled_update : next_up(scaled_update);  // underflow
  double const fraction = weight_decay < 1e-270 ? 0 : weight_decay;
  double const decay = detail::rounded_product(sigma, fraction);
  double const decay_error = detail::product_error(sigma, fraction);
  // The rounded difference has the sign of the exact one.
  double const excess = (update - decay) - decay_error;
  if (!(excess > 0)) return 0;
  if (!(62 * excess <= 19 * sigma)) {
    detail::raise<domain_error>({"soft_cap: update_norm ", update_norm, " and weight_decay ", weight_decay,
                                 " let singular values reach ", unit * (sigma + excess), ", ", (sigma + excess) / sigma,
                                 " times sigma_max ", sigma_max, "; a soft cap can take back at most 81/62 = 1.30645"});
  }
  double const excess_up = subtract_up(subtract_up(update, decay), decay_error);
  double const k_down = add_down(sigma, subtract_down(subtract_down(update, decay), decay_error));
  double const delta = divide_up(excess_up, k_down);
  double const t = detail::soft_cap_root(delta > 0x1p-900 ? delta : 0x1p-900);
  double alpha = divide_up(t, multiply_down(k_down, k_down));
  if (t > 0.3333) {
    // At the limit rounding may put the maximum of p, (62/81) / sqrt(3 alpha), before k. It is to stay below the cap.
    double const ratio = divide_up(62, 81);
    alpha = max_up(alpha, divide_up(multiply_up(ratio, ratio), multiply_down(3, multiply_down(sigma, sigma))));
  }
  return alpha / unit / unit;  // powers of two
}

/// x - 3 a^2 x^5 + 3 a^3 x^7 - a^4 x^9 with coefficients computed in T. It is p_2(p_1(x)), p_1(x) = x - a x^3,
/// p_2(x) = x + a x^3 (paper, section 3): the cubic terms cancel.
template <class T>
constexpr odd_polynomial<T> soft_cap_polynomial(T alpha) {
  T const square = T(alpha * alpha);
  return {T(1), T(0), T(T(-3) * square), T(T(3) * square * alpha), T(-(square * square))};
}

}  // namespace sigmax::inline SIGMAX_ABI
