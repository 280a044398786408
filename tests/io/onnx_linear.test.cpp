// SPDX-License-Identifier: MIT
// Gemm and MatMul against products written out by hand.
#include <cstdint>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <sigmax/io/onnx.hpp>
#include <sigmax/lipschitz/certify.hpp>

#include "model_builder.hpp"

namespace {

using namespace sigmax;
using lipschitz::tensor_shape;
using test::evaluate;
using test::extents;
using test::has;
using test::model_builder;
using test::ramp;
using numbers = std::vector<double>;

template <class E>
std::string refused(model_builder const& builder) {
  return test::error_text<E>([&] { builder.parse(); });
}

}  // namespace

// W = ramp is 1, 2, 3, ... row by row; x = 1, 10, 100 reads a row or column off the result.
TEST_CASE("onnx: Gemm with constant B") {
  for (bool const trans_b : {false, true}) {
    for (float const alpha : {1.0f, -0.5f}) {
      model_builder model({1, 3});
      model.store(ramp("w", trans_b ? extents{2, 3} : extents{3, 2}));
      auto node = model.node("Gemm", {"x", "w"});
      if (trans_b) node.set("transB", 1);
      if (alpha != 1) node.set("alpha", alpha);
      auto const net = model.parse();
      CHECK(net.output_shape() == tensor_shape{1, 2});
      double const a = double{alpha};
      CHECK(evaluate(net, {1, 10, 100}) == (trans_b ? numbers{a * 321, a * 654} : numbers{a * 531, a * 642}));
    }
  }
}

TEST_CASE("onnx: Gemm with transA, and C in every form that broadcasts") {
  model_builder model({3, 1});
  model.store(ramp("w", {3, 2})).store(ramp("c", {2}, 0.25f, 0.25f));
  model.node("Gemm", {"x", "w", "c"}).set("transA", 1).set("beta", 4.0f);
  CHECK(evaluate(model.parse(), {1, 10, 100}) == numbers{532, 644});
  for (extents const& shape : {extents{}, extents{1}, extents{1, 1}, extents{1, 2}, extents{2}}) {
    model_builder other({1, 3});
    other.store(ramp("w", {3, 2})).store(ramp("c", shape, 1, 0));
    other.node("Gemm", {"x", "w", "c"});
    CHECK(evaluate(other.parse(), {1, 10, 100}) == numbers{532, 643});
  }
  model_builder rows({2, 3});
  rows.store(ramp("w", {3, 1})).store(ramp("c", {2, 1}, 1000, 1000));
  rows.node("Gemm", {"x", "w", "c"});
  CHECK(evaluate(rows.parse(), {1, 0, 0, 0, 1, 0}) == numbers{1001, 2002});
  model_builder wrong({1, 3});
  wrong.store(ramp("w", {3, 2})).store(ramp("c", {3}));
  wrong.node("Gemm", {"x", "w", "c"});
  CHECK(has(refused<format_error>(wrong), "broadcast"));
  model_builder grows({1, 3});
  grows.store(ramp("w", {3, 2})).store(ramp("c", {4, 2}));
  grows.node("Gemm", {"x", "w", "c"});
  CHECK(has(refused<format_error>(grows), "cannot be broadcast to it"));
}

TEST_CASE("onnx: Gemm with constant A and computed B") {
  for (bool const trans_a : {false, true}) {
    for (bool const trans_b : {false, true}) {
      model_builder model(trans_b ? extents{2, 3} : extents{3, 2});
      model.store(ramp("a", trans_a ? extents{3, 2} : extents{2, 3}));
      model.node("Gemm", {"a", "x"}).set("transA", trans_a ? 1 : 0).set("transB", trans_b ? 1 : 0);
      auto const net = model.parse();
      CHECK(net.output_shape() == tensor_shape{2, 2});
      // The columns of op(B) are (1, 10, 100) and (1, 0, 0).
      numbers const x = trans_b ? numbers{1, 10, 100, 1, 0, 0} : numbers{1, 1, 10, 0, 100, 0};
      CHECK(evaluate(net, x) == (trans_a ? numbers{531, 1, 642, 2} : numbers{321, 1, 654, 4}));
    }
  }
}

