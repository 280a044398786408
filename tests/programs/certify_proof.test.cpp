// SPDX-License-Identifier: MIT
// sigmax-certify writes proofs, checks them, and refuses what was tampered with.
#include <filesystem>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "certify_program.hpp"
#include "run_program.hpp"

using nlohmann::json;
using namespace sigmax::test;

TEST_CASE("sigmax-certify: a proof is written, checked, and refused wherever it is tampered with") {
  if (!available()) return;
  scratch_folder const here("certify-proof");
  save_model(here / "m.onnx", "Tanh", 6, 3);
  save_model(here / "other.onnx", "Tanh", 6, 4);
  put(here, "centre.txt", "0.1 0.2 0.3 0.4 0.5 0.6");
  for (std::string const question :
       {"", " --norm linf", " --norm rms", " --radius 0.5 --centre centre.txt", " --norm linf --box box.txt"}) {
    put(here, "box.txt", "-0.1 0.7");
    auto const made = run("m.onnx --no-attack --json made.json --emit-proof proof.json" + question, here);
    INFO(made.err);
    REQUIRE(made.status == 0);
    auto const checked = run("m.onnx --check-proof proof.json --json checked.json", here);
    INFO(checked.err);
    CHECK(checked.status == 0);
    CHECK(has(checked.out, "checked: L <= "));
    CHECK(has(checked.out, "nothing was searched for"));
    auto const before = json::parse(sigmax::test::contents(here / "made.json"));
    auto const after = json::parse(sigmax::test::contents(here / "checked.json"));
    for (char const* const key : {"norms", "upper", "input", "layers", "method"}) CHECK(before[key] == after[key]);
    CHECK(before["domain"]["type"] == after["domain"]["type"]);
    CHECK(after["checked"]["proof"] == "proof.json");
  }
}

TEST_CASE("sigmax-certify: every method has proofs that are checked without a search") {
  if (!available()) return;
  scratch_folder const here("certify-proof-methods");
  save_model(here / "m.onnx", "Relu", 6, 3);
  for (std::string const norm : {"l2", "rms", "linf"}) {
    for (auto const& each : std::vector<std::tuple<std::string, int, int>>{{"auto", 1, 1},
                                                                           {"product", 0, 0},
                                                                           {"dynamic-program", 1, 0},
                                                                           {"absolute", 1, 0},
                                                                           {"eclipse", 1, 1},
                                                                           {"lipsdp", 1, 1}}) {
      auto const& [name, segments, multipliers] = each;
      std::string const& method = name;  // clang 14 captures no structured bindings
      CAPTURE(norm);
      CAPTURE(method);
      auto const made =
          run("m.onnx --no-attack --json - --emit-proof proof.json --norm " + norm + " --method " + method, here);
      REQUIRE(made.status == 0);
      auto const checked = run("m.onnx --check-proof proof.json --json -", here);
      INFO(checked.err);
      REQUIRE(checked.status == 0);
      auto const before = json::parse(made.out);
      auto const after = json::parse(checked.out);
      CHECK(before["upper"] == after["upper"]);
      CHECK(before["method"] == after["method"]);
      CHECK(after["lipschitz_upper"].get<double>() <= before["lipschitz_upper"].get<double>());
      if (norm != "l2" || before["method"] == "product") continue;
      CHECK(after["checked"]["segments"] == segments);
      CHECK(after["checked"]["multipliers"] == multipliers);
    }
  }
}

