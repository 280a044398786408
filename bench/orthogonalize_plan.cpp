// SPDX-License-Identifier: MIT
// What Muon's own worst case costs when the schedule is ours to choose: every singular value from 1e-3 ||X||_F on lands in
// [0.47, 1.21]. The cheapest greedy composition, of steps of any degrees, whose proved image allows that, scaled into the
// interval, against Muon's five quintics on the same backend. The worst singular values are measured on four kinds of spectra.
#include <algorithm>
#include <cmath>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>

#include <sigmax/core/matrix.hpp>
#include <sigmax/core/workspace.hpp>
#include <sigmax/polynomial/minimax_polynomial.hpp>
#include <sigmax/polynomial/range.hpp>
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

/// A schedule and the factor that centres its image in [low, high].
struct choice {
  sigmax::polynomial_schedule schedule;
  double scale;
  sigmax::polynomial_plan plan;
};

/// The greedy composition of best approximations of these degrees, for [reach, 1], with its image proved.
sigmax::polynomial_schedule composition(std::vector<int> const& degrees) {
  sigmax::polynomial_schedule schedule("composition", {});
  double lower = reach;
  double upper = 1;
  for (int const degree : degrees) {
    auto const fit = sigmax::minimax_polynomial(degree, lower, upper);
    schedule.append(fit.polynomial);
    lower = 1 - fit.error;
    upper = 1 + fit.error;
  }
  auto const image = sigmax::range(schedule, reach, 1);
  return schedule.stating(reach, 1, image.lower, image.upper);
}

/// Of all compositions of up to five steps whose image [least, greatest] fits into [low, high] once scaled, that is with
/// greatest / least <= high / low: the one of least cost, and of those the one with the smallest image.
choice cheapest(index_t m, index_t n) {
  choice best = {};
  std::vector<int> degrees;
  auto const consider = [&] {
    auto const schedule = composition(degrees);
    if (!(schedule.least() > 0) || schedule.greatest() / schedule.least() > high / low) return;
    auto const plan = sigmax::plan_polynomial(m, n, schedule);
    double const units = best.schedule.empty() ? 1e300 : best.plan.units;
    if (plan.units > units || (plan.units == units && schedule.greatest() >= best.schedule.greatest())) return;
    best = {schedule, std::sqrt(low * high / (schedule.least() * schedule.greatest())), plan};
  };
  std::function<void()> const extend = [&] {
    for (int const degree : {3, 5, 7, 9}) {
      degrees.push_back(degree);
      consider();
      if (degrees.size() < 5) extend();
      degrees.pop_back();
    }
  };
  extend();
  return best;
}

std::string degrees_of(sigmax::polynomial_schedule const& schedule) {
  std::string text;
  for (auto const& step : schedule) text += fmt::format("{}{}", text.empty() ? "degrees " : " ", step.degree());
  return text;
}

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

contender with_schedule(std::string const& name, row const& r, choice const& chosen, int threads) {
  return {name, chosen.plan.flops(), [=] {
            auto const y = std::make_shared<sigmax::matrix<float>>(r.what.rows, r.what.cols);
            auto const memory = std::make_shared<sigmax::workspace>();
            auto const w = r.input.get().view();
            auto const run = [=, on = backend_for(threads)] {
              on.combine<float>(1.0f, w, 0.0f, y->view());
              sigmax::orthogonalize(on, *y,
                                    {.schedule = chosen.schedule, .scale = chosen.scale, .scratch = memory.get()});
            };
            std::string const plan = fmt::format("{}; {}", degrees_of(chosen.schedule), note_of(chosen.plan));
            return prepared{run, [=] { return r.judge(y->view(), plan); }};
          }};
}

void enter_row(options const& given, row const& r) {
  auto const& muon = sigmax::schedules::muon;
  auto const plan_of_muon = sigmax::plan_polynomial(r.what.rows, r.what.cols, muon);
  enter(given, r.what, with_schedule("sigmax", r, cheapest(r.what.rows, r.what.cols), given.threads));
  enter(given, r.what, with_schedule("sigmax-muon", r, {muon, 1, plan_of_muon}, given.threads));
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
