// SPDX-License-Identifier: MIT
// Networks built in C++ go to ONNX and come back with the same certificate.
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <sigmax/core/matrix.hpp>
#include <sigmax/core/random.hpp>
#include <sigmax/io/onnx.hpp>
#include <sigmax/lipschitz/certify.hpp>
#include <sigmax/lipschitz/combinators.hpp>
#include <sigmax/lipschitz/layers.hpp>
#include <sigmax/lipschitz/rules/activation.hpp>

#include "model_builder.hpp"

namespace {

using namespace sigmax;
using namespace sigmax::lipschitz;
using test::has;
using numbers = std::vector<double>;

template <class T>
matrix<T> gaussian(index_t rows, index_t cols, std::uint64_t seed) {
  matrix<T> w(rows, cols);
  fill_normal(w.view(), seed);
  return w;
}

network round_trip(network const& net) { return test::parse(test::save(net)); }

/// The same function on one input, and the same bounds but for the rounding of a few more products.
void check_same(network const& net) {
  network const again = round_trip(net);
  CHECK(again.input_shape() == net.input_shape());
  CHECK(again.output_shape() == net.output_shape());
  numbers x(static_cast<std::size_t>(element_count(net.input_shape())));
  random_sequence const random(3);
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = random.normal(i);
  auto const y = test::evaluate(net, x);
  auto const z = test::evaluate(again, x);
  REQUIRE(y.size() == z.size());
  for (std::size_t i = 0; i < y.size(); ++i) CHECK(z[i] == doctest::Approx(y[i]).epsilon(1e-12));
  for (norm::any const n : {norm::any(norm::l2), norm::any(norm::linf)}) {
    auto const c = test::certify(net, {.norm = n, .attack = false});
    auto const d = test::certify(again, {.norm = n, .attack = false});
    CHECK(d.upper() == doctest::Approx(c.upper()).epsilon(1e-14));
    CHECK(d.is_finite() == c.is_finite());
  }
}

template <layer L>
std::string refused(L const& l, tensor_shape shape) {
  return test::error_text<unsupported_error>([&] { test::save(network_of(l, std::move(shape))); });
}

}  // namespace

TEST_CASE("onnx: a residual network returns with the same certificate") {
  numbers const bias{0.5, -0.25, 0.125, 1};
  auto const net =
      sequential(linear(gaussian<float>(4, 3, 1), bias), relu(),
                 residual(0.5, sequential(linear(gaussian<float>(4, 4, 2)), gelu(), linear(gaussian<float>(4, 4, 3)))),
                 scale({2, -1, 0.5, 4}), tanh(), linear(gaussian<float>(2, 4, 4)));
  check_same(network_of(net, {1, 3}));
  check_same(network_of(net, {3}));
  check_same(network_of(net, {2, 5, 3}));
  // Without coefficients on the branches not even the rounding differs.
  auto const plain = network_of(sequential(linear(gaussian<float>(4, 3, 1), bias), relu(),
                                           residual(sequential(linear(gaussian<float>(4, 4, 2)), gelu()))),
                                {1, 3});
  CHECK(test::certify(round_trip(plain), {.attack = false}).upper() == test::certify(plain, {.attack = false}).upper());
}

TEST_CASE("onnx: weights of every type are stored exactly") {
  check_same(network_of(linear(gaussian<double>(3, 4, 1)), {1, 4}));
  matrix<f16> half(2, 2);
  half(0, 0) = f16(0.1f);
  half(1, 1) = f16(3.0f);
  matrix<bf16> brain(2, 2);
  brain(0, 1) = bf16(0.1f);
  check_same(network_of(sequential(linear(half), linear(brain)), {1, 2}));
  // One double makes all tensors double; floats stay what they are.
  check_same(network_of(sequential(linear(gaussian<float>(3, 4, 1)), scale(0.1)), {1, 4}));
}

