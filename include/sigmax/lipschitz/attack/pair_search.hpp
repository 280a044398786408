// SPDX-License-Identifier: MIT
/// @file
/// The search for two points whose images are far apart. Floating point only: it finds candidates, it proves nothing.
#pragma once

#include <array>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include <sigmax/bound/rounding.hpp>
#include <sigmax/config.hpp>
#include <sigmax/core/random.hpp>
#include <sigmax/lipschitz/attack/evaluation.hpp>
#include <sigmax/lipschitz/attack/geometry.hpp>
#include <sigmax/lipschitz/attack/inside.hpp>
#include <sigmax/lipschitz/dual.hpp>

namespace sigmax::inline SIGMAX_ABI::lipschitz {

/// How hard an attack tries. Equal options give equal results.
struct attack_options {
  /// Points at which the search starts.
  int points = 24;
  /// Power iterations at a point; rounds of ascent of the best pair of each distance, a third of it at a point.
  int iterations = 24;
  std::uint64_t seed = 1;
  /// Multiply-adds after which the search stops early (large networks), about half a nanosecond each.
  double work = 3e8;
};

namespace attack {

/// x = centre + distance / 2 direction, y = centre - distance / 2 direction.
struct pair {
  std::vector<double> centre;
  std::vector<double> direction;
  double distance = 0;
  double quotient = 0;
};

/// The two points of a pair, moved into the domain.
inline void place(inside const& domain, pair const& p, std::span<double> x, std::span<double> y) {
  for (std::size_t i = 0; i < x.size(); ++i) {
    x[i] = p.centre[i] + 0.5 * p.distance * p.direction[i];
    y[i] = p.centre[i] - 0.5 * p.distance * p.direction[i];
  }
  domain.project(x);
  domain.project(y);
}

/// The search. A template, so that a program that never attacks does not compile it.
template <std::same_as<network> Network>
class pair_search {
 public:
  /// A pair far apart sees the network at large, a close one its Jacobian; each distance keeps its own best pair, since
  /// the closer a pair, the more of its quotient rounding takes away.
  static constexpr std::array<double, 4> distances{1e-5, 1e-3, 1e-1, 10.0};
  /// The distance of pairs while they climb from a starting point.
  static constexpr double local_distance = 1e-2;

  /// `domain` must outlive the search.
  pair_search(evaluation_plan const& plan, inside const& domain, norm::any norm, attack_options const& options)
      : domain_(&domain),
        in_(row_norm::of(norm, plan.net().input_shape())),
        out_(row_norm::of(norm, plan.net().output_shape())),
        options_(options),
        numbers_(options.seed),
        budget_(options.work / plan.work() > 80 ? options.work / plan.work() : 80),
        at_x_(plan),
        at_y_(plan),
        tangent_(plan),
        gradient_x_(plan),
        gradient_y_(plan),
        trial_{std::vector<double>(at_x_.input().size()), std::vector<double>(at_x_.input().size())},
        difference_(at_x_.output().size()),
        sum_(at_x_.input().size()) {
    for (std::size_t k = 0; k < distances.size(); ++k) {
      best_[k] = trial_;
      best_[k].distance = distances[k];
    }
  }

  /// The best pair of each distance; a quotient of 0 means that none was found.
  std::array<pair, distances.size()> const& run() {
    if (trial_.centre.empty() || difference_.empty()) return best_;
    for (int p = 0; p < options_.points && (p == 0 || budget_left() > 0.4); ++p) {
      if (!examine_point(p)) continue;
      trial_.distance = local_distance;
      measure();
      std::swap(local_, copy_of_trial());
      for (int i = 0; 3 * i < options_.iterations && budget_left() > 0.3; ++i) climb(local_, i);
      for (auto& kept : best_) {
        trial_ = local_;
        trial_.distance = kept.distance;
        if (measure() > kept.quotient) std::swap(kept, copy_of_trial());
      }
    }
    for (auto& candidate : best_) {
      for (int i = 0; i < options_.iterations && budget_left() > 0.05; ++i) climb(candidate, i);
    }
    return best_;
  }

 private:
  double budget_left() const { return 1 - spent_ / budget_; }

  double normal() { return numbers_.normal(next_number_++); }

