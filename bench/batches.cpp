// SPDX-License-Identifier: MIT
// Muon's five quintics on many small matrices in one buffer: a loop over sgemm, and batched torch.baddbmm in peers/.
#include <algorithm>
#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include <sigmax/core/matrix.hpp>
#include <sigmax/core/matrix_batch.hpp>
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

namespace bench {

namespace {

auto const& schedule = sigmax::schedules::muon;

/// `count` matrices of m x m, one below the other.
struct row {
  task what;
  index_t count;
  std::vector<test_matrix> sources;
  shared_input<float> input;

  row(index_t m, index_t size)
      : what{.work = "orthogonalize_batch", .variant = std::to_string(size) + " matrices", .rows = m, .cols = m},
        count(size),
        sources(sources_of(m, size)),
        input([this] { return stacked([](test_matrix const& each) { return each.as<float>(); }); }) {}
  row(row const&) = delete;

  static std::vector<test_matrix> sources_of(index_t m, index_t size) {
    std::vector<test_matrix> all;
    for (index_t b = 0; b < size; ++b) all.emplace_back(m, m, spectrum::gaussian(m, m), static_cast<std::uint64_t>(b));
    return all;
  }

  template <class F>
  sigmax::matrix<float> stacked(F const& make) const {
    sigmax::matrix<float> all(count * what.rows, what.cols);
    for (index_t b = 0; b < count; ++b) {
      auto const one = make(sources[static_cast<std::size_t>(b)]);
      std::copy_n(one.data(), one.size(), all.data() + b * one.size());
    }
    return all;
  }

  /// Over the first sixteen.
  verdict judge(sigmax::matrix<float> const& y, std::string const& note) const {
    double squares = 0;
    std::size_t const judged = std::min<std::size_t>(16, sources.size());
    for (std::size_t b = 0; b < judged; ++b) {
      auto const& source = sources[b];
      auto const one = y.view().block(static_cast<index_t>(b) * what.rows, 0, what.rows, what.cols);
      auto const result = in_singular_vectors<float>(source, one);
      double const error = result.error_up_to_scaling(schedule, source.sigma(), source.frobenius_norm());
      squares += error * error;
    }
    return {.error = std::sqrt(squares / static_cast<double>(judged)), .note = note};
  }
};

contender ours(std::shared_ptr<row const> const& r, int threads) {
  auto const plan = sigmax::plan_polynomial(r->what.rows, r->what.cols, schedule);
  return {"sigmax", static_cast<double>(r->count) * plan.flops(), [=] {
            auto const y = std::make_shared<sigmax::matrix<float>>(r->count * r->what.rows, r->what.cols);
            auto const memory = std::make_shared<sigmax::workspace>();
            auto const w = r->input.get().view();
            auto const run = [=, on = backend_for(threads)] {
              on.combine<float>(1.0f, w, 0.0f, y->view());
              sigmax::orthogonalize(
                  on, sigmax::strided_batch(y->data(), r->count, r->what.rows, r->what.cols),
                  {.schedule = schedule, .normalize_by = sigmax::normalization::frobenius, .scratch = memory.get()});
            };
            return prepared{run, [=] { return r->judge(*y, note_of(plan)); }};
          }};
}

contender loop_over_gemm(std::shared_ptr<row const> const& r) {
  double const flops = static_cast<double>(r->count) * schedule.size() * 6 * r->what.unit();
  return {"openblas-gemm-loop", flops, [=] {
            auto const y = std::make_shared<sigmax::matrix<float>>(r->count * r->what.rows, r->what.cols);
            auto const memory = std::make_shared<peers::iteration_memory<float>>(r->what.rows, r->what.cols);
            auto const w = r->input.get().view();
            auto const p = schedule[0].cast<float>();
            auto const run = [=] {
              for (index_t b = 0; b < r->count; ++b) {
                peers::newton_schulz<float>(peers::symmetric_products::by_gemm, p[0], p[1], p[2], schedule.size(),
                                            w.block(b * r->what.rows, 0, r->what.rows, r->what.cols), *memory);
                std::copy_n(memory->x.data(), memory->x.size(), y->data() + b * memory->x.size());
              }
            };
            return prepared{run, [=] { return r->judge(*y, ""); }};
          }};
}

void enter_row(options const& given, index_t m, index_t count) {
  auto const r = std::make_shared<row const>(m, count);
  enter(given, r->what, ours(r, given.threads));
  if constexpr (peers::has_openblas) enter(given, r->what, loop_over_gemm(r));
  offer_to_python(given, r->what, [&] {
    auto const expected = [](test_matrix const& each) {
      double const norm = each.frobenius_norm();
      return each.with<float>(mapped(each.sigma(), [&](double s) { return schedule(s / norm); }));
    };
    return python_case{.input = r->input.get(),
                       .expected = r->stacked(expected),
                       .parameters = {{"batch", static_cast<double>(count)}}};
  });
}

}  // namespace

void enter_contests(options const& given) {
  if (given.threads > 1) return;
  enter_row(given, 64, 256);
  enter_row(given, 32, 512);
  enter_row(given, 16, 1024);
}

}  // namespace bench
