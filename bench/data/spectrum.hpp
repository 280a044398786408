// SPDX-License-Identifier: MIT
/// @file
/// The singular values that test matrices are made with, in descending order.
#pragma once

#include <vector>

#include <sigmax/core/scalar.hpp>

namespace bench::spectrum {

using sigmax::index_t;

/// Those of an m x n matrix of standard normal numbers divided by sqrt(m) + sqrt(n), m <= n: the quantiles of the law
/// of Marchenko and Pastur, which actual matrices miss by about 1/m. Between 0 and 1.
std::vector<double> gaussian(index_t m, index_t n);

/// 1, ..., `last` in geometric progression.
std::vector<double> geometric(index_t m, double last);

/// One of 1; the others those of a Gaussian matrix of norm `noise`.
std::vector<double> rank_one_and_noise(index_t m, index_t n, double noise);

/// All 1.
std::vector<double> flat(index_t m);

/// The values of `of`, scaled so that the largest is `norm`.
std::vector<double> scaled_to(double norm, std::vector<double> of);

}  // namespace bench::spectrum
