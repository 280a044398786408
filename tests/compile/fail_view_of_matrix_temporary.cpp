// expect: this temporary owns its elements
// SPDX-License-Identifier: MIT
// As with Eigen's matrices, so with ours.
#include <sigmax/core/matrix.hpp>

int main() {
  auto const view = sigmax::view(sigmax::matrix<double>(2, 2));
  return view.empty() ? 1 : 0;
}
