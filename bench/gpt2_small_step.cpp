// SPDX-License-Identifier: MIT
// Work of the size of training: orthogonalize, soft cap and proof of every weight of GPT-2-small, 12 layers of four
// 768 x 768, one 768 x 3072 and one 3072 x 768, and a head of 50304 x 768. PyTorch does the same without the proof.
#include <cmath>
#include <memory>
#include <vector>

#include <fmt/format.h>

#include <sigmax/core/matrix.hpp>
#include <sigmax/core/random.hpp>
#include <sigmax/core/workspace.hpp>

#include "data/weight_step.hpp"
#include "harness/backend_for.hpp"
#include "harness/contest.hpp"
#include "harness/python_case.hpp"

namespace bench {

namespace {

constexpr index_t width = 768;

struct extents {
  index_t rows, cols;
};

struct model {
  int layers;
  /// Rows of the head, and of the normal numbers all gradients are cut from; 0 rows of head leave it out.
  index_t head;
  index_t stock;

  std::vector<extents> shapes() const {
    std::vector<extents> all;
    for (int layer = 0; layer < layers; ++layer) {
      all.insert(all.end(), 4, {width, width});
      all.push_back({width, 4 * width});
      all.push_back({4 * width, width});
    }
    if (head > 0) all.push_back({head, width});
    return all;
  }

  /// rows x 768 standard normal numbers.
  sigmax::matrix<float> numbers() const {
    sigmax::matrix<float> all(stock, width);
    sigmax::fill_normal(all.view(), 11);
    return all;
  }
};

/// Weights and gradients of their own memory. Gradient k is the block of the stock that starts 768 k rows down, weights
/// are the same numbers in reverse order, with a norm of about 0.9. peers/with_torch.py builds the same.
struct weights {
  std::vector<sigmax::matrix<float>> w, gradient, update;

  weights(model const& of, sigmax::matrix<float> const& stock) {
    index_t place = 0;
    for (auto const [rows, cols] : of.shapes()) {
      index_t const size = rows * cols;
      if (place + size > stock.size()) place = 0;
      float const scale = 0.9f / (std::sqrt(static_cast<float>(rows)) + std::sqrt(static_cast<float>(cols)));
      auto& g = gradient.emplace_back(rows, cols);
      auto& v = w.emplace_back(rows, cols);
      update.emplace_back(rows, cols);
      for (index_t i = 0; i < size; ++i) {
        g.data()[i] = stock.data()[place + i];
        v.data()[size - 1 - i] = scale * stock.data()[place + i];
      }
      place = (place + width * width) % stock.size();
    }
  }

  std::vector<weight_step> steps() {
    std::vector<weight_step> all;
    for (std::size_t k = 0; k < w.size(); ++k) all.push_back({w[k].view(), gradient[k].view(), update[k].view()});
    return all;
  }
};

contender ours(model const& of, bool with_proof, int threads) {
  double flops = 0;
  for (auto const [rows, cols] : of.shapes()) {
    weight_step_flops const of_weight(rows, cols);
    flops += with_proof ? of_weight.with_proof() : of_weight.in_float;
  }
  return {with_proof ? "sigmax" : "sigmax-without-proof", flops, [=] {
            auto const all = std::make_shared<weights>(of, of.numbers());
            auto const memory = std::make_shared<sigmax::workspace>();
            auto const proved = std::make_shared<int>();
            auto const run = [=, on = backend_for(threads), steps = all->steps()] {
              *proved = 0;
              for (auto const& step : steps) {
                step.orthogonalize(on, *memory);
                step.cap(on, *memory);
                if (with_proof && step.prove(on, *memory)) ++*proved;
              }
            };
            auto const judge = [=] {
              int const wanted = with_proof ? static_cast<int>(all->w.size()) : 0;
              return verdict{.holds = *proved == wanted,
                             .note = with_proof ? fmt::format("{} of {} weights proved", *proved, wanted) : ""};
            };
            return prepared{run, judge};
          }};
}

void enter_model(options const& given, std::string const& name, model const& of) {
  task const what{.work = "gpt2_small_step", .variant = name};
  enter(given, what, ours(of, true, given.threads));
  enter(given, what, ours(of, false, given.threads));
  offer_to_python(given, what, [&] {
    return python_case{.input = of.numbers(),
                       .parameters = {{"layers", static_cast<double>(of.layers)},
                                      {"head", static_cast<double>(of.head)},
                                      {"learning_rate", learning_rate},
                                      {"strength", sigmax::soft_cap_strength(weight_cap, step_norm)}}};
  });
}

}  // namespace

void enter_contests(options const& given) {
  if (given.quick && given.threads == 1 && backend_has_threads) return;
  enter_model(given, "1 layer", {.layers = 1, .head = 0, .stock = 8 * width});
  if (given.threads > 1 && !given.quick) {
    enter_model(given, "12 layers and head", {.layers = 12, .head = 50304, .stock = 50304});
  }
}

}  // namespace bench
