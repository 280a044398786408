// SPDX-License-Identifier: MIT
#include <Eigen/SVD>

#include "support/singular_values.hpp"

namespace oracle {

Eigen::VectorXd singular_values(Eigen::MatrixXd const& a) {
  return Eigen::JacobiSVD<Eigen::MatrixXd>(a).singularValues();
}

double largest_singular_value(Eigen::MatrixXd const& a) {
  return a.size() == 0 ? 0.0 : Eigen::JacobiSVD<Eigen::MatrixXd>(a).singularValues()(0);
}

Eigen::VectorXd leading_left_vector(Eigen::MatrixXd const& a) {
  return Eigen::JacobiSVD<Eigen::MatrixXd>(a, Eigen::ComputeThinU).matrixU().col(0);
}

}  // namespace oracle
