// SPDX-License-Identifier: MIT
#include <sigmax/lipschitz/rules/activation.hpp>
#include <sigmax/lipschitz/rules/add_constant.hpp>
#include <sigmax/lipschitz/rules/linear.hpp>

#include "classifier.hpp"

namespace robust_mlp {

classifier::classifier(std::vector<index_t> const& widths, activation phi) : between(phi) {
  for (std::size_t i = 1; i < widths.size(); ++i) {
    weights.emplace_back(widths[i], widths[i - 1]);
    biases.emplace_back(1, widths[i]);
  }
}

layer_values::layer_values(classifier const& of, index_t batch) {
  values_.emplace_back(batch, of.weights.front().cols());
  derivatives_.emplace_back(batch, of.weights.front().cols());
  for (auto const& w : of.weights) {
    values_.emplace_back(batch, w.rows());
    slopes_.emplace_back(batch, w.rows());
    derivatives_.emplace_back(batch, w.rows());
  }
}

void layer_values::forward(sigmax::cpu::native const& on, classifier const& of) {
  for (std::size_t i = 0; i < of.weights.size(); ++i) {
    auto& y = values_[i + 1];
    bool const last = i + 1 == of.weights.size();
    on.multiply(1.0f, values_[i].view(), of.weights[i].view().transposed(), 0.0f, {}, y.view());
    for (index_t n = 0; n < y.rows(); ++n) {
      float* const row = &y(n, 0);
      float* const slope = &slopes_[i](n, 0);
      float const* const bias = of.biases[i].data();
      for (index_t j = 0; j < y.cols(); ++j) {
        float const x = row[j] + bias[j];
        slope[j] = last || x > 0 ? 1.0f : of.between == activation::absolute && x < 0 ? -1.0f : 0.0f;
        row[j] = last ? x : x * slope[j];
      }
    }
  }
}

sigmax::matrix_view<float const> layer_values::backward(sigmax::cpu::native const& on, classifier const& of,
                                                        classifier* gradient) {
  for (std::size_t i = of.weights.size(); i-- > 0;) {
    auto& d = derivatives_[i + 1];
    for (index_t k = 0; k < d.size(); ++k) d.data()[k] *= slopes_[i].data()[k];
    if (gradient != nullptr) {
      auto const dw = gradient->weights[i].view();
      on.multiply(1.0f, d.view().transposed(), values_[i].view(), 1.0f, dw, dw);
      for (index_t n = 0; n < d.rows(); ++n) {
        for (index_t j = 0; j < d.cols(); ++j) gradient->biases[i](0, j) += d(n, j);
      }
    }
    on.multiply(1.0f, d.view(), of.weights[i].view(), 0.0f, {}, derivatives_[i].view());
  }
  return derivatives_.front().view();
}

sigmax::lipschitz::network network_of(classifier const& of) {
  namespace rules = sigmax::lipschitz::rules;
  sigmax::lipschitz::network net({of.weights.front().cols()}, "image");
  for (index_t i = 0; i < of.layers(); ++i) {
    auto const k = static_cast<std::size_t>(i);
    std::string const name = "layer." + std::to_string(i + 1);
    net.add(rules::linear(sigmax::lipschitz::weight::viewing(of.weights[k])), {net.output()}, name);
    std::vector<double> bias(of.biases[k].data(), of.biases[k].data() + of.biases[k].size());
    net.add(rules::add_constant(std::move(bias)), {net.output()}, name + ".bias");
    if (i + 1 == of.layers()) break;
    net.add(of.between == activation::relu ? sigmax::lipschitz::relu() : sigmax::lipschitz::abs(), {net.output()},
            name + ".activation");
  }
  return net;
}

}  // namespace robust_mlp