TEST_CASE("onnx: Gemm with computed C adds the branches") {
  model_builder model({1, 2});
  model.store(ramp("w", {2, 2}));
  model.node("Gemm", {"x", "w", "x"}).set("beta", -3.0f);
  auto const net = model.parse();
  CHECK(evaluate(net, {1, 10}) == numbers{31 - 3, 42 - 30});
  // ||W|| = 5.46...; with the skip connection 3 more.
  CHECK(test::certify(net).upper() == doctest::Approx(5.464985704 + 3));
}

TEST_CASE("onnx: Gemm before operator set 7 broadcasts only where asked, and always has C") {
  model_builder model({1, 3}, 6);
  model.store(ramp("w", {3, 2})).store(ramp("c", {2}));
  model.node("Gemm", {"x", "w", "c"}).set("broadcast", 1);
  CHECK(evaluate(model.parse(), {1, 10, 100}) == numbers{532, 644});
  model_builder silent({1, 3}, 6);
  silent.store(ramp("w", {3, 2})).store(ramp("c", {2}));
  silent.node("Gemm", {"x", "w", "c"});
  CHECK(has(refused<format_error>(silent), "without broadcast"));
  model_builder missing({1, 3}, 9);
  missing.store(ramp("w", {3, 2}));
  missing.node("Gemm", {"x", "w"});
  CHECK(has(refused<format_error>(missing), "it takes 3"));
  model_builder late({1, 3}, 13);
  late.store(ramp("w", {3, 2})).store(ramp("c", {2}));
  late.node("Gemm", {"x", "w", "c"}).set("broadcast", 1);
  CHECK(has(refused<unsupported_error>(late), "'broadcast' is not known"));
}

TEST_CASE("onnx: Gemm refuses what it cannot be") {
  model_builder both({2, 2});
  both.node("Gemm", {"x", "x"});
  CHECK(has(test::certify(both.parse()).refused().front().reason, "a product of two computed values"));
  model_builder rank({1, 2, 2});
  rank.store(ramp("w", {2, 2}));
  rank.node("Gemm", {"x", "w"});
  CHECK(has(refused<format_error>(rank), "must be a matrix"));
  model_builder inner({1, 2});
  inner.store(ramp("w", {3, 2}));
  inner.node("Gemm", {"x", "w"});
  CHECK(has(refused<format_error>(inner), "last axis"));
  model_builder attribute({1, 2});
  attribute.store(ramp("w", {2, 2}));
  attribute.node("Gemm", {"x", "w"}).set("transB", 2);
  CHECK(has(refused<format_error>(attribute), "must be 0 or 1"));
  model_builder type({1, 2});
  type.store(ramp("w", {2, 2}));
  type.node("Gemm", {"x", "w"}).set("alpha", 1);
  CHECK(has(refused<format_error>(type), "'alpha' must be a float"));
}

TEST_CASE("onnx: MatMul with the constant on the right, computed values of any rank") {
  for (extents const& batch : {extents{}, extents{1}, extents{2}, extents{2, 1}}) {
    extents shape = batch;
    shape.push_back(3);
    model_builder model(shape);
    model.store(ramp("w", {3, 2}));
    model.node("MatMul", {"x", "w"});
    auto const net = model.parse();
    tensor_shape expected(batch.begin(), batch.end());
    expected.push_back(2);
    CHECK(net.output_shape() == expected);
    numbers x(static_cast<std::size_t>(lipschitz::element_count(net.input_shape())), 0.0);
    x[0] = 1;
    x[1] = 10;
    x[2] = 100;
    auto const y = evaluate(net, x);
    CHECK(y[0] == 531);
    CHECK(y[1] == 642);
  }
}

