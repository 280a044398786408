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

using namespace sigmax;
using sigmax::lipschitz::input_domain;
using sigmax::lipschitz::network;
using test::extents;
using test::integers;
using test::model_builder;

namespace {

int count_of(network const& net, std::string const& operator_name) {
  int count = 0;
  for (auto const& node : net.nodes()) count += node.rule.operator_name() == operator_name ? 1 : 0;
  return count;
}

/// Graphs as PyTorch's exporters write transformers.
class transformer {
 public:
  transformer(extents const& input, index_t n, index_t d, index_t heads, std::uint64_t seed)
      : model(input, 17), n_(n), d_(d), heads_(heads), numbers_(seed) {}

  std::string fresh(char const* what) { return std::string(what) + std::to_string(names_++); }

  std::string normals(extents const& dims, double scale) {
    onnx::TensorProto tensor;
    tensor.set_name(fresh("w"));
    tensor.set_data_type(onnx::TensorProto::FLOAT);
    std::int64_t count = 1;
    for (auto const extent : dims) {
      tensor.add_dims(extent);
      count *= extent;
    }
    for (std::int64_t i = 0; i < count; ++i)
      tensor.add_float_data(static_cast<float>(scale * numbers_.normal(next_++)));
    model.store(tensor);
    return tensor.name();
  }
  std::string number(float value) {
    auto tensor = test::ramp(fresh("c"), {}, value);
    model.store(tensor);
    return tensor.name();
  }
  std::string list(extents const& values) {
    auto tensor = integers(fresh("s"), values);
    model.store(tensor);
    return tensor.name();
  }
  std::string add(char const* type, std::vector<std::string> const& inputs) {
    std::string const output = fresh(type);
    model.node(type, inputs, {output});
    return output;
  }
  std::string reshape(std::string const& x, extents const& to) { return add("Reshape", {x, list(to)}); }
  std::string transpose(std::string const& x, extents const& order) {
    std::string const output = fresh("Transpose");
    model.node("Transpose", {x}, {output}).set("perm", order);
    return output;
  }
  std::string linear(std::string const& x, index_t in, index_t out) {
    return add("Add",
               {normals({out}, 0.1), add("MatMul", {x, normals({in, out}, 0.6 / std::sqrt(static_cast<double>(in)))})});
  }
  /// Conv1D of GPT-2: rows, Gemm, back.
  std::string rows_gemm(std::string const& x, index_t in, index_t out) {
    std::string const y =
        add("Gemm",
            {reshape(x, {-1, in}), normals({in, out}, 0.6 / std::sqrt(static_cast<double>(in))), normals({out}, 0.1)});
    return reshape(y, {1, n_, out});
  }
  std::string layer_norm(std::string const& x) {
    std::string const output = fresh("LayerNormalization");
    model.node("LayerNormalization", {x, normals({d_}, 1.0), normals({d_}, 0.1)}, {output}).set("epsilon", 1e-5f);
    return output;
  }
  std::string batch_norm(std::string const& x) {
    auto const ones = [&](float value) {
      auto tensor = test::ramp(fresh("b"), {d_}, value, 0.01f);
      model.store(tensor);
      return tensor.name();
    };
    std::string const turned = transpose(x, {0, 2, 1});
    return transpose(add("BatchNormalization", {turned, ones(1.0f), ones(0.1f), ones(0.2f), ones(1.5f)}), {0, 2, 1});
  }
  std::string softmax(std::string const& x, int axis = -1) {
    std::string const output = fresh("Softmax");
    model.node("Softmax", {x}, {output}).set("axis", axis);
    return output;
  }
  std::string gelu_erf(std::string const& x) {
    std::string const inner = add("Add", {add("Erf", {add("Div", {x, number(1.41421354f)})}), number(1.0f)});
    return add("Mul", {add("Mul", {x, inner}), number(0.5f)});
  }
  std::string gelu_tanh(std::string const& x) {
    std::string const cube = add("Mul", {add("Pow", {x, number(3.0f)}), number(0.044715f)});
    std::string const inner = add("Tanh", {add("Mul", {add("Add", {x, cube}), number(0.797884583f)})});
    return add("Mul", {add("Mul", {x, number(0.5f)}), add("Add", {inner, number(1.0f)})});
  }
  std::string head(std::string const& x, extents const& order) {
    return transpose(reshape(x, {1, n_, heads_, d_ / heads_}), order);
  }
  /// softmax(q k^T / sqrt(d)) v, heads together again; `scores` gets what stands between product and softmax.
  template <class Scores>
  std::string core(std::string const& q, std::string const& k, std::string const& v, Scores const& scores) {
    std::string const product = add("MatMul", {head(q, {0, 2, 1, 3}), head(k, {0, 2, 3, 1})});
    std::string const root = number(std::sqrt(static_cast<float>(d_ / heads_)));
    std::string const p = scores(add("Div", {product, root}));
    std::string const y = add("MatMul", {p, head(v, {0, 2, 1, 3})});
    return reshape(transpose(y, {0, 2, 1, 3}), {1, n_, d_});
  }
  std::string separate_attention(std::string const& x) {
    std::string const q = linear(x, d_, d_);
    std::string const k = linear(x, d_, d_);
    std::string const v = linear(x, d_, d_);
    return linear(core(q, k, v, [&](std::string const& s) { return softmax(s); }), d_, d_);
  }
  /// timm: one product, reshaped to (1, n, 3, H, d), transposed, three Gathers; the scale on q.
  std::string fused_attention(std::string const& x) {
    std::string const all = transpose(reshape(linear(x, d_, 3 * d_), {1, n_, 3, heads_, d_ / heads_}), {2, 0, 3, 1, 4});
    std::vector<std::string> parts;
    for (std::int64_t which = 0; which < 3; ++which) {
      onnx::TensorProto at;
      at.set_name(fresh("at"));
      at.set_data_type(onnx::TensorProto::INT64);
      at.add_int64_data(which);
      model.store(at);
      std::string const output = fresh("Gather");
      model.node("Gather", {all, at.name()}, {output}).set("axis", 0);
      parts.push_back(output);
    }
    std::string const q = add("Mul", {parts[0], number(1 / std::sqrt(static_cast<float>(d_ / heads_)))});
    std::string const p = softmax(add("MatMul", {q, transpose(parts[1], {0, 1, 3, 2})}));
    std::string const y = add("MatMul", {p, parts[2]});
    return linear(reshape(transpose(y, {0, 2, 1, 3}), {1, n_, d_}), d_, d_);
  }
  std::string finish(std::string const& x) {
    model.node("Identity", {x});
    return x;
  }

