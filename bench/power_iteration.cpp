// SPDX-License-Identifier: MIT
// Does v <- W^T (W v) read W once? Twenty iterations on a matrix that no cache holds, against two matrix-vector products
// each. FLOPs are those of the iterations.
#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include <sigmax/core/matrix.hpp>
#include <sigmax/core/random.hpp>
#include <sigmax/core/workspace.hpp>
#include <sigmax/estimate/power_iteration.hpp>

#include "data/shared_input.hpp"
#include "data/spectrum.hpp"
#include "harness/backend_for.hpp"
#include "harness/contest.hpp"
#include "harness/machine.hpp"
#include "harness/python_case.hpp"
#include "peers/openblas.hpp"

namespace bench {

namespace {

constexpr index_t iterations = 20;
constexpr index_t rows = 4096;

/// 128 MiB, and four times the largest cache where that is more.
index_t cols_beyond_cache() {
  index_t cols = 8192;
  while (rows * cols * static_cast<index_t>(sizeof(float)) < 4 * last_level_cache()) cols *= 2;
  return cols;
}

verdict judge(double sigma) {
  return {.error = std::fabs(sigma - 1), .note = std::to_string(iterations) + " iterations"};
}

contender ours(task const& what, shared_input<float> const& input, int threads) {
  return {"sigmax", 4.0 * iterations * what.short_side() * what.long_side(), [=] {
            auto const u = std::make_shared<sigmax::vector<float>>(what.rows);
            auto const v = std::make_shared<sigmax::vector<float>>(what.cols);
            auto const memory = std::make_shared<sigmax::workspace>();
            auto const sigma = std::make_shared<double>();
            auto const& w = input.get();
            auto const run = [=, &w, on = backend_for(threads)] {
              // A tolerance that is never met: the number of iterations decides.
              auto const estimate = sigmax::power_iteration(on, w,
                                                            {.tolerance = 1e-30f,
                                                             .max_iterations = iterations,
                                                             .seed = 1,
                                                             .u = u->view(),
                                                             .v = v->view(),
                                                             .scratch = memory.get()});
              *sigma = static_cast<double>(estimate.sigma);
            };
            return prepared{run, [=] { return judge(*sigma); }};
          }};
}

float make_unit(std::vector<float>& x) {
  double squares = 0;
  for (float const element : x) squares += static_cast<double>(element) * static_cast<double>(element);
  auto const norm = static_cast<float>(std::sqrt(squares));
  for (float& element : x) element /= norm;
  return norm;
}

contender by_gemv(task const& what, shared_input<float> const& input) {
  return {"openblas-gemv", 4.0 * iterations * what.short_side() * what.long_side(), [=] {
            auto const u = std::make_shared<std::vector<float>>(static_cast<std::size_t>(what.rows));
            auto const v = std::make_shared<std::vector<float>>(static_cast<std::size_t>(what.cols));
            auto const sigma = std::make_shared<double>();
            auto const w = input.get().view();
            auto const run = [=] {
              sigmax::fill_normal(sigmax::vector_view<float>(v->data(), what.cols), 1);
              make_unit(*v);
              for (index_t i = 0; i < iterations; ++i) {
                peers::gemv<float>(peers::transpose::no, 1.0f, w, v->data(), 0.0f, u->data());
                peers::gemv<float>(peers::transpose::yes, 1.0f, w, u->data(), 0.0f, v->data());
                make_unit(*v);
              }
              peers::gemv<float>(peers::transpose::no, 1.0f, w, v->data(), 0.0f, u->data());
              *sigma = static_cast<double>(make_unit(*u));
            };
            return prepared{run, [=] { return judge(*sigma); }};
          }};
}

}  // namespace

void enter_contests(options const& given) {
  if (given.threads > 1) return;
  task const what{.work = "power_iteration", .rows = rows, .cols = cols_beyond_cache()};
  auto const source =
      std::make_shared<test_matrix>(what.rows, what.cols, spectrum::rank_one_and_noise(what.rows, what.cols, 0.5));
  shared_input<float> const input(source);
  enter(given, what, ours(what, input, given.threads));
  if constexpr (peers::has_openblas) enter(given, what, by_gemv(what, input));
  if (given.quick) return;
  offer_to_python(given, what, [&] {
    return python_case{.input = input.get(), .parameters = {{"iterations", static_cast<double>(iterations)}}};
  });
}

}  // namespace bench
