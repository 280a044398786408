// SPDX-License-Identifier: MIT
/// @file
/// How far an input may move before its class can change.
#pragma once

#include <concepts>
#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include <sigmax/bound/extended.hpp>
#include <sigmax/bound/interval.hpp>
#include <sigmax/bound/norm.hpp>
#include <sigmax/bound/rounding.hpp>
#include <sigmax/config.hpp>
#include <sigmax/core/error.hpp>
#include <sigmax/lipschitz/attack/evaluation.hpp>
#include <sigmax/lipschitz/attack/geometry.hpp>
#include <sigmax/lipschitz/domain.hpp>
#include <sigmax/lipschitz/network.hpp>
#include <sigmax/lipschitz/robustness/pairwise_constants.hpp>
#include <sigmax/lipschitz/row_norm.hpp>

namespace sigmax::inline SIGMAX_ABI::lipschitz {

/// What is proven of one prediction.
struct robust_prediction {
  enum class outcome : unsigned char {
    certified,      // the radius is above 0
    tie,            // no logit is provably above all others
    not_finite,     // a logit is NaN or infinite
    no_bound,       // a constant L_ij is infinite
    too_small,      // margin / L_ij is below the smallest double
    outside_domain  // the input is no point of the domain the constants hold on, or may be none
  };

  outcome found = outcome::tie;
  /// The class of the largest logit; -1 where no logit is provably above all others.
  index_t predicted = -1;
  /// The class that limits the radius; -1 if there is no other.
  index_t rival = -1;
  /// <= y_predicted - y_rival, errors of the logits taken off; 0 where nothing is certified.
  double margin = 0;
  /// No point closer than this has another class; rounded down. 0 where nothing is certified, +infinity where the
  /// differences of the logits are proved constant, or there is one class.
  double radius = 0;