  /// Power iteration on the Jacobian at a point: v <- steepest(J^T gradient(||J v||)). In l2 it finds the largest
  /// singular value; in linf it is the Boyd-Higham iteration for the largest row sum.
  /// Afterwards the trial pair stands there; false if there is nothing to see.
  bool examine_point(int p) {
    static constexpr std::array<double, 6> scales{0.0, 1.0, 0.1, 4.0, 0.01, 20.0};
    double const scale = scales[static_cast<std::size_t>(p) % scales.size()];
    for (std::size_t i = 0; i < trial_.centre.size(); ++i) {
      double const reach = domain_->half_width(i);
      trial_.centre[i] = domain_->centre()[i] + (is_finite(reach) && reach < 1 ? reach : 1.0) * scale * normal();
    }
    domain_->project(trial_.centre);
    for (double& v : trial_.direction) v = normal();
    if (!steepest(trial_.direction, in_, trial_.direction)) return false;
    for (std::size_t i = 0; i < trial_.centre.size(); ++i) at_x_.input()[i] = trial_.centre[i];
    at_x_.run();
    spent_ += 1;
    if (!is_finite(length(at_x_.output(), {1, 1}))) return false;
    if (in_.width == 1 && out_.width == 1 && p < 2) best_row();
    double largest = 0;
    for (int i = 0; i < options_.iterations; ++i) {
      double const size = forward_derivative();
      if (!is_finite(size)) return false;
      gradient_x_.clear();
      add_gradient_of_norm(difference_, out_, gradient_x_.seed());
      if (!steepest(gradient_x_.run(at_x_), in_, trial_.direction)) break;
      spent_ += 3;
      if (i > 2 && size <= largest * (1 + 1e-4)) break;
      largest = size > largest ? size : largest;
    }
    return true;
  }

  /// difference_ = J v at the centre; returns its norm.
  double forward_derivative() {
    for (std::size_t i = 0; i < trial_.centre.size(); ++i) {
      tangent_.input()[i] = dual(trial_.centre[i], trial_.direction[i]);
    }
    auto const image = tangent_.run();
    for (std::size_t i = 0; i < image.size(); ++i) difference_[i] = image[i].derivative;
    return length(difference_, out_);
  }

  /// The signs of the row of the Jacobian with the largest sum, where looking at all rows is affordable.
  void best_row() {
    auto const rows = static_cast<double>(difference_.size());
    if (rows > 0.1 * budget_) return;
    double largest = 0;
    for (std::size_t k = 0; k < difference_.size(); ++k) {
      gradient_x_.clear();
      gradient_x_.seed()[k] = 1;
      auto const row = gradient_x_.run(at_x_);
      double total = 0;
      for (double const g : row) total += std::fabs(g);
      if (total > largest && steepest(row, {1, 1}, trial_.direction)) largest = total;
    }
    spent_ += rows;
  }

  /// Evaluates the trial pair; at_x_ and at_y_ hold it, difference_ the distance of the images.
  double measure() {
    place(*domain_, trial_, at_x_.input(), at_y_.input());
    for (std::size_t i = 0; i < sum_.size(); ++i) sum_[i] = at_x_.input()[i] - at_y_.input()[i];
    auto const fx = at_x_.run();
    auto const fy = at_y_.run();
    for (std::size_t i = 0; i < fx.size(); ++i) difference_[i] = fx[i] - fy[i];
    spent_ += 2;
    double const q = length(difference_, out_) / length(sum_, in_);
    return trial_.quotient = is_finite(q) ? q : 0.0;
  }

  pair& copy_of_trial() { return copy_ = trial_; }

  /// One round: turn the pair towards the gradient, then move its centre, along the gradient or at random.
  void climb(pair& kept, int round) {
    if (!(kept.quotient > 0)) return;
    trial_ = kept;
    measure();
    gradient_x_.clear();
    gradient_y_.clear();
    add_gradient_of_norm(difference_, out_, gradient_x_.seed());
    add_gradient_of_norm(difference_, out_, gradient_y_.seed());
    auto const gx = gradient_x_.run(at_x_);
    auto const gy = gradient_y_.run(at_y_);
    spent_ += 2;
    for (std::size_t i = 0; i < sum_.size(); ++i) sum_[i] = gx[i] + gy[i];
    if (steepest(sum_, in_, trial_.direction) && measure() > kept.quotient) std::swap(kept, copy_of_trial());

    trial_ = kept;
    for (std::size_t i = 0; i < sum_.size(); ++i) sum_[i] = gx[i] - gy[i];
    double const slope = length(sum_, {sum_.size(), 1});
    bool const random = !(slope > 1e-9) || round % 3 == 2;
    double const step = std::ldexp(1.0, -(round % 8));
    for (std::size_t i = 0; i < trial_.centre.size(); ++i) {
      double const reach = domain_->half_width(i);
      trial_.centre[i] += (reach < 1 ? reach : 1.0) * step * (random ? normal() : sum_[i] / slope);
    }
    domain_->project(trial_.centre);
    if (measure() > kept.quotient) std::swap(kept, copy_of_trial());
  }

  inside const* domain_;
  row_norm in_;
  row_norm out_;
  attack_options options_;
  random_sequence numbers_;
  std::uint64_t next_number_ = 0;
  double budget_;
  double spent_ = 0;
  evaluation<double> at_x_;
  evaluation<double> at_y_;
  evaluation<dual> tangent_;
  gradient<double> gradient_x_;
  gradient<double> gradient_y_;
  pair trial_;
  pair copy_;
  pair local_;
  std::array<pair, distances.size()> best_;
  std::vector<double> difference_;
  std::vector<double> sum_;
};

}  // namespace attack

}  // namespace sigmax::inline SIGMAX_ABI::lipschitz
