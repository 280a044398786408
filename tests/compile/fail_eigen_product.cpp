// expect: power_iteration.*(satisfaction of 'matrix_like|constraints not satisfied for alias template 'value_t')
// SPDX-License-Identifier: MIT
// A product of Eigen matrices has no elements yet: it has to be evaluated first.
#include <Eigen/Core>

#include <sigmax/estimate/power_iteration.hpp>

int main() {
  Eigen::MatrixXd const w = Eigen::MatrixXd::Zero(2, 2);
  return sigmax::power_iteration(w * w).converged ? 0 : 1;
}