  /// True only if no perturbation of norm <= epsilon changes the class: strictly, so that a radius equal to epsilon,
  /// where another logit may draw level, does not count.
  bool holds_for(double epsilon) const { return found == outcome::certified && epsilon >= 0 && radius > epsilon; }
};

/// "certified", "not certified: ..." with the reason.
template <std::same_as<robust_prediction> Prediction>
std::string reason_of(Prediction const& p) {
  using outcome = robust_prediction::outcome;
  switch (p.found) {
    case outcome::certified:
      return "certified";
    case outcome::tie:
      return "not certified: no logit is provably above all others";
    case outcome::not_finite:
      return "not certified: a logit is not finite";
    case outcome::no_bound:
      return "not certified: the Lipschitz constant has no finite bound";
    case outcome::too_small:
      return "not certified: the radius is below the smallest double, the constant too large";
    default:
      return "not certified: the input is not inside the domain of the constants";
  }
}

namespace detail {

/// <= margin / constant for margin > 0; never negative.
inline double radius_down(double margin, extended const& constant) {
  if (constant.is_zero()) return infinity;
  if (constant.is_infinite()) return 0;
  double const quotient = scale_down(divide_down(margin, constant.mantissa()), -constant.exponent());
  return quotient > 0 ? quotient : 0;
}

/// <= the distance from x to the complement of the domain, in the norm; negative if x may lie outside.
/// Proof: a ball of radius R around c holds the ball of radius R - ||x - c|| around x; a box holds all points of which
/// no element moves by more than the distance to its ends, and elements move by reach ||d|| at most.
template <class = void>
double room_inside(input_domain const& domain, std::span<double const> x, row_norm norm) {
  if (!domain.is_bounded()) return infinity;
  if (domain.shape() == input_domain::kind::ball) {
    auto const centre = domain.centre(x.size());
    std::vector<interval> difference(x.size());
    for (std::size_t i = 0; i < x.size(); ++i) {
      difference[i] = x[i] == centre[i] ? interval(0.0) : interval(x[i]) - interval(centre[i]);
    }
    return subtract_down(domain.radius(), attack::length_up(difference, norm));
  }
  auto const box = domain.enclosure(x.size(), 1.0);
  double least = infinity;
  for (std::size_t i = 0; i < x.size(); ++i) {
    double const room = -max_up(subtract_up(box[i].lower, x[i]), subtract_up(x[i], box[i].upper));
    least = room < least ? room : least;
  }
  return divide_down(least, norm.reach());
}

}  // namespace detail

/// The certified radius of a prediction whose logits lie in these intervals:
///   r = min over j != i of m_j / L_ij,   m_j = lower(y_i) - upper(y_j), i the class with every m_j > 0.
/// Proof: (f_i - f_j)(x') >= m_j - L_ij ||x' - x|| > 0 for ||x' - x|| < r, and m_j / L_ij is rounded down.
/// Nothing is certified where an m_j is not above 0 (ties, logits that are not finite). The constants must hold
/// on all inputs; else nothing is certified, and the overload with a network and an input is the one to call.
/// @throws shape_error if there are not as many logits as classes.
template <std::same_as<pairwise_constants> Pairs>
robust_prediction certified_radius(std::span<interval const> logits, Pairs const& constants, double room) {
  SIGMAX_DETAIL_REQUIRE_STRICT_ARITHMETIC(Pairs);
  using outcome = robust_prediction::outcome;
  auto const classes = static_cast<index_t>(logits.size());
  if (classes != constants.classes()) {
    sigmax::detail::raise<shape_error>(
        {"certified_radius: ", classes, " logits; the constants are of ", constants.classes(), " classes"});
  }
  robust_prediction result;
  for (interval const y : logits) {
    if (!y.is_bounded()) return {.found = outcome::not_finite};
  }
  index_t best = 0;
  for (index_t j = 1; j < classes; ++j) {
    if (logits[static_cast<std::size_t>(j)].lower > logits[static_cast<std::size_t>(best)].lower) best = j;
  }
  if (classes == 0 || !arithmetic_environment_is_sound()) return result;
  result.radius = infinity;
  for (index_t j = 0; j < classes; ++j) {
    if (j == best) continue;
    double const margin =
        subtract_down(logits[static_cast<std::size_t>(best)].lower, logits[static_cast<std::size_t>(j)].upper);
    if (!(margin > 0)) return {.found = outcome::tie};
    double const radius = detail::radius_down(margin, constants(best, j));
    if (result.rival >= 0 && !(radius < result.radius)) continue;
    result.radius = radius;
    result.margin = margin;
    result.rival = j;
  }
  result.predicted = best;
  result.found = outcome::certified;
  if (!(room > 0)) {
    result.found = outcome::outside_domain;
  } else if (!(result.radius > 0)) {
    result.found = constants(best, result.rival).is_infinite() ? outcome::no_bound : outcome::too_small;
  }
  result.radius = result.found != outcome::certified ? 0 : room < result.radius ? room : result.radius;
  return result;
}

/// The same for constants that hold on all inputs.
template <std::same_as<pairwise_constants> Pairs>
robust_prediction certified_radius(std::span<interval const> logits, Pairs const& constants) {
  return certified_radius(logits, constants, constants.domain().is_bounded() ? -1.0 : infinity);
}

/// The same from logits of another program. `errors[i]` >= |y_i - its value in real arithmetic|; empty: the logits are
/// exact, which those of a float program are not. To speak of that program itself instead of the real network, give
/// twice its error, taken over the whole ball: it errs at both points. NaN and negative errors certify nothing.
/// @throws shape_error also if there are errors, but not one a logit.
template <std::same_as<pairwise_constants> Pairs>
robust_prediction certified_radius(std::span<double const> logits, Pairs const& constants,
                                   std::span<double const> errors = {}) {
  if (!errors.empty() && errors.size() != logits.size()) {
    sigmax::detail::raise<shape_error>(
        {"certified_radius: ", errors.size(), " errors of ", logits.size(), " logits; the numbers must be equal"});
  }
  std::vector<interval> enclosed(logits.size());
  for (std::size_t i = 0; i < logits.size(); ++i) {
    double const error = errors.empty() ? 0.0 : errors[i];
    enclosed[i] = error >= 0 ? interval(logits[i]) + interval(-error, error) : interval::whole();
  }
  return certified_radius(std::span<interval const>(enclosed), constants);
}

/// The same for an input of a network: its logits are evaluated in interval arithmetic, so that the claim is about the
/// real function with the stored parameters. Where the constants hold on a bounded domain, the radius ends at its
/// border. `constants` must be of this network. @throws shape_error if x is of another size than the input.
template <std::same_as<network> Network, std::same_as<pairwise_constants> Pairs>
robust_prediction certified_radius(Network const& net, std::span<double const> x, Pairs const& constants) {
  attack::evaluation_plan const plan(net);
  attack::evaluation<interval> at(plan);
  if (x.size() != at.input().size()) {
    sigmax::detail::raise<shape_error>(
        {"certified_radius: x has ", x.size(), " elements; the input of the network has ", at.input().size()});
  }
  for (std::size_t i = 0; i < x.size(); ++i) at.input()[i] = x[i];
  return certified_radius(
      at.run(), constants,
      detail::room_inside(constants.domain(), x, row_norm::of(constants.norm(), net.input_shape())));
}

}  // namespace sigmax::inline SIGMAX_ABI::lipschitz
