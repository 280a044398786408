// SPDX-License-Identifier: MIT
// Every spectral function once. README.md shows this file; a test keeps the two equal.
#include <iostream>

#include <sigmax/sigmax.hpp>

int main() {
  sigmax::matrix<float> W(64, 96);  // or any Eigen matrix, mdspan, strided buffer; float, double, bf16, f16
  sigmax::fill_normal(W.view(), 1);
  auto const show = [](char const* name, sigmax::matrix<float> const& matrix) {
    auto const norm = sigmax::certified_spectral_norm(matrix);
    std::cout << name << ": norm in [" << norm.lower() << ", " << norm.upper() << "]\n";
  };
  show("W", W);

  // Participles return a copy; verbs (orthogonalize, soft_cap, ...) work in place.
  show("polar factor", sigmax::orthogonalized(W));
  show("Muon's quintics", sigmax::orthogonalized(W, {.schedule = sigmax::schedules::muon}));
  show("minimax, made to measure", sigmax::orthogonalized(W, {.schedule = sigmax::minimax_schedule<6>(1e-3)}));
  show("hard cap", sigmax::hard_capped(W, {.sigma_max = 2.0}));
  show("smooth cap", sigmax::smooth_capped(W, {.sigma_max = 2.0}));
  show("clip", sigmax::spectrally_clipped(W, {.lower = 1.0, .upper = 2.0}));
  show("normalized", sigmax::spectrally_normalized(W, {.sigma_max = 1.0, .certified = true}));
  show("hammered", sigmax::spectrally_hammered(W, {.sigma_max = 1.0}));

  // A weight that was within its cap before a step of norm 0.1 is so again.
  auto capped = sigmax::hard_capped(W, {.sigma_max = 1.0});
  auto const step = sigmax::orthogonalized(W, {.scale = 0.1});
  for (int i = 0; i < 64; ++i) {
    for (int j = 0; j < 96; ++j) capped(i, j) += step(i, j);
  }
  show("after a step", capped);
  sigmax::soft_cap(capped, {.sigma_max = 1.0, .update_norm = 0.1});
  show("soft cap", capped);

  std::cout << sigmax::plan_polynomial(1024, 4096, sigmax::schedules::muon) << "\n";
}
