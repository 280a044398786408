// SPDX-License-Identifier: MIT
#include <cstdio>

#include <sigmax/core/matrix.hpp>
#include <sigmax/kernels.hpp>

int main() {
  sigmax::cpu::native const on;
  sigmax::matrix<double> x(2, 3), g(2, 2);
  for (sigmax::index_t i = 0; i < 6; ++i) x.data()[i] = static_cast<double>(i);
  on.gram(1.0, x.view(), 0.0, g.view(), g.view());
  std::printf("kernels for %s: %g %g %g\n", on.architecture(), g(0, 0), g(0, 1), g(1, 1));
}
