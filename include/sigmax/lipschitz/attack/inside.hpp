// SPDX-License-Identifier: MIT
/// @file
/// Keeps the points of an attack inside the domain of its certificate.
#pragma once

#include <cmath>
#include <cstddef>
#include <span>
#include <utility>
#include <vector>

#include <sigmax/bound/interval.hpp>
#include <sigmax/bound/rounding.hpp>
#include <sigmax/config.hpp>
#include <sigmax/lipschitz/attack/geometry.hpp>
#include <sigmax/lipschitz/domain.hpp>
#include <sigmax/lipschitz/row_norm.hpp>

namespace sigmax::inline SIGMAX_ABI::lipschitz::attack {

/// A domain as an attack sees it: where it starts, how far it may go, how a point is moved back, and the proof that a
/// point lies in it.
class inside {
 public:
  /// `norm` is that of the input, of `count` elements. @throws domain_error if the domain is of another size.
  template <class = void>
  inside(input_domain domain, std::size_t count, row_norm norm)
      : domain_(std::move(domain)), norm_(norm), centre_(domain_.centre(count)), box_(domain_.enclosure(count, 1.0)) {}

  bool is_bounded() const { return domain_.is_bounded(); }
  std::vector<double> const& centre() const { return centre_; }

  /// The largest distance of element i from the centre; infinite without a domain.
  double half_width(std::size_t i) const {
    return domain_.shape() == input_domain::kind::all    ? infinity
           : domain_.shape() == input_domain::kind::ball ? domain_.radius()
                                                         : 0.5 * (box_[i].upper - box_[i].lower);
  }

  /// Moves x into the domain: to the nearest point of a box, towards the centre of a ball.
  void project(std::span<double> x) const {
    if (domain_.shape() == input_domain::kind::box) {
      for (std::size_t i = 0; i < x.size(); ++i) {
        x[i] = x[i] < box_[i].lower ? box_[i].lower : x[i] > box_[i].upper ? box_[i].upper : x[i];
      }
    } else if (domain_.shape() == input_domain::kind::ball) {
      // A little less than the radius, so that rounding does not lead outside.
      double const allowed = domain_.radius() * (1 - 1e-12);
      double const root = std::sqrt(static_cast<double>(norm_.divisor));
      for (std::size_t first = 0; first < x.size(); first += norm_.width) {
        double sum = 0;
        for (std::size_t i = first; i < first + norm_.width; ++i) {
          sum += (x[i] - centre_[i]) * (x[i] - centre_[i]);
        }
        double const distance = std::sqrt(sum) / root;
        if (!(distance > allowed)) continue;
        double const factor = allowed / distance;
        for (std::size_t i = first; i < first + norm_.width; ++i) x[i] = centre_[i] + factor * (x[i] - centre_[i]);
      }
    }
  }

  /// True only if x lies in the domain, rounding included.
  bool contains(std::span<double const> x) const {
    if (domain_.shape() == input_domain::kind::all) return true;
    std::vector<interval> difference(x.size());
    for (std::size_t i = 0; i < x.size(); ++i) {
      if (domain_.shape() == input_domain::kind::box && !box_[i].contains(x[i])) return false;
      difference[i] = x[i] == centre_[i] ? interval(0.0) : interval(x[i]) - interval(centre_[i]);
    }
    return domain_.shape() == input_domain::kind::box || length_up(difference, norm_) <= domain_.radius();
  }

 private:
  input_domain domain_;
  row_norm norm_;
  std::vector<double> centre_;
  std::vector<interval> box_;
};

}  // namespace sigmax::inline SIGMAX_ABI::lipschitz::attack
