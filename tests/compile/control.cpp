// SPDX-License-Identifier: MIT
// Has to compile: proves that the flags of the cases beside it reach sigmax and Eigen, and that each of them is one step
// away from something that is allowed.
#include <Eigen/Core>

#include <sigmax/bound/enclosure.hpp>
#include <sigmax/bound/upper_bound.hpp>
#include <sigmax/certified/cholesky.hpp>
#include <sigmax/certified/spectral_norm.hpp>
#include <sigmax/config.hpp>
#include <sigmax/core/matrix.hpp>
#include <sigmax/core/matrix_like.hpp>
#include <sigmax/estimate/lanczos.hpp>
#include <sigmax/estimate/power_iteration.hpp>

#include "device_backend.hpp"

namespace norm = sigmax::norm;

static_assert(sigmax::backend<device_backend, float> && !sigmax::certifying_backend<device_backend, float>);
static_assert(sigmax::matrix_like<sigmax::matrix_view<float, sigmax::device_space>>);

int main() {
  bool all = sigmax::version[0] == '0';

  // Bounds: from trust, from proofs, in a chain of norms that fit.
  auto const inner = sigmax::trust<sigmax::op<norm::rms_t, norm::l2_t>>(1, "a test");
  auto const outer = sigmax::trust<sigmax::op<norm::l2_t, norm::linf_t>>(1, "a test");
  sigmax::upper_bound<sigmax::op<norm::rms_t, norm::linf_t>> const chain = outer * inner;
  all = all && (chain + chain).is_finite();

  // Views of matrices that have a name, and of temporaries that own nothing.
  Eigen::MatrixXd w = Eigen::MatrixXd::Identity(2, 2);
  sigmax::matrix<double> ours(2, 2);
  all = all && !sigmax::view(w).empty() && !sigmax::view(w.topRows(1)).empty() && !ours.view().empty();

  // Estimates of anything on the host, proofs of what is exactly a double; also of temporaries.
  sigmax::matrix<long double> const long_double(2, 2);
  all = all && sigmax::power_iteration(sigmax::cpu::scalar{}, long_double).converged && sigmax::lanczos(w).converged;
  all = all && sigmax::power_iteration(Eigen::MatrixXd(w * w)).converged;
  sigmax::enclosure<norm::spectral> const box = sigmax::certified_spectral_norm(w);
  sigmax::upper_bound<norm::spectral> const bound = box.bound();
  return all && bound.is_finite() && sigmax::prove_norm_at_most(w, 2.0) ? 0 : 1;
}
