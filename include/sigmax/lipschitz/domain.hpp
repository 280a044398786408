// SPDX-License-Identifier: MIT
/// @file
/// The set of inputs a certificate speaks of.
#pragma once

#include <cmath>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <sigmax/bound/interval.hpp>
#include <sigmax/bound/rounding.hpp>
#include <sigmax/config.hpp>
#include <sigmax/core/error.hpp>

namespace sigmax::inline SIGMAX_ABI::lipschitz {

/// All inputs, a ball in the norm of the certificate, or a box. Convex, so that a bound of slopes on what the domain is
/// mapped to is a Lipschitz bound on it. Both points of a certificate's inequality must lie in it.
class input_domain {
 public:
  enum class kind : unsigned char { all, ball, box };

  /// All inputs.
  input_domain() = default;

  /// {x : ||x - centre|| <= radius} in the norm the certificate is asked for. `centre` is row-major, of the shape of the
  /// input; empty: the origin. @throws domain_error for a negative radius or NaN, numeric_error if the centre is not
  /// finite.
  template <class = void>
  static input_domain ball(double radius, std::vector<double> centre = {}) {
    if (!(radius >= 0) || !is_finite(radius)) {
      sigmax::detail::raise<domain_error>({"input_domain: radius is ", radius, "; it must be finite and not negative"});
    }
    require_finite("centre", centre);
    input_domain result;
    result.kind_ = kind::ball;
    result.radius_ = radius;
    result.lower_ = std::move(centre);
    return result;
  }

  /// {x : lower_i <= x_i <= upper_i}. @throws domain_error if the sizes differ or an end is below the other,
  /// numeric_error if one is not finite.
  template <class = void>
  static input_domain box(std::vector<double> lower, std::vector<double> upper) {
    if (lower.size() != upper.size() || lower.empty()) {
      sigmax::detail::raise<domain_error>({"input_domain: lower has ", lower.size(), " elements, upper ", upper.size(),
                                           "; the numbers must be equal and not zero"});
    }
    require_finite("lower", lower);
    require_finite("upper", upper);
    for (std::size_t i = 0; i < lower.size(); ++i) {
      if (lower[i] > upper[i]) {
        sigmax::detail::raise<domain_error>(
            {"input_domain: element ", i, " has lower ", lower[i], " above upper ", upper[i]});
      }
    }
    input_domain result;
    result.kind_ = kind::box;
    result.lower_ = std::move(lower);
    result.upper_ = std::move(upper);
    return result;
  }

  kind shape() const { return kind_; }
  bool is_bounded() const { return kind_ != kind::all; }
  /// Of a ball.
  double radius() const { return radius_; }

  /// The centre of a ball, or a point in the middle of a box, for an input of `count` elements.
  /// @throws domain_error if the domain was given for another number of elements.
  template <class = void>
  std::vector<double> centre(std::size_t count) const {
    require_size(count);
    if (lower_.empty()) return std::vector<double>(count, 0.0);
    std::vector<double> result = lower_;
    if (kind_ == kind::box) {
      for (std::size_t i = 0; i < count; ++i) {
        result[i] = lower_[i] + 0.5 * (upper_[i] - lower_[i]);
        if (!(result[i] >= lower_[i] && result[i] <= upper_[i])) result[i] = lower_[i];
      }
    }
    return result;
  }

  /// An interval an element that holds every member of the domain, where an element may differ from the centre of a ball
  /// by `reach` times the radius at most. @throws as centre.
  template <class = void>
  std::vector<interval> enclosure(std::size_t count, double reach) const {
    require_size(count);
    std::vector<interval> result(count, kind_ == kind::all ? interval::whole() : interval(0.0));
    double const distance = multiply_up(radius_, reach);
    for (std::size_t i = 0; i < count && kind_ != kind::all; ++i) {
      if (kind_ == kind::box) {
        result[i] = {lower_[i], upper_[i]};
      } else {
        result[i] = interval(lower_.empty() ? 0.0 : lower_[i]) + interval(-distance, distance);
      }
    }
    return result;
  }

  /// @throws domain_error if the domain was given for another number of elements.
  template <class = void>
  void require_size(std::size_t count) const {
    if (!lower_.empty() && lower_.size() != count) {
      sigmax::detail::raise<domain_error>(
          {"input_domain: given for ", lower_.size(), " elements; the input of the network has ", count});
    }
  }

  /// "all inputs", "a ball of radius 0.1", "a box".
  template <class = void>
  std::string text() const {
    if (kind_ == kind::all) return "all inputs";
    if (kind_ == kind::box) return "a box of inputs";
    return "a ball of inputs";
  }

 private:
  static void require_finite(char const* what, std::vector<double> const& values) {
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (!is_finite(values[i])) {
        sigmax::detail::raise<numeric_error>({"input_domain: element ", i, " of ", what, " is not finite"});
      }
    }
  }

  kind kind_ = kind::all;
  double radius_ = 0;
  std::vector<double> lower_;  // of a box; the centre of a ball
  std::vector<double> upper_;
};

}  // namespace sigmax::inline SIGMAX_ABI::lipschitz
