// SPDX-License-Identifier: MIT
#include <Eigen/Dense>

void product(double const* a, double const* b, double* c, Eigen::Index rows, Eigen::Index cols) {
  using matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  Eigen::Map<matrix>(c, rows, rows) = Eigen::Map<matrix const>(a, rows, cols) * Eigen::Map<matrix const>(b, cols, rows);
}
