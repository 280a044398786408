// SPDX-License-Identifier: MIT
/// @file
/// Constants of pairs of logits that see the last layer, or certify every pair by itself.
#pragma once

#include <cmath>
#include <concepts>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <sigmax/bound/extended.hpp>
#include <sigmax/bound/norm.hpp>
#include <sigmax/bound/rounding.hpp>
#include <sigmax/config.hpp>
#include <sigmax/core/error.hpp>
#include <sigmax/core/matrix.hpp>
#include <sigmax/lipschitz/certify.hpp>
#include <sigmax/lipschitz/network.hpp>
#include <sigmax/lipschitz/robustness/pairwise_constants.hpp>
#include <sigmax/lipschitz/rules/linear.hpp>
#include <sigmax/lipschitz/rules/rearrange.hpp>
#include <sigmax/lipschitz/tensor_shape.hpp>
#include <sigmax/lipschitz/weight.hpp>

namespace sigmax::inline SIGMAX_ABI::lipschitz {

namespace detail {

struct pair_maker {
  static pairwise_constants make(index_t classes, std::vector<extended> constants, norm::any norm, input_domain domain,
                                 assumptions rests_on, std::string method) {
    return {classes, std::move(constants), norm, std::move(domain), std::move(rests_on), std::move(method)};
  }
};

/// >= ||w_i - w_j||_2, or _1 where `largest_entry`, of two stored rows.
/// Proof: each difference is fl(a - b) = (a - b)(1 + d), |d| <= u (subtraction does not underflow), and a sum of n
/// products errs by at most gamma_n of itself, all terms being positive, plus underflow (Higham, lemma 3.1): the exact
/// sum of squares is <= (s + n eta) / (1 - gamma_(n+4)).
template <class W>
double row_difference_up(W const& w, index_t i, index_t j, bool largest_entry) {
  auto const n = static_cast<double>(w.cols());
  double sum = 0;
  for (index_t k = 0; k < w.cols(); ++k) {
    double const step = static_cast<double>(w(i, k)) - static_cast<double>(w(j, k));
    sum += largest_entry ? std::fabs(step) : step * step;
  }
  // Equal rows have difference 0 exactly; a sum of squares may also have underflown.
  if (sum == 0) {
    bool equal = true;
    for (index_t k = 0; k < w.cols(); ++k) equal = equal && w(i, k) == w(j, k);
    if (equal) return 0;
  }
  double const above = divide_up(add_up(sum, multiply_up(n, double_underflow)), subtract_down(1.0, gamma_up(n + 4)));
  return largest_entry ? above : sqrt_up(above);
}

/// The linear map that makes the logits, if nothing but biases and reshapes comes after it and it is applied to one row.
template <class = void>
std::optional<node_id> last_linear(network const& net) {
  node_id at = net.output();
  auto const classes = element_count(net.output_shape());
  while (at != network::input()) {
    auto const& node = net[at];
    if (node.rule.template as<rules::linear>() != nullptr) {
      return node.shape.empty() || node.shape.back() != classes ? std::nullopt : std::optional(at);
    }
    auto const* const moved = node.rule.template as<rules::rearrange>();
    bool const reshaped = moved != nullptr && moved->map().empty() && node.inputs.size() == 1;
    bool const shifted = node.rule.difference() == linearity::translation && node.inputs.size() == 1;
    if (!reshaped && !shifted) return std::nullopt;
    at = node.inputs[0];
  }
  return std::nullopt;
}

/// `pairs_by_last_layer`, with certificates by `prove(net, options)`.
template <std::same_as<network> Network, class Prove>
pairwise_constants pairs_by_last_layer_with(Prove const& prove, Network const& net, certify_options options) {
  SIGMAX_DETAIL_REQUIRE_STRICT_ARITHMETIC(Network);
  options.attack = false;
  auto const together = pairwise_constants::of_logits(prove(net, options));
  auto const last = last_linear(net);
  if (!last) return together;
  auto const& product = *net[*last].rule.template as<rules::linear>();
  network body = net;
  body.set_output(net[*last].inputs[0]);
  auto const of_body = prove(body, options);
  auto const& w = product.matrix();
  bool const entries = options.norm == norm::any(norm::linf);
  extended factor = of_body.upper_extended() * extended(std::fabs(product.coefficient()));
  if (options.norm == norm::any(norm::rms)) factor = factor * extended(sqrt_up(static_cast<double>(w.cols())));
  std::vector<extended> constants;
  w.visit([&](auto const& matrix) {
    for (index_t i = 1; i < matrix.rows(); ++i) {
      for (index_t j = 0; j < i; ++j) {
        constants.push_back(factor * extended(row_difference_up(matrix, i, j, entries)));
      }
    }
  });
  return tighter(pair_maker::make(w.rows(), std::move(constants), options.norm, options.domain, of_body.rests_on(),
                                  "rows of the last layer"),
                 together);
}

/// `pairs_one_by_one`, with certificates by `prove(net, options)`.
template <std::same_as<network> Network, class Prove>
pairwise_constants pairs_one_by_one_with(Prove const& prove, Network const& net, certify_options options) {
  options.attack = false;
  auto const known = pairs_by_last_layer_with(prove, net, options);
  auto const classes = known.classes();
  auto const progress = options.progress;
  options.progress = {};
  std::vector<extended> constants;
  assumptions rests_on;
  std::size_t const all = classes < 2 ? 0 : static_cast<std::size_t>(classes * (classes - 1) / 2);
  for (index_t i = 1; i < classes; ++i) {
    for (index_t j = 0; j < i; ++j) {
      progress.tell("pairs", constants.size(), all);
      network pair = net;
      node_id const flat = pair.add(rules::rearrange({classes}), {pair.output()});
      matrix<double> difference(1, classes);
      difference(0, i) = 1;
      difference(0, j) = -1;
      pair.add(rules::linear(weight::owning(std::move(difference))), {flat});
      auto const c = prove(pair, options);
      constants.push_back(c.upper_extended());
      rests_on.include(c.rests_on());
    }
  }
  return tighter(pair_maker::make(classes, std::move(constants), options.norm, options.domain, std::move(rests_on),
                                  "every pair by itself"),
                 known);
}

}  // namespace detail

/// Constants through the last linear layer y = c W h + b: with a bound L_body of the network up to h,
/// L_ij = L_body |c| ||w_i - w_j||, the dual norm: l2 in l2, l1 in linf, sqrt(width of h) times l2 in rms.
/// Proof: (y_i - y_j)(x) - (y_i - y_j)(z) = c (w_i - w_j)(h(x) - h(z)), and Hoelder's inequality.
/// Where the last layer is none, the constant of all logits is used (pairwise_constants::of_logits), and always where it
/// is smaller. Leino, Wang, Fredrikson 2021 ("Globally-robust neural networks") call this K_ij.
/// Cost: two certificates, and classes^2 / 2 differences of rows. Never attacks. @throws as certify.
template <std::same_as<network> Network>
pairwise_constants pairs_by_last_layer(Network const& net, certify_options const& options = {}) {
  auto const prove = [](network const& each, certify_options const& asked) { return certify(each, asked); };
  return detail::pairs_by_last_layer_with(prove, net, options);
}
/// The same on a backend of the caller's.
template <certifying_backend<double> B, std::same_as<network> Network>
pairwise_constants pairs_by_last_layer(B const& on, Network const& net, certify_options const& options = {}) {
  auto const prove = [&](network const& each, certify_options const& asked) { return certify(on, each, asked); };
  return detail::pairs_by_last_layer_with(prove, net, options);
}

/// Every pair certified by itself, as a network with the one output f_i - f_j; the smaller of that and what
/// pairs_by_last_layer finds. Cost: classes^2 / 2 certificates; worth it with methods that see through layers.
/// @throws as certify.
template <std::same_as<network> Network>
pairwise_constants pairs_one_by_one(Network const& net, certify_options const& options = {}) {
  auto const prove = [](network const& each, certify_options const& asked) { return certify(each, asked); };
  return detail::pairs_one_by_one_with(prove, net, options);
}
/// The same on a backend of the caller's.
template <certifying_backend<double> B, std::same_as<network> Network>
pairwise_constants pairs_one_by_one(B const& on, Network const& net, certify_options const& options = {}) {
  auto const prove = [&](network const& each, certify_options const& asked) { return certify(on, each, asked); };
  return detail::pairs_one_by_one_with(prove, net, options);
}

}  // namespace sigmax::inline SIGMAX_ABI::lipschitz
