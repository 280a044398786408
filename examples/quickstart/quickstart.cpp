// SPDX-License-Identifier: MIT
// The first thing to try. README.md shows this file; a test keeps the two equal.
#include <iostream>

#include <Eigen/Dense>

#include <sigmax/lipschitz.hpp>
#include <sigmax/sigmax.hpp>

int main() {
  std::cout.precision(12);
  Eigen::MatrixXf W1 = Eigen::MatrixXf::Random(64, 32), W2 = Eigen::MatrixXf::Random(64, 64);

  auto estimate = sigmax::power_iteration(W1);     // fast, and a number that may be wrong
  auto box = sigmax::certified_spectral_norm(W1);  // box.lower() <= ||W1||_2 <= box.upper(), rounding included
  std::cout << box.lower() << " <= ||W1|| <= " << box.upper() << ", estimate " << estimate.sigma << "\n";

  sigmax::scale_to(W2, 1.0);  // W2 as stored now provably satisfies ||W2||_2 <= 1
  std::cout << std::boolalpha << sigmax::prove_norm_at_most(W2, 1.0) << "\n\n";

  using namespace sigmax::lipschitz;
  auto net = sequential(linear(W1), relu(), residual(0.5, sequential(linear(W2), gelu())));
  std::cout << certify(net);  // table per layer, proven upper bound, what it rests on
}
