// SPDX-License-Identifier: MIT
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <sigmax/core/error.hpp>
#include <sigmax/core/matrix.hpp>
#include <sigmax/core/random.hpp>
#include <sigmax/io/multipliers_json.hpp>
#include <sigmax/lipschitz/layers.hpp>
#include <sigmax/lipschitz/propose.hpp>
#include <sigmax/lipschitz/rules.hpp>
#include <sigmax/lipschitz/verify.hpp>

using namespace sigmax;
using namespace sigmax::lipschitz;

namespace {

network perceptron(std::vector<index_t> const& widths, std::uint64_t seed) {
  network net({widths[0]});
  for (std::size_t k = 1; k < widths.size(); ++k) {
    if (k > 1) net.add(relu(), {net.output()});
    matrix<double> w(widths[k], widths[k - 1]);
    fill_normal(w.view(), seed + k);
    net.add(rules::linear(weight::owning(std::move(w))), {net.output()});
  }
  return net;
}

}  // namespace

TEST_CASE("a proof survives its text, for every kind of domain, and proves the same bound") {
  network const net = perceptron({3, 8, 7, 2}, 5);
  for (input_domain const& domain : {input_domain(), input_domain::ball(0.1, {1, 0.3, -0.7}), input_domain::ball(2.0),
                                     input_domain::box({-1, 0.1, 0}, {1, 0.7, 0})}) {
    auto made = propose(net, {.domain = domain, .attack = false});
    made.proof.sha256 = "0123abcd";
    std::string const text = io::to_json(made.proof, 3).dump();
    auto const read = io::proof_from_json(nlohmann::ordered_json::parse(text));
    CHECK(read.sha256 == made.proof.sha256);
    CHECK(read.upper == made.proof.upper);
    REQUIRE(read.segments.size() == made.proof.segments.size());
    for (std::size_t k = 0; k < read.segments.size(); ++k) {
      CHECK(read.segments[k].multipliers == made.proof.segments[k].multipliers);
      CHECK(read.segments[k].squared_bound == made.proof.segments[k].squared_bound);
    }
    CHECK(verify(net, read).upper_extended() == made.proved.upper_extended());
  }
}

TEST_CASE("what is no proof is refused with a reason") {
  network const net = perceptron({3, 4, 2}, 1);
  auto const good = io::to_json(propose(net, {.attack = false}).proof, 3);
  for (char const* const key : {"format", "sha256", "norm", "domain", "upper", "segments"}) {
    auto bad = good;
    bad.erase(key);
    CHECK_THROWS_AS(io::proof_from_json(bad), format_error);
    bad = good;
    bad[key] = 17;
    CHECK_THROWS_AS(io::proof_from_json(bad), format_error);
  }
  auto bad = good;
  bad["segments"][0]["multipliers"] = "many";
  CHECK_THROWS_AS(io::proof_from_json(bad), format_error);
  bad = good;
  bad["upper"]["mantissa_hex"] = "0x1.8p-1z";
  CHECK_THROWS_AS(io::proof_from_json(bad), format_error);
  bad = good;
  bad["upper"]["mantissa_hex"] = "0x-1p0";  // negative: no bound, and so no claim
  CHECK(io::proof_from_json(bad).upper.is_infinite());
  CHECK_THROWS_AS(io::proof_from_json(nlohmann::ordered_json(3)), format_error);
}
