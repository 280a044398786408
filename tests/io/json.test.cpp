// SPDX-License-Identifier: MIT
// The JSON of a certificate: its keys, and numbers that never shrink.
#include <charconv>
#include <cmath>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <sigmax/core/matrix.hpp>
#include <sigmax/io/json.hpp>
#include <sigmax/lipschitz/certify.hpp>
#include <sigmax/lipschitz/combinators.hpp>
#include <sigmax/lipschitz/layers.hpp>
#include <sigmax/lipschitz/rules/activation.hpp>

#include "model_builder.hpp"

namespace {

using namespace sigmax;
using namespace sigmax::lipschitz;
using json = nlohmann::ordered_json;

certificate of_scale(double c, int times = 1) {
  network net({1});
  for (int i = 0; i < times; ++i) net.add(rules::scale({c}), {net.output()});
  return test::certify(net);
}

std::vector<std::string> keys_of(json const& object) {
  std::vector<std::string> keys;
  for (auto const& item : object.items()) keys.push_back(item.key());
  return keys;
}

std::vector<std::string> const all_keys{
    "schema",          "model",   "statement",   "domain",          "norms",
    "lipschitz_upper", "upper",   "log10_upper", "lipschitz_lower", "lipschitz_estimate",
    "method",          "tried",   "conditional", "assumptions",     "input",
    "layers",          "refused", "coverage",    "arithmetic",      "fp_execution",
    "seconds",         "version", "arch"};

}  // namespace

TEST_CASE("json: the keys of the contract, in their order") {
  auto const c = test::certify(network_of(sequential(scale(2.0), relu()), {1, 3}));
  json const j = io::to_json(c, {.path = "m.onnx", .sha256 = "ab", .seconds = 0.5});
  CHECK(keys_of(j) == all_keys);
  CHECK(j["model"] == json({{"path", "m.onnx"}, {"sha256", "ab"}}));
  CHECK(j["statement"] == "real-arithmetic semantics of the stored parameters; float execution not included");
  CHECK(j["norms"] == json({{"in", "l2"}, {"out", "l2"}}));
  CHECK(keys_of(j["upper"]) == std::vector<std::string>{"decimal", "mantissa_hex", "exp2"});
  CHECK(j["input"] == json::parse(R"({"shape": [1, 3], "radius": null})"));
  REQUIRE(j["layers"].size() == 2);
  CHECK(keys_of(j["layers"][0]) == std::vector<std::string>{"name", "op", "shape", "log10_own", "log10_lipschitz",
                                                            "log10_radius", "share", "rule"});
  CHECK(j["layers"][0]["log10_radius"].is_null());
  CHECK(j["lipschitz_lower"].get<double>() <= 2);
  CHECK(j["conditional"] == false);
  CHECK(j["refused"].empty());
  CHECK(j["version"] == version);
  CHECK(j["arch"] == architecture);
  CHECK(io::to_json(c, {.arch = "x86-64-v4"})["arch"] == "x86-64-v4");
  CHECK(j["seconds"] == 0.5);
  CHECK(io::to_json(c)["model"]["sha256"].is_null());
}

TEST_CASE("json: schema, domain, tried methods, arithmetic and coverage") {
  network const net = network_of(sequential(scale(2.0), relu()), {2});
  json const all = io::to_json(test::certify(net));
  CHECK(all["schema"] == "sigmax-certificate-1");
  CHECK(all["domain"] == json::parse(R"({"type": "all", "norm": null, "radius": null, "file": null, "sha256": null})"));
  REQUIRE(all["tried"].size() == 1);
  CHECK(all["tried"][0]["method"] == "product");
  CHECK(all["tried"][0]["upper"] == all["upper"]);
  CHECK(all["arithmetic"]["u"] == 0x1p-53);
  CHECK(all["arithmetic"]["eta"] == 5e-324);
  CHECK(all["coverage"]["layers"] == 2);
  CHECK(all["coverage"]["defaulted"] == 0);
  CHECK(all["fp_execution"]["included"] == false);
  json const ball =
      io::to_json(test::certify(net, {.norm = norm::rms, .domain = input_domain::ball(0.1, {1, 2}), .attack = false}),
                  {.domain_path = "centre.txt", .domain_sha256 = "cd"});
  CHECK(ball["domain"] ==
        json::parse(R"({"type": "ball", "norm": "rms", "radius": 0.1, "file": "centre.txt", "sha256": "cd"})"));
  CHECK(ball["norms"]["in"] == "rms");
  CHECK(ball["layers"][0]["log10_radius"].get<double>() >= std::log10(std::sqrt(10.0)));
  CHECK(ball["input"]["radius"] == 0.1);
  json const box = io::to_json(test::certify(net, {.domain = input_domain::box({0, 0}, {1, 1}), .attack = false}));
  CHECK(box["domain"]["type"] == "box");
  CHECK(box["domain"]["radius"].is_null());
}