TEST_CASE("sigmax-certify: a proof is refused wherever it is tampered with") {
  if (!available()) return;
  scratch_folder const here("certify-proof-tampered");
  save_model(here / "m.onnx", "Tanh", 6, 3);
  save_model(here / "other.onnx", "Tanh", 6, 4);
  CHECK(run("m.onnx --no-attack --radius 0.5 --emit-proof proof.json", here).status == 0);
  auto const proof = json::parse(sigmax::test::contents(here / "proof.json"));
  REQUIRE(proof["norms"].size() == 2);
  REQUIRE(proof["segments"].size() == 1);
  REQUIRE(proof["segments"][0]["method"] == "lipsdp");
  REQUIRE(proof["segments"][0]["multipliers"].size() == 1);
  auto const refused = [&](json const& changed, int status, std::string const& part) {
    put(here, "changed.json", changed.dump());
    check_refused(run("m.onnx --check-proof changed.json", here), status, part);
  };
  auto changed = proof;
  changed["norms"][1]["bound"] = "0x1p-3";
  refused(changed, 1, "claim 1, the norm of a 6 x 6 matrix, could not be confirmed");
  changed = proof;
  changed["norms"][0]["rows"] = 5;
  refused(changed, 1, "claim 0 is of a 5 x 6 matrix");
  changed = proof;
  changed["norms"].erase(1);
  refused(changed, 1, "asks for more");
  changed = proof;
  changed["norms"].push_back(changed["norms"][0]);
  refused(changed, 1, "it claims 3 norms of weights, the network asks for 2");
  changed = proof;
  changed["upper"]["exp2"] = proof["upper"]["exp2"].get<int>() - 1;
  refused(changed, 1, "it claims L <= ");
  changed = proof;
  changed["model"]["sha256"] = "00";
  refused(changed, 1, "SHA-256 '00'");
  check_refused(run("other.onnx --check-proof proof.json", here), 1, "does not hold for other.onnx");
  changed = proof;
  changed["domain"]["centre"].push_back(0);
  refused(changed, 1, "7 elements");
  // Another norm is another question.
  changed = proof;
  changed["norm"] = "linf";
  refused(changed, 1, "could not be confirmed");
  changed["segments"].clear();
  refused(changed, 1, "verify: it claims L <= ");
  changed["domain"] = {{"type", "all"}};
  refused(changed, 1, "it claims 2 norms of weights, the network asks for 0");
  // The slopes of tanh on a larger set are others.
  for (json const& domain : {json{{"type", "all"}},
                             json{{"type", "ball"}, {"radius", "0x1p+3"}, {"centre", json(std::vector<double>(6))}}}) {
    changed = proof;
    changed["domain"] = domain;
    refused(changed, 1, "does not hold");
  }
  std::string const unconfirmed = "the multipliers of the segment that ends at 'y' could not be confirmed";
  for (double const factor : {0.5, 2.0, 0.0, -1.0}) {
    changed = proof;
    changed["segments"][0]["multipliers"][0][2] = proof["segments"][0]["multipliers"][0][2].get<double>() * factor;
    refused(changed, 1, unconfirmed);
  }
  changed = proof;
  changed["segments"][0]["multipliers"][0].erase(2);
  refused(changed, 1, unconfirmed);
  changed = proof;
  changed["segments"][0]["multipliers"].push_back({1.0});
  refused(changed, 1, unconfirmed);
  changed = proof;
  changed["segments"][0]["squared_bound"] = "0x1p-2";
  refused(changed, 1, unconfirmed);
  changed = proof;
  changed["segments"][0]["end"] = 1;
  refused(changed, 1, "it bounds 1 segments, of which the network has 0");
  changed = proof;
  changed["segments"].push_back(proof["segments"][0]);
  refused(changed, 1, "it bounds 2 segments, of which the network has 1");
  changed = proof;
  changed["segments"].clear();
  refused(changed, 1, "it claims L <= ");
  changed = proof;
  changed["segments"][0]["method"] = "absolute";
  refused(changed, 1, "it claims L <= ");
  for (auto const& [key, value] : std::vector<std::pair<char const*, json>>{{"end", "y"},
                                                                            {"end", 1.5},
                                                                            {"method", "product"},
                                                                            {"method", "guess"},
                                                                            {"name", 1},
                                                                            {"squared_bound", 3.0},
                                                                            {"squared_bound", "0xinf"},
                                                                            {"multipliers", nullptr},
                                                                            {"multipliers", 1},
                                                                            {"multipliers", {1, 2}},
                                                                            {"multipliers", {{"1"}}}}) {
    changed = proof;
    changed["segments"][0][key] = value;
    refused(changed, 2, "changed.json: ");
    changed["segments"][0].erase(key);
    refused(changed, 2, "changed.json: ");
  }
  for (auto const& [key, value] : std::vector<std::pair<char const*, json>>{{"schema", "sigmax-proof-1"},
                                                                            {"statement", "anything"},
                                                                            {"segments", 1},
                                                                            {"segments", nullptr},
                                                                            {"norm", "l3"},
                                                                            {"relative_gap", 2},
                                                                            {"norms", 1},
                                                                            {"upper", 1},
                                                                            {"domain", nullptr},
                                                                            {"model", "m"}}) {
    changed = proof;
    changed[key] = value;
    refused(changed, 2, "changed.json: ");
    changed.erase(key);
    refused(changed, 2, "changed.json: ");
  }
  for (char const* const bound : {"nan", "0xinf", "-0x1p+0", "0x-1p+0", "1.5", "0x", "0x1p+0 ", "0x1p+99999"}) {
    changed = proof;
    changed["norms"][0]["bound"] = bound;
    refused(changed, 2, "'bound'");
  }
  changed = proof;
  changed["upper"]["mantissa_hex"] = "0x1p+0";
  refused(changed, 2, "'mantissa_hex'");
  changed = proof;
  changed["upper"]["exp2"] = 18446744073709551615u;
  refused(changed, 2, "'exp2'");
  put(here, "text.json", "proof");
  check_refused(run("m.onnx --check-proof text.json", here), 2, "text.json: not a proof");
  check_refused(run("m.onnx --check-proof missing.json", here), 2, "missing.json");
}

