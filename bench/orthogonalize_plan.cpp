// SPDX-License-Identifier: MIT
// What Muon's own worst case costs when the schedule is ours to choose: every singular value from 1e-3 ||X||_F on lands in
// [0.47, 1.21]. What the engine plans for that promise and the matrix at hand, against Muon's five quintics on the same
// backend. The worst singular values are measured on four kinds of spectra.
#include <algorithm>
#include <cmath>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include <sigmax/core/matrix.hpp>
#include <sigmax/core/workspace.hpp>
#include <sigmax/polynomial/schedules.hpp>
#include <sigmax/spectral/orthogonalize.hpp>

#include "data/accuracy.hpp"
#include "data/shared_input.hpp"
#include "data/spectrum.hpp"
#include "harness/backend_for.hpp"
#include "harness/contest.hpp"
#include "harness/plan_note.hpp"

namespace bench {

namespace {

constexpr double reach = 1e-3;
constexpr double low = 0.47;
constexpr double high = 1.21;

/// The promise as the engine takes it: within `tolerance` of 1, and the factor that moves that to [low, high].
constexpr double scale = (low + high) / 2;
constexpr double tolerance = (high - low) / (high + low) * (1 - 1e-4);

struct row {
  task what;
  std::shared_ptr<test_matrix const> source;
  shared_input<float> input;

  row(std::string const& name, index_t m, index_t n, std::vector<double> sigma)
      : what{.work = "orthogonalize_plan", .variant = name, .rows = m, .cols = n},
        source(std::make_shared<test_matrix>(m, n, std::move(sigma))),
        input(source) {}

  /// The range of all that had to land in [low, high]; the error is what is left outside the singular vectors of X.
  verdict judge(sigmax::matrix_view<float const> y, std::string const& plan) const {
    auto const result = in_singular_vectors<float>(*source, y);
    double const least = reach * source->frobenius_norm();
    double smallest = 1e300;
    double largest = 0;
    double squares = 0;
    for (std::size_t i = 0; i < result.sigma.size(); ++i) {
      squares += result.sigma[i] * result.sigma[i];
      largest = std::max(largest, result.sigma[i]);
      if (source->sigma()[i] >= least) smallest = std::min(smallest, result.sigma[i]);
    }
    return {.error = result.off_diagonal / std::sqrt(squares),
            .holds = smallest >= low && largest <= high,
            .note = fmt::format("{}; sigma in [{:.3f}, {:.3f}]", plan, smallest, largest)};
  }
};

/// `given` with the input's own matrix and memory. What the engine plans depends on the matrix, so it is asked once first.
contender with_options(std::string const& name, row const& r, sigmax::orthogonalize_options given, int threads) {
  auto const on = backend_for(threads);
  sigmax::polynomial_plan plan;
  given.plan = &plan;
  (void)sigmax::orthogonalized(on, r.input.get(), given);
  given.plan = nullptr;
  return {name, plan.flops(), [=] {
            auto const y = std::make_shared<sigmax::matrix<float>>(r.what.rows, r.what.cols);
            auto const memory = std::make_shared<sigmax::workspace>();
            auto const w = r.input.get().view();
            auto options = given;
            options.scratch = memory.get();
            // `memory` is named so that it lives as long as what uses it.
            auto const run = [=, kept = memory] {
              on.combine<float>(1.0f, w, 0.0f, y->view());
              sigmax::orthogonalize(on, *y, options);
            };
            return prepared{run, [=] { return r.judge(y->view(), note_of(plan)); }};
          }};
}

void enter_row(options const& given, row const& r) {
  enter(given, r.what,
        with_options("sigmax", r, {.tolerance = tolerance, .smallest_share = reach, .scale = scale}, given.threads));
  enter(given, r.what, with_options("sigmax-muon", r, {.schedule = sigmax::schedules::muon}, given.threads));
}

}  // namespace

void enter_contests(options const& given) {
  if (given.threads > 1) return;
  index_t const m = given.quick ? 512 : 1024;
  for (index_t const n : {m, 4 * m}) {
    enter_row(given, {"Gaussian", m, n, spectrum::gaussian(m, n)});
    enter_row(given, {"geometric to 1e-3", m, n, spectrum::geometric(m, 1e-3)});
    enter_row(given, {"rank 1 + noise", m, n, spectrum::rank_one_and_noise(m, n, 1e-2)});
    enter_row(given, {"flat", m, n, spectrum::flat(m)});
  }
}

}  // namespace bench
