// SPDX-License-Identifier: MIT
/// @file
/// The residual stream as a sum of matrices times bounded vectors, and what a matrix sees of it: see paths.hpp.
#pragma once

#include <vector>

#include <sigmax/kernels.hpp>

#include "../model_shape.hpp"
#include "near_matrix.hpp"

namespace transformer {

/// M z with ||z_part|| <= radius and ||dz_part|| <= slope ||X - Y||: each part as many columns of M.
struct stream_term {
  near_matrix by;
  std::vector<double> radius, slope;
  /// Of dz_part less what images of tokens tell of it (stream_terms::add); empty: there are none, all of slope.
  std::vector<double> rest = {};
};

/// Of a vector and its difference.
struct seen_bound {
  double value = 0;
  double slope = 0;
  /// Of the difference less the tokens and their images.
  double rest = 0;
  /// >= the distance of the vector from one fixed point.
  double deviation = 0;
};

class stream_terms {
 public:
  /// x = the columns of `tokens` (d x V).
  stream_terms(sigmax::cpu::native const& on, near_matrix tokens);

  /// What A, out x d, sees of a token. `norm` >= ||A||_2.
  seen_bound seen_by(near_matrix const& a, double norm) const;
  /// A = I.
  seen_bound const& whole() const { return whole_; }

  /// Whether images through so many heads are worth their time, and tokens say what differences are.
  bool has_room_for_images(index_t heads) const;
  /// A of the tokens and of their images, as `add` takes them.
  std::vector<near_matrix> images_of_tokens(near_matrix const& a) const;
  /// x <- factor x + term, where `branch` bounds what is added. `images`: matrices J with dterm = sum J dp + what `rest`
  /// bounds, each dp another mean of differences of tokens.
  void add(double factor, stream_term term, seen_bound const& branch, std::vector<near_matrix> images = {});
  /// x <- factor x + A B x + term, where `branch` bounds all that is added; A: d x n, B: n x d.
  void add(double factor, near_matrix const& a, near_matrix const& b, stream_term term, seen_bound const& branch);
  /// x <- the nearest point of those of RMS <= `rms`.
  void project(double rms);

 private:
  /// A M, or M for the identity.
  near_matrix read(near_matrix const* a, near_matrix const& m) const;
  seen_bound sum_of_terms(near_matrix const* a) const;
  /// >= the norm of A (tokens dp_0 + sum_i images_i dp_i).
  double slope_of_images(near_matrix const* a) const;
  seen_bound of_tokens(near_matrix const& seen) const;
  void add_to_whole(double factor, stream_term term, seen_bound const& branch);

  sigmax::cpu::native on_;
  near_matrix tokens_;
  std::vector<near_matrix> images_;
  /// Tokens may have been scaled down; differences of tokens are another term's.
  bool was_projected_ = false;
  std::vector<stream_term> terms_;
  seen_bound whole_;
};

}  // namespace transformer
