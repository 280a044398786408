// SPDX-License-Identifier: MIT
/// @file
/// The Lipschitz bound of the transformer with the residual stream taken apart.
#pragma once

#include <sigmax/kernels.hpp>

#include "../model.hpp"
#include "closed_form.hpp"

namespace transformer {

/// The inequality of closed_form, by products of matrices that follow each other instead of products of their norms.
///
/// A token of the stream is kept as a sum of terms, x = sum_i M_i z_i, of which M_i is a known matrix and z_i anything with
/// ||z_i|| <= rho_i, and so is its difference, dx = sum_i M_i dz_i with ||dz_i|| <= sigma_i ||X - Y||:
///  - the vectors of tokens: M the columns E_v, z a probability vector; of differences see closed_form;
///  - each attention: M = alpha gain W_O, z the outputs of the heads;
///  - each MLP: M = alpha / 1.129 W_out, z what is not linear about GELU.
/// Whatever matrix A reads the stream, W_Q,h or W_in or the head, sees at most
///   ||A x|| <= min( ||A|| R, sum_i ||A M_i|| rho_i ),   ||A dx|| <= min( ||A|| L, sum_i ||A M_i|| sigma_i ) ||X - Y||,
/// with max_v ||A E_v|| and max_vw ||A (E_v - E_w)|| / 2 for the first term, and R, L the same for A = I.
///
/// Attention: with Q, K, S_q, S_k, S_v what W_Q,h, W_K,h, W_V,h see of the stream and of its difference,
///   ||dy_h|| <= S_v + tau D min(K S_q + Q S_k, 2 ||B_h|| R L),   D >= the deviation of values under any weights:
/// the distance of all ||W_V,h x|| from one point, for the proof in closed_form needs no more of values and keys, and
/// variances do not change with a shift. Means of terms are terms: ||y_h|| <= max ||W_V,h x||. (A distance from a point
/// serves values only: keys are rotated.)
///
/// Weighted means of differences of tokens are such differences again, any others: what of dy_h comes from tokens, W_V,h M dp,
/// is an image of them, M <- alpha gain W_O,h W_V,h M with its own dp in D, the convex hull of (e_v - e_w) / 2, and the rest is
/// W_V,h of the other terms and what moves with the scores. With the images M_i of all paths through heads,
///   ||A sum_i M_i dp_i||^2 <= sum_i max_D ||A M_i p||^2 + sum_i!=j max_D,D p^T (A M_i)^T A M_j q,
/// less than the square of the sum of lengths unless all heads write in one direction. The smaller of both is taken; heads
/// of a later block, whose images would be too many, stay terms as above.
///
/// MLP: GELU(u) = u / 2 + (Phi(u) - 1 / 2) u and GELU' lies in 1 / 2 -+ (G - 1 / 2) (GELU'(u) + GELU'(-u) = 1), so that the
/// linear half goes into the terms, M_i <- (1 - alpha) M_i + alpha / 1.129 W_out W_in M_i / 2, and what is left is a new term of
/// rho = ||W_in x|| / 2, sigma = (G - 1 / 2) ||W_in dx||.
///
/// The projection on a ball multiplies each token by a number in [0, 1], so that every bound of ||A x|| stays one. It turns
/// differences, but makes them no longer: they become one term, M = I, sigma = L; unless R shows that it never acts.
///
/// Products of matrices are computed in double; each is off by gamma_(n+2) times the product of Frobenius norms (Higham,
/// section 3.5), which is carried along. Norms are proven. Cost: a product and a proof for each matrix and each term before
/// it.
closed_form_bound bound_by_paths(sigmax::cpu::native const& on, model<float> const& of, parameters<float> const& w,
                                 model_norms const& norms);

}  // namespace transformer
