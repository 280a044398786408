// SPDX-License-Identifier: MIT
/// @file
/// One step of training on one weight: what an optimizer with a Lipschitz constraint does, and its proof.
#pragma once

#include <sigmax/certified/cholesky.hpp>
#include <sigmax/core/matrix_view.hpp>
#include <sigmax/core/workspace.hpp>
#include <sigmax/polynomial/schedules.hpp>
#include <sigmax/spectral/orthogonalize.hpp>
#include <sigmax/spectral/soft_cap.hpp>

namespace bench {

inline constexpr double learning_rate = 0.02;
inline constexpr double weight_cap = 1;
/// ||step|| <= learning_rate times the most that Muon's quintics reach, and rounding.
inline constexpr double step_norm = learning_rate * 1.20237 * (1 + 1e-4);
/// What is proved of the weight afterwards: the cap and its rounding in float.
inline constexpr double proven_cap = weight_cap * (1 + 1e-5);

/// W <- soft_cap(W - learning_rate muon(G)); then ||W|| <= proven_cap is proved, or not, in `proved`.
struct weight_step {
  sigmax::matrix_view<float> w;
  sigmax::matrix_view<float const> gradient;
  /// Of the shape of w.
  sigmax::matrix_view<float> update;

  template <class B>
  void orthogonalize(B const& on, sigmax::workspace& memory) const {
    on.template combine<float>(1.0f, gradient, 0.0f, update);
    sigmax::orthogonalize(on, update, {.schedule = sigmax::schedules::muon, .scratch = &memory});
  }
  template <class B>
  void cap(B const& on, sigmax::workspace& memory) const {
    on.template combine<float>(static_cast<float>(-learning_rate), update, 1.0f, w);
    sigmax::soft_cap(on, w, {.sigma_max = weight_cap, .update_norm = step_norm, .scratch = &memory});
  }
  template <class B>
  bool prove(B const& on, sigmax::workspace& memory) const {
    return sigmax::prove_norm_at_most(on, w, proven_cap, {.scratch = &memory});
  }
};

/// FLOPs of a step on a rows x cols weight: in float (orthogonalize and cap), and in double (proof).
struct weight_step_flops {
  double in_float;
  double in_double;

  weight_step_flops(sigmax::index_t rows, sigmax::index_t cols) {
    auto const plan = sigmax::plan_polynomial(rows, cols, sigmax::schedules::muon);
    auto const m = static_cast<double>(plan.short_side);
    double const aspect = static_cast<double>(plan.long_side) / m;
    in_float = plan.flops() + (3 * aspect + 2) * m * m * m;
    in_double = (aspect + 1.0 / 3) * m * m * m;
  }
  /// In units of the float peak: in double it is half as high.
  double with_proof() const { return in_float + 2 * in_double; }
};

}  // namespace bench
