// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <sigmax/core/error.hpp>
#include <sigmax/core/matrix.hpp>
#include <sigmax/core/random.hpp>
#include <sigmax/lipschitz/certify.hpp>
#include <sigmax/lipschitz/combinators.hpp>
#include <sigmax/lipschitz/layers.hpp>
#include <sigmax/lipschitz/propose.hpp>
#include <sigmax/lipschitz/rules.hpp>
#include <sigmax/lipschitz/rules/convolution.hpp>
#include <sigmax/lipschitz/verify.hpp>

using namespace sigmax;
using namespace sigmax::lipschitz;

namespace {

matrix<double> random_matrix(index_t rows, index_t cols, std::uint64_t seed) {
  matrix<double> w(rows, cols);
  fill_normal(w.view(), seed);
  return w;
}

network perceptron(std::vector<index_t> const& widths, std::uint64_t seed, any_rule const& between = relu()) {
  network net({widths[0]});
  for (std::size_t k = 1; k < widths.size(); ++k) {
    if (k > 1) net.add(between, {net.output()});
    net.add(rules::linear(weight::owning(random_matrix(widths[k], widths[k - 1], seed + k))), {net.output()});
  }
  return net;
}

double upper_by(network const& net, method which, norm::any norm = norm::l2, input_domain const& domain = {}) {
  return certify(net, {.norm = norm, .domain = domain, .attack = false, .methods = {.which = which}}).upper();
}

}  // namespace

TEST_CASE("every method is at most the product and none is below what an attack proves") {
  for (norm::any const n : {norm::any(norm::l2), norm::any(norm::linf), norm::any(norm::rms)}) {
    for (std::uint64_t seed = 1; seed <= 12; ++seed) {
      any_rule const between = seed % 3 == 0 ? any_rule(gelu()) : seed % 3 == 1 ? any_rule(relu()) : any_rule(tanh());
      network const net = perceptron({5, 8, 7, 6, 3}, 100 * seed, between);
      input_domain const domain = seed % 2 == 0 ? input_domain() : input_domain::ball(0.3, {0.1, 0.2, -0.3, 0.4, 0.0});
      auto const c = certify(net, {.norm = n, .domain = domain});
      REQUIRE(c.lower());
      CHECK(c.lower()->proven);
      CHECK(c.tried().size() >= 3);
      for (auto const& tried : c.tried()) {
        CHECK(tried.upper.to_double_up() >= c.lower()->value);
        CHECK_FALSE(c.tried().front().upper < tried.upper);
        CHECK_FALSE(tried.upper < c.upper_extended());
      }
      CHECK(c.upper() < c.tried().front().upper.to_double_up());
      CHECK(c.method() != "product");
    }
  }
}

TEST_CASE("one method may be asked for, and the product alone") {
  network const net = perceptron({6, 10, 10, 4}, 3);
  double const product = upper_by(net, method::product);
  double const program = upper_by(net, method::dynamic_program);
  double const eclipse = upper_by(net, method::eclipse);
  double const lipsdp = upper_by(net, method::lipsdp);
  CHECK(program < product);
  CHECK(eclipse < product);
  CHECK(lipsdp <= std::min(program, eclipse) * (1 + 1e-6));
  CHECK(upper_by(net, method::automatic) <= lipsdp);
  CHECK(certify(net, {.attack = false, .methods = {.which = method::product}}).method() == "product");
  auto const best = certify(net, {.attack = false});
  CHECK(best.method() == "lipsdp");
  // Shares are those of the layers, whoever bounded them together.
  for (auto const& layer : best.layers()) CHECK(layer.share == doctest::Approx(1));
}

TEST_CASE("branches of one input are summed before they are bounded") {
  network difference({3});
  auto const w = random_matrix(4, 3, 1);
  node_id const a = difference.add(rules::linear(weight::viewing(w)), {0});
  node_id const b = difference.add(rules::linear(weight::viewing(w)), {0});
  difference.add(rules::weighted_sum({1.0, -1.0}), {a, b});
  CHECK(certify(difference).upper() <= 1e-12);

  // Three maps of one input side by side have the norm of the stacked matrix.
  network stacked({3});
  std::vector<node_id> parts;
  matrix<double> all(12, 3);
  for (std::uint64_t k = 0; k < 3; ++k) {
    auto part = random_matrix(4, 3, 10 + k);
    std::copy_n(part.data(), 12, all.data() + 12 * k);
    parts.push_back(stacked.add(rules::linear(weight::owning(std::move(part))), {0}));
  }
  stacked.add(rules::concatenate(3, 0), parts);
  double const truth = certified_spectral_norm(all).upper();
  CHECK(certify(stacked).upper() >= truth * (1 - 1e-7));
  CHECK(certify(stacked).upper() <= truth * (1 + 1e-6));
}

