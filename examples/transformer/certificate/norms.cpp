// SPDX-License-Identifier: MIT
#include <cmath>

#include <sigmax/bound/rounding.hpp>
#include <sigmax/lipschitz/norm_prover.hpp>
#include <sigmax/lipschitz/rules/product_norm.hpp>
#include <sigmax/lipschitz/rules/rotated_product_norm.hpp>
#include <sigmax/lipschitz/weight.hpp>

#include "../weight_optimizer.hpp"
#include "network.hpp"
#include "norms.hpp"

namespace transformer {

namespace {

using sigmax::add_up;
using sigmax::divide_up;
using sigmax::multiply_up;
using sigmax::sqrt_up;
using sigmax::lipschitz::weight;

/// >= the square of the distance of two rows, an absent one being 0. Differences of doubles round once: 1 + 2^-52 covers it.
template <class T>
double squared_distance_up(sigmax::matrix<T> const& e, index_t i, index_t j) {
  double sum = 0;
  for (index_t k = 0; k < e.cols(); ++k) {
    double const other = j < 0 ? 0.0 : static_cast<double>(e(j, k));
    double const step = multiply_up(std::fabs(static_cast<double>(e(i, k)) - other), 1 + 0x1p-52);
    sum = add_up(sum, multiply_up(step, step));
  }
  return sum;
}

/// >= RMS of the row whose squares add up to this.
double rms_up(double squares, index_t width) { return sqrt_up(divide_up(squares, static_cast<double>(width))); }

}  // namespace

template <class T>
model_norms norms_of(sigmax::cpu::native const& on, model<T> const& of, parameters<T> const& w, bool products) {
  auto const prover = sigmax::lipschitz::prover_on(on);
  sigmax::lipschitz::remembered_norms norms(&prover);
  sigmax::lipschitz::rule_context const context{.prover = &norms.prover()};
  auto const norm_of = [&](weight const& matrix) {
    return sigmax::lipschitz::prove_operator_norm<sigmax::norm::l2_t>(matrix, context).value();
  };
  model_norms result{.embedding = 0, .half_diameter = 0, .blocks = {}, .head = norm_of(weight::viewing(w.head))};
  index_t const tokens = w.embedding.rows();
  for (index_t i = 0; i < tokens; ++i) {
    result.embedding = std::fmax(result.embedding, rms_up(squared_distance_up(w.embedding, i, -1), of.shape.width));
    // Of the pairs of a large vocabulary only what follows from the rows.
    for (index_t j = 0; j < i && tokens <= 4096; ++j) {
      double const distance = rms_up(squared_distance_up(w.embedding, i, j), of.shape.width);
      result.half_diameter = std::fmax(result.half_diameter, distance / 2);
    }
  }
  if (tokens > 4096) result.half_diameter = result.embedding;
  auto const rotation = rotation_of(of.attention.rotation);
  index_t const d_k = of.shape.key_width;
  index_t const d = of.shape.width;
  for (auto const& block : w.blocks) {
    block_norms own{.query = norm_of(weight::viewing(block.query)),
                    .key = norm_of(weight::viewing(block.key)),
                    .value = norm_of(weight::viewing(block.value)),
                    .output = norm_of(weight::viewing(block.output)),
                    .heads = {},
                    .mlp_in = norm_of(weight::viewing(block.mlp_in)),
                    .mlp_out = norm_of(weight::viewing(block.mlp_out))};
    for (index_t h = 0; h < of.shape.heads; ++h) {
      auto const rows = [&](auto const& stacked) { return weight::viewing(stacked).block(h * d_k, d_k, 1, 0, d); };
      weight const q = rows(block.query);
      weight const k = rows(block.key);
      weight const v = rows(block.value);
      weight const o = weight::viewing(block.output).block(0, d, 1, h * d_k, d_k);
      double const stretch = rotation.euclidean_norm();
      head_norms head{.query = multiply_up(stretch, norm_of(q)),
                      .key = multiply_up(stretch, norm_of(k)),
                      .value = norm_of(v),
                      .output = norm_of(o),
                      .output_value = sigmax::infinity,
                      .query_key = sigmax::infinity};
      if (products) {
        namespace detail = sigmax::lipschitz::rules::detail;
        head.output_value = detail::product_norm_up(o, v, context);
        head.query_key = detail::rotated_product_norm_up(q, k, rotation, true, context);
      }
      own.heads.push_back(head);
    }
    result.blocks.push_back(std::move(own));
  }
  return result;
}

template model_norms norms_of(sigmax::cpu::native const&, model<float> const&, parameters<float> const&, bool);
template model_norms norms_of(sigmax::cpu::native const&, model<double> const&, parameters<double> const&, bool);

model_norms norms_of_caps(run_settings const& settings) {
  auto const& shape = settings.shape;
  // ||W||_2 <= cap sqrt(out / in). Rotations of stored cosines and sines stretch by no more than 1 + 2^-20.
  auto const norm = [&](weight_role role, index_t out, index_t in) {
    double const ratio = divide_up(static_cast<double>(out), static_cast<double>(in));
    return multiply_up(proven_cap(settings, role), sqrt_up(ratio));
  };
  index_t const d = shape.width;
  index_t const a = shape.attention_width();
  block_norms block{.query = norm(weight_role::query, a, d),
                    .key = norm(weight_role::key, a, d),
                    .value = norm(weight_role::value, a, d),
                    .output = norm(weight_role::attention_output, d, a),
                    .heads = {},
                    .mlp_in = norm(weight_role::mlp_in, shape.mlp_width, d),
                    .mlp_out = norm(weight_role::mlp_out, d, shape.mlp_width)};
  constexpr double stretch = 1 + 0x1p-20;
  block.heads.assign(static_cast<std::size_t>(shape.heads), {.query = multiply_up(stretch, block.query),
                                                             .key = multiply_up(stretch, block.key),
                                                             .value = block.value,
                                                             .output = block.output,
                                                             .output_value = sigmax::infinity,
                                                             .query_key = sigmax::infinity});
  // Every row of the embedding has RMS <= 1 after each step (initialize.hpp).
  return {.embedding = 1,
          .half_diameter = 1,
          .blocks = std::vector<block_norms>(static_cast<std::size_t>(shape.blocks), block),
          .head = norm(weight_role::head, shape.vocabulary, d)};
}

}  // namespace transformer
