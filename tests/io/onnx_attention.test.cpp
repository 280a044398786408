// SPDX-License-Identifier: MIT
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <sigmax/core/error.hpp>
#include <sigmax/core/random.hpp>
#include <sigmax/lipschitz/network.hpp>

#include "io/model_builder.hpp"
#include "io/transformer_models.hpp"

using namespace sigmax;
using sigmax::lipschitz::input_domain;
using sigmax::lipschitz::network;
using test::causal_mask;
using test::model_builder;
using test::norm_place;
using test::projections;
using test::transformer_builder;

namespace {

int count_of(network const& net, std::string const& operator_name) {
  int count = 0;
  for (auto const& node : net.nodes()) count += node.rule.operator_name() == operator_name ? 1 : 0;
  return count;
}

}  // namespace

TEST_CASE("onnx: vision transformers certify on a ball, and on all inputs where a layer norm stands before attention") {
  // Batch norm of the patches; norms before, behind and of the batch; projections apart, split, fused and as
  // scaled_dot_product_attention; GELU by erf and by tanh; class token and mean.
  for (norm_place const where : {norm_place::before, norm_place::after, norm_place::batch}) {
    for (projections const how :
         {projections::separate, projections::split, projections::fused, projections::scaled_dot_product}) {
      for (bool const tanh : {false, true}) {
        bool const class_token = (how == projections::split) != tanh;
        CAPTURE(static_cast<int>(where));
        CAPTURE(static_cast<int>(how));
        CAPTURE(tanh);
        network const net = test::vision_transformer({where, how, tanh, class_token}).parse();
        CHECK(count_of(net, "self_attention") == 1);
        CHECK(count_of(net, "softmax") == 0);
        CHECK(count_of(net, tanh ? "gelu_cubic" : "gelu") == 1);
        CHECK(count_of(net, "product") == 0);
        CHECK(count_of(net, "batch_normalization") == 0);
        std::size_t const kind = (static_cast<std::size_t>(how) + (tanh ? 1u : 0u)) % 3;
        auto const which = kind == 0 ? norm::any(norm::l2) : kind == 1 ? norm::any(norm::linf) : norm::any(norm::rms);
        auto const local = test::certify(net, {.norm = which, .domain = input_domain::ball(0.1)});
        CHECK(local.is_finite());
        CHECK(local.lower()->value <= local.upper());
        bool const bounded = test::certify(net, {.norm = which, .attack = false}).is_finite();
        CHECK(bounded == (where == norm_place::before));
      }
    }
  }
  network const deep = test::vision_transformer({.layers = 3}).parse();
  CHECK(count_of(deep, "self_attention") == 3);
  CHECK(test::certify(deep, {.domain = input_domain::ball(0.1), .attack = false}).is_finite());
}

TEST_CASE("onnx: a vision transformer computes the same however its attention is written") {
  std::vector<double> x;
  random_sequence const numbers(3);
  for (std::uint64_t i = 0; i < 48; ++i) x.push_back(numbers.normal(i));
  // Fused projections are drawn alike; the spelling of the product differs.
  auto const one = test::evaluate(test::vision_transformer({.how = projections::fused}).parse(), x);
  auto const other = test::evaluate(test::vision_transformer({.how = projections::scaled_dot_product}).parse(), x);
  REQUIRE(one.size() == other.size());
  for (std::size_t i = 0; i < one.size(); ++i) CHECK(one[i] == doctest::Approx(other[i]).epsilon(1e-6));
}

