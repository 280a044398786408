// SPDX-License-Identifier: MIT
/// @file
/// Small random networks of linear maps, sums and piecewise linear activations, and their largest Jacobian over all
/// patterns of slopes, by multiplying out every one of them.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include <Eigen/Dense>

#include <sigmax/core/matrix.hpp>
#include <sigmax/lipschitz/layers.hpp>
#include <sigmax/lipschitz/network.hpp>
#include <sigmax/lipschitz/rules.hpp>

#include "lipschitz/random_graphs.hpp"

namespace random_graphs {

/// A network, and the same as steps from which Jacobians are computed without it.
class pattern_graph {
 public:
  explicit pattern_graph(std::uint64_t seed) : draw_(seed ^ 0x70617474u), net_({draw_.extent(4)}) {
    widths_.push_back(net_.input_shape()[0]);
    steps_.push_back({});
    auto const wanted = 3 + draw_.below(7);
    for (int attempt = 0; attempt < 40 && steps_.size() < wanted; ++attempt) {
      std::size_t const from = draw_.one_in(3) ? draw_.below(steps_.size()) : steps_.size() - 1;
      switch (draw_.below(4)) {
        case 0:
          add_linear(from);
          break;
        case 1:
          add_sum(from);
          break;
        default:
          add_activation(from);
      }
    }
    if (steps_.back().what != kind::linear) add_linear(steps_.size() - 1);
  }

  network const& net() const { return net_; }
  std::size_t neurons() const { return neurons_; }

  /// The largest norm of a Jacobian over all patterns of slopes: what no method that lets them vary freely can go below.
  double largest_norm(bool in_linf) const {
    double best = 0;
    for (std::uint64_t pattern = 0; pattern < (std::uint64_t{1} << neurons_); ++pattern) {
      Eigen::MatrixXd const j = jacobian(pattern);
      if (in_linf) {
        best = std::max(best, j.cwiseAbs().rowwise().sum().maxCoeff());
      } else if (j.squaredNorm() > best * best) {
        best = std::max(best, Eigen::JacobiSVD<Eigen::MatrixXd>(j).singularValues()(0));
      }
    }
    return best;
  }

 private:
  enum class kind { input, linear, sum, activation };
  struct step {
    kind what = kind::input;
    std::size_t from = 0;
    std::size_t other = 0;
    double factor = 0;
    Eigen::MatrixXd matrix = {};
    std::size_t first_neuron = 0;
    double low = 0;
    double high = 0;
  };

  void push(step added, index_t width) {
    steps_.push_back(std::move(added));
    widths_.push_back(width);
  }
  void add_linear(std::size_t from) {
    index_t const rows = draw_.extent(4);
    matrix<double> w(rows, widths_[from]);
    step added{.what = kind::linear, .from = from, .matrix = Eigen::MatrixXd(rows, widths_[from])};
    bool const positive = draw_.one_in(5);
    for (index_t i = 0; i < rows; ++i) {
      for (index_t k = 0; k < w.cols(); ++k) {
        double const x = draw_.normal();
        w(i, k) = added.matrix(i, k) = positive ? std::fabs(x) : x;
      }
    }
    net_.add(rules::linear(weight::owning(std::move(w))), {static_cast<node_id>(from)});
    push(std::move(added), rows);
  }
  void add_sum(std::size_t from) {
    std::vector<std::size_t> fitting;
    for (std::size_t k = 0; k < steps_.size(); ++k) {
      if (k != from && widths_[k] == widths_[from]) fitting.push_back(k);
    }
    if (fitting.empty()) return;
    std::size_t const other = fitting[draw_.below(fitting.size())];
    double const factor = draw_.one_in(2) ? 1.0 : draw_.uniform(-1, 1);
    net_.add(rules::weighted_sum({1.0, factor}), {static_cast<node_id>(from), static_cast<node_id>(other)});
    push({.what = kind::sum, .from = from, .other = other, .factor = factor}, widths_[from]);
  }
  void add_activation(std::size_t from) {
    auto const count = static_cast<std::size_t>(widths_[from]);
    if (neurons_ + count > 9 || steps_[from].what == kind::activation) return;
    step added{.what = kind::activation, .from = from, .first_neuron = neurons_, .high = 1};
    switch (draw_.below(4)) {
      case 0:
        added.low = -1;
        net_.add(lipschitz::abs(), {static_cast<node_id>(from)});
        break;
      case 1:
        added.low = 0.25;
        net_.add(leaky_relu(0.25), {static_cast<node_id>(from)});
        break;
      default:
        net_.add(relu(), {static_cast<node_id>(from)});
    }
    neurons_ += count;
    push(std::move(added), widths_[from]);
  }

  Eigen::MatrixXd jacobian(std::uint64_t pattern) const {
    std::vector<Eigen::MatrixXd> at(steps_.size());
    for (std::size_t k = 0; k < steps_.size(); ++k) {
      auto const& s = steps_[k];
      switch (s.what) {
        case kind::input:
          at[k] = Eigen::MatrixXd::Identity(widths_[0], widths_[0]);
          break;
        case kind::linear:
          at[k] = s.matrix * at[s.from];
          break;
        case kind::sum:
          at[k] = at[s.from] + s.factor * at[s.other];
          break;
        case kind::activation:
          at[k] = at[s.from];
          for (Eigen::Index i = 0; i < at[k].rows(); ++i) {
            bool const steep = (pattern >> (s.first_neuron + static_cast<std::size_t>(i)) & 1) != 0;
            at[k].row(i) *= steep ? s.high : s.low;
          }
      }
    }
    return at.back();
  }

  choices draw_;
  network net_;
  std::vector<step> steps_;
  std::vector<index_t> widths_;
  std::size_t neurons_ = 0;
};

}  // namespace random_graphs
