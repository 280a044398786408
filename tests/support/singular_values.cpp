// SPDX-License-Identifier: MIT
#include <cmath>

#include <Eigen/Eigenvalues>
#include <Eigen/SVD>

#include "support/singular_values.hpp"

namespace oracle {

Eigen::VectorXd singular_values(Eigen::MatrixXd const& a) {
  return Eigen::JacobiSVD<Eigen::MatrixXd>(a).singularValues();
}

double largest_singular_value(Eigen::MatrixXd const& a) {
  // Of the Gram matrix, to a few units of rounding: Jacobi's SVD takes far longer, and BDCSVD of Eigen 3.4 without vectors
  // gives wrong values for some sparse matrices.
  double const scale = a.size() == 0 ? 0.0 : a.cwiseAbs().maxCoeff();
  if (!(scale > 0)) return scale;
  Eigen::MatrixXd const scaled = a / scale;
  Eigen::MatrixXd const gram =
      a.rows() < a.cols() ? Eigen::MatrixXd(scaled * scaled.transpose()) : Eigen::MatrixXd(scaled.transpose() * scaled);
  Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> const of(gram, Eigen::EigenvaluesOnly);
  return scale * std::sqrt(of.eigenvalues()(gram.rows() - 1));
}

Eigen::VectorXd leading_left_vector(Eigen::MatrixXd const& a) {
  return Eigen::JacobiSVD<Eigen::MatrixXd>(a, Eigen::ComputeThinU).matrixU().col(0);
}

}  // namespace oracle
