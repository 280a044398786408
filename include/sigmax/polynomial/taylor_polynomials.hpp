// SPDX-License-Identifier: MIT
/// @file
/// The polynomials of the classical Newton-Schulz iterations.
#pragma once

#include <sigmax/config.hpp>
#include <sigmax/polynomial/odd_polynomial.hpp>

namespace sigmax::inline SIGMAX_ABI {

namespace detail {

/// x sum_{k <= q} binom(2k, k) 4^-k (1 - x^2)^k: x times the expansion of 1/|x| at 1 to order q. All coefficients are
/// exact, and p' = p'(0) (1 - x^2)^q.
inline constexpr odd_polynomial<> taylor_polynomials[5] = {
    {1},
    {3.0 / 2, -1.0 / 2},
    {15.0 / 8, -10.0 / 8, 3.0 / 8},
    {35.0 / 16, -35.0 / 16, 21.0 / 16, -5.0 / 16},
    {315.0 / 128, -420.0 / 128, 378.0 / 128, -180.0 / 128, 35.0 / 128}};

}  // namespace detail

}  // namespace sigmax::inline SIGMAX_ABI
