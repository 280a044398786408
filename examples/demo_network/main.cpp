// SPDX-License-Identifier: MIT
// sigmax-demo-network: builds a small residual network in C++ and exports it to ONNX, so that there is something to
// certify on a machine without models.
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <string_view>
#include <utility>
#include <vector>

#include <sigmax/core/matrix.hpp>
#include <sigmax/core/random.hpp>
#include <sigmax/io/onnx/save.hpp>
#include <sigmax/lipschitz/combinators.hpp>
#include <sigmax/lipschitz/layers.hpp>
#include <sigmax/lipschitz/rules/activation.hpp>

namespace {

using namespace sigmax;
using namespace sigmax::lipschitz;

/// A Gaussian layer whose spectral norm is about `gain` whatever its shape: out x in, with a small bias.
auto random_linear(index_t out, index_t in, double gain, std::uint64_t seed) {
  matrix<float> w(out, in);
  fill_normal(w.view(), seed);
  auto const scale =
      static_cast<float>(gain / (std::sqrt(static_cast<double>(out)) + std::sqrt(static_cast<double>(in))));
  for (index_t i = 0; i < out; ++i) {
    for (index_t j = 0; j < in; ++j) w(i, j) *= scale;
  }
  random_sequence const random(seed + 1);
  std::vector<float> bias;
  for (index_t i = 0; i < out; ++i)
    bias.push_back(static_cast<float>(0.1 * random.normal(static_cast<std::uint64_t>(i))));
  return linear(std::move(w), bias);
}

network demo_network() {
  constexpr index_t width = 64;
  auto const block = [](std::uint64_t seed) {
    return residual(0.5, sequential(random_linear(2 * width, width, 1.5, seed), relu(),
                                    random_linear(width, 2 * width, 1.5, seed + 2)));
  };
  auto const net = sequential(random_linear(width, 32, 2.0, 1), tanh(), block(10), block(20), block(30), leaky_relu(),
                              random_linear(10, width, 2.0, 40));
  return network_of(net, {1, 32});
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2 || std::string_view(argv[1]).starts_with("-")) {
    bool const asked = argc == 2 && (std::string_view(argv[1]) == "--help" || std::string_view(argv[1]) == "-h");
    std::fputs("usage: sigmax-demo-network OUT.onnx\n", asked ? stdout : stderr);
    return asked ? 0 : 2;
  }
  try {
    io::save_onnx(demo_network(), argv[1]);
    return 0;
  } catch (std::exception const& e) {
    std::fprintf(stderr, "sigmax-demo-network: %s\n", e.what());
    return 2;
  }
}