TEST_CASE("onnx: MatMul with the constant on the left") {
  model_builder model({2, 3, 2});
  model.store(ramp("w", {2, 3}));
  model.node("MatMul", {"w", "x"});
  auto const net = model.parse();
  CHECK(net.output_shape() == tensor_shape{2, 2, 2});
  CHECK(evaluate(net, {1, 1, 10, 0, 100, 0, 0, 0, 0, 0, 0, 1}) == numbers{321, 1, 654, 4, 0, 3, 0, 6});
  CHECK(test::certify(net).upper() == doctest::Approx(9.508032));

  model_builder vector({3});
  vector.store(ramp("w", {2, 3}));
  vector.node("MatMul", {"w", "x"});
  CHECK(vector.parse().output_shape() == tensor_shape{2});
  CHECK(evaluate(vector.parse(), {1, 10, 100}) == numbers{321, 654});
}

TEST_CASE("onnx: MatMul with a constant vector drops an axis") {
  model_builder right({2, 3});
  right.store(ramp("w", {3}));
  right.node("MatMul", {"x", "w"});
  CHECK(right.parse().output_shape() == tensor_shape{2});
  CHECK(evaluate(right.parse(), {1, 10, 100, 1, 0, 0}) == numbers{321, 1});
  model_builder left({3, 2});
  left.store(ramp("w", {3}));
  left.node("MatMul", {"w", "x"});
  CHECK(left.parse().output_shape() == tensor_shape{2});
  CHECK(evaluate(left.parse(), {1, 1, 10, 0, 100, 0}) == numbers{321, 1});
  model_builder dot({3});
  dot.store(ramp("w", {3}));
  dot.node("MatMul", {"x", "w"});
  CHECK(dot.parse().output_shape() == tensor_shape{});
  CHECK(evaluate(dot.parse(), {1, 10, 100}) == numbers{321});
}

TEST_CASE("onnx: MatMul with leading axes of extent 1, with stacks, and of two computed values") {
  model_builder model({2, 3});
  model.store(ramp("w", {1, 1, 3, 2}));
  model.node("MatMul", {"x", "w"});
  CHECK(model.parse().output_shape() == tensor_shape{1, 1, 2, 2});
  model_builder vector({3});
  vector.store(ramp("w", {1, 3, 2}));
  vector.node("MatMul", {"x", "w"});
  CHECK(vector.parse().output_shape() == tensor_shape{1, 2});
  model_builder stack({2, 2, 3});
  stack.store(ramp("w", {2, 3, 2}));
  stack.node("MatMul", {"x", "w"});
  CHECK(stack.parse().output_shape() == tensor_shape{2, 2, 2});
  CHECK(evaluate(stack.parse(), {1, 0, 0, 0, 1, 0, 0, 0, 1, 1, 1, 0}) == numbers{1, 2, 3, 4, 11, 12, 16, 18});
  CHECK(test::certify(stack.parse()).is_finite());
  model_builder both({2, 2});
  both.node("MatMul", {"x", "x"});
  CHECK(evaluate(both.parse(), {1, 2, 3, 4}) == numbers{7, 10, 15, 22});
  auto const everywhere = test::certify(both.parse());
  CHECK_FALSE(everywhere.is_finite());
  CHECK(has(everywhere.refused().front().reason, "a product of two computed values"));
  model_builder vectors({3});
  vectors.node("MatMul", {"x", "x"});
  CHECK(vectors.parse().output_shape() == tensor_shape{});
  CHECK(evaluate(vectors.parse(), {1, 2, 3}) == numbers{14});
  model_builder misfit({2, 3});
  misfit.node("MatMul", {"x", "x"});
  refused<sigmax::format_error>(misfit);
}

TEST_CASE("onnx: Gemm and MatMul of one matrix have the same certificate") {
  model_builder gemm({1, 3});
  gemm.store(ramp("w", {3, 2}));
  gemm.node("Gemm", {"x", "w"});
  model_builder matmul({1, 3});
  matmul.store(ramp("w", {3, 2}));
  matmul.node("MatMul", {"x", "w"});
  CHECK(test::certify(gemm.parse()).upper() == test::certify(matmul.parse()).upper());
}
