// SPDX-License-Identifier: MIT
/// @file
/// A layer of which only a bound is known.
#pragma once

#include <concepts>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <type_traits>
#include <utility>

#include <sigmax/bound/interval.hpp>
#include <sigmax/bound/log_upper_bound.hpp>
#include <sigmax/bound/norm.hpp>
#include <sigmax/bound/upper_bound.hpp>
#include <sigmax/config.hpp>
#include <sigmax/lipschitz/rule.hpp>
#include <sigmax/lipschitz/rules/rms_conversion.hpp>
#include <sigmax/lipschitz/rules/support.hpp>

namespace sigmax::inline SIGMAX_ABI::lipschitz::rules {

/// An opaque operator of one input whose Lipschitz bound the caller brings: proved by other means, or from `trust`,
/// which makes the certificate conditional. It has no formula, so a network that holds one cannot be attacked; its
/// values are NaN, and the whole line as intervals.
class bounded {
 public:
  /// `output` is the shape of the result, that of the input if not given.
  template <norm_tag N>
  explicit bounded(upper_bound<op<N, N>> const& bound, std::string operator_name = "bounded",
                   std::optional<tensor_shape> output = {})
      : name_(std::move(operator_name)), output_(std::move(output)) {
    include(bound);
  }

  /// The same with bounds in both norms.
  bounded(upper_bound<op<norm::l2_t>> const& l2, upper_bound<op<norm::linf_t>> const& linf,
          std::string operator_name = "bounded", std::optional<tensor_shape> output = {})
      : name_(std::move(operator_name)), output_(std::move(output)), l2_(l2), linf_(linf) {}

  std::string operator_name() const { return name_; }
  std::string rule_name(norm::any) const { return "bound given by the caller"; }
  std::string refusal(norm::any asked) const {
    return std::string("the caller gave no finite bound of this layer in ") + asked.name();
  }
  tensor_shape output_shape(std::span<tensor_shape const> shapes) const {
    detail::require_inputs(name_, shapes, 1);
    return output_ ? *output_ : shapes[0];
  }

  template <norm_tag N>
  sensitivities<N> bound([[maybe_unused]] std::span<tensor_shape const> shapes, rule_context const&) const {
    // Proof: the caller's, carried by the type.
    SIGMAX_DETAIL_REQUIRE_STRICT_ARITHMETIC(N);
    if constexpr (std::same_as<N, norm::l2_t>) {
      return {l2_};
    } else if constexpr (std::same_as<N, norm::linf_t>) {
      return {linf_};
    } else {
      return {tighter(rms_, lipschitz::detail::rms_from_others({l2_}, {linf_}, shapes, output_shape(shapes)).front())};
    }
  }

  template <class T>
  void evaluate(std::span<std::span<T const> const>, std::span<tensor_shape const>, std::span<T> output) const {
    for (T& y : output) {
      if constexpr (std::is_same_v<T, interval>) {
        y = interval::whole();
      } else {
        y = T(std::numeric_limits<double>::quiet_NaN());
      }
    }
  }

  void pull_back(std::span<std::span<double const> const>, std::span<tensor_shape const>, std::span<double const>,
                 std::span<std::span<double> const>) const {}

 private:
  void include(upper_bound<op<norm::l2_t>> const& bound) { l2_ = bound; }
  void include(upper_bound<op<norm::linf_t>> const& bound) { linf_ = bound; }
  void include(upper_bound<op<norm::rms_t>> const& bound) { rms_ = bound; }

  std::string name_;
  std::optional<tensor_shape> output_;
  // Proof: every map satisfies the bound +infinity.
  log_upper_bound<op<norm::l2_t>> l2_ = sigmax::detail::proof::log_upper<op<norm::l2_t>>(extended(infinity));
  log_upper_bound<op<norm::linf_t>> linf_ = sigmax::detail::proof::log_upper<op<norm::linf_t>>(extended(infinity));
  log_upper_bound<op<norm::rms_t>> rms_ = sigmax::detail::proof::log_upper<op<norm::rms_t>>(extended(infinity));
};
static_assert(rule<bounded>);

}  // namespace sigmax::inline SIGMAX_ABI::lipschitz::rules
