// SPDX-License-Identifier: MIT
// A residual network of the size of ResNet-18 for images of 32 x 32 pixels, certified within two minutes on two threads.
#include <chrono>
#include <cmath>
#include <string>
#include <utility>

#include <doctest/doctest.h>

#include <sigmax/core/matrix.hpp>
#include <sigmax/core/random.hpp>
#include <sigmax/kernels.hpp>
#include <sigmax/lipschitz/certify.hpp>
#include <sigmax/lipschitz/layers.hpp>
#include <sigmax/lipschitz/network.hpp>
#include <sigmax/lipschitz/rules.hpp>

using namespace sigmax;
using namespace sigmax::lipschitz;

namespace {

/// Adds layers with random weights of the variance that keeps activations at their size.
class residual_builder {
 public:
  network net{tensor_shape{3, 32, 32}};
  index_t parameters = 0;

  node_id convolve(node_id from, index_t channels, index_t kernel, index_t stride) {
    index_t const inputs = net[from].shape[0] * kernel * kernel;
    index_t const pad = kernel / 2;
    rules::convolution_options const options{
        .strides = {stride, stride}, .pads_begin = {pad, pad}, .pads_end = {pad, pad}};
    return net.add(rules::convolution(random(channels, inputs), {kernel, kernel}, options), {from});
  }

  /// Two convolutions and the connection around them, which is one of 1 x 1 where the shape changes.
  node_id block(node_id from, index_t channels, index_t stride) {
    node_id const first = net.add(relu(), {convolve(from, channels, 3, stride)});
    node_id const second = convolve(first, channels, 3, 1);
    node_id const around = net[from].shape[0] == channels ? from : convolve(from, channels, 1, stride);
    return net.add(relu(), {net.add(rules::weighted_sum({1.0, 1.0}), {second, around})});
  }

  weight random(index_t rows, index_t cols) {
    matrix<float> w(rows, cols);
    double const scale = std::sqrt(2.0 / static_cast<double>(cols));
    for (index_t i = 0; i < w.size(); ++i) w.data()[i] = static_cast<float>(scale * numbers_.normal(next_++));
    parameters += w.size();
    return weight::owning(std::move(w));
  }

 private:
  random_sequence numbers_{18};
  std::uint64_t next_ = 0;
};

}  // namespace

TEST_CASE("native: a network of the size of ResNet-18 is certified within two minutes on two threads") {
  residual_builder made;
  auto& net = made.net;
  node_id last = net.add(relu(), {made.convolve(0, 64, 3, 1)});
  for (auto const& [channels, stride] : {std::pair{64, 1}, std::pair{128, 2}, std::pair{256, 2}, std::pair{512, 2}}) {
    last = made.block(last, channels, stride);
    last = made.block(last, channels, 1);
  }
  REQUIRE(net[last].shape == tensor_shape{512, 4, 4});
  last = net.add(rules::rearrange({512 * 16}), {last});
  net.add(rules::linear(made.random(10, 512 * 16)), {last});
  CHECK(made.parameters > 11'000'000);

  auto const begin = std::chrono::steady_clock::now();
  auto const c = certify(cpu::native(executor(2)), net);
  double const seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  MESSAGE(made.parameters, " parameters: L <= ", c.upper(), " by ", c.method(), ", L about ",
          c.lower() ? c.lower()->estimate : 0.0, ", ", seconds, " s");
  for (auto const& tried : c.tried()) MESSAGE(tried.name, ": ", tried.upper.to_double_up());
  CHECK(c.is_finite());
  REQUIRE(c.lower());
  // Intervals grow by the square root of a layer's terms at each of the 18, so that nothing is proved of what was seen.
  CHECK(c.lower()->estimate > 0.1);
  CHECK(c.lower()->estimate <= c.upper());
  CHECK(seconds < 120);
}
