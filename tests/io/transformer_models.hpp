// SPDX-License-Identifier: MIT
/// @file
/// Transformers in ONNX as PyTorch's exporters write them, by hand: no exporter is at hand where tests run.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include <sigmax/core/random.hpp>

#include "io/model_builder.hpp"

namespace sigmax::test {

/// Nodes and weights of a transformer of n tokens of width d.
class transformer_builder {
 public:
  using index_t = sigmax::index_t;

  transformer_builder(extents const& input, index_t n, index_t d, index_t heads, std::uint64_t seed)
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
    tensor.mutable_float_data()->Reserve(static_cast<int>(count));
    for (std::int64_t i = 0; i < count; ++i)
      tensor.add_float_data(static_cast<float>(scale * numbers_.normal(next_++)));
    std::string const name = tensor.name();
    *model.graph().add_initializer() = std::move(tensor);
    return name;
  }
  std::string number(float value) {
    auto tensor = ramp(fresh("c"), {}, value);
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
  template <class Value>
  std::string add(char const* type, std::vector<std::string> const& inputs, char const* attribute, Value const& value) {
    std::string const output = fresh(type);
    model.node(type, inputs, {output}).set(attribute, value);
    return output;
  }
  std::string reshape(std::string const& x, extents const& to) { return add("Reshape", {x, list(to)}); }
  std::string transpose(std::string const& x, extents const& order) { return add("Transpose", {x}, "perm", order); }
  std::string linear(std::string const& x, index_t in, index_t out) {
    return add("Add",
               {normals({out}, 0.1), add("MatMul", {x, normals({in, out}, 0.6 / std::sqrt(static_cast<double>(in)))})});
  }
  /// Conv1D of GPT-2: rows, Gemm, back, all shapes computed.
  std::string rows_gemm(std::string const& x, index_t in, index_t out) {
    std::string const front = add("Slice", {add("Shape", {x}), list({0}), list({2}), list({0})});
    std::string const back = add("Concat", {front, list({out})}, "axis", 0);
    std::string const y =
        add("Gemm",
            {reshape(x, {-1, in}), normals({in, out}, 0.6 / std::sqrt(static_cast<double>(in))), normals({out}, 0.1)});
    return add("Reshape", {y, back});
  }
  std::string layer_norm(std::string const& x) {
    return add("LayerNormalization", {x, normals({d_}, 1.0), normals({d_}, 0.1)}, "epsilon", 1e-5f);
  }
  /// Of the second axis.
  std::string batch_norm(std::string const& x) {
    auto const ones = [&](float value) {
      auto tensor = ramp(fresh("b"), {d_}, value, 0.01f);
      model.store(tensor);
      return tensor.name();
    };
    return add("BatchNormalization", {x, ones(1.0f), ones(0.1f), ones(0.2f), ones(1.5f)});
  }
  /// nn.BatchNorm1d of tokens stands between transpositions.
  std::string batch_norm_of_tokens(std::string const& x) {
    return transpose(batch_norm(transpose(x, {0, 2, 1})), {0, 2, 1});
  }
  std::string softmax(std::string const& x, int axis = -1) { return add("Softmax", {x}, "axis", axis); }
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
  /// (1, H, n, d / H) to tokens again.
  std::string joined(std::string const& y) { return reshape(transpose(y, {0, 2, 1, 3}), {1, n_, d_}); }

  /// softmax(q k^T / sqrt(d)) v as models write it out; `scores` gets what stands between product and softmax.
  template <class Scores>
  std::string core(std::string const& q, std::string const& k, std::string const& v, Scores const& scores) {
    std::string const product = add("MatMul", {head(q, {0, 2, 1, 3}), head(k, {0, 2, 3, 1})});
    std::string const root = number(std::sqrt(static_cast<float>(d_ / heads_)));
    return joined(add("MatMul", {scores(add("Div", {product, root})), head(v, {0, 2, 1, 3})}));
  }
  /// The same of heads (1, H, n, d / H) as torch.onnx writes scaled_dot_product_attention: both factors get the root of
  /// the scale, which is computed from the shape; a causal mask is a triangle of ones that becomes 0 and -inf.
  std::string fused_core(std::string const& q, std::string const& k, std::string const& v, bool causal) {
    std::string const last = add("Slice", {add("Shape", {q}), list({-1}), list({INT64_MAX}), list({0})});
    std::string const width = add("Cast", {last}, "to", static_cast<int>(onnx::TensorProto::FLOAT));
    std::string const scale = add("Div", {number(1.0f), add("Sqrt", {width})});
    std::string const scaled_q = add("Mul", {q, add("Sqrt", {scale})});
    std::string const scaled_k = add("Mul", {transpose(k, {0, 1, 3, 2}), add("Sqrt", {scale})});
    std::string scores = add("MatMul", {scaled_q, scaled_k});
    if (causal) {
      auto const extent_of = [&](std::string const& x) {
        return add("Slice", {add("Shape", {x}), list({-2}), list({-1}), list({0})});
      };
      std::string const size = add("Concat", {extent_of(q), extent_of(k)}, "axis", 0);
      std::string const triangle = add("Trilu", {add("Expand", {number(1.0f), size})}, "upper", 0);
      std::string const hidden = number(-std::numeric_limits<float>::infinity());
      std::string const mask = add("Where", {add("Equal", {triangle, number(0.0f)}), hidden, number(0.0f)});
      scores = add("Add", {scores, mask});
    }
    return add("MatMul", {softmax(scores), v});
  }
  std::string separate_attention(std::string const& x) {
    std::string const q = linear(x, d_, d_);
    std::string const k = linear(x, d_, d_);
    std::string const v = linear(x, d_, d_);
    return linear(core(q, k, v, [&](std::string const& s) { return softmax(s); }), d_, d_);
  }
  /// One product, its parts by Split.
  std::string split_attention(std::string const& x) {
    std::vector<std::string> const parts{fresh("q"), fresh("k"), fresh("v")};
    model.node("Split", {linear(x, d_, 3 * d_), list({d_, d_, d_})}, parts).set("axis", -1);
    return linear(core(parts[0], parts[1], parts[2], [&](std::string const& s) { return softmax(s); }), d_, d_);
  }
  /// timm: one product, reshaped to (1, n, 3, H, d), transposed, three Gathers.
  std::vector<std::string> fused_parts(std::string const& x) {
    std::string const all = transpose(reshape(linear(x, d_, 3 * d_), {1, n_, 3, heads_, d_ / heads_}), {2, 0, 3, 1, 4});
    std::vector<std::string> parts;
    for (std::int64_t which = 0; which < 3; ++which) {
      onnx::TensorProto at;
      at.set_name(fresh("at"));
      at.set_data_type(onnx::TensorProto::INT64);
      at.add_int64_data(which);
      model.store(at);
      parts.push_back(add("Gather", {all, at.name()}, "axis", 0));
    }
    return parts;
  }
  /// timm with fused_attn = False: the scale on q.
  std::string fused_attention(std::string const& x) {
    auto const parts = fused_parts(x);
    std::string const q = add("Mul", {parts[0], number(1 / std::sqrt(static_cast<float>(d_ / heads_)))});
    std::string const p = softmax(add("MatMul", {q, transpose(parts[1], {0, 1, 3, 2})}));
    return linear(joined(add("MatMul", {p, parts[2]})), d_, d_);
  }
  /// timm as it is now.
  std::string scaled_dot_product_attention(std::string const& x) {
    auto const parts = fused_parts(x);
    return linear(joined(fused_core(parts[0], parts[1], parts[2], false)), d_, d_);
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
  sigmax::random_sequence numbers_;
  std::uint64_t next_ = 0;
  int names_ = 0;
};

enum class norm_place { before, after, batch };
enum class projections { separate, split, fused, scaled_dot_product };

struct vision_options {
  norm_place norms = norm_place::before;
  projections how = projections::separate;
  bool tanh = false;
  /// A token for the class before the patches; else the mean of the tokens is read.
  bool class_token = false;
  int layers = 1;
};

/// A ViT: patches by a convolution with batch normalisation, positions, blocks of attention and MLP, classes.
inline model_builder vision_transformer(vision_options const& options) {
  sigmax::index_t const d = 6;
  sigmax::index_t const n = options.class_token ? 5 : 4;
  transformer_builder t({1, 3, 4, 4}, n, d, 2, 5);
  std::string patches = t.fresh("patches");
  t.model.node("Conv", {"x", t.normals({d, 3, 2, 2}, 0.3), t.normals({d}, 0.1)}, {patches})
      .set("strides", extents{2, 2})
      .set("kernel_shape", extents{2, 2});
  patches = t.batch_norm(patches);
  std::string x = t.transpose(t.reshape(patches, {1, d, 4}), {0, 2, 1});
  if (options.class_token) {
    std::string const token = t.add("Expand", {t.normals({1, 1, d}, 0.5), t.list({1, 1, d})});
    x = t.add("Concat", {token, x}, "axis", 1);
  }
  x = t.add("Add", {x, t.normals({1, n, d}, 0.2)});
  auto const norm = [&](std::string const& z) {
    return options.norms == norm_place::batch ? t.batch_norm_of_tokens(z) : t.layer_norm(z);
  };
  auto const attention = [&](std::string const& z) {
    switch (options.how) {
      case projections::split:
        return t.split_attention(z);
      case projections::fused:
        return t.fused_attention(z);
      case projections::scaled_dot_product:
        return t.scaled_dot_product_attention(z);
      default:
        return t.separate_attention(z);
    }
  };
  auto const mlp = [&](std::string const& z) {
    std::string const inner = t.linear(z, d, 2 * d);
    return t.linear(options.tanh ? t.gelu_tanh(inner) : t.gelu_erf(inner), 2 * d, d);
  };
  for (int layer = 0; layer < options.layers; ++layer) {
    if (options.norms == norm_place::after) {
      x = norm(t.add("Add", {x, attention(x)}));
      x = norm(t.add("Add", {x, mlp(x)}));
    } else {
      x = t.add("Add", {x, attention(norm(x))});
      x = t.add("Add", {x, mlp(norm(x))});
    }
  }
  if (options.class_token) {
    onnx::TensorProto first;
    first.set_name("first");
    first.set_data_type(onnx::TensorProto::INT64);
    first.add_int64_data(0);
    t.model.store(first);
    x = t.layer_norm(t.add("Gather", {x, "first"}, "axis", 1));
  } else {
    std::string const mean = t.fresh("mean");
    t.model.node("ReduceMean", {x}, {mean}).set("axes", extents{1}).set("keepdims", 0);
    x = mean;
  }
  t.finish(t.linear(x, d, 3));
  return std::move(t.model);
}

/// How the scores of later tokens are hidden.
enum class causal_mask { where, triangle };

struct language_options {
  sigmax::index_t tokens = 3;
  sigmax::index_t width = 8;
  sigmax::index_t heads = 2;
  int layers = 2;
  causal_mask mask = causal_mask::where;
  /// Stands in place of hidden scores.
  float hidden = -std::numeric_limits<float>::infinity();
  /// The truth values of the mask are stored for so many tokens, and cut to what is there.
  sigmax::index_t longest = 5;
  /// Logits for so many tokens; 0: the last normalised values.
  sigmax::index_t vocabulary = 0;
};

/// GPT-2 from embedded tokens on: token ids are no real input.
inline model_builder language_model(language_options const& options) {
  sigmax::index_t const n = options.tokens;
  sigmax::index_t const d = options.width;
  transformer_builder t({1, n, d}, n, d, options.heads, 6);
  onnx::TensorProto seen;
  seen.set_name("bias");
  seen.set_data_type(onnx::TensorProto::BOOL);
  sigmax::index_t const most = options.longest > n ? options.longest : n;
  for (std::int64_t const extent : {std::int64_t{1}, std::int64_t{1}, most, most}) seen.add_dims(extent);
  for (sigmax::index_t i = 0; i < most; ++i) {
    for (sigmax::index_t j = 0; j < most; ++j) seen.add_int32_data(j <= i ? 1 : 0);
  }
  t.model.store(seen);
  std::string const low = t.number(options.hidden);
  std::string x = "x";
  for (int layer = 0; layer < options.layers; ++layer) {
    std::string const all = t.rows_gemm(t.layer_norm(x), d, 3 * d);
    std::vector<std::string> const parts{t.fresh("q"), t.fresh("k"), t.fresh("v")};
    t.model.node("Split", {all, t.list({d, d, d})}, parts).set("axis", 2);
    std::string y;
    if (options.mask == causal_mask::where) {
      y = t.core(parts[0], parts[1], parts[2], [&](std::string const& s) {
        std::string const size = t.add("Slice", {t.add("Shape", {s}), t.list({2}), t.list({4})});
        std::string const cut = t.add("Slice", {"bias", t.list({0, 0}), size, t.list({2, 3})});
        return t.softmax(t.add("Where", {cut, s, low}));
      });
    } else {
      auto const head = [&](std::string const& z) { return t.head(z, {0, 2, 1, 3}); };
      y = t.joined(t.fused_core(head(parts[0]), head(parts[1]), head(parts[2]), true));
    }
    x = t.add("Add", {t.rows_gemm(y, d, d), x});
    std::string const inner = t.gelu_tanh(t.rows_gemm(t.layer_norm(x), d, 4 * d));
    x = t.add("Add", {x, t.rows_gemm(inner, 4 * d, d)});
  }
  x = t.layer_norm(x);
  if (options.vocabulary > 0) x = t.add("MatMul", {x, t.normals({d, options.vocabulary}, 0.02)});
  t.finish(x);
  return std::move(t.model);
}

}  // namespace sigmax::test
