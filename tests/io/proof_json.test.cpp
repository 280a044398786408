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
#include <sigmax/io/proof_json.hpp>
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
  for (norm::any const n : {norm::any(norm::l2), norm::any(norm::linf), norm::any(norm::rms)}) {
    for (input_domain const& domain : {input_domain(), input_domain::ball(0.1, {1, 0.3, -0.7}), input_domain::ball(2.0),
                                       input_domain::box({-1, 0.1, 0}, {1, 0.7, 0})}) {
      auto made = propose(net, {.norm = n, .domain = domain, .attack = false});
      made.proof.model_path = "model.onnx";
      made.proof.sha256 = "0123abcd";
      auto const read = io::parse_proof(io::to_json(made.proof, 3).dump(), "proof");
      CHECK(read.model_path == made.proof.model_path);
      CHECK(read.sha256 == made.proof.sha256);
      CHECK(read.upper == made.proof.upper);
      CHECK(read.relative_gap == made.proof.relative_gap);
      REQUIRE(read.norms.size() == made.proof.norms.size());
      for (std::size_t k = 0; k < read.norms.size(); ++k) {
        CHECK(read.norms[k].rows == made.proof.norms[k].rows);
        CHECK(read.norms[k].cols == made.proof.norms[k].cols);
        CHECK(read.norms[k].count == made.proof.norms[k].count);
        CHECK(read.norms[k].bound == made.proof.norms[k].bound);
      }
      REQUIRE(read.segments.size() == made.proof.segments.size());
      for (std::size_t k = 0; k < read.segments.size(); ++k) {
        CHECK(read.segments[k].end == made.proof.segments[k].end);
        CHECK(read.segments[k].how == made.proof.segments[k].how);
        CHECK(read.segments[k].multipliers == made.proof.segments[k].multipliers);
        CHECK(read.segments[k].squared_bound == made.proof.segments[k].squared_bound);
      }
      CHECK(verify(net, read).upper_extended() == made.proved.upper_extended());
    }
  }
}

TEST_CASE("what is no proof is refused with a reason") {
  network const net = perceptron({3, 4, 2}, 1);
  auto const good = io::to_json(propose(net, {.attack = false}).proof, 3);
  auto const refused = [](nlohmann::ordered_json const& bad, std::string const& part) {
    try {
      io::parse_proof(bad.dump(), "p.json");
      FAIL_CHECK("accepted: ", part);
    } catch (format_error const& problem) {
      std::string const text = problem.what();
      CAPTURE(text);
      CHECK(text.starts_with("p.json: "));
      CHECK(text.find(part) != std::string::npos);
    }
  };
  for (char const* const key :
       {"schema", "model", "statement", "norm", "domain", "relative_gap", "upper", "norms", "segments"}) {
    auto bad = good;
    bad.erase(key);
    refused(bad, key);
    bad = good;
    bad[key] = 17;
    refused(bad, "p.json");
  }
  auto bad = good;
  bad["segments"][0]["multipliers"] = "many";
  refused(bad, "'multipliers'");
  bad = good;
  bad["segments"][0]["multipliers"][0][0] = nullptr;  // what NaN becomes
  refused(bad, "'multipliers'");
  bad = good;
  bad["upper"]["mantissa_hex"] = "0x1.8p-1z";
  refused(bad, "'mantissa_hex'");
  bad = good;
  bad["upper"]["mantissa_hex"] = "0x-1p0";
  refused(bad, "'mantissa_hex'");
  CHECK_THROWS_AS(io::parse_proof("3", "p"), format_error);
  CHECK_THROWS_AS(io::parse_proof("{", "p"), format_error);
  CHECK_THROWS_AS(io::parse_proof("", "p"), format_error);
}
