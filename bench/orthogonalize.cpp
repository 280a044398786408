// SPDX-License-Identifier: MIT
// Muon's five quintics, the same polynomial for everybody: standard Newton-Schulz on BLAS and in Eigen, PyTorch, JAX and
// optax in peers/. Ours in whatever form it plans. X / ||X||_F as published.
#include <concepts>
#include <memory>
#include <string>
#include <utility>

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
#include "harness/python_case.hpp"
#include "peers/blas_iterations.hpp"
#include "peers/eigen_iterations.hpp"

namespace bench {

namespace {

auto const& schedule = sigmax::schedules::muon;

/// Everything that contenders of one row share.
template <class T>
struct row {
  task what;
  std::shared_ptr<test_matrix const> source;
  shared_input<T> input;

  row(std::string const& scalar, index_t m, index_t n)
      : what{.work = "orthogonalize", .variant = "muon", .scalar = scalar, .rows = m, .cols = n},
        source(std::make_shared<test_matrix>(m, n, spectrum::gaussian(m, n))),
        input(source) {}

  verdict judge(sigmax::matrix_view<T const> y, std::string const& note) const {
    auto const result = in_singular_vectors<T>(*source, y);
    return {.error = result.error_up_to_scaling(schedule, source->sigma(), source->frobenius_norm()), .note = note};
  }
};

template <class T>
contender ours(row<T> const& r, int threads) {
  auto const plan =
      sigmax::plan_polynomial(r.what.rows, r.what.cols, schedule, {.unit_roundoff = sigmax::unit_roundoff<T>()});
  return {"sigmax", plan.flops(), [=] {
            auto const y = std::make_shared<sigmax::matrix<T>>(r.what.rows, r.what.cols);
            auto const memory = std::make_shared<sigmax::workspace>();
            auto const w = r.input.get().view();
            auto const run = [=, on = backend_for(threads)] {
              on.template combine<T>(T(1), w, T(0), y->view());
              sigmax::orthogonalize(
                  on, *y,
                  {.schedule = schedule, .normalize_by = sigmax::normalization::frobenius, .scratch = memory.get()});
            };
            return prepared{run, [=] { return r.judge(y->view(), note_of(plan)); }};
          }};
}

template <class T>
contender on_blas(row<T> const& r, peers::symmetric_products how) {
  bool const by_gemm = how == peers::symmetric_products::by_gemm;
  double const units = by_gemm ? 4 * r.what.aspect() + 2 : 3 * r.what.aspect() + 1;
  return {by_gemm ? "openblas-gemm" : "openblas-syrk", schedule.size() * units * r.what.unit(), [=] {
            auto const memory = std::make_shared<peers::iteration_memory<T>>(r.what.rows, r.what.cols);
            auto const w = r.input.get().view();
            auto const& p = schedule[0];
            auto const run = [=] {
              peers::newton_schulz<T>(how, T(p[0]), T(p[1]), T(p[2]), schedule.size(), w, *memory);
            };
            return prepared{run, [=] { return r.judge(memory->x.view(), ""); }};
          }};
}

template <class T>
contender on_eigen(row<T> const& r) {
  return {"eigen", schedule.size() * (4 * r.what.aspect() + 2) * r.what.unit(), [=] {
            auto const y = std::make_shared<sigmax::matrix<T>>(r.what.rows, r.what.cols);
            auto const w = r.input.get().view();
            auto const& p = schedule[0];
            auto const run = [=] {
              peers::eigen_newton_schulz<T>(T(p[0]), T(p[1]), T(p[2]), schedule.size(), w, y->view());
            };
            return prepared{run, [=] { return r.judge(y->view(), ""); }};
          }};
}

template <class T>
void enter_row(options const& given, std::string const& scalar, index_t m, index_t n) {
  row<T> const r(scalar, m, n);
  enter(given, r.what, ours(r, given.threads));
  if constexpr (peers::has_openblas) {
    enter(given, r.what, on_blas(r, peers::symmetric_products::by_gemm));
    enter(given, r.what, on_blas(r, peers::symmetric_products::by_syrk));
  }
  if constexpr (peers::has_eigen) enter(given, r.what, on_eigen(r));
  if constexpr (std::same_as<T, float>) {  // the peers in Python read float
    test_matrix const& source = *r.source;
    offer_to_python(given, r.what, [&] {
      double const norm = source.frobenius_norm();
      auto const y = mapped(source.sigma(), [&](double s) { return schedule(s / norm); });
      return python_case{.input = source.as<float>(), .expected = source.with<float>(y)};
    });
  }
}

}  // namespace

void enter_contests(options const& given) {
  peers::set_eigen_threads(given.threads);
  for (index_t const m : given.sizes()) {
    enter_row<float>(given, "f32", m, m);
    if (m <= 1024) enter_row<float>(given, "f32", m, 4 * m);
  }
  if (!given.quick) enter_row<double>(given, "f64", 1024, 1024);
}

}  // namespace bench
