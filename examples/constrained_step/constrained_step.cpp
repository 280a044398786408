// SPDX-License-Identifier: MIT
// Training under a proven cap: Muon fits W X = Y while ||W|| <= 1 from RMS to RMS holds of the stored W after every step.
#include <iostream>

#include <sigmax/constraint/soft_cap.hpp>
#include <sigmax/core/random.hpp>
#include <sigmax/optimizer/learning_rate.hpp>
#include <sigmax/optimizer/muon.hpp>

int main() {
  sigmax::cpu::simd<> const on;
  sigmax::matrix<float> W(64, 32), X(32, 256), Y(64, 256), residual(64, 256), gradient(64, 32);
  sigmax::fill_normal(X.view(), 1);
  sigmax::fill_normal(Y.view(), 2);

  sigmax::muon opt(W, {.weight_decay = 0, .adjust = sigmax::adjustment::spectral_norm});
  sigmax::constraint::soft_cap const cap{.sigma_max = 1.0, .norm = sigmax::norm::rms, .certified = true};
  sigmax::learning_rate::cosine const rate{.peak = 0.1, .warmup_steps = 10, .total_steps = 200};

  sigmax::constraint::outcome seen;
  for (int t = 0; t < 200; ++t) {
    on.multiply(1, W.view(), X.view(), -1, Y.view(), residual.view());
    on.multiply(1, residual.view(), X.view().transposed(), 0, gradient.view(), gradient.view());
    opt.set_learning_rate(rate(t));
    seen += opt.step(W, gradient, cap);  // a step of norm opt.update_norm() at most; throws before anything is written
  }
  std::cout << "loss " << on.sum_squares(residual.view()) / 256 << ", " << seen.proven << " of " << opt.steps()
            << " steps proven, " << seen.rescaled << " rescaled, " << seen.hard_capped << " hard capped\n";
}
