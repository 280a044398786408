// SPDX-License-Identifier: MIT
/// @file
/// Singular values in double, by Eigen: compiled once, because that takes seconds. svd.hpp has them in long double.
#pragma once

#include <Eigen/Core>

namespace oracle {

/// All of A, in descending order.
Eigen::VectorXd singular_values(Eigen::MatrixXd const& a);

/// ||A||_2; 0 for a matrix without elements.
double largest_singular_value(Eigen::MatrixXd const& a);

/// A left singular vector of the largest singular value of A.
Eigen::VectorXd leading_left_vector(Eigen::MatrixXd const& a);

}  // namespace oracle
