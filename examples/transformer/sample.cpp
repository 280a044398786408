// SPDX-License-Identifier: MIT
#include <algorithm>
#include <memory>
#include <vector>

#include <sigmax/core/error.hpp>
#include <sigmax/core/random.hpp>

#include "model.hpp"
#include "sample.hpp"

namespace transformer {

namespace {

/// Windows grow by this many tokens: one of a few is not computed as long as the whole context.
constexpr index_t growth = 64;

/// A model for windows of one length.
struct window {
  model<float> of;
  activations<float> kept;

  window(run_settings const& settings, index_t length)
      : of(settings.shape, settings.model, length), kept(settings.shape, 1, length) {}
};

/// The token at `at` (uniform in [0, 1)) of the distribution. Logits are changed.
token draw(float* logits, index_t n, double temperature, double at) {
  if (temperature == 0) return static_cast<token>(std::max_element(logits, logits + n) - logits);
  softmax_forward(logits, n, static_cast<float>(1 / temperature));
  double sum = 0;
  for (index_t i = 0; i < n; ++i) {
    sum += static_cast<double>(logits[i]);
    if (at < sum) return static_cast<token>(i);
  }
  return static_cast<token>(n - 1);
}

}  // namespace

void sample(sigmax::cpu::native const& on, stored_model const& from, sampling const& how,
            std::function<void(char)> const& hand_on) {
  auto const& shape = from.settings.shape;
  auto text = from.vocabulary.encode(how.prompt);
  if (text.empty()) throw sigmax::domain_error("the prompt is empty; the model needs a byte to go on from");
  sigmax::random_sequence const random(how.seed);
  std::unique_ptr<window> here;
  std::vector<token> inputs;
  for (std::int64_t i = 0; i < how.count; ++i) {
    index_t const seen = std::min(static_cast<index_t>(text.size()), shape.context);
    index_t const length = std::min((seen + growth - 1) / growth * growth, shape.context);
    if (here == nullptr || here->kept.length() != length) here = std::make_unique<window>(from.settings, length);
    // What stands behind the text changes nothing of it.
    inputs.assign(static_cast<std::size_t>(length), 0);
    std::copy(text.end() - seen, text.end(), inputs.begin());
    forward(on, here->of, from.weights, inputs, here->kept);
    token const next = draw(&here->kept.logits(seen - 1, 0), shape.vocabulary, how.temperature,
                            random.uniform(static_cast<std::uint64_t>(i)));
    text.push_back(next);
    hand_on(from.vocabulary.decode(next));
  }
}

}  // namespace transformer
