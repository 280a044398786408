// SPDX-License-Identifier: MIT
// sigmax-certify on balls and boxes, in rms, for several models, and with proofs.
#include <cmath>
#include <filesystem>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>
#include <onnx/onnx_pb.h>

#include <sigmax/core/random.hpp>
#include <sigmax/io/atomic_file.hpp>

#include "markup.hpp"
#include "run_program.hpp"

namespace {

using nlohmann::json;
using test::has;
using test::scratch_folder;

constexpr char const* certify = "sigmax-certify";

bool available() {
  if (std::filesystem::exists(test::program_path(certify))) return true;
  MESSAGE("skipped: " << test::program_path(certify).string() << " is not built");
  return false;
}

test::finished run(std::string const& arguments, scratch_folder const& folder) {
  return test::run(certify, arguments, folder);
}

/// The status, nothing on stdout, one line on stderr that has the part.
void check_refused(test::finished const& result, int status, std::string const& part) {
  INFO(result.err);
  CHECK(result.status == status);
  CHECK(result.out.empty());
  CHECK(result.lines_of_err() == 1);
  CHECK(result.err.starts_with("sigmax-certify: "));
  CHECK(has(result.err, part));
}

void put(scratch_folder const& here, char const* name, std::string const& text) {
  sigmax::io::write_file(here / name, text);
}

/// x -> V activation(W x) of `width` elements, V = W = diag(3, -1, ...) or full of `seed`'s numbers.
void save_model(std::filesystem::path const& path, char const* activation, int width = 2, unsigned seed = 0) {
  onnx::ModelProto model;
  model.set_ir_version(8);
  model.add_opset_import()->set_version(13);
  auto& graph = *model.mutable_graph();
  auto& input = *graph.add_input();
  input.set_name("x");
  auto& tensor = *input.mutable_type()->mutable_tensor_type();
  tensor.set_elem_type(onnx::TensorProto::FLOAT);
  tensor.mutable_shape()->add_dim()->set_dim_value(1);
  tensor.mutable_shape()->add_dim()->set_dim_value(width);
  graph.add_output()->set_name("y");
  sigmax::random_sequence const numbers(seed);
  for (unsigned which = 0; which < 2; ++which) {
    auto& w = *graph.add_initializer();
    w.set_name(which == 0 ? "w" : "v");
    w.set_data_type(onnx::TensorProto::FLOAT);
    w.add_dims(width);
    w.add_dims(width);
    for (int i = 0; i < width * width; ++i) {
      float const diagonal = i / width != i % width ? 0.0f : i == 0 ? 3.0f : -1.0f;
      auto const drawn = static_cast<float>(numbers.normal(static_cast<unsigned>(2 * i) + which));
      w.add_float_data(seed == 0 ? diagonal : drawn);
    }
  }
  auto const node = [&](char const* type, std::vector<std::string> const& inputs, char const* output) {
    auto& added = *graph.add_node();
    added.set_op_type(type);
    for (auto const& name : inputs) added.add_input(name);
    added.add_output(output);
  };
  node("MatMul", {"x", "w"}, "h");
  node(activation, {"h"}, "g");
  node("MatMul", {"g", "v"}, "y");
  sigmax::io::write_file(path, model.SerializeAsString());
}

double upper_of(test::finished const& result) { return json::parse(result.out)["lipschitz_upper"].get<double>(); }

}  // namespace

