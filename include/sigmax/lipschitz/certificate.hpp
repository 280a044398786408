// SPDX-License-Identifier: MIT
/// @file
/// The result of `certify`: what is proved of a network, what it rests on, layer by layer.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <sigmax/bound/assumptions.hpp>
#include <sigmax/bound/extended.hpp>
#include <sigmax/bound/log_upper_bound.hpp>
#include <sigmax/bound/norm.hpp>
#include <sigmax/bound/rounding.hpp>
#include <sigmax/config.hpp>
#include <sigmax/core/error.hpp>
#include <sigmax/lipschitz/domain.hpp>
#include <sigmax/lipschitz/lower_bound.hpp>
#include <sigmax/lipschitz/tensor_shape.hpp>

namespace sigmax::inline SIGMAX_ABI::lipschitz {

/// One line of a certificate.
struct certified_layer {
  std::string name;
  /// Operator, as in "linear".
  std::string op;
  /// Of the layer's output.
  tensor_shape shape;
  /// log10 of the sum of the layer's own sensitivities, rounded up.
  double log10_sensitivity = 0;
  /// log10 of the bound from the network's input to this value, rounded up.
  double log10_lipschitz = 0;
  /// The part of the bound layer by layer (of method::product) that passes through this layer: 1 on a chain, less on one
  /// branch of a sum. For reading, not proved; 0 where that bound is infinite or zero.
  double share = 0;
  /// Which theorem gives the sensitivity.
  std::string rule;
  /// log10 of the largest norm of this value on the domain, rounded up; +infinity where nothing is known.
  double log10_radius = infinity;
};

/// A way to put layers together, and the bound of the whole network it proved.
struct tried_method {
  std::string name;
  extended upper{};
};

/// A layer without a finite bound.
struct refused_layer {
  std::string name;
  std::string op;
  std::string reason;
};

namespace detail {

struct certificate_maker;

/// The fields of a certificate while it is being made.
struct certificate_contents {
  norm::any in = norm::l2;
  norm::any out = norm::l2;
  input_domain domain{};
  extended upper{};
  std::string method = "product";
  std::vector<tried_method> tried{};
  assumptions rests_on{};
  std::optional<lower_bound> lower{};
  tensor_shape input_shape{};
  tensor_shape output_shape{};
  std::vector<certified_layer> layers{};
  std::vector<refused_layer> refused{};
};

}  // namespace detail

/// ||f(x) - f(y)||_out <= L ||x - y||_in for all real x, y in the domain, where f is the network in real arithmetic with
/// the stored parameters. Made only by `certify`.
class certificate {
 public:
  static constexpr char const* statement =
      "real-arithmetic semantics of the stored parameters; float execution not included";

  /// The inputs of which the bound holds.
  input_domain const& domain() const { return contents_.domain; }
  norm::any norm_in() const { return contents_.in; }
  norm::any norm_out() const { return contents_.out; }

  /// L with an exponent of its own; +infinity where nothing is proved.
  extended const& upper_extended() const { return contents_.upper; }
  /// The least double >= L; +infinity also where L is beyond the range of double.
  double upper() const { return contents_.upper.to_double_up(); }
  double log10_upper() const { return contents_.upper.log10_up(); }
  /// A decimal >= L with 17 digits, however large.
  std::string decimal_upper() const { return contents_.upper.to_decimal_up(); }
  bool is_finite() const { return !contents_.upper.is_infinite(); }

  /// L as a bound that composes with others. @throws domain_error if the certificate is of other norms.
  template <norm_tag In, norm_tag Out = In>
  log_upper_bound<op<In, Out>> upper_as() const {
    SIGMAX_DETAIL_REQUIRE_STRICT_ARITHMETIC(In);
    if (!(norm_in() == norm::any(In{})) || !(norm_out() == norm::any(Out{}))) {
      sigmax::detail::raise<domain_error>({"certificate: asked for the norms ", In::name, ", ", Out::name,
                                           "; it is of ", norm_in().name(), ", ", norm_out().name()});
    }
    // Proof: `certify` stored a proven bound of this operator norm.
    return sigmax::detail::proof::log_upper<op<In, Out>>(contents_.upper, contents_.rests_on);
  }

  /// What the attack found; nothing if it was switched off.
  std::optional<lower_bound> const& lower() const { return contents_.lower; }

  /// How the bounds of the layers were put together.
  std::string const& method() const { return contents_.method; }
  /// All that were tried, each with its bound of the whole network; the least of them is `upper`.
  std::vector<tried_method> const& tried() const { return contents_.tried; }
  /// True if the bound rests on somebody's word; `rests_on` says on what.
  bool conditional() const { return !contents_.rests_on.empty(); }
  assumptions const& rests_on() const { return contents_.rests_on; }

  tensor_shape const& input_shape() const { return contents_.input_shape; }
  tensor_shape const& output_shape() const { return contents_.output_shape; }
  /// The layers between input and output, in order of evaluation; constants are left out.
  std::vector<certified_layer> const& layers() const { return contents_.layers; }
  /// The layers because of which the bound is infinite.
  std::vector<refused_layer> const& refused() const { return contents_.refused; }

 private:
  friend struct detail::certificate_maker;
  explicit certificate(detail::certificate_contents contents) : contents_(std::move(contents)) {}

  detail::certificate_contents contents_;
};

/// A proven lower bound above a proven upper one: an error in sigmax, or in the reason given to `trust`. Carries the
/// pair of points so that a program can save it.
class contradiction : public numeric_error {
 public:
  contradiction(std::string text, lower_bound witness) : numeric_error(std::move(text)), witness_(std::move(witness)) {}
  lower_bound const& witness() const { return witness_; }

 private:
  lower_bound witness_;
};

}  // namespace sigmax::inline SIGMAX_ABI::lipschitz
