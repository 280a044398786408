// SPDX-License-Identifier: MIT
/// @file
/// What holds of the model and its training in the memory of any device.
#pragma once

#include <cmath>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <sigmax/backend/scalar.hpp>
#include <sigmax/io/safetensors.hpp>
#include <sigmax/kernels.hpp>

#include "small_models.hpp"
#include "training_runs.hpp"
#include "transformer/checkpoint.hpp"
#include "transformer/corpus.hpp"
#include "transformer/model.hpp"
#include "transformer/trainer.hpp"
#include "transformer/weight_optimizer.hpp"

namespace transformer::test {

/// The model on a device has the losses, maxima and derivatives of that on the host, in double.
template <class Device>
void check_model_on(Device const& device) {
  sigmax::cpu::scalar const host;
  auto without_positions = tiny_shape();
  without_positions.position_bias = false;
  for (auto const& shape : {tiny_shape(), long_shape(), without_positions}) {
    for (double const radius : {0.0, 0.7}) {
      model_options const options{.attention_scale = 0.8, .ball_radius = radius, .logit_scale = 2};
      auto const batch = random_tokens(shape, 3, shape.context, 5);
      auto const w = random_parameters<double>(shape, 3);
      model<double> const of(shape, options);
      activations<double> kept(shape, 3, shape.context);
      auto const expected = gradient_of(host, of, w, batch, kept);

      using space = sigmax::device_space;
      parameters<double, space> w_there(device, shape);
      copy_parameters(device, w, w_there);
      model<double, space> const of_there(device, shape, options, shape.context);
      activations<double, space> kept_there(device, shape, 3, shape.context);
      parameters<double, space> gradient_there(device, shape);
      set_zero(device, gradient_there);
      forward(device, of_there, w_there, batch.inputs, kept_there);
      auto const loss =
          cross_entropy_loss(device, batch.targets, 1 / static_cast<double>(kept_there.tokens()), kept_there);
      backward(device, of_there, w_there, batch.inputs, kept_there, gradient_there);

      CHECK(loss.tokens == kept.tokens());
      for (index_t n = 0; n < kept.tokens(); ++n) {
        CHECK(kept_there.losses[n] == doctest::Approx(kept.losses[n]).epsilon(1e-13));
        CHECK(kept_there.correct[n] == kept.correct[n]);
      }
      auto const maxima = largest_activations(host, kept);
      auto const maxima_there = largest_activations(device, kept_there);
      for_each_maximum(maxima, [&](char const*, double const& value) { CHECK(value > 0); });
      std::vector<double> found;
      for_each_maximum(maxima_there, [&](char const*, double const& value) { found.push_back(value); });
      std::size_t next = 0;
      for_each_maximum(maxima, [&](char const*, double const& value) {
        CHECK(found[next++] == doctest::Approx(value).epsilon(1e-13));
      });
      parameters<double> gradient(shape);
      copy_parameters(device, gradient_there, gradient);
      std::vector<sigmax::matrix<double> const*> all;
      for_each_weight(expected, [&](auto const&, weight_role, auto const& each) { all.push_back(&each); });
      std::size_t i = 0;
      for_each_weight(gradient, [&](std::string const& name, weight_role, auto const& each) {
        CAPTURE(name);
        CHECK(relative_error(each, *all[i++]) <= 1e-13);
      });
    }
  }
}

/// A device trains as the host does, inside the caps, and either goes on from the other's checkpoint. make(settings, text,
/// lanes) makes a trainer on the device.
template <class Make>
void check_training_on(Make const& make) {
  auto const text = make_corpus(pattern(4000), 20);
  auto const path = std::filesystem::temp_directory_path() / "sigmax-transformer-device-test.safetensors";
  sigmax::cpu::native const host;
  for (std::string const& optimizer : optimizer_names()) {
    CAPTURE(optimizer);
    auto settings = small_settings();
    settings.optimizer = optimizer;
    settings.learning_rate = settings.embedding_learning_rate = optimizer == "muon" ? 0.2 : 0.02;
    auto const expected = make_trainer(host, settings, text);
    std::unique_ptr<trainer> const made = make(settings, text, 1);
    auto& there = *made;
    auto const step_both = [&](trainer& a, trainer& b) {
      auto const one = a.step();
      auto const other = b.step();
      CHECK(one.loss.mean() == doctest::Approx(other.loss.mean()).epsilon(1e-3));
      CHECK(one.caps.checks == other.caps.checks);
      CHECK(one.caps.violations == 0);
    };
    for (int i = 0; i < 6; ++i) step_both(there, *expected);
    CHECK(there.validate().mean() == doctest::Approx(expected->validate().mean()).epsilon(1e-3));
    CHECK(there.validate().mean() < 2.4);
    CHECK(there.largest_activations().largest() ==
          doctest::Approx(expected->largest_activations().largest()).epsilon(1e-2));

    save_checkpoint(path, there, "text");
    auto const file = sigmax::io::load_safetensors(path);
    auto const stored = run_of(file);
    CHECK(stored.step == 6);
    CHECK(stored.device == "cuda");
    auto const on_host = make_trainer(host, stored.settings, text);
    on_host->restore(file, stored.step, stored.caps);
    std::unique_ptr<trainer> const made_again = make(stored.settings, text, 3);
    auto& again = *made_again;
    again.restore(file, stored.step, stored.caps);
    CHECK(same_bits(on_host->weights(), there.weights()));
    CHECK(same_bits(again.weights(), there.weights()));
    for (int i = 0; i < 3; ++i) {
      step_both(again, *on_host);
      there.step();
    }
    // The same device goes on bit for bit, whatever is stepped at once.
    CHECK(same_bits(again.weights(), there.weights()));
    CHECK(again.caps() == there.caps());
  }
  std::filesystem::remove(path);
}

}  // namespace transformer::test