TEST_CASE("residual blocks are bounded with their skips") {
  auto const net = network_of(
      sequential(linear(random_matrix(6, 4, 1)),
                 residual(sequential(linear(random_matrix(8, 6, 2)), relu(), linear(random_matrix(6, 8, 3)))),
                 residual(0.5, sequential(linear(random_matrix(5, 6, 4)), gelu(), linear(random_matrix(6, 5, 5)))),
                 linear(random_matrix(2, 6, 6))));
  auto const c = certify(net);
  CHECK(c.upper() >= c.lower()->value);
  CHECK(c.upper() < 0.8 * upper_by(net, method::product));
  CHECK(upper_by(net, method::lipsdp) < upper_by(net, method::dynamic_program));
}

TEST_CASE("rows keep their norms, methods see one of them") {
  network tokens({7, 4});
  tokens.add(rules::linear(weight::owning(random_matrix(6, 4, 1))), {0});
  tokens.add(gelu(), {tokens.output()});
  tokens.add(rules::linear(weight::owning(random_matrix(4, 6, 2))), {tokens.output()});
  network const token = perceptron({4, 6, 4}, 0, gelu());
  for (norm::any const n : {norm::any(norm::l2), norm::any(norm::linf), norm::any(norm::rms)}) {
    auto const c = certify(tokens, {.norm = n});
    CHECK(c.upper() == doctest::Approx(certify(token, {.norm = n}).upper()).epsilon(1e-9));
    CHECK(c.upper() >= c.lower()->value);
  }
}

TEST_CASE("on a small ball the dead and the active neurons leave a linear map") {
  network net = perceptron({6, 40, 30, 3}, 11);
  std::vector<double> const centre{1, -2, 0.5, 0.3, -1, 2};
  double const far = upper_by(net, method::automatic);
  double const near = upper_by(net, method::automatic, norm::l2, input_domain::ball(1e-4, centre));
  CHECK(near < far);
  auto const c = certify(net, {.domain = input_domain::ball(1e-4, centre)});
  CHECK(c.upper() >= c.lower()->value);
  CHECK(c.upper() <= 1.01 * c.lower()->value);
}

TEST_CASE("a proof is checked without a search, and a false one is refused") {
  network const net = perceptron({6, 12, 9, 4}, 21);
  for (norm::any const n : {norm::any(norm::l2), norm::any(norm::rms), norm::any(norm::linf)}) {
    auto const made = propose(net, {.norm = n, .attack = false});
    auto const checked = verify(net, made.proof);
    CHECK(checked.upper_extended() == made.proved.upper_extended());
    if (n == norm::any(norm::linf)) continue;
    REQUIRE(made.proof.segments.size() == 1);
    auto claims_less = made.proof;
    claims_less.upper = extended(0.999 * made.proved.upper());
    CHECK_THROWS_AS(verify(net, claims_less), domain_error);
    claims_less.segments[0].squared_bound *= 0.99;
    CHECK_THROWS_AS(verify(net, claims_less), domain_error);
    auto norm_too_small = made.proof;
    norm_too_small.norms[1].bound *= 1 - 1e-6;
    CHECK_THROWS_AS(verify(net, norm_too_small), domain_error);
    auto without_norm = made.proof;
    without_norm.norms.pop_back();
    CHECK_THROWS_AS(verify(net, without_norm), domain_error);
    auto one_more = made.proof;
    one_more.segments.push_back(made.proof.segments[0]);
    CHECK_THROWS_AS(verify(net, one_more), domain_error);
    auto damaged = made.proof;
    damaged.segments[0].multipliers[1][3] = 0;
    CHECK_THROWS_AS(verify(net, damaged), domain_error);
    auto missing = made.proof;
    missing.segments[0].multipliers.pop_back();
    CHECK_THROWS_AS(verify(net, missing), domain_error);
    // Another network: the multipliers may prove something, but not the claim.
    CHECK_THROWS_AS(verify(perceptron({6, 12, 9, 4}, 99), made.proof), domain_error);
  }
  auto const local = propose(net, {.domain = input_domain::ball(0.05, {1, 1, 0, 0, -1, 2}), .attack = false});
  CHECK(verify(net, local.proof).upper_extended() == local.proved.upper_extended());
}

TEST_CASE("the norms of convolutions are claimed too, and a smaller claim is refused") {
  matrix<double> kernel(3, 2 * 3 * 3);
  fill_normal(kernel.view(), 5);
  network net({1, 2, 80, 80});
  net.add(rules::convolution(weight::owning(std::move(kernel)), {3, 3}, {.pads_begin = {1, 1}, .pads_end = {1, 1}}),
          {0});
  certify(net, {.attack = false});  // rules remember, recorders must see everything nevertheless
  auto const made = propose(net, {.attack = false, .methods = {.which = method::product}});
  REQUIRE(made.proof.norms.size() == 1);
  REQUIRE(made.proof.norms[0].count > 1);
  CHECK(verify(net, made.proof).upper_extended() == made.proved.upper_extended());
  auto smaller = made.proof;
  smaller.norms[0].bound *= 1 - 1e-5;
  CHECK_THROWS_WITH_AS(verify(net, smaller), doctest::Contains("claim 0"), domain_error);
  auto fewer = made.proof;
  fewer.norms[0].count += 1;
  CHECK_THROWS_WITH_AS(verify(net, fewer), doctest::Contains("claim 0 is of"), domain_error);
}