  model_builder model;

 private:
  index_t n_;
  index_t d_;
  index_t heads_;
  random_sequence numbers_;
  std::uint64_t next_ = 0;
  int names_ = 0;
};

enum class norms { before, after, batch };

/// A ViT of one block: patches by a convolution, positions, attention, an MLP, the mean of the tokens, classes.
network vision_transformer(norms where, bool fused, bool tanh) {
  index_t const d = 6;
  transformer t({1, 3, 4, 4}, 4, d, 2, 5);
  std::string const patches = t.fresh("patches");
  t.model.node("Conv", {"x", t.normals({d, 3, 2, 2}, 0.3)}, {patches})
      .set("strides", extents{2, 2})
      .set("kernel_shape", extents{2, 2});
  std::string x = t.transpose(t.reshape(patches, {1, d, 4}), {0, 2, 1});
  x = t.add("Add", {x, t.normals({1, 4, d}, 0.2)});
  auto const norm = [&](std::string const& z) { return where == norms::batch ? t.batch_norm(z) : t.layer_norm(z); };
  auto const attention = [&](std::string const& z) { return fused ? t.fused_attention(z) : t.separate_attention(z); };
  auto const mlp = [&](std::string const& z) {
    std::string const inner = t.linear(z, d, 2 * d);
    return t.linear(tanh ? t.gelu_tanh(inner) : t.gelu_erf(inner), 2 * d, d);
  };
  if (where == norms::after) {
    x = norm(t.add("Add", {x, attention(x)}));
    x = norm(t.add("Add", {x, mlp(x)}));
  } else {
    x = t.add("Add", {x, attention(norm(x))});
    x = t.add("Add", {x, mlp(norm(x))});
  }
  std::string const mean = t.fresh("mean");
  t.model.node("ReduceMean", {x}, {mean}).set("axes", extents{1}).set("keepdims", 0);
  t.finish(t.linear(mean, d, 3));
  return t.model.parse();
}

/// GPT-2 of `layers` layers from embedded tokens on. `hidden` is what stands in place of scores of later tokens.
model_builder language_model(index_t n, index_t d, index_t heads, int layers, float hidden) {
  transformer t({1, n, d}, n, d, heads, 6);
  onnx::TensorProto seen;
  seen.set_name("seen");
  seen.set_data_type(onnx::TensorProto::BOOL);
  for (std::int64_t const extent : {std::int64_t{1}, std::int64_t{1}, n, n}) seen.add_dims(extent);
  for (index_t i = 0; i < n; ++i) {
    for (index_t j = 0; j < n; ++j) seen.add_int32_data(j <= i ? 1 : 0);
  }
  t.model.store(seen);
  std::string const low = t.number(hidden);
  std::string x = "x";
  for (int layer = 0; layer < layers; ++layer) {
    std::string const all = t.rows_gemm(t.layer_norm(x), d, 3 * d);
    std::vector<std::string> const parts{t.fresh("q"), t.fresh("k"), t.fresh("v")};
    t.model.node("Split", {all, t.list({d, d, d})}, parts).set("axis", 2);
    std::string const y = t.core(parts[0], parts[1], parts[2], [&](std::string const& s) {
      return t.softmax(t.add("Where", {"seen", s, low}));
    });
    x = t.add("Add", {t.rows_gemm(y, d, d), x});
    std::string const inner = t.gelu_tanh(t.rows_gemm(t.layer_norm(x), d, 4 * d));
    x = t.add("Add", {x, t.rows_gemm(inner, 4 * d, d)});
  }
  t.finish(t.layer_norm(x));
  return std::move(t.model);
}

}  // namespace

