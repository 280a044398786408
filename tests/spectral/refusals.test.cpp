// SPDX-License-Identifier: MIT
// Options out of range: the documented error, the argument named, W untouched.

#include <cfenv>
#include <cmath>
#include <functional>
#include <limits>
#include <string>

#include <doctest/doctest.h>

#include "spectral/verbs.hpp"

using namespace sigmax::test;
using sigmax::hard_cap_path;

namespace {

double const not_a_number = std::numeric_limits<double>::quiet_NaN();
double const infinite = std::numeric_limits<double>::infinity();

using writable = sigmax::matrix<double>;

/// What a call throws, as "domain_error: ...", after a look at W.
std::string refusal(std::function<void(writable&)> const& call) {
  auto w = ordinary<double>(4, 6, 1);
  auto const before = w;
  std::string text = "nothing was thrown";
  try {
    call(w);
  } catch (sigmax::domain_error const& error) {
    text = std::string("domain_error: ") + error.what();
  } catch (sigmax::numeric_error const& error) {
    text = std::string("numeric_error: ") + error.what();
  } catch (sigmax::unsupported_error const& error) {
    text = std::string("unsupported_error: ") + error.what();
  }
  CHECK(same_bits(w, before));
  return text;
}

/// The text begins with the error and the function, and names the argument.
void names(std::string const& text, std::string const& beginning, std::string const& argument) {
  CAPTURE(text);
  CHECK(text.starts_with(beginning));
  CHECK(text.find(argument) != std::string::npos);
}

}  // namespace

TEST_CASE("orthogonalize") {
  for (double const wrong : {-1e-3, 1.0, 2.0, not_a_number, infinite}) {
    names(refusal([=](writable& w) { sigmax::orthogonalize(w, {.smallest = wrong}); }),
          "domain_error: orthogonalize:", "smallest");
  }
  for (double const wrong : {not_a_number, infinite, -infinite}) {
    names(refusal([=](writable& w) { sigmax::orthogonalize(w, {.scale = wrong}); }),
          "domain_error: orthogonalize:", "scale");
  }
  for (double const wrong : {0.0, -1.0, not_a_number}) {
    names(refusal([=](writable& w) {
            sigmax::orthogonalize(w, {.schedule = sigmax::schedules::muon, .gram_error = wrong});
          }),
          "domain_error: ", "gram_error");
  }
}

TEST_CASE("caps") {
  for (double const wrong : {0.0, -1.0, not_a_number, infinite}) {
    names(refusal([=](writable& w) { sigmax::hard_cap(w, {.sigma_max = wrong}); }),
          "domain_error: hard_cap:", "sigma_max");
    names(refusal([=](writable& w) { sigmax::soft_cap(w, {.sigma_max = wrong}); }),
          "domain_error: soft_cap:", "sigma_max");
    names(refusal([=](writable& w) { sigmax::smooth_cap(w, {.sigma_max = wrong}); }),
          "domain_error: smooth_cap:", "sigma_max");
    names(refusal([=](writable& w) { sigmax::project_to_stiefel(w, {.sigma_max = wrong}); }),
          "domain_error: project_to_stiefel:", "sigma_max");
  }
  for (double const wrong : {0.0, 1e-12, 0.2, -1.0, not_a_number}) {
    names(refusal([=](writable& w) { sigmax::hard_cap(w, {.sigma_max = 1, .tolerance = wrong}); }),
          "domain_error: hard_cap:", "tolerance");
    names(refusal([=](writable& w) { sigmax::smooth_cap(w, {.sigma_max = 1, .tolerance = wrong}); }),
          "domain_error: smooth_cap:", "tolerance");
    names(refusal([=](writable& w) { sigmax::spectral_clip(w, {.lower = 0.5, .tolerance = wrong}); }),
          "domain_error: spectral_clip:", "tolerance");
  }
  auto const linf = sigmax::norm::linf;
  names(refusal([=](writable& w) { sigmax::hard_cap(w, {.sigma_max = 1, .norm = linf}); }),
        "domain_error: hard_cap:", "norm is linf");
  names(refusal([=](writable& w) { sigmax::smooth_cap(w, {.sigma_max = 1, .norm = linf}); }),
        "domain_error: smooth_cap:", "norm is linf");
  names(refusal([=](writable& w) { sigmax::project_to_stiefel(w, {.norm = linf}); }),
        "domain_error: project_to_stiefel:", "norm is linf");
  // A ratio of 1e8 would leave nothing of double's digits.
  names(refusal([=](writable& w) { sigmax::smooth_cap(w, {.sigma_max = 1e-8}); }),
        "domain_error: smooth_cap:", "times sigma_max");
  sigmax::matrix<long double> unproven(3, 3);
  CHECK_THROWS_AS(sigmax::hard_cap(unproven, {.sigma_max = 1, .certified = true}), sigmax::unsupported_error);
}