TEST_CASE("json: what is printed reads back as at least the bound") {
  for (double const factor : {1.0 / 3, 0.1, 1e-300, 123456789.123456789, 1e300, 5e-324}) {
    for (int const times : {1, 3}) {
      auto const c = of_scale(factor, times);
      json const j = json::parse(io::to_json(c).dump());
      if (sigmax::is_finite(c.upper())) {
        CHECK(j["lipschitz_upper"].get<double>() == c.upper());
      } else {
        CHECK(j["lipschitz_upper"].is_null());
      }
      CHECK(j["log10_upper"].get<double>() == c.log10_upper());
      auto const hex = j["upper"]["mantissa_hex"].get<std::string>();
      CHECK(std::strtod(hex.c_str(), nullptr) == c.upper_extended().mantissa());
      CHECK(j["upper"]["exp2"].get<std::int64_t>() == c.upper_extended().exponent());
      if (sigmax::is_finite(c.upper()) && c.upper() > 1e-300) {
        auto const decimal = j["upper"]["decimal"].get<std::string>();
        CHECK(std::strtold(decimal.c_str(), nullptr) >=
              static_cast<long double>(
                  std::ldexp(c.upper_extended().mantissa(), static_cast<int>(c.upper_extended().exponent()))));
      }
    }
  }
}

TEST_CASE("json: no bound is null, a constant is 0, an overflow keeps its logarithm") {
  json const none = io::to_json(test::certify(network_of(exp(), {2}), {.attack = false}));
  CHECK(none["lipschitz_upper"].is_null());
  CHECK(none["log10_upper"].is_null());
  CHECK(none["upper"]["decimal"] == "inf");
  CHECK(none["upper"]["exp2"].is_null());
  CHECK(none["lipschitz_lower"].is_null());
  REQUIRE(none["refused"].size() == 1);
  CHECK(none["refused"][0]["op"] == "exp");
  json const zero = io::to_json(of_scale(0.0));
  CHECK(zero["lipschitz_upper"] == 0.0);
  CHECK(zero["log10_upper"].is_null());
  json const huge = io::to_json(of_scale(1e200, 3));
  CHECK(huge["lipschitz_upper"].is_null());
  CHECK(huge["log10_upper"].get<double>() >= 600);
  CHECK(huge["log10_upper"].get<double>() < 600.001);
  CHECK(huge["upper"]["decimal"].get<std::string>().find("e+600") != std::string::npos);
}

TEST_CASE("json: conditions and names are valid text") {
  network net({1});
  net.add(rules::bounded(trust<op<norm::l2_t>>(2, "measured \xff by hand"), "black\nbox"), {0}, "layer \xfe");
  auto const c = test::certify(net);
  json const j = json::parse(io::to_json(c, {.path = "bad\xff.onnx"}).dump());
  CHECK(j["conditional"] == true);
  CHECK(j["assumptions"][0] == "measured \\xff by hand");
  CHECK(j["layers"][0]["name"] == "layer \\xfe");
  CHECK(j["layers"][0]["op"] == "black\\x0abox");
  CHECK(j["model"]["path"] == "bad\\xff.onnx");
}

TEST_CASE("json: a model that was refused has the same keys") {
  json const j = io::refusal_to_json({{"", "Conv", "operator not supported"}}, norm::linf, {.path = "m.onnx"});
  CHECK(keys_of(j) == all_keys);
  CHECK(j["lipschitz_upper"].is_null());
  CHECK(j["refused"][0]["op"] == "Conv");
  CHECK(j["refused"][0]["name"].is_null());
  CHECK(j["norms"]["in"] == "linf");
}