TEST_CASE("onnx: causal language models are recognised with every spelling of the mask") {
  std::vector<double> x;
  random_sequence const numbers(8);
  for (std::uint64_t i = 0; i < 24; ++i) x.push_back(numbers.normal(i));
  std::vector<double> expected;
  float const infinite = -std::numeric_limits<float>::infinity();
  struct spelling {
    causal_mask mask;
    float hidden;
  };
  for (auto const& spelled :
       {spelling{causal_mask::where, infinite}, spelling{causal_mask::where, std::numeric_limits<float>::lowest()},
        spelling{causal_mask::where, -1e4f}, spelling{causal_mask::triangle, infinite}}) {
    auto const mask = spelled.mask;
    float const hidden = spelled.hidden;
    CAPTURE(hidden);
    CAPTURE(static_cast<int>(mask));
    network const net = test::language_model({.mask = mask, .hidden = hidden}).parse();
    CHECK(count_of(net, "self_attention") == 2);
    CHECK(count_of(net, "softmax") == 0);
    CHECK(count_of(net, "gelu_cubic") == 2);
    auto const y = test::evaluate(net, x);
    if (expected.empty()) expected = y;
    for (std::size_t i = 0; i < y.size(); ++i) CHECK(y[i] == doctest::Approx(expected[i]).epsilon(1e-6));
    // The first token sees itself only.
    auto other = x;
    other[20] += 1;
    auto const moved = test::evaluate(net, other);
    for (std::size_t i = 0; i < 16; ++i) CHECK(moved[i] == y[i]);
    for (auto const which : {norm::any(norm::l2), norm::any(norm::linf), norm::any(norm::rms)}) {
      CHECK(test::certify(net, {.norm = which, .domain = input_domain::ball(0.05, x)}).is_finite());
      CHECK(test::certify(net, {.norm = which, .attack = false}).is_finite());
    }
  }
}

TEST_CASE("onnx: a mask of -inf is added as well, and is refused everywhere else") {
  transformer_builder t({1, 2, 4}, 2, 4, 1, 9);
  onnx::TensorProto mask = test::ramp("mask", {2, 2}, 0.0f, 0.0f);
  mask.set_float_data(1, -std::numeric_limits<float>::infinity());
  t.model.store(mask);
  t.finish(t.core("x", "x", "x", [&](std::string const& s) { return t.softmax(t.add("Add", {s, "mask"})); }));
  network const net = t.model.parse();
  CHECK(count_of(net, "attention") + count_of(net, "self_attention") == 1);
  CHECK(test::evaluate(net, {1, 2, 3, 4, 5, 6, 7, 8})[0] == 1);
  CHECK(test::certify(net, {.domain = input_domain::ball(1.0)}).is_finite());

  model_builder weights({1, 2});
  weights.store(mask);
  weights.node("MatMul", {"x", "mask"});
  CHECK(test::has(test::error_text<numeric_error>([&] { weights.parse(); }), "-infinity; weights must be finite"));
}

TEST_CASE(
    "onnx: what only looks like attention is refused on all inputs by name, and bounded as what it is on a ball") {
  transformer_builder wrong({1, 3, 4}, 3, 4, 2, 10);
  wrong.finish(wrong.core("x", "x", "x", [&](std::string const& s) { return wrong.softmax(s, 2); }));
  network const over_queries = wrong.model.parse();
  CHECK(count_of(over_queries, "attention") + count_of(over_queries, "self_attention") == 0);
  CHECK(test::certify(over_queries, {.domain = input_domain::ball(0.5)}).is_finite());
  auto const everywhere = test::certify(over_queries, {.attack = false});
  CHECK_FALSE(everywhere.is_finite());
  REQUIRE(everywhere.refused().size() >= 1);
  CHECK(everywhere.refused()[0].op == "matrix_product");
  CHECK(test::has(everywhere.refused()[0].reason, "bounded domain"));

  transformer_builder data({1, 3, 4}, 3, 4, 1, 11);
  data.finish(data.core("x", "x", "x", [&](std::string const& s) {
    std::string const bias = data.reshape(data.linear("x", 4, 3), {1, 1, 3, 3});
    return data.softmax(data.add("Add", {s, bias}));
  }));
  network const computed = data.model.parse();
  CHECK(count_of(computed, "attention") + count_of(computed, "self_attention") == 0);
  CHECK(test::certify(computed, {.domain = input_domain::ball(0.5)}).is_finite());
  CHECK_FALSE(test::certify(computed, {.attack = false}).is_finite());

  // The operators that hold attention as a whole are named.
  for (char const* const type : {"Attention", "RotaryEmbedding"}) {
    model_builder whole({1, 3, 4}, 23);
    whole.node(type, {"x", "x", "x"});
    CHECK(test::has(test::error_text<unsupported_error>([&] { whole.parse(); }), type));
  }
}
