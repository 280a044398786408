// SPDX-License-Identifier: MIT
// GPT-2 small in full size: 12 blocks of width 768 with 12 heads, 85 million parameters, from embedded tokens on; weights
// are drawn, the vocabulary is cut to 1,000 (the head is one matrix, and token ids are no real input).
#include <chrono>
#include <string>
#include <sys/resource.h>
#include <utility>

#include <doctest/doctest.h>

#include <sigmax/lipschitz/network.hpp>

#include "io/model_builder.hpp"
#include "io/transformer_models.hpp"

using namespace sigmax;
using sigmax::lipschitz::input_domain;

TEST_CASE("onnx: GPT-2 small is read, its attention recognised, and bounded on a ball and on all inputs") {
  using clock = std::chrono::steady_clock;
  auto const seconds = [](clock::time_point since) {
    return std::chrono::duration<double>(clock::now() - since).count();
  };
  auto begin = clock::now();
  std::string bytes;
  {
    auto const model = test::language_model({.tokens = 16,
                                             .width = 768,
                                             .heads = 12,
                                             .layers = 12,
                                             .mask = test::causal_mask::where,
                                             .hidden = -3.402823466e38f,
                                             .longest = 1024,
                                             .vocabulary = 1000});
    bytes = model.bytes();
  }
  MESSAGE("model of ", bytes.size() >> 20, " MiB made in ", seconds(begin), " s");
  begin = clock::now();
  auto const net = test::parse(bytes);
  MESSAGE("read in ", seconds(begin), " s");
  bytes = {};
  int attentions = 0;
  int gelus = 0;
  for (auto const& node : net.nodes()) {
    attentions += node.rule.operator_name() == "self_attention" ? 1 : 0;
    gelus += node.rule.operator_name() == "gelu_cubic" ? 1 : 0;
    CHECK(node.rule.operator_name() != "softmax");
    CHECK(node.rule.operator_name() != "matrix_product");
  }
  CHECK(attentions == 12);
  CHECK(gelus == 12);
  for (auto const& [domain, name] :
       {std::pair{input_domain::ball(0.01), "ball of 0.01"}, std::pair{input_domain(), "all inputs"}}) {
    for (norm::any const which : {norm::any(norm::l2), norm::any(norm::rms)}) {
      begin = clock::now();
      auto const c = test::certify(net, {.norm = which, .domain = domain, .attack = false});
      MESSAGE(std::string(which.name()), ", ", std::string(name), ": log10 L <= ", c.log10_upper(), " by ", c.method(),
              " in ", seconds(begin), " s");
      CHECK(c.upper_extended().is_infinite() == false);
      CHECK(c.refused().empty());
    }
  }
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  MESSAGE("peak memory ", used.ru_maxrss >> 10, " MiB");
  CHECK(used.ru_maxrss < (4L << 20));
}