TEST_CASE("certified in an arithmetic environment where nothing can be proved") {
  for (int const mode : {FE_UPWARD, FE_DOWNWARD, FE_TOWARDZERO}) {
    names(refusal([=](writable& w) {
            std::fesetround(mode);
            try {
              sigmax::hard_cap(w, {.sigma_max = 1, .certified = true});
            } catch (...) {
              std::fesetround(FE_TONEAREST);
              throw;
            }
            std::fesetround(FE_TONEAREST);
          }),
          "numeric_error: hard_cap:", "certified");
  }
}

TEST_CASE("clips") {
  for (double const wrong : {-1e-300, -1.0, not_a_number, infinite}) {
    names(refusal([=](writable& w) { sigmax::spectral_clip(w, {.lower = wrong}); }),
          "domain_error: spectral_clip:", "lower");
    names(refusal([=](writable& w) { sigmax::spectral_relu(w, {.threshold = wrong}); }),
          "domain_error: spectral_relu:", "threshold");
  }
  for (double const wrong : {0.5, 0.0, -1.0, not_a_number}) {
    names(refusal([=](writable& w) { sigmax::spectral_clip(w, {.lower = 0.6, .upper = wrong}); }),
          "domain_error: spectral_clip:", "upper");
  }
  names(refusal([=](writable& w) { sigmax::spectral_clip(w, {.upper = 0}); }), "domain_error: spectral_clip:", "upper");
}

TEST_CASE("polynomials and functions") {
  auto const& schedule = verbs::polynomial::schedule;
  names(refusal([&](writable& w) { sigmax::apply_polynomial(w, schedule.stating(0, 1.2, 0, 2)); }),
        "domain_error: apply_polynomial:", "above 1.2");
  names(refusal([&](writable& w) { sigmax::apply_polynomial(w, schedule, {.gram_error = 0}); }),
        "domain_error: ", "gram_error");
  auto const sine = [](double x) { return std::sin(x); };
  for (double const wrong : {-1.0, not_a_number, infinite}) {
    names(refusal([=](writable& w) { (void)sigmax::spectral_function(w, sine, {.upper = wrong}); }),
          "domain_error: spectral_function:", "upper");
  }
  for (int const wrong : {-1, 2048}) {
    names(refusal([=](writable& w) { (void)sigmax::spectral_function(w, sine, {.degree = wrong}); }),
          "domain_error: spectral_function:", "degree");
  }
  for (double const wrong : {0.0, -1.0, not_a_number}) {
    names(refusal([=](writable& w) { (void)sigmax::spectral_function(w, sine, {.tolerance = wrong}); }),
          "domain_error: spectral_function:", "tolerance");
  }
  names(refusal([=](writable& w) { (void)sigmax::spectral_function(w, sine, {.upper = 1.2}); }),
        "domain_error: spectral_function:", "above 1.2");
  // Not smooth: no polynomial of degree 2047 comes within 1e-10.
  names(refusal([](writable& w) { (void)sigmax::spectral_function(w, [](double x) { return x < 1 ? 0.0 : 1.0; }); }),
        "domain_error: spectral_function:", "degree 2047");
  names(refusal([](writable& w) { (void)sigmax::spectral_function(w, [](double) { return not_a_number; }); }),
        "numeric_error: ", "finite");
}

// A wrong option is wrong for every matrix, also for one that has nothing to do.
TEST_CASE("options are looked at before matrices") {
  writable zero(3, 4);
  writable empty;
  for (auto* w : {&zero, &empty}) {
    CHECK_THROWS_AS(sigmax::orthogonalize(*w, {.smallest = 2}), sigmax::domain_error);
    CHECK_THROWS_AS(sigmax::hard_cap(*w, {.sigma_max = -1}), sigmax::domain_error);
    CHECK_THROWS_AS(sigmax::soft_cap(*w, {.sigma_max = 1, .update_norm = 1}), sigmax::domain_error);
    CHECK_THROWS_AS(sigmax::smooth_cap(*w, {.sigma_max = 0}), sigmax::domain_error);
    CHECK_THROWS_AS(sigmax::spectral_clip(*w, {.lower = -1}), sigmax::domain_error);
    CHECK_THROWS_AS(sigmax::project_to_stiefel(*w, {.sigma_max = 0}), sigmax::domain_error);
  }
}

TEST_CASE("a refusal leaves the workspace usable") {
  sigmax::workspace scratch;
  auto const w = ordinary<double>(6, 9, 1);
  auto const expected = sigmax::soft_capped(w, {.sigma_max = 1, .update_norm = 0.3});
  for (int round = 0; round < 3; ++round) {
    auto result = w;
    CHECK_THROWS_AS(sigmax::soft_cap(result, {.sigma_max = 1, .update_norm = 0.1, .scratch = &scratch}),
                    sigmax::domain_error);
    CHECK_THROWS_AS(sigmax::orthogonalize(result, {.scale = infinite, .scratch = &scratch}), sigmax::domain_error);
    CHECK_THROWS_AS(sigmax::smooth_cap(result, {.sigma_max = 1e-9, .scratch = &scratch}), sigmax::domain_error);
    CHECK(same_bits(result, w));
    sigmax::soft_cap(result, {.sigma_max = 1, .update_norm = 0.3, .scratch = &scratch});
    CHECK(same_bits(result, expected));
  }
}
