// SPDX-License-Identifier: MIT
// What proofs cost: prove_norm_at_most and certified_spectral_norm (relative gap 1e-7) on Gaussian matrices, against the
// two LAPACK calls that do the same arithmetic without proving anything: dsyrk and dpotrf. Everybody computes in double,
// from weights stored in float or double; `orthogonalize` of the same weights is printed beside.
#include <cmath>
#include <memory>
#include <string>
#include <type_traits>

#include <fmt/format.h>

#include <sigmax/certified/cholesky.hpp>
#include <sigmax/certified/spectral_norm.hpp>
#include <sigmax/core/matrix.hpp>
#include <sigmax/core/workspace.hpp>
#include <sigmax/polynomial/schedules.hpp>
#include <sigmax/spectral/orthogonalize.hpp>

#include "data/shared_input.hpp"
#include "harness/backend_for.hpp"
#include "harness/contest.hpp"
#include "harness/plan_note.hpp"
#include "peers/openblas.hpp"

namespace bench {

namespace {

constexpr double relative_gap = 1e-7;

/// Above the norm of an m x n Gaussian matrix: sqrt(m) + sqrt(n) and 2 %.
double bound_of_gaussian(index_t m, index_t n) {
  return 1.02 * (std::sqrt(static_cast<double>(m)) + std::sqrt(static_cast<double>(n)));
}

/// The Gram matrix and one factorisation.
double proof_flops(task const& what) { return (what.aspect() + 1.0 / 3) * what.unit(); }

template <class T>
contender prove(task const& what, shared_input<T> const& input, int threads) {
  return {"sigmax", proof_flops(what), [=] {
            auto const memory = std::make_shared<sigmax::workspace>();
            auto const proved = std::make_shared<bool>();
            double const bound = bound_of_gaussian(what.rows, what.cols);
            auto const& w = input.get();
            auto const run = [=, &w, on = backend_for(threads)] {
              *proved = sigmax::prove_norm_at_most(on, w, bound, {.scratch = memory.get()});
            };
            return prepared{run, [=] { return verdict{.holds = *proved, .note = *proved ? "proved" : "not proved"}; }};
          }};
}

template <class T>
contender certify(task const& what, shared_input<T> const& input, int threads) {
  return {"sigmax", proof_flops(what), [=] {
            auto const memory = std::make_shared<sigmax::workspace>();
            auto const gap = std::make_shared<double>();
            auto const& w = input.get();
            auto const run = [=, &w, on = backend_for(threads)] {
              auto const box =
                  sigmax::certified_spectral_norm(on, w, {.relative_gap = relative_gap, .scratch = memory.get()});
              *gap = (box.upper() - box.lower()) / box.upper();
            };
            return prepared{
                run, [=] { return verdict{.error = *gap, .holds = *gap <= relative_gap, .note = "proven gap"}; }};
          }};
}

template <class T>
contender orthogonalize_beside(task const& what, shared_input<T> const& input, int threads) {
  auto const& schedule = sigmax::schedules::muon;
  auto const plan =
      sigmax::plan_polynomial(what.rows, what.cols, schedule, {.unit_roundoff = sigmax::unit_roundoff<T>()});
  // Work in float cannot be compared with the peak of double, which the row is about.
  return {"sigmax-orthogonalize", std::is_same_v<T, double> ? plan.flops() : 0.0, [=] {
            auto const y = std::make_shared<sigmax::matrix<T>>(what.rows, what.cols);
            auto const memory = std::make_shared<sigmax::workspace>();
            auto const w = input.get().view();
            auto const run = [=, on = backend_for(threads)] {
              on.template combine<T>(T(1), w, T(0), y->view());
              sigmax::orthogonalize(on, *y, {.schedule = schedule, .scratch = memory.get()});
            };
            return prepared{run, [=] { return verdict{.note = "in the precision of the weights, " + note_of(plan)}; }};
          }};
}

/// c^2 I - W W^T = L L^T, with a copy to double where W is no double.
template <class T>
contender by_lapack(task const& what, shared_input<T> const& input) {
  return {"openblas-dsyrk+dpotrf", proof_flops(what), [=] {
            auto const copy = std::make_shared<sigmax::matrix<double>>(what.rows, what.cols);
            auto const gram = std::make_shared<sigmax::matrix<double>>(what.rows, what.rows);
            auto const definite = std::make_shared<bool>();
            double const bound = bound_of_gaussian(what.rows, what.cols);
            auto const& w = input.get();
            auto const run = [=, &w] {
              sigmax::matrix_view<double const> x = copy->view();
              if constexpr (std::is_same_v<T, double>) {
                x = w.view();
              } else {
                for (index_t i = 0; i < w.size(); ++i) copy->data()[i] = static_cast<double>(w.data()[i]);
              }
              peers::syrk<double>(-1.0, x, 0.0, gram->view());
              for (index_t i = 0; i < what.rows; ++i) (*gram)(i, i) += bound * bound;
              *definite = peers::potrf<double>(gram->view());
            };
            return prepared{run, [=] { return verdict{.note = *definite ? "definite" : "not definite"}; }};
          }};
}

template <class T>
void enter_shape(options const& given, std::string const& weights, index_t m, index_t n) {
  auto const input = gaussian_input<T>(m, n, 5);
  task const proof{.work = "prove_norm_at_most", .variant = weights, .scalar = "f64", .rows = m, .cols = n};
  enter(given, proof, prove(proof, input, given.threads));
  if constexpr (peers::has_openblas) enter(given, proof, by_lapack(proof, input));
  task const certificate{.work = "certified_spectral_norm", .variant = weights, .scalar = "f64", .rows = m, .cols = n};
  enter(given, certificate, certify(certificate, input, given.threads));
  enter(given, certificate, orthogonalize_beside(certificate, input, given.threads));
  if constexpr (peers::has_openblas) enter(given, certificate, by_lapack(certificate, input));
}

}  // namespace

void enter_contests(options const& given) {
  for (index_t const m : given.sizes()) {
    enter_shape<double>(given, "double weights", m, m);
    enter_shape<float>(given, "float weights", m, m);
    if (m <= 1024) enter_shape<float>(given, "float weights", m, 4 * m);
  }
}

}  // namespace bench
