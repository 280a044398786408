// SPDX-License-Identifier: MIT
#include <cmath>
#include <utility>

#include <sigmax/lipschitz/certify.hpp>
#include <sigmax/lipschitz/robustness.hpp>

#include "assess.hpp"

namespace robust_mlp {

namespace {

namespace lipschitz = sigmax::lipschitz;

/// The certified radius of each image, -1 where it is not classified correctly.
std::vector<double> radii_of(lipschitz::network const& net, lipschitz::pairwise_constants const& constants,
                             digits const& data, std::size_t& correct) {
  lipschitz::robustness_evaluation evaluation(net, {constants}, {});
  std::vector<double> radii;
  std::vector<double> image(static_cast<std::size_t>(data.images.cols()));
  for (index_t i = 0; i < data.count(); ++i) {
    for (std::size_t k = 0; k < image.size(); ++k)
      image[k] = static_cast<double>(data.images(i, static_cast<index_t>(k)));
    int const label = data.labels[static_cast<std::size_t>(i)];
    evaluation.add(image, label);
    bool const right = !evaluation.last().empty() && evaluation.last().front().predicted == label;
    radii.push_back(right ? evaluation.last().front().radius : -1.0);
  }
  correct = evaluation.counts().correct;
  return radii;
}

}  // namespace

assessment assess(sigmax::cpu::native const& on, std::string name, classifier const& model, digits const& data,
                  std::vector<double> const& budgets, attack_options const& how, bool one_by_one) {
  assessment result;
  result.name = std::move(name);
  result.budgets = budgets;
  auto const net = network_of(model);
  lipschitz::certify_options options{.attack = false, .methods = {.search_work = 2e10}};
  auto const whole = lipschitz::certify(on, net, options);
  result.bound = whole.upper();
  result.method = whole.method();
  for (auto const& tried : whole.tried()) {
    if (tried.name == "product") result.product_bound = tried.upper.to_double_up();
  }
  // The classes are told apart by the rows of the last layer; each pair is a network of its own.
  options.methods.search_work = 3e9;
  auto const constants =
      one_by_one ? lipschitz::pairs_one_by_one(on, net, options) : lipschitz::pairs_by_last_layer(on, net, options);
  std::size_t correct = 0;
  auto const radii = radii_of(net, constants, data, correct);
  auto const count = static_cast<double>(data.count());
  result.clean = static_cast<double>(correct) / count;
  layer_values values(model, data.count());
  for (index_t k = 0; k < data.images.size(); ++k) values.input().data()[k] = data.images.data()[k];
  values.forward(on, model);
  for (double const budget : budgets) {
    auto const survives = withstands(on, model, data, budget, how);
    std::size_t certified = 0;
    std::size_t by_product = 0;
    std::size_t attacked = 0;
    for (index_t i = 0; i < data.count(); ++i) {
      auto const n = static_cast<std::size_t>(i);
      bool const proven = budget > 0 ? radii[n] > budget : radii[n] >= 0;
      certified += proven ? 1 : 0;
      attacked += survives[n] != 0 ? 1 : 0;
      if (proven && survives[n] == 0) ++result.contradictions;
      double runner_up = -sigmax::infinity;
      int const label = data.labels[n];
      for (index_t j = 0; j < digits::classes; ++j) {
        if (j != label) runner_up = std::fmax(runner_up, static_cast<double>(values.logits()(i, j)));
      }
      double const margin = static_cast<double>(values.logits()(i, label)) - runner_up;
      by_product += margin > budget * std::sqrt(2.0) * result.product_bound ? 1 : 0;
    }
    result.certified.push_back(static_cast<double>(certified) / count);
    result.certified_by_product.push_back(static_cast<double>(by_product) / count);
    result.attacked.push_back(static_cast<double>(attacked) / count);
  }
  return result;
}

}  // namespace robust_mlp
