// SPDX-License-Identifier: MIT
// The norms of trained weights against 200-bit arithmetic: the shared networks, and one made here whose spectra decay as
// those of trained layers do. (The weights behind the published exact-rational vectors are not public in a form that
// can be rebuilt.)
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <sigmax/core/matrix.hpp>
#include <sigmax/core/random.hpp>
#include <sigmax/lipschitz/norm_prover.hpp>
#include <sigmax/lipschitz/rules/linear.hpp>

#include "model_builder.hpp"

#if defined(SIGMAX_TEST_HAS_MPFR)
#include "support/oracle.hpp"

using namespace sigmax;
using namespace sigmax::lipschitz;

namespace {

/// The proven bound is at least the exact norm of the stored matrix, and at most a relative 2e-7 above it.
void judge(weight const& stored, std::string const& name) {
  rule_context const context;
  double const upper = prove_operator_norm<norm::l2_t>(stored, context).value();
  matrix<double> exact(stored.rows(), stored.cols());
  for (index_t i = 0; i < exact.rows(); ++i) {
    for (index_t j = 0; j < exact.cols(); ++j) exact(i, j) = stored(i, j);
  }
  oracle::spectral_norm const truth(exact);
  CHECK_MESSAGE(truth.is_at_most(upper), name);
  CHECK_MESSAGE(truth.is_at_least(upper / (1 + 2e-7)), name);
  std::printf("  %-28s %4d x %-4d  norm <= %.12g\n", name.c_str(), static_cast<int>(stored.rows()),
              static_cast<int>(stored.cols()), upper);
  std::fflush(stdout);
}

int judge_network(char const* file) {
  auto const path = std::filesystem::path(SIGMAX_DATA_DIR) / "onnx" / file;
  if (!std::filesystem::exists(path)) {
    MESSAGE("skipped: there is no " << path.string());
    return 0;
  }
  auto const net = test::load(path);
  int judged = 0;
  for (auto const& node : net.nodes()) {
    auto const* const linear = node.rule.as<rules::linear>();
    if (linear == nullptr) continue;
    judge(linear->matrix(), node.name);
    ++judged;
  }
  CHECK(judged > 0);
  return judged;
}

}  // namespace

TEST_CASE("golden norms: the trained weights of mnist-net_256x2") { judge_network("mnist-net_256x2.onnx"); }

TEST_CASE("golden norms: the trained weights of an ACAS Xu network") {
  judge_network("ACASXU_run2a_1_1_batch_2000.onnx");
}

TEST_CASE("golden norms: an 8 x 128 perceptron with decaying spectra, in float") {
  index_t width = 784;
  for (std::uint64_t layer = 0; layer < 9; ++layer) {
    index_t const out = layer == 8 ? 10 : 128;
    matrix<float> w(out, width);
    random_sequence const numbers(layer + 1);
    // A few strong directions over noise: sum of k^-1 u v^T and a Gaussian floor.
    std::uint64_t next = 0;
    matrix<double> sum(out, width);
    for (int k = 1; k <= 12; ++k) {
      std::vector<double> u(static_cast<std::size_t>(out));
      std::vector<double> v(static_cast<std::size_t>(width));
      for (double& x : u) x = numbers.normal(next++) / std::sqrt(static_cast<double>(out));
      for (double& x : v) x = numbers.normal(next++) / std::sqrt(static_cast<double>(width));
      for (index_t i = 0; i < out; ++i) {
        for (index_t j = 0; j < width; ++j) {
          sum(i, j) += 4.0 / k * u[static_cast<std::size_t>(i)] * v[static_cast<std::size_t>(j)];
        }
      }
    }
    for (index_t i = 0; i < out; ++i) {
      for (index_t j = 0; j < width; ++j) w(i, j) = static_cast<float>(sum(i, j) + 0.03 * numbers.normal(next++));
    }
    judge(weight::owning(std::move(w)), "layer " + std::to_string(layer));
    width = out;
  }
}
#endif
