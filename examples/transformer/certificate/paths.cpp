// SPDX-License-Identifier: MIT
#include <cmath>

#include <sigmax/bound/rounding.hpp>

#include "network.hpp"
#include "paths.hpp"
#include "stream_terms.hpp"

namespace transformer {

namespace {

using sigmax::add_up;
using sigmax::extended;
using sigmax::min_up;
using sigmax::multiply_up;
using sigmax::sqrt_up;

/// >= sup GELU' - 1 / 2, of the form with erf.
constexpr double gelu_deviation = 0.6289041451852;

near_matrix head_rows(sigmax::matrix<float> const& stacked, index_t head, index_t count) {
  near_matrix result{sigmax::matrix<double>(count, stacked.cols())};
  for (index_t i = 0; i < count; ++i) {
    for (index_t j = 0; j < stacked.cols(); ++j) {
      result.elements(i, j) = static_cast<double>(stacked(head * count + i, j));
    }
  }
  return result;
}

near_matrix head_columns(near_matrix const& all, index_t head, index_t count) {
  near_matrix result{sigmax::matrix<double>(all.elements.rows(), count), all.error};
  for (index_t i = 0; i < all.elements.rows(); ++i) {
    for (index_t j = 0; j < count; ++j) result.elements(i, j) = all.elements(i, head * count + j);
  }
  return result;
}

/// What all heads together may be: min( ||W_O|| sqrt(sum_h r_h^2), sum_h ||W_O,h|| r_h ).
double joined(block_norms const& block, std::vector<double> const& radii) {
  double squares = 0;
  double apart = 0;
  for (std::size_t h = 0; h < radii.size(); ++h) {
    squares = add_up(squares, multiply_up(radii[h], radii[h]));
    apart = add_up(apart, multiply_up(block.heads[h].output, radii[h]));
  }
  return min_up(apart, multiply_up(block.output, sqrt_up(squares)));
}

struct walk {
  sigmax::cpu::native const& on;
  model<float> const& of;
  forward_constants const constants;
  stream_terms stream;
  closed_form_bound result;

  void note(seen_bound const& before, double branch) {
    // In RMS, as in closed_form.
    double const rms = sigmax::divide_up(before.value, sigmax::sqrt_down(static_cast<double>(of.shape.width)));
    double const lipschitz = before.slope > 0 ? stream.whole().slope / before.slope : 0;
    result.residuals.push_back({rms, before.slope > 0 ? branch / before.slope : 0, lipschitz});
  }

  void project() {
    if (constants.ball_radius > 0) stream.project(constants.ball_radius);
  }

  void attention(block_parameters<float> const& w, block_norms const& norms) {
    double const stretch = rotation_of(of.attention.rotation).euclidean_norm();
    seen_bound const before = stream.whole();
    stream_term term{.by = scaled(constants.attention, w.output), .radius = {}, .slope = {}};
    std::vector<near_matrix> images;
    index_t const d_k = of.shape.key_width;
    // All heads or none.
    bool const has_images = stream.has_room_for_images(of.shape.heads);
    for (std::size_t h = 0; h < norms.heads.size(); ++h) {
      auto const head = static_cast<index_t>(h);
      auto const& own = norms.heads[h];
      seen_bound const q = stream.seen_by(head_rows(w.query, head, d_k), own.query);
      seen_bound const k = stream.seen_by(head_rows(w.key, head, d_k), own.key);
      near_matrix const values = head_rows(w.value, head, d_k);
      seen_bound const v = stream.seen_by(values, own.value);
      double const turned = multiply_up(stretch, stretch);
      double const apart = multiply_up(turned, add_up(multiply_up(k.value, q.slope), multiply_up(q.value, k.slope)));
      double const joint = multiply_up(multiply_up(2.0, own.query_key), multiply_up(before.value, before.slope));
      double const scores = multiply_up(std::fabs(constants.scale), min_up(apart, joint));
      term.radius.push_back(v.value);
      term.slope.push_back(add_up(v.slope, multiply_up(v.deviation, scores)));
      if (!has_images) continue;
      term.rest.push_back(add_up(v.rest, multiply_up(v.deviation, scores)));
      near_matrix const map = product_of(on, head_columns(term.by, head, d_k), values);
      for (auto& each : stream.images_of_tokens(map)) images.push_back(std::move(each));
    }
    double const gain = std::fabs(constants.attention);
    seen_bound const branch{multiply_up(gain, joined(norms, term.radius)),
                            multiply_up(gain, joined(norms, term.slope))};
    stream.add(constants.skip, std::move(term), branch, std::move(images));
    note(before, branch.slope);
    project();
  }

  void mlp(block_parameters<float> const& w, block_norms const& norms) {
    seen_bound const before = stream.whole();
    near_matrix const in = scaled(1.0, w.mlp_in);
    seen_bound const inner = stream.seen_by(in, norms.mlp_in);
    stream_term term{.by = scaled(constants.mlp, w.mlp_out),
                     .radius = {inner.value / 2},
                     .slope = {multiply_up(gelu_deviation, inner.slope)}};
    double const size = multiply_up(constants.mlp.magnitude(), norms.mlp_out);
    seen_bound const branch{multiply_up(size, inner.value),
                            multiply_up(multiply_up(size, inner.slope), add_up(gelu_deviation, 0.5))};
    stream.add(constants.skip, scaled(constants.mlp * sigmax::interval(0.5), w.mlp_out), in, std::move(term), branch);
    note(before, branch.slope);
    project();
  }
};

}  // namespace

closed_form_bound bound_by_paths(sigmax::cpu::native const& on, model<float> const& of, parameters<float> const& w,
                                 model_norms const& norms) {
  walk walking{.on = on,
               .of = of,
               .constants = constants_of(of),
               .stream = stream_terms(on, scaled(1.0, w.embedding, true)),
               .result = {.residuals = {}, .radius = 0, .upper = extended()}};
  for (std::size_t i = 0; i < w.blocks.size(); ++i) {
    walking.attention(w.blocks[i], norms.blocks[i]);
    walking.mlp(w.blocks[i], norms.blocks[i]);
  }
  auto const head = walking.stream.seen_by(scaled(1.0, w.head), norms.head);
  double const rms = sigmax::divide_up(multiply_up(std::fabs(walking.constants.logits), head.slope),
                                       sigmax::sqrt_down(static_cast<double>(of.shape.vocabulary)));
  walking.result.upper = extended(rms);
  walking.result.radius =
      sigmax::divide_up(walking.stream.whole().value, sigmax::sqrt_down(static_cast<double>(of.shape.width)));
  return walking.result;
}

}  // namespace transformer
