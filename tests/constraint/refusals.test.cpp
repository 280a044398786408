// SPDX-License-Identifier: MIT
// Bad input: the documented error, the argument named, nothing written.

#include <cfenv>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <sigmax/constraint/clipped_weight_decay.hpp>
#include <sigmax/constraint/hard_cap.hpp>
#include <sigmax/constraint/soft_cap.hpp>
#include <sigmax/constraint/spectral_hammer.hpp>
#include <sigmax/constraint/spectral_normalize.hpp>
#include <sigmax/constraint/spectral_weight_decay.hpp>
#include <sigmax/constraint/stiefel.hpp>
#include <sigmax/constraint/weight_decay.hpp>
#include <sigmax/core/row_blocks.hpp>

#include "constraint/weights.hpp"

using namespace sigmax::test;
namespace constraint = sigmax::constraint;

namespace {

double const not_a_number = std::numeric_limits<double>::quiet_NaN();
double const infinite = std::numeric_limits<double>::infinity();

/// What `c.apply` throws, after a look at W.
template <class C>
std::string refusal(C const& c, constraint::step_info const& step = {}) {
  auto w = random_weight<double>(5, 4, 1, 2);
  auto const before = w;
  std::string text = "nothing was thrown";
  try {
    constraint::apply(c, w, step);
  } catch (sigmax::domain_error const& error) {
    text = std::string("domain_error: ") + error.what();
  } catch (sigmax::numeric_error const& error) {
    text = std::string("numeric_error: ") + error.what();
  }
  CHECK(same_bits(w, before));
  return text;
}

void names(std::string const& text, std::string const& beginning, std::string const& argument) {
  CAPTURE(text);
  CHECK(text.starts_with(beginning));
  CHECK(text.find(argument) != std::string::npos);
}

/// Calls body(constraint) for one of every kind that caps.
template <class F>
void for_each_cap(double sigma_max, sigmax::norm::any norm, bool certified, F const& body) {
  body(constraint::soft_cap{.sigma_max = sigma_max, .norm = norm, .certified = certified});
  body(constraint::hard_cap{.sigma_max = sigma_max, .norm = norm, .certified = certified});
  body(constraint::spectral_normalize{.sigma_max = sigma_max, .norm = norm, .certified = certified});
  body(constraint::spectral_hammer{.sigma_max = sigma_max, .norm = norm, .certified = certified});
  body(constraint::stiefel{.sigma_max = sigma_max, .norm = norm, .certified = certified});
}

}  // namespace

TEST_CASE("caps that are none") {
  for (bool const certified : {false, true}) {
    for (double const wrong : {0.0, -1.0, not_a_number, infinite}) {
      for_each_cap(wrong, sigmax::norm::l2, certified,
                   [&](auto const& c) { names(refusal(c, {.update_norm = 0.1}), "domain_error: ", "sigma_max"); });
      names(refusal(constraint::clipped_weight_decay{.decay = 0.1, .sigma_max = wrong}), "domain_error: ", "sigma_max");
    }
    for_each_cap(1, sigmax::norm::linf, certified,
                 [&](auto const& c) { names(refusal(c, {.update_norm = 0.1}), "domain_error: ", "norm is linf"); });
  }
}

TEST_CASE("decays and steps that are none") {
  for (double const wrong : {-1.0, 1.5, not_a_number, infinite}) {
    names(refusal(constraint::weight_decay{.decay = wrong}), "domain_error: constraint::weight_decay", "decay");
    names(refusal(constraint::spectral_weight_decay{.decay = wrong}), "domain_error: ", "decay");
    names(refusal(constraint::clipped_weight_decay{.decay = wrong, .sigma_max = 1}), "domain_error: ", "decay");
  }
  for (double const wrong : {-1.0, not_a_number, infinite}) {
    for_each_cap(1, sigmax::norm::l2, false, [&](auto const& c) {
      names(refusal(c, {.learning_rate = wrong}), "domain_error: constraint::", "learning_rate");
    });
  }
  for (double const wrong : {-1.0, not_a_number, 1.5}) {
    for_each_cap(1, sigmax::norm::l2, false, [&](auto const& c) {
      names(refusal(c, {.weight_decay = wrong}), "domain_error: constraint::", "weight_decay");
    });
  }
  for (double const wrong : {-1.0, not_a_number}) {
    names(refusal(constraint::soft_cap{.sigma_max = 1}, {.update_norm = wrong}), "domain_error: ", "update_norm");
  }
}

TEST_CASE("certified where nothing can be proved") {
  for_each_cap(1, sigmax::norm::l2, true, [&](auto const& c) {
    sigmax::matrix<long double> w(3, 3);
    w(0, 0) = 5;
    CHECK_THROWS_AS(constraint::apply(c, w), sigmax::unsupported_error);
    CHECK(w(0, 0) == 5);
    std::fesetround(FE_UPWARD);
    auto const text = refusal(c);
    std::fesetround(FE_TONEAREST);
    names(text, "numeric_error: ", "certified");
  });
}

TEST_CASE("a matrix of a batch that is not finite leaves the whole batch as it is") {
  auto const refuses = [](auto const& c) {
    for (float const wrong : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
      std::vector<sigmax::matrix<float>> batch = {random_weight<float>(5, 4, 1, 3), random_weight<float>(4, 6, 2, 3)};
      batch[1](2, 2) = wrong;
      auto const before = batch;
      CHECK_THROWS_AS(constraint::apply(c, batch, {.update_norm = 0.1}), sigmax::numeric_error);
      CHECK(same_bits(batch, before));
    }
  };
  for (bool const certified : {false, true}) for_each_cap(1, sigmax::norm::l2, certified, refuses);
  refuses(constraint::weight_decay{.decay = 0.5});
  refuses(constraint::spectral_weight_decay{.decay = 0.5});
  refuses(constraint::clipped_weight_decay{.decay = 0.5, .sigma_max = 1});
}

TEST_CASE("row blocks that are none") {
  sigmax::matrix<float> w(6, 2);
  CHECK_THROWS_AS(sigmax::row_blocks(w, 0), sigmax::shape_error);
  CHECK_THROWS_AS(sigmax::row_blocks(w, -2), sigmax::shape_error);
  CHECK_THROWS_AS(sigmax::row_blocks(w, 4), sigmax::shape_error);
  sigmax::index_t const too_few[] = {2, 3};
  sigmax::index_t const too_many[] = {2, 5};
  sigmax::index_t const negative[] = {8, -2};
  CHECK_THROWS_AS(sigmax::row_blocks(w, too_few), sigmax::shape_error);
  CHECK_THROWS_AS(sigmax::row_blocks(w, too_many), sigmax::shape_error);
  CHECK_THROWS_AS(sigmax::row_blocks(w, negative), sigmax::shape_error);
}
