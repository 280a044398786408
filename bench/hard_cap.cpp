// SPDX-License-Identifier: MIT
// min(sigma, cap) against clips through LAPACK's eigendecomposition of the Gram matrix and through its SVD. What is cheap
// depends on how many singular values are above the cap, so four cases; every row prints the path that was taken, the
// largest error of a singular value in units of the cap, and whether ||Y|| <= cap (1 + 4 u) is proved of the result.
#include <algorithm>
#include <cmath>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include <sigmax/certified/cholesky.hpp>
#include <sigmax/core/matrix.hpp>
#include <sigmax/core/workspace.hpp>
#include <sigmax/spectral/hard_cap.hpp>

#include "data/accuracy.hpp"
#include "data/shared_input.hpp"
#include "data/spectrum.hpp"
#include "harness/backend_for.hpp"
#include "harness/contest.hpp"
#include "peers/lapack_clip.hpp"

namespace bench {

namespace {

constexpr double cap = 1;
constexpr double tolerance = 1e-5;

char const* name_of(sigmax::hard_cap_path path) {
  switch (path) {
    case sigmax::hard_cap_path::unchanged:
      return "proved, unchanged";
    case sigmax::hard_cap_path::deflation:
      return "deflation";
    case sigmax::hard_cap_path::eigenvectors:
      return "eigenvectors";
    case sigmax::hard_cap_path::polynomial:
      return "polynomial";
  }
  return "?";
}

struct row {
  task what;
  std::shared_ptr<test_matrix const> source;
  shared_input<float> input;

  row(std::string const& name, index_t m, index_t n, std::vector<double> sigma)
      : what{.work = "hard_cap", .variant = name, .rows = m, .cols = n},
        source(std::make_shared<test_matrix>(m, n, std::move(sigma))),
        input(source) {}

  verdict judge(sigmax::matrix_view<float const> y, std::string const& path) const {
    auto const expected = mapped(source->sigma(), [](double s) { return std::min(s, cap); });
    auto const result = in_singular_vectors<float>(*source, y);
    double largest = 0;
    for (std::size_t i = 0; i < expected.size(); ++i) {
      largest = std::max(largest, std::fabs(result.sigma[i] - expected[i]) / cap);
    }
    bool const within = sigmax::prove_norm_at_most(y, cap * (1 + 4 * 0x1p-24));
    return {.error = result.error(expected),
            .holds = largest <= tolerance && within,
            .note = fmt::format("{}{}sup error {:.0e}, {}", path, path.empty() ? "" : "; ", largest,
                                within ? "within cap" : "above cap (1 + 4u)")};
  }
};

contender ours(row const& r, int threads) {
  return {"sigmax", 0, [=] {
            auto const y = std::make_shared<sigmax::matrix<float>>(r.what.rows, r.what.cols);
            auto const memory = std::make_shared<sigmax::workspace>();
            auto const path = std::make_shared<sigmax::hard_cap_path>();
            auto const w = r.input.get().view();
            auto const run = [=, on = backend_for(threads)] {
              on.combine<float>(1.0f, w, 0.0f, y->view());
              *path = sigmax::hard_cap(on, *y, {.sigma_max = cap, .tolerance = tolerance, .scratch = memory.get()});
            };
            return prepared{run, [=] { return r.judge(y->view(), name_of(*path)); }};
          }};
}

/// Peers promise nothing: their errors are printed, not judged.
verdict without_promise(verdict judged) {
  judged.holds = true;
  return judged;
}

contender by_eigenvectors(row const& r) {
  return {"lapack-ssyevd", 0, [=] {
            auto const clip = std::make_shared<peers::eigenvector_clip>(r.what.rows, r.what.cols);
            auto const above = std::make_shared<index_t>();
            auto const w = r.input.get().view();
            return prepared{[=] { *above = clip->run(static_cast<float>(cap), w); },
                            [=] {
                              std::string const path = fmt::format("{} above", *above);
                              return without_promise(r.judge(clip->result.view(), path));
                            }};
          }};
}

contender by_svd(row const& r) {
  return {"lapack-sgesdd", 0, [=] {
            auto const clip = std::make_shared<peers::svd_clip>(r.what.rows, r.what.cols);
            auto const w = r.input.get().view();
            return prepared{[=] { clip->run(static_cast<float>(cap), w); },
                            [=] { return without_promise(r.judge(clip->result.view(), "")); }};
          }};
}

void enter_row(options const& given, row const& r) {
  enter(given, r.what, ours(r, given.threads));
  if constexpr (peers::has_openblas) {
    enter(given, r.what, by_eigenvectors(r));
    if (r.what.variant == "half above") enter(given, r.what, by_svd(r));
  }
}

void enter_shape(options const& given, index_t m, index_t n) {
  auto const gaussian = spectrum::gaussian(m, n);
  double const median = gaussian[gaussian.size() / 2];
  enter_row(given, {"none above", m, n, spectrum::scaled_to(0.99 * cap, gaussian)});
  auto few = spectrum::scaled_to(0.9 * cap, gaussian);
  for (std::size_t i = 0; i < 3; ++i) few[i] = cap * (1.5 - 0.1 * static_cast<double>(i));
  enter_row(given, {"3 above", m, n, few});
  // A third at the cap, then a step of norm 0.024 that moves each of them by another amount.
  double const third = gaussian[gaussian.size() / 3];
  double place = 0;
  auto const stepped = mapped(gaussian, [&](double s) {
    place += 1;
    return std::min(s / third, 1.0) * cap + 0.024 * cap * std::cos(place);
  });
  enter_row(given, {"after a step", m, n, stepped});
  enter_row(given, {"half above", m, n, mapped(gaussian, [=](double s) { return s / median * cap; })});
}

}  // namespace

void enter_contests(options const& given) {
  if (given.threads > 1) return;
  for (index_t const m : {256, 512, 1024}) {
    if (given.quick == (m > 256)) continue;
    enter_shape(given, m, m);
    if (m == 512) enter_shape(given, m, 4 * m);
  }
}

}  // namespace bench