TEST_CASE("onnx: vision transformers certify on a ball, and on all inputs where a layer norm stands before attention") {
  for (norms const where : {norms::before, norms::after, norms::batch}) {
    for (bool const fused : {false, true}) {
      bool const tanh = fused;
      CAPTURE(static_cast<int>(where));
      CAPTURE(fused);
      network const net = vision_transformer(where, fused, tanh);
      CHECK(count_of(net, "self_attention") == 1);
      CHECK(count_of(net, "softmax") == 0);
      CHECK(count_of(net, tanh ? "gelu_cubic" : "gelu") == 1);
      CHECK(count_of(net, "product") == 0);
      for (auto const which : {norm::any(norm::l2), norm::any(norm::linf), norm::any(norm::rms)}) {
        CHECK(test::certify(net, {.norm = which, .domain = input_domain::ball(0.1)}).is_finite());
      }
      CHECK(test::certify(net, {.attack = false}).is_finite() == (where == norms::before));
    }
  }
}

TEST_CASE("onnx: causal language models are recognised with every spelling of the mask") {
  std::vector<double> x;
  random_sequence const numbers(8);
  for (std::uint64_t i = 0; i < 24; ++i) x.push_back(numbers.normal(i));
  std::vector<double> expected;
  for (float const hidden : {-std::numeric_limits<float>::infinity(), std::numeric_limits<float>::lowest(), -1e4f}) {
    CAPTURE(hidden);
    network const net = language_model(3, 8, 2, 2, hidden).parse();
    CHECK(count_of(net, "self_attention") == 2);
    CHECK(count_of(net, "softmax") == 0);
    CHECK(count_of(net, "gelu_cubic") == 2);
    auto const y = test::evaluate(net, x);
    if (expected.empty()) expected = y;
    for (std::size_t i = 0; i < y.size(); ++i) CHECK(y[i] == doctest::Approx(expected[i]).epsilon(1e-9));
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
  transformer t({1, 2, 4}, 2, 4, 1, 9);
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

TEST_CASE("onnx: softmax over queries and masks computed from data are not attention, and are attacked in vain") {
  transformer wrong({1, 3, 4}, 3, 4, 2, 10);
  wrong.finish(wrong.core("x", "x", "x", [&](std::string const& s) { return wrong.softmax(s, 2); }));
  network const over_queries = wrong.model.parse();
  CHECK(count_of(over_queries, "attention") + count_of(over_queries, "self_attention") == 0);
  CHECK(test::certify(over_queries, {.domain = input_domain::ball(0.5)}).is_finite());

  transformer data({1, 3, 4}, 3, 4, 1, 11);
  data.finish(data.core("x", "x", "x", [&](std::string const& s) {
    std::string const bias = data.reshape(data.linear("x", 4, 3), {1, 1, 3, 3});
    return data.softmax(data.add("Add", {s, bias}));
  }));
  network const computed = data.model.parse();
  CHECK(count_of(computed, "attention") + count_of(computed, "self_attention") == 0);
  CHECK(test::certify(computed, {.domain = input_domain::ball(0.5)}).is_finite());
}