TEST_CASE("sigmax-certify: --radius, --centre and --box make a domain, and a bound where there is none without") {
  if (!available()) return;
  scratch_folder const here("certify-domain");
  save_model(here / "exp.onnx", "Exp");
  save_model(here / "m.onnx", "Tanh");
  auto const refused = run("exp.onnx", here);
  CHECK(refused.status == 1);
  CHECK(has(refused.out, "to tighten: "));
  CHECK(has(refused.out, "--radius"));
  // Finite only where the rule of exp knows its slopes on a range; on |x| <= 1 they reach e^3, and L is 9 e^3.
  auto const local = run("exp.onnx --norm linf --radius 1 --json -", here);
  if (local.status == 0) CHECK(upper_of(local) >= 9 * std::exp(3.0));
  auto const ball = run("m.onnx --norm linf --radius 1 --json -", here);
  CHECK(ball.status == 0);
  CHECK(upper_of(ball) >= 9 * (1 - 1e-12));
  auto const j = json::parse(ball.out);
  CHECK(j["domain"] == json::parse(R"({"type": "ball", "norm": "linf", "radius": 1.0, "file": null, "sha256": null})"));
  CHECK(has(ball.err, "within 1 (linf) of the origin"));
  CHECK(j["lipschitz_lower"].get<double>() <= upper_of(ball));

  put(here, "zero.txt", "# the origin\n0, 0\n");
  CHECK(upper_of(run("m.onnx --norm linf --radius 1 --centre zero.txt --json -", here)) == upper_of(ball));
  put(here, "low.json", "[[-2], -2.5e0]");
  auto const low = run("m.onnx --norm linf --radius 1 --centre low.json --json -", here);
  CHECK(upper_of(low) <= upper_of(ball));
  CHECK(has(low.err, "of the given centre"));
  CHECK(json::parse(low.out)["domain"]["file"] == "low.json");
  CHECK(json::parse(low.out)["domain"]["sha256"].get<std::string>().size() == 64);

  // The same box in every form.
  put(here, "a.txt", "-1 1");
  put(here, "b.txt", "-1 1 # first\n-1,1\n");
  put(here, "c.json", R"({"lower": -1, "upper": [1]})");
  put(here, "d.json", R"({"lower": [[-1, -1]], "upper": [1, 1]})");
  put(here, "e.json", "[[-1, 1], [-1, 1]]");
  double const expected = upper_of(run("m.onnx --norm linf --box a.txt --json -", here));
  CHECK(expected >= 9 * (1 - 1e-12));
  for (char const* const name : {"b.txt", "c.json", "d.json", "e.json"}) {
    auto const box = run(std::string("m.onnx --norm linf --json - --box ") + name, here);
    INFO(box.err);
    REQUIRE(box.status == 0);
    CHECK(upper_of(box) == expected);
    CHECK(json::parse(box.out)["domain"]["type"] == "box");
  }
  auto const rms = run("m.onnx --norm rms --radius 0.5 --json -", here);
  CHECK(rms.status == 0);
  CHECK(json::parse(rms.out)["norms"]["out"] == "rms");
}

TEST_CASE("sigmax-certify: what is wrong with a domain is one line that names the option") {
  if (!available()) return;
  scratch_folder const here("certify-domain-wrong");
  save_model(here / "m.onnx", "Tanh");
  for (char const* const radius : {"-1", "nan", "inf", "1e999", "0,1", "one", "''", "1x"}) {
    check_refused(run(std::string("m.onnx --radius=") + radius, here), 2, "--radius");
  }
  CHECK(run("m.onnx --radius 0 --no-attack", here).status == 0);
  put(here, "two.txt", "0 0");
  put(here, "three.txt", "0 0 0");
  put(here, "word.txt", "0\nzero\n");
  put(here, "inf.txt", "0 inf");
  put(here, "empty.txt", "\n");
  put(here, "comment.txt", "# nothing");
  put(here, "broken.json", "[0, ");
  put(here, "text.json", "[0, \"1\"]");
  put(here, "object.json", "{\"lower\": 0}");
  put(here, "crossed.txt", "0 1 1 0");
  put(here, "uneven.json", R"({"lower": [0, 0], "upper": [1, 1, 1]})");
  put(here, "pairs.json", "[[0, 1], [0]]");
  check_refused(run("m.onnx --centre two.txt", here), 2, "--centre needs --radius");
  check_refused(run("m.onnx --radius 1 --box two.txt", here), 2, "--radius and --box exclude each other");
  check_refused(run("m.onnx --radius 1 --centre ''", here), 2, "--centre");
  check_refused(run("m.onnx --box ''", here), 2, "--box");
  check_refused(run("m.onnx --box missing.txt", here), 2, "--box: ");
  check_refused(run("m.onnx --radius 1 --centre three.txt", here), 2, "--centre 'three.txt': 3 elements");
  check_refused(run("m.onnx --radius 1 --centre word.txt", here), 2, "line 2: 'zero' is no finite number");
  check_refused(run("m.onnx --radius 1 --centre inf.txt", here), 2, "'inf'");
  check_refused(run("m.onnx --radius 1 --centre empty.txt", here), 2, "is empty");
  check_refused(run("m.onnx --radius 1 --centre comment.txt", here), 2, "holds no numbers");
  check_refused(run("m.onnx --radius 1 --centre broken.json", here), 2, "no valid JSON");
  check_refused(run("m.onnx --radius 1 --centre text.json", here), 2, "no number");
  check_refused(run("m.onnx --radius 1 --centre object.json", here), 2, "no list");
  check_refused(run("m.onnx --box object.json", here), 2, "there is no \"upper\"");
  check_refused(run("m.onnx --box three.txt", here), 2, "--box 'three.txt': holds 3 numbers");
  check_refused(run("m.onnx --box crossed.txt", here), 2, "element 1 has lower 1 above upper 0");
  check_refused(run("m.onnx --box uneven.json", here), 2, "2 lower ends and 3 upper ends");
  check_refused(run("m.onnx --box pairs.json", here), 2, "no pair");
  auto const help = run("--help", here).out;
  for (char const* const part :
       {"--radius", "--centre", "--box", "rms", "\"lower\"", "--emit-proof", "--check-proof"}) {
    CHECK(has(help, part));
  }
}