TEST_CASE("sigmax-certify: options of proofs that do not fit") {
  if (!available()) return;
  scratch_folder const here("certify-proof-options");
  save_model(here / "m.onnx", "Tanh");
  save_model(here / "exp.onnx", "Exp");
  check_refused(run("m.onnx m.onnx --emit-proof p.json", here), 2, "--emit-proof takes one model");
  check_refused(run("m.onnx m.onnx --check-proof p.json", here), 2, "--check-proof takes one model");
  check_refused(run("m.onnx --check-proof p.json --norm l2", here), 2, "--check-proof does not go with --norm");
  check_refused(run("m.onnx --check-proof p.json --radius 1", here), 2, "--check-proof does not go with --radius");
  check_refused(run("m.onnx --emit-proof ''", here), 2, "--emit-proof");
  check_refused(run("m.onnx --emit-proof none/p.json", here), 2, "cannot write 'none/p.json'");
  // No finite bound, no proof.
  CHECK(run("exp.onnx --emit-proof p.json", here).status == 1);
  CHECK(!std::filesystem::exists(here / "p.json"));
}

TEST_CASE("sigmax-certify: proofs of networks of others are checked in seconds") {
  if (!available()) return;
  auto const check = [](char const* name, std::string const& how, double least, double most) {
    auto const model = std::filesystem::path(SIGMAX_DATA_DIR) / "onnx" / name;
    if (!std::filesystem::exists(model)) {
      MESSAGE("skipped: there is no " << model.string());
      return;
    }
    CAPTURE(name);
    scratch_folder const here("certify-proof-real");
    CHECK(run("'" + model.string() + "' --no-attack --emit-proof p.json " + how, here).status == 0);
    auto const checked = run("'" + model.string() + "' --check-proof p.json --json -", here);
    INFO(checked.err);
    REQUIRE(checked.status == 0);
    auto const j = json::parse(checked.out);
    CHECK(j["lipschitz_upper"].get<double>() >= least);
    CHECK(j["lipschitz_upper"].get<double>() <= most);
    MESSAGE(name, ": L <= ", j["lipschitz_upper"].get<double>(), ", checked in ", j["seconds"].get<double>(), " s");
    CHECK(j["seconds"].get<double>() < 5);
  };
  check("mnist-net_256x2.onnx", "--method product", 839.2578715, 839.2587);
  check("ACASXU_run2a_1_1_batch_2000.onnx", "", 141.9, 9e4);
  check("Convnet_maxpool.onnx", "", 115.7, 598);
}

TEST_CASE("sigmax-certify: the log of the search says whether it converged, apart from what is proved") {
  if (!available()) return;
  scratch_folder const here("certify-search");
  save_model(here / "m.onnx", "Relu", 6, 3);
  auto const made = run("m.onnx --json -", here);
  REQUIRE(made.status == 0);
  CHECK(has(made.err, "search: the segment that ends at y, 6 multipliers: "));
  CHECK(has(made.err, ": converged\n"));
  CHECK(has(made.err, "estimated optimum "));
  auto const j = json::parse(made.out);
  REQUIRE(j["search"].size() == 1);
  auto const& search = j["search"][0];
  CHECK(search["segment"] == "y");
  CHECK(search["converged"] == true);
  CHECK(search["reason"].is_null());
  REQUIRE(search["estimated_ends"].size() == 4);
  for (std::size_t k = 1; k < 4; ++k) {
    CHECK(search["estimated_ends"][k].get<double>() ==
          doctest::Approx(search["estimated_ends"][1].get<double>()).epsilon(1e-4));
  }
  CHECK(search["proved"].get<double>() == doctest::Approx(search["estimated_optimum"].get<double>()).epsilon(1e-5));
  CHECK(search["proved"] == j["lipschitz_upper"]);
  CHECK(run("m.onnx --method lipsdp --no-attack", here).out.find("search: ") != std::string::npos);
  for (char const* const how : {"product", "dynamic-program", "absolute", "eclipse"}) {
    auto const other = run(std::string("m.onnx --json - --method ") + how, here);
    CHECK(!has(other.err, "search: "));
    CHECK(json::parse(other.out)["search"] == json::array());
  }
}
