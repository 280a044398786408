// expect: this temporary owns its elements
// SPDX-License-Identifier: MIT
// The temporary is gone at the end of the line, and its elements with it.
#include <Eigen/Core>

#include <sigmax/core/matrix_like.hpp>

int main() {
  auto const view = sigmax::view(Eigen::MatrixXd(Eigen::MatrixXd::Zero(2, 2)));
  return view.empty() ? 1 : 0;
}