TEST_CASE("sigmax-certify: what would tighten a product is named") {
  if (!available()) return;
  scratch_folder const here("certify-advice");
  save_model(here / "m.onnx", "Tanh", 6, 3);
  auto const result = run("m.onnx --method product", here);
  CHECK(result.status == 0);
  if (has(result.out, "product of the layers")) {
    CHECK(
        has(result.out, "to tighten: a product takes the worst direction of every layer anew; the largest factors: "));
    CHECK(has(result.out, "(linear) x "));
  }
  CHECK(has(result.out, "--box"));
  CHECK_FALSE(has(run("m.onnx --radius 0.01", here).out, "activations have the slopes"));
}

TEST_CASE("sigmax-certify: several models have one page, which says what was proved of which") {
  if (!available()) return;
  scratch_folder const here("certify-compare");
  save_model(here / "a.onnx", "Tanh");
  save_model(here / "<b>.onnx", "Relu", 3, 5);
  save_model(here / "c.onnx", "Exp");
  save_model(here / "d.onnx", "NonZero");
  auto const result = run("a.onnx '<b>.onnx' c.onnx d.onnx --no-attack --html page.html", here);
  CHECK(result.status == 1);
  CHECK(has(result.out, "model"));
  CHECK(has(result.out, "all inputs"));
  CHECK(has(result.out, "refused"));
  auto const page = test::contents(here / "page.html");
  CHECK(test::problem_in_markup(page) == "");
  CHECK(has(page, "Lipschitz certificates of 4 models"));
  CHECK(has(page, "&lt;b&gt;.onnx"));
  CHECK(has(page, "nothing was proved"));
  CHECK(has(page, "NonZero"));
  CHECK(has(page, "answer different questions"));
  CHECK(!has(page, "nan"));
  auto const same = run("a.onnx a.onnx --radius 1 --html same.html", here);
  CHECK(same.status == 0);
  CHECK(has(same.out, "a ball of inputs"));
  CHECK(!has(test::contents(here / "same.html"), "answer different questions"));
  // Nothing proved, nothing written.
  CHECK(run("d.onnx d.onnx --html none.html", here).status == 1);
  CHECK(!std::filesystem::exists(here / "none.html"));
}

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
    CHECK(has(checked.out, "checked: "));
    auto const before = json::parse(test::contents(here / "made.json"));
    auto const after = json::parse(test::contents(here / "checked.json"));
    for (char const* const key : {"norms", "upper", "input", "layers"}) CHECK(before[key] == after[key]);
    CHECK(before["domain"]["type"] == after["domain"]["type"]);
    CHECK(after["checked"]["proof"] == "proof.json");
  }
  CHECK(run("m.onnx --no-attack --radius 0.5 --emit-proof proof.json", here).status == 0);
  auto const proof = json::parse(test::contents(here / "proof.json"));
  REQUIRE(proof["norms"].size() == 2);
  CHECK(proof["multipliers"].is_null());
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
  // Another norm is another question, and here its bound is larger.
  changed = proof;
  changed["norm"] = "linf";
  refused(changed, 1, "it claims L <= ");
  for (auto const& [key, value] : std::vector<std::pair<char const*, json>>{{"schema", "sigmax-proof-2"},
                                                                            {"statement", "anything"},
                                                                            {"method", "guess"},
                                                                            {"multipliers", json::array()},
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

TEST_CASE("sigmax-certify: the proof of a network of others is checked in seconds") {
  if (!available()) return;
  auto const model = std::filesystem::path(SIGMAX_DATA_DIR) / "onnx" / "mnist-net_256x2.onnx";
  if (!std::filesystem::exists(model)) {
    MESSAGE("skipped: there is no " << model.string());
    return;
  }
  scratch_folder const here("certify-proof-real");
  CHECK(run("'" + model.string() + "' --no-attack --emit-proof p.json", here).status == 0);
  auto const checked = run("'" + model.string() + "' --check-proof p.json --json -", here);
  CHECK(checked.status == 0);
  auto const j = json::parse(checked.out);
  CHECK(j["lipschitz_upper"].get<double>() >= 839.2578715);
  CHECK(j["lipschitz_upper"].get<double>() <= 839.2587);
  CHECK(j["seconds"].get<double>() < 5);
}
