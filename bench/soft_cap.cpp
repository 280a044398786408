// SPDX-License-Identifier: MIT
// One soft cap after a step of norm 0.024, domain check included: ours is one polynomial of degree 9 in Gram form, peers
// compose two cubics as the code of arXiv 2507.13338 does.
#include <memory>
#include <string>
#include <utility>

#include <sigmax/core/matrix.hpp>
#include <sigmax/core/workspace.hpp>
#include <sigmax/polynomial/soft_cap.hpp>
#include <sigmax/spectral/soft_cap.hpp>

#include "data/accuracy.hpp"
#include "data/shared_input.hpp"
#include "data/spectrum.hpp"
#include "harness/backend_for.hpp"
#include "harness/contest.hpp"
#include "harness/python_case.hpp"
#include "peers/blas_iterations.hpp"
#include "peers/eigen_iterations.hpp"

namespace bench {

namespace {

constexpr double sigma_max = 1;
constexpr double update_norm = 0.024;
/// Where the largest singular value stands before the cap.
constexpr double reached = sigma_max + update_norm * 0.999;

double strength() { return sigmax::soft_cap_strength(sigma_max, update_norm); }

/// x - a x^3, then x + a x^3.
double soft_capped(double x) {
  double const first = x - strength() * x * x * x;
  return first + strength() * first * first * first;
}

struct row {
  task what;
  std::shared_ptr<test_matrix const> source;
  shared_input<float> input;

  row(index_t m, index_t n)
      : what{.work = "soft_cap", .rows = m, .cols = n},
        source(std::make_shared<test_matrix>(m, n, spectrum::scaled_to(reached, spectrum::gaussian(m, n)))),
        input(source) {}

  verdict judge(sigmax::matrix_view<float const> y) const {
    auto const result = in_singular_vectors<float>(*source, y);
    double const largest = result.sigma.front();
    return {.error = result.error(mapped(source->sigma(), soft_capped)),
            .holds = largest <= sigma_max * (1 + 1e-5),
            .note = "largest " + std::to_string(largest)};
  }
};

contender ours(row const& r, int threads) {
  return {"sigmax", (3 * r.what.aspect() + 2) * r.what.unit(), [=] {
            auto const y = std::make_shared<sigmax::matrix<float>>(r.what.rows, r.what.cols);
            auto const memory = std::make_shared<sigmax::workspace>();
            auto const w = r.input.get().view();
            auto const run = [=, on = backend_for(threads)] {
              on.combine<float>(1.0f, w, 0.0f, y->view());
              sigmax::soft_cap(on, *y, {.sigma_max = sigma_max, .update_norm = update_norm, .scratch = memory.get()});
            };
            return prepared{run, [=] { return r.judge(y->view()); }};
          }};
}

contender on_blas(row const& r, peers::symmetric_products how) {
  bool const by_gemm = how == peers::symmetric_products::by_gemm;
  return {by_gemm ? "openblas-gemm" : "openblas-syrk", (by_gemm ? 8 : 6) * r.what.aspect() * r.what.unit(), [=] {
            auto const memory = std::make_shared<peers::iteration_memory<float>>(r.what.rows, r.what.cols);
            auto const w = r.input.get().view();
            auto const run = [=] { peers::soft_cap<float>(how, static_cast<float>(strength()), w, *memory); };
            return prepared{run, [=] { return r.judge(memory->x.view()); }};
          }};
}

contender on_eigen(row const& r) {
  return {"eigen", 8 * r.what.aspect() * r.what.unit(), [=] {
            auto const y = std::make_shared<sigmax::matrix<float>>(r.what.rows, r.what.cols);
            auto const w = r.input.get().view();
            auto const run = [=] { peers::eigen_soft_cap<float>(static_cast<float>(strength()), w, y->view()); };
            return prepared{run, [=] { return r.judge(y->view()); }};
          }};
}

void enter_row(options const& given, index_t m, index_t n) {
  row const r(m, n);
  enter(given, r.what, ours(r, given.threads));
  if constexpr (peers::has_openblas) {
    enter(given, r.what, on_blas(r, peers::symmetric_products::by_gemm));
    enter(given, r.what, on_blas(r, peers::symmetric_products::by_syrk));
  }
  if constexpr (peers::has_eigen) enter(given, r.what, on_eigen(r));
  test_matrix const& source = *r.source;
  offer_to_python(given, r.what, [&] {
    return python_case{.input = source.as<float>(),
                       .expected = source.with<float>(mapped(source.sigma(), soft_capped)),
                       .parameters = {{"strength", strength()}}};
  });
}

}  // namespace

void enter_contests(options const& given) {
  peers::set_eigen_threads(given.threads);
  for (index_t const m : given.sizes()) {
    enter_row(given, m, m);
    if (m <= 1024) enter_row(given, m, 4 * m);
  }
}

}  // namespace bench
