// SPDX-License-Identifier: MIT
// A layer sigmax does not know, certified and attacked: its name, its constant with the reason, its formula.
#include <cmath>
#include <iostream>

#include <Eigen/Dense>

#include <sigmax/lipschitz.hpp>

int main() {
  using namespace sigmax::lipschitz;
  auto const snake = custom("snake", {.l2 = 2, .because = "|1 + sin 2x| <= 2"}, [](auto x) {
    using std::sin;
    return x + sin(x) * sin(x);
  });

  Eigen::MatrixXf const W1 = Eigen::MatrixXf::Random(16, 8);
  Eigen::MatrixXf const W2 = Eigen::MatrixXf::Random(4, 16);
  auto const c = certify(sequential(linear(W1), snake, linear(W2)));
  std::cout << c;  // "conditional", with the reason
  return c.is_finite() && c.conditional() && c.lower()->proven ? 0 : 1;
}
