// SPDX-License-Identifier: MIT
// Whatever bytes come in, what comes out is a network or one of sigmax's exceptions.
#include <cstdint>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <sigmax/core/random.hpp>
#include <sigmax/io/onnx.hpp>

#include "model_builder.hpp"

namespace {

using namespace sigmax;

constexpr std::uint64_t small_memory = 8 << 20;

/// A model that uses most operators.
std::string rich_model() {
  test::model_builder model({1, 2, 3}, 13);
  model.store(test::ramp("w", {6, 4})).store(test::ramp("b", {4})).store(test::integers("s", {1, -1}));
  model.store(test::ramp("v", {4, 4}, 0.5f, 0.25f)).store(test::integers("axes", {0}));
  model.node("Reshape", {"x", "s"}, {"flat"});
  model.node("Gemm", {"flat", "w", "b"}, {"h"}).set("alpha", 0.5f).set("beta", 2.0f);
  model.node("LeakyRelu", {"h"}, {"a"}).set("alpha", 0.125f);
  model.node("Transpose", {"v"}, {"vt"}).set("perm", test::extents{1, 0});
  model.node("MatMul", {"a", "vt"}, {"m"});
  model.node("Constant", {}, {"c"}).set("value", test::ramp("", {4, 1}));
  model.node("MatMul", {"v", "c"}, {"vc"});
  model.node("Add", {"m", "a"}, {"r"});
  model.node("Mul", {"r", "b"}, {"scaled"});
  model.node("Unsqueeze", {"scaled", "axes"}, {"u"});
  model.node("Add", {"u", "vc"}, {"q"});
  model.node("Dropout", {"q"}, {"d", ""});
  model.node("Clip", {"d"}, {"clip"});
  model.node("Sum", {"clip", "b", "clip"}, {"sum"});
  model.node("Sigmoid", {"sum"});
  return model.bytes();
}

/// True if the bytes are a network; anything but a sigmax exception ends the test.
bool is_network(std::string const& bytes) {
  try {
    auto const net = test::parse(bytes, {.max_memory = small_memory});
    return net.size() > 0;
  } catch (error const& problem) {
    std::string const text = problem.what();
    REQUIRE(!text.empty());
    REQUIRE(text.find('\n') == std::string::npos);
    return false;
  }
}

}  // namespace

TEST_CASE("onnx: truncation at every byte") {
  std::string const bytes = rich_model();
  CHECK(is_network(bytes));
  int networks = 0;
  for (std::size_t size = 0; size < bytes.size(); ++size) networks += is_network(bytes.substr(0, size)) ? 1 : 0;
  // The graph is one field near the front; what follows it is the operator set.
  CHECK(networks <= 1);
}

TEST_CASE("onnx: 20,000 mutations") {
  std::string const bytes = rich_model();
  random_sequence const random(2026);
  std::uint64_t at = 0;
  auto const next = [&](std::size_t below) { return static_cast<std::size_t>(random.bits(at++) % below); };
  int networks = 0;
  for (int i = 0; i < 20000; ++i) {
    std::string mutated = bytes;
    for (std::size_t changes = 1 + next(4); changes > 0; --changes) {
      std::size_t const where = next(mutated.size());
      switch (next(5)) {
        case 0:
          mutated[where] = static_cast<char>(next(256));
          break;
        case 1:
          mutated[where] = static_cast<char>(mutated[where] ^ (1 << next(8)));
          break;
        case 2:
          mutated.erase(where, 1 + next(8));
          break;
        case 3:
          mutated.insert(where, 1 + next(8), static_cast<char>(next(256)));
          break;
        default: {
          std::string const part = mutated.substr(where, 1 + next(32));
          mutated.insert(next(mutated.size()), part);
        }
      }
      if (mutated.empty()) mutated = "x";
    }
    networks += is_network(mutated) ? 1 : 0;
  }
  // Mutations of names and numbers leave networks.
  CHECK(networks > 100);
  CHECK(networks < 19000);
}

TEST_CASE("onnx: noise") {
  random_sequence const random(7);
  for (std::uint64_t i = 0; i < 2000; ++i) {
    std::string bytes;
    for (std::uint64_t j = 0; j < random.bits(1000 * i) % 200; ++j)
      bytes += static_cast<char>(random.bits(1000 * i + j + 1));
    is_network(bytes);
  }
}

TEST_CASE("onnx: every operator without inputs, or with too few, too many and omitted ones") {
  std::vector<std::string> types;
  for (auto const& entry : io::onnx_detail::operator_table()) types.emplace_back(entry.type);
  types.insert(types.end(), {"Relu", "Elu", "PRelu", "Clip"});
  for (int const opset : {1, 7, 13, 18, 23}) {
    for (std::string const& type : types) {
      CAPTURE(type);
      CAPTURE(opset);
      for (std::vector<std::string> const& inputs : std::vector<std::vector<std::string>>{
               {}, {""}, {"", "x"}, {"x", ""}, {"x", "x"}, {"x", "", "x"}, {"x", "x", "x", "x", "x", "x", "x", "x"}}) {
        test::model_builder model({1, 2, 3}, opset);
        model.node(type.c_str(), inputs);
        is_network(model.bytes());
        test::model_builder flat({1, 3}, opset);
        flat.node(type.c_str(), inputs).set("axes", test::extents{1});
        is_network(flat.bytes());
      }
    }
  }
}
