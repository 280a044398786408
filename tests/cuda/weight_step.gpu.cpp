// SPDX-License-Identifier: MIT
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <sigmax/core/matrix.hpp>
#include <sigmax/cuda/weight_step.hpp>
#include <sigmax/estimate/lanczos.hpp>
#include <sigmax/spectral/orthogonalize.hpp>
#include <sigmax/spectral/soft_cap.hpp>

#include "cuda/tensor_cores.hpp"

using namespace sigmax;
using sigmax::test::device_operand;
using sigmax::test::noise;

namespace {

struct step_case {
  gpu::operand_kind kind;
  polynomial_schedule schedule;
  index_t rows, cols;
  double sigma_max;
};

/// The schedule as a step applies it: singular values are divided by a little more than their bound.
polynomial_schedule with_margin(polynomial_schedule const& schedule, gpu::operand_kind kind) {
  polynomial_schedule result("with margin", {});
  for (int t = 0; t < schedule.size(); ++t) {
    result.append(t == 0 ? schedule[t].scaled(1, 1 + gpu::detail::step_margin(kind)) : schedule[t]);
  }
  return result.stating(schedule.lower(), schedule.upper(), schedule.least(), schedule.greatest());
}

/// ||W - exact||_F over the norm of the update, exact being the same step in double on the host.
double error_of_step(gpu::stream const& on, step_case const& c, double* norm) {
  double const scale = 0.9 / (std::sqrt(static_cast<double>(c.rows)) + std::sqrt(static_cast<double>(c.cols)));
  // Float elements: the third kind only says how they are stored.
  device_operand g(on, gpu::operand_kind::tf32, c.rows, c.cols, c.cols + 3, 1);
  device_operand w(on, gpu::operand_kind::tf32, c.rows, c.cols, c.cols + 5, 1);
  g.set(noise(1));
  w.set([&](int b, index_t i, index_t j) { return static_cast<float>(scale * std::sqrt(3.0)) * noise(2)(b, i, j); });
  gpu::weight_step_options options;
  options.kind = c.kind;
  options.schedule = c.schedule;
  options.learning_rate = 0.1;
  options.weight_decay = 0.05;
  options.adjust = adjustment::none;
  options.sigma_max = c.sigma_max;
  matrix<double> exact(c.rows, c.cols);
  for (index_t i = 0; i < c.rows; ++i) {
    for (index_t j = 0; j < c.cols; ++j) exact(i, j) = static_cast<double>(g(0, i, j));
  }
  orthogonalize(exact, {.schedule = with_margin(c.schedule, c.kind), .form = polynomial_form::standard});
  double update = 0;
  for (index_t i = 0; i < c.rows; ++i) {
    for (index_t j = 0; j < c.cols; ++j) {
      update += exact(i, j) * exact(i, j);
      exact(i, j) = (1 - 0.1 * 0.05) * static_cast<double>(w(0, i, j)) - 0.1 * exact(i, j);
    }
  }
  if (c.sigma_max > 0) {
    double const reach = c.schedule.greatest() * (1 + gpu::detail::result_margin(c.kind)) * 0.1;
    soft_cap(exact,
             {.sigma_max = c.sigma_max, .update_norm = reach, .weight_decay = 0.1 * 0.05, .check_domain = false});
  }
  std::vector<gpu::weight_entry> const list = {{w.view().data, g.view().data, c.rows, c.cols, gpu::element_kind::f32,
                                                gpu::element_kind::f32, c.cols + 5, c.cols + 3}};
  gpu::weight_step step(list, options);
  step.launch(on);
  step.check(on);
  w.fetch();
  matrix<float> result(c.rows, c.cols);
  double squares = 0;
  for (index_t i = 0; i < c.rows; ++i) {
    for (index_t j = 0; j < c.cols; ++j) {
      result(i, j) = w(0, i, j);
      double const e = static_cast<double>(w(0, i, j)) - exact(i, j);
      squares += e * e;
    }
  }
  *norm = static_cast<double>(lanczos(result).sigma);
  return std::sqrt(squares) / (0.1 * std::sqrt(update));
}

TEST_CASE("a step is the step of the host up to the rounding of its products") {
  gpu::stream const on;
  for (auto const kind : {gpu::operand_kind::f16, gpu::operand_kind::bf16, gpu::operand_kind::tf32}) {
    CAPTURE(static_cast<int>(kind));
    // sm_90a cuts tf32 operands off, which moves all singular values one way, and the schedule multiplies that.
    double const tolerance = kind == gpu::operand_kind::f16 ? 0.02 : kind == gpu::operand_kind::bf16 ? 0.05 : 0.15;
    double norm = 0;
    for (auto const& shape : {std::pair<index_t, index_t>{96, 96}, {60, 200}, {205, 61}, {1, 30}, {30, 1}}) {
      index_t const rows = shape.first;
      index_t const cols = shape.second;
      CAPTURE(rows);
      CAPTURE(cols);
      CHECK(error_of_step(on, {kind, schedules::polar_express_5, rows, cols, 0}, &norm) < tolerance);
      CHECK(error_of_step(on, {kind, schedules::muon, rows, cols, 0}, &norm) < tolerance);
      CHECK(error_of_step(on, {kind, schedules::cubic5, rows, cols, 0}, &norm) < tolerance);
      CHECK(error_of_step(on, {kind, schedules::polar_express_5, rows, cols, 1}, &norm) < tolerance);
      CHECK(norm < 1.001);
    }
  }
}

TEST_CASE("weights of mixed shapes are all updated or, where an element is not finite, all untouched") {
  gpu::stream const on;
  device_operand first(on, gpu::operand_kind::tf32, 64, 32, 32, 1);
  device_operand second(on, gpu::operand_kind::bf16, 32, 80, 80, 1);
  device_operand first_g(on, gpu::operand_kind::bf16, 64, 32, 32, 1);
  device_operand second_g(on, gpu::operand_kind::tf32, 32, 80, 80, 1);
  first.set(noise(1));
  second.set(noise(2));
  first_g.set(noise(3));
  second_g.set(noise(4));
  std::vector<gpu::weight_entry> const list = {
      {first.view().data, first_g.view().data, 64, 32, gpu::element_kind::f32, gpu::element_kind::bf16},
      {second.view().data, second_g.view().data, 32, 80, gpu::element_kind::bf16, gpu::element_kind::f32}};
  gpu::weight_step step(list, {.learning_rate = 0.5, .weight_decay = 0});
  auto const changed = [&](device_operand& w, unsigned seed) {
    device_operand same(on, w.view().cols == 32 ? gpu::operand_kind::tf32 : gpu::operand_kind::bf16, w.view().rows,
                        w.view().cols, w.view().cols, 1);
    same.set(noise(seed));
    w.fetch();
    int count = 0;
    for (index_t i = 0; i < w.view().rows; ++i) {
      for (index_t j = 0; j < w.view().cols; ++j) count += w(0, i, j) == same(0, i, j) ? 0 : 1;
    }
    return count;
  };
  for (float const bad : {std::numeric_limits<float>::infinity(), std::numeric_limits<float>::quiet_NaN()}) {
    second_g.set([&](int b, index_t i, index_t j) { return i == 31 && j == 79 ? bad : noise(4)(b, i, j); });
    step.launch(on);
    CHECK_THROWS_AS(step.check(on), numeric_error);
    CHECK(changed(first, 1) == 0);
    CHECK(changed(second, 2) == 0);
  }
  second_g.set(noise(4));
  step.launch(on);
  step.check(on);
  CHECK(changed(first, 1) > 1900);
  CHECK(changed(second, 2) > 2000);
}

TEST_CASE("a zero direction only decays, and a weight without one is only capped") {
  gpu::stream const on;
  device_operand w(on, gpu::operand_kind::tf32, 40, 48, 48, 1);
  device_operand g(on, gpu::operand_kind::tf32, 40, 48, 48, 1);
  w.set([](int, index_t, index_t) { return 0.5f; });
  g.set([](int, index_t, index_t) { return 0.0f; });
  gpu::weight_step step(std::vector<gpu::weight_entry>{{w.view().data, g.view().data, 40, 48}},
                        {.learning_rate = 0.5, .weight_decay = 0.5});
  step.launch(on);
  step.check(on);
  w.fetch();
  CHECK(w(0, 39, 47) == 0.375f);
  gpu::weight_step only_cap(std::vector<gpu::weight_entry>{{w.view().data, nullptr, 40, 48}}, {.sigma_max = 100});
  only_cap.launch(on);
  only_cap.check(on);
  w.fetch();
  CHECK(w(0, 0, 0) == 0.375f);
}

TEST_CASE("what a step cannot do is refused") {
  gpu::stream const on;
  device_operand w(on, gpu::operand_kind::tf32, 8, 8, 8, 1);
  using list = std::vector<gpu::weight_entry>;
  CHECK_THROWS_AS(gpu::weight_step(list{}), shape_error);
  CHECK_THROWS_AS(gpu::weight_step(list{{nullptr, nullptr, 8, 8}}), domain_error);
  CHECK_THROWS_AS(gpu::weight_step(list{{w.view().data, w.view().data, 0, 8}}), shape_error);
  CHECK_THROWS_AS(gpu::weight_step(list{{w.view().data, w.view().data, 8, 8}}, {.learning_rate = -1}), domain_error);
  CHECK_THROWS_AS(gpu::weight_step(list{{w.view().data, w.view().data, 8, 8}}, {.learning_rate = 1, .sigma_max = 1}),
                  domain_error);
  CHECK_THROWS_AS(
      gpu::weight_step(list{{w.view().data, w.view().data, 8, 8}}, {.schedule = schedules::classical(9, 2)}),
      domain_error);
  float host = 0;
  CHECK_THROWS_AS(gpu::weight_step(list{{&host, nullptr, 1, 1}}), domain_error);
}

}  // namespace
