// SPDX-License-Identifier: MIT
#include <algorithm>
#include <chrono>
#include <cmath>
#include <span>
#include <utility>

#include <sigmax/bound/rounding.hpp>
#include <sigmax/core/error.hpp>
#include <sigmax/lipschitz/certify.hpp>

#include "certify_model.hpp"
#include "network.hpp"
#include "paths.hpp"

namespace transformer {

namespace {

namespace lipschitz = sigmax::lipschitz;

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

/// <= max_t RMS(f(X)_t - f(Y)_t) / ||X - Y||: both are evaluated in interval arithmetic, from rows that enclose E^T x.
double proven_quotient(lipschitz::network const& net, parameters<float> const& w, token_pair const& pair) {
  lipschitz::attack::evaluation_plan const plan(net);
  lipschitz::attack::evaluation<sigmax::interval> run(plan);
  auto const logits_at = [&](double share) {
    auto const input = run.input();
    auto const d = static_cast<std::size_t>(w.embedding.cols());
    sigmax::interval const stay = sigmax::interval(1.0) - sigmax::interval(share);
    for (std::size_t t = 0; t < pair.from.size(); ++t) {
      for (std::size_t j = 0; j < d; ++j) {
        auto const k = static_cast<index_t>(j);
        sigmax::interval const from(static_cast<double>(w.embedding(pair.from[t], k)));
        sigmax::interval const to(static_cast<double>(w.embedding(pair.to[t], k)));
        input[t * d + j] = share == 0 ? from : stay * from + sigmax::interval(share) * to;
      }
    }
    auto const output = run.run();
    return std::vector<sigmax::interval>(output.begin(), output.end());
  };
  auto const at_x = logits_at(0);
  auto difference = logits_at(pair.share);
  for (std::size_t i = 0; i < difference.size(); ++i) difference[i] = at_x[i] - difference[i];
  auto const norm = lipschitz::row_norm::of(sigmax::norm::rms, net.output_shape());
  return sigmax::divide_down(lipschitz::attack::length_down(difference, norm), 2 * pair.share);
}

}  // namespace

proven_bound const& model_certificate::best() const {
  return *std::min_element(bounds.begin(), bounds.end(),
                           [](auto const& a, auto const& b) { return a.upper < b.upper; });
}

model_certificate certify_model(sigmax::cpu::native const& on, run_settings const& settings, parameters<float> const& w,
                                certify_model_options const& options) {
  auto const start = std::chrono::steady_clock::now();
  model<float> const of(settings.shape, settings.model);
  auto const constants = constants_of(of);
  model_certificate result{
      .settings = settings, .length = settings.shape.context, .bounds = {}, .residuals = {}, .pair = {}};
  auto last = start;
  auto const add = [&](char const* method, char const* from, sigmax::extended const& upper) {
    if (!upper.is_infinite()) result.bounds.push_back({method, from, upper, seconds_since(last)});
    last = std::chrono::steady_clock::now();
  };
  add("caps", "the caps of the constraint, whatever the weights are",
      closed_form(settings.shape, constants, norms_of_caps(settings)).upper);
  add("norms", "the proven norms of the weights, head by head",
      closed_form(settings.shape, constants, norms_of(on, of, w, false)).upper);
  auto const norms = norms_of(on, of, w, true);
  result.residuals = closed_form(settings.shape, constants, norms);
  add("products", "the norms of W_O W_V and of W_Q^T R W_K of each head as well", result.residuals.upper);
  add("paths", "products of the matrices that follow each other, on the vectors of the tokens",
      bound_by_paths(on, of, w, norms).upper);
  result.published = published_formula(settings.shape, constants, norms);

  auto const net = network_of_model(of, w);
  if (options.walk_network) {
    lipschitz::certify_options const how{.norm = sigmax::norm::rms,
                                         .domain = lipschitz::input_domain::ball(norms.embedding),
                                         .relative_gap = 1e-5,
                                         .attack = false,
                                         .methods = {.search_work = options.search_work}};
    auto const behind = lipschitz::certify(on, net, how);
    sigmax::extended const embedding(sigmax::min_up(norms.embedding, norms.half_diameter));
    add("network", "the graph, segment by segment, on the ball of all tokens", embedding * behind.upper_extended());
  }
  if (result.bounds.empty()) throw sigmax::numeric_error("no method gives a finite bound");
  if (options.attack) {
    result.pair =
        attack_pairs(on, {settings.shape, settings.model}, in_double(settings.shape, w), options.attack_settings);
    if (result.pair.quotient > 0) result.lower = std::fmax(0.0, proven_quotient(net, w, result.pair));
    for (auto const& bound : result.bounds) {
      if (bound.upper < sigmax::extended(result.lower)) {
        throw sigmax::numeric_error("internal error: the attack proves more than the bound by " + bound.method +
                                    "; please report this model");
      }
    }
  }
  result.seconds = seconds_since(start);
  return result;
}

}  // namespace transformer