TEST_CASE("onnx: every rule that has an ONNX form") {
  check_same(network_of(rules::identity{}, {3}));
  check_same(network_of(flatten(), {2, 3}));
  check_same(network_of(rules::scale({2, 4, 8}, rules::scale::operation::divide), {2, 3}));
  check_same(network_of(rules::add_constant({1, 2, 3}, -0.5), {2, 3}));
  check_same(network_of(rules::add_constant({}), {2, 3}));
  check_same(network_of(rules::linear(weight::owning(gaussian<float>(2, 3, 1)), -2.5), {1, 3}));
  check_same(network_of(rules::linear(weight::owning(gaussian<float>(2, 3, 1)), 0.1), {1, 3}));
  check_same(network_of(rules::linear(weight::owning(gaussian<float>(2, 3, 1)), 0.1), {3}));
  check_same(network_of(rules::weighted_sum({-3.0}), {2}));
  check_same(network_of(rules::weighted_sum({1.0}), {2}));
  network sums({2});
  auto const doubled = sums.add(rules::scale({2}), {0});
  auto const constant = sums.add(rules::constant({2}, {5, 6}), {});
  sums.add(rules::weighted_sum({1.0, -1.0, 0.5}), {0, doubled, constant});
  check_same(sums);
  network unused({2});
  unused.add(rules::scale({2}), {0});
  unused.set_output(0);
  check_same(unused);
}

TEST_CASE("onnx: every activation with an ONNX name") {
  int saved = 0;
  for (auto const& entry : rules::activation_table()) {
    rules::activation const rule(entry);
    if (entry.onnx_name.empty() || entry.name == "quick_gelu" || entry.name == "swish") {
      CHECK(has(refused(rule, {2}), "no such operator"));
      continue;
    }
    auto const again = round_trip(network_of(rule, {2}));
    CHECK(test::tight(test::certify(again, {.attack = false}).upper(), rule.constant()));
    ++saved;
  }
  CHECK(saved > 30);
  check_same(network_of(clip(-1, 2), {2}));
  check_same(network_of(clip(-infinity, 2), {2}));
  check_same(network_of(clip(-1, infinity), {2}));
  check_same(network_of(leaky_relu(-2), {2}));
  check_same(network_of(prelu(numbers{0.5, -3}), {2, 2}));
  check_same(network_of(prelu(0.75), {2, 2}));
  CHECK(has(refused(leaky_relu(0.1), {2}), "no float"));
  CHECK(has(refused(softplus(2), {2}), "no place"));
  CHECK(has(refused(clip(0.1, 1), {2}), "no float"));
}

TEST_CASE("onnx: what has no exact form is refused with the layer's name") {
  CHECK(has(refused(residual(0.1, relu()), {2}), "interval"));
  CHECK(has(refused(rules::rearrange({2}, {1, 0}, "swap"), {2}), "'swap_1' (swap)"));
  CHECK(has(refused(bounded(trust<op<norm::l2_t>>(2, "measured")), {2}), "no form in ONNX"));
  CHECK(has(refused(rules::add_constant({0.1}, 0.1), {2}), "coefficient"));
}

TEST_CASE("onnx: files are written completely or not at all") {
  auto const folder = std::filesystem::temp_directory_path() / "sigmax-save-test";
  std::filesystem::create_directories(folder);
  auto const path = folder / "net.onnx";
  auto const net = network_of(linear(gaussian<float>(2, 3, 1)), {1, 3});
  test::save(net, path);
  CHECK(test::read_bytes(path) == test::save(net));
  CHECK(test::certify(test::load(path), {.attack = false}).upper() == test::certify(net, {.attack = false}).upper());
  CHECK_THROWS_AS(test::save(network_of(residual(0.1, relu()), {2}), path), unsupported_error);
  CHECK(test::read_bytes(path) == test::save(net));
  CHECK(has(test::error_text<format_error>([&] { test::save(net, folder / "missing" / "net.onnx"); }), "cannot write"));
  CHECK(has(test::error_text<format_error>([&] { test::load(folder / "none.onnx"); }), "no such file"));
  CHECK(has(test::error_text<format_error>([&] { test::load(folder); }), "not a regular file"));
  CHECK(has(test::error_text<format_error>([&] { test::load(path, {.max_memory = 10}); }), "at most 10"));
  std::filesystem::remove_all(folder);
}
