// SPDX-License-Identifier: MIT
// sigmax-certify from outside: exit status, what goes where, and that nothing is left behind.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <iterator>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>
#include <onnx/onnx_pb.h>

#include <sigmax/config.hpp>
#include <sigmax/io/atomic_file.hpp>

#include "run_program.hpp"

namespace {

using nlohmann::json;
using sigmax::test::scratch_folder;

constexpr char const* certify = "sigmax-certify";

/// The program is switched off where a library is missing.
bool available() {
  if (std::filesystem::exists(sigmax::test::program_path(certify))) return true;
  MESSAGE("skipped: " << sigmax::test::program_path(certify).string() << " is not built");
  return false;
}

sigmax::test::finished run(std::string const& arguments, scratch_folder const& folder) {
  auto result = sigmax::test::run(certify, arguments, folder);
  INFO(result.err);
  CHECK(result.status >= 0);
  CHECK(result.status <= 2);
  return result;
}

/// Exit status 2, nothing on stdout, one line on stderr that has the part.
void check_refused(sigmax::test::finished const& result, int status, std::string const& part) {
  INFO(result.err);
  CHECK(result.status == status);
  CHECK(result.out.empty());
  CHECK(result.lines_of_err() == 1);
  CHECK(result.err.starts_with("sigmax-certify: "));
  CHECK(result.err.find(part) != std::string::npos);
}

/// A model of one input x of shape 1 x 2, its nodes still to be added.
onnx::ModelProto empty_model() {
  onnx::ModelProto model;
  model.set_ir_version(8);
  model.add_opset_import()->set_version(13);
  auto& graph = *model.mutable_graph();
  auto& input = *graph.add_input();
  input.set_name("x");
  auto& tensor = *input.mutable_type()->mutable_tensor_type();
  tensor.set_elem_type(onnx::TensorProto::FLOAT);
  tensor.mutable_shape()->add_dim()->set_dim_value(1);
  tensor.mutable_shape()->add_dim()->set_dim_value(2);
  graph.add_output()->set_name("y");
  return model;
}

onnx::NodeProto& add_node(onnx::ModelProto& model, char const* type, std::vector<std::string> const& inputs,
                          char const* output) {
  auto& node = *model.mutable_graph()->add_node();
  node.set_op_type(type);
  for (auto const& name : inputs) node.add_input(name);
  node.add_output(output);
  return node;
}

/// x -> tanh(diag(3, -1) x): Lipschitz constant 3.
void save_model(std::filesystem::path const& path) {
  auto model = empty_model();
  auto& w = *model.mutable_graph()->add_initializer();
  w.set_name("w");
  w.set_data_type(onnx::TensorProto::FLOAT);
  w.add_dims(2);
  w.add_dims(2);
  for (float const element : {3.0f, 0.0f, 0.0f, -1.0f}) w.add_float_data(element);
  add_node(model, "MatMul", {"x", "w"}, "h");
  add_node(model, "Tanh", {"h"}, "y");
  sigmax::io::write_file(path, model.SerializeAsString());
}

/// A model of one operator without a rule, or without a finite bound.
void save_node(std::filesystem::path const& path, char const* type) {
  auto model = empty_model();
  add_node(model, type, {"x"}, "y").set_name("the\nnode");
  sigmax::io::write_file(path, model.SerializeAsString());
}

auto files_in(scratch_folder const& folder) {
  return std::distance(std::filesystem::directory_iterator(folder.path()), {});
}

}  // namespace

TEST_CASE("sigmax-certify: a finite bound is printed and the status is 0") {
  if (!available()) return;
  scratch_folder const here("certify-good");
  save_model(here / "m.onnx");
  auto const result = run("m.onnx", here);
  CHECK(result.status == 0);
  CHECK(result.err.empty());
  CHECK(result.out.find("L <= 3.0000") != std::string::npos);
  CHECK(result.out.find("L >= 2.99") != std::string::npos);
  CHECK(result.out.find("real-arithmetic semantics") != std::string::npos);
  CHECK(files_in(here) == 1);
}

TEST_CASE("sigmax-certify: --json - leaves stdout to one object") {
  if (!available()) return;
  scratch_folder const here("certify-json");
  save_model(here / "m.onnx");
  auto const result = run("m.onnx --json - --norm linf --no-attack", here);
  CHECK(result.status == 0);
  CHECK(result.err.find("L <= ") != std::string::npos);
  auto const j = json::parse(result.out);
  CHECK(j["lipschitz_upper"].get<double>() >= 3);
  CHECK(j["lipschitz_upper"].get<double>() <= 3 * (1 + 1e-12));
  CHECK(j["norms"]["in"] == "linf");
  CHECK(j["lipschitz_lower"].is_null());
  CHECK(j["model"]["path"] == "m.onnx");
  CHECK(j["model"]["sha256"].get<std::string>().size() == 64);
  CHECK(j["seconds"].get<double>() >= 0);
  // What it computes on, not what it is compiled for: these names are those of cpu::native.
  auto const arch = j["arch"].get<std::string>();
  CHECK(run("--version", here).out.find("(" + arch + ")") != std::string::npos);
#if defined(__x86_64__)
  CHECK(arch.starts_with("x86-64"));
#endif
  // The same into a file, with the table on stdout.
  auto const filed = run("m.onnx --json out.json --norm linf --no-attack", here);
  CHECK(filed.status == 0);
  CHECK(filed.err.empty());
  auto again = json::parse(sigmax::test::contents(here / "out.json"));
  again["seconds"] = j["seconds"];
  CHECK(again == j);
}

TEST_CASE("sigmax-certify: the digest is SHA-256") {
  if (!available() || std::system("sha256sum --version >/dev/null 2>&1") != 0) return;
  scratch_folder const here("certify-digest");
  save_model(here / "m.onnx");
  auto const j = json::parse(run("m.onnx --json -", here).out);
  auto const command = "cd '" + here.path().string() + "' && sha256sum m.onnx > digest";
  REQUIRE(std::system(command.c_str()) == 0);
  CHECK(sigmax::test::contents(here / "digest").substr(0, 64) == j["model"]["sha256"].get<std::string>());
}

TEST_CASE("sigmax-certify: --html writes one self-contained page") {
  if (!available()) return;
  scratch_folder const here("certify-html");
  save_model(here / "<m>.onnx");
  auto const result = run("'<m>.onnx' --html page.html", here);
  CHECK(result.status == 0);
  auto const page = sigmax::test::contents(here / "page.html");
  CHECK(page.starts_with("<!doctype html>"));
  CHECK(page.find("&lt;m&gt;.onnx") != std::string::npos);
  CHECK(page.find("<m>") == std::string::npos);
  CHECK(page.find("<svg") != std::string::npos);
  CHECK(files_in(here) == 2);
}

TEST_CASE("sigmax-certify: operators without a rule and layers without a bound are named, status 1") {
  if (!available()) return;
  scratch_folder const here("certify-refused");
  save_node(here / "conv.onnx", "NonZero");
  check_refused(run("conv.onnx", here), 1, "conv.onnx: operator not supported: NonZero");
  auto const with_json = run("conv.onnx --json out.json", here);
  check_refused(with_json, 1, "NonZero");
  auto const j = json::parse(sigmax::test::contents(here / "out.json"));
  CHECK(j["lipschitz_upper"].is_null());
  CHECK(j["refused"][0]["op"] == "NonZero");
  save_node(here / "exp.onnx", "Exp");
  auto const unbounded = run("exp.onnx --json -", here);
  CHECK(unbounded.status == 1);
  auto const k = json::parse(unbounded.out);
  CHECK(k["lipschitz_upper"].is_null());
  CHECK(k["refused"][0]["op"] == "exp");
  CHECK(unbounded.err.find("no finite bound: 'the\\x0anode' (exp)") != std::string::npos);
}

TEST_CASE("sigmax-certify: several models are compared and give an array") {
  if (!available()) return;
  scratch_folder const here("certify-several");
  save_model(here / "a.onnx");
  save_model(here / "b.onnx");
  save_node(here / "c.onnx", "NonZero");
  auto const good = run("a.onnx b.onnx --json -", here);
  CHECK(good.status == 0);
  auto const j = json::parse(good.out);
  REQUIRE(j.is_array());
  CHECK(j.size() == 2);
  CHECK(j[0]["lipschitz_upper"] == j[1]["lipschitz_upper"]);
  // A line a model in the end: every method, the winner, exit status, time.
  auto const table = good.err.substr(good.err.rfind("model "));
  CHECK(std::count(table.begin(), table.end(), '\n') == 3);
  for (char const* const column : {"product", "L <=", "L >=", "method", "exit", "seconds"}) {
    CHECK(table.find(column) != std::string::npos);
  }
  auto const mixed = run("a.onnx c.onnx missing.onnx --json out.json", here);
  CHECK(mixed.status == 2);
  CHECK(mixed.lines_of_err() == 2);
  CHECK(mixed.out.find("refused") != std::string::npos);
  CHECK(mixed.out.find("unreadable") != std::string::npos);
  CHECK(json::parse(sigmax::test::contents(here / "out.json")).size() == 2);
}

TEST_CASE("sigmax-certify: wrong usage is one line and status 2") {
  if (!available()) return;
  scratch_folder const here("certify-usage");
  save_model(here / "m.onnx");
  check_refused(run("", here), 2, "MODEL");
  check_refused(run("m.onnx --norm l3", here), 2, "--norm");
  check_refused(run("m.onnx --method guess", here), 2, "--method");
  check_refused(run("m.onnx --nonsense", here), 2, "nonsense");
  check_refused(run("m.onnx --seed -1", here), 2, "--seed");
  check_refused(run("m.onnx --seed many", here), 2, "--seed");
  check_refused(run("m.onnx --json", here), 2, "--json");
  check_refused(run("''", here), 2, "MODEL");
  for (char const* const size : {"0", "x", "-1", "1T", "1.5G", "99999999999G", "''"}) {
    check_refused(run(std::string("m.onnx --max-memory ") + size, here), 2, "--max-memory");
  }
  for (char const* const gap : {"0", "1", "-1e-3", "nan", "inf"}) {
    check_refused(run(std::string("m.onnx --relative-gap=") + gap, here), 2, "--relative-gap");
  }
  CHECK(run("m.onnx --max-memory 64m --seed 7 --relative-gap 1e-3 --method product --norm l2", here).status == 0);
  CHECK(files_in(here) == 1);
}

TEST_CASE("sigmax-certify: what cannot be read is one line and status 2") {
  if (!available()) return;
  scratch_folder const here("certify-unreadable");
  save_model(here / "m.onnx");
  check_refused(run("missing.onnx", here), 2, "missing.onnx: there is no such file");
  check_refused(run(".", here), 2, "not a regular file");
  check_refused(run("/dev/zero", here), 2, "not a regular file");
  check_refused(run("m.onnx --max-memory 1k", here), 2, "m.onnx: ");
  check_refused(run("'new\nline'", here), 2, "new\\x0aline");
  sigmax::io::write_file(here / "text.onnx", "hello\n");
  check_refused(run("text.onnx --json out.json --html out.html", here), 2, "text.onnx: not an ONNX model");
  sigmax::io::write_file(here / "empty.onnx", "");
  check_refused(run("empty.onnx", here), 2, "no graph");
  CHECK(files_in(here) == 3);
}

TEST_CASE("sigmax-certify: NaN in a weight is named, status 2") {
  if (!available()) return;
  scratch_folder const here("certify-nan");
  save_model(here / "m.onnx");
  onnx::ModelProto model;
  REQUIRE(model.ParseFromString(sigmax::test::contents(here / "m.onnx")));
  model.mutable_graph()->mutable_initializer(0)->set_float_data(2, std::nanf(""));
  sigmax::io::write_file(here / "n.onnx", model.SerializeAsString());
  check_refused(run("n.onnx", here), 2, "element [1, 0] is NaN");
}

TEST_CASE("sigmax-certify: output that cannot be written is one line, status 2, and leaves no part of a file") {
  if (!available()) return;
  scratch_folder const here("certify-unwritable");
  save_model(here / "m.onnx");
  for (char const* const option : {"--json", "--html"}) {
    auto const missing = run(std::string("m.onnx ") + option + " none/out", here);
    CHECK(missing.status == 2);
    CHECK(missing.lines_of_err() == 1);
    CHECK(missing.err.find("cannot write 'none/out'") != std::string::npos);
    CHECK(run(std::string("m.onnx ") + option + " .", here).status == 2);
    CHECK(run(std::string("m.onnx ") + option + " ''", here).status <= 2);
    if (std::filesystem::exists("/dev/full")) {
      CHECK(run(std::string("m.onnx ") + option + " /dev/full", here).status == 2);
    }
  }
  if (std::filesystem::exists("/dev/full")) {
    auto const command = "cd '" + here.path().string() + "' && '" + sigmax::test::program_path(certify).string() +
                         "' m.onnx >/dev/full 2>/dev/null";
    int const raw = std::system(command.c_str());
    CHECK(WEXITSTATUS(raw) == 2);
  }
  CHECK(files_in(here) == 1);
}

TEST_CASE("sigmax-certify: --help teaches, --version tells") {
  if (!available()) return;
  scratch_folder const here("certify-help");
  auto const help = run("--help", here);
  CHECK(help.status == 0);
  CHECK(help.err.empty());
  for (char const* const part : {"--norm", "--json", "--html", "--max-memory", "--seed", "--no-attack",
                                 "--relative-gap", "Examples:", "Exit status:", "proven"}) {
    CHECK(help.out.find(part) != std::string::npos);
  }
  auto const told = run("--version", here);
  CHECK(told.status == 0);
  CHECK(told.out.find(sigmax::version) != std::string::npos);
}

TEST_CASE("sigmax-certify: networks of others") {
  if (!available()) return;
  auto const folder = std::filesystem::path(SIGMAX_DATA_DIR) / "onnx";
  if (!std::filesystem::exists(folder / "mnist-net_256x2.onnx")) {
    MESSAGE("skipped: there are no networks in " << folder.string());
    return;
  }
  scratch_folder const here("certify-real");
  auto const bound = [&](char const* name) {
    auto const result = run("'" + (folder / name).string() + "' --method product --json -", here);
    CHECK(result.status == 0);
    return json::parse(result.out)["lipschitz_upper"].get<double>();
  };
  double const mnist = bound("mnist-net_256x2.onnx");
  CHECK(mnist >= 839.2578715);
  CHECK(mnist <= 839.2587);
  double const acas = bound("ACASXU_run2a_1_1_batch_2000.onnx");
  CHECK(acas >= 28786941.16);
  CHECK(acas <= 28786970);
  double const residual = bound("resnet_2b.onnx");
  CHECK(residual > 0);
  CHECK(residual < 1e7);
}

TEST_CASE("sigmax-demo-network: makes a network that can be certified") {
  if (!available() || !std::filesystem::exists(sigmax::test::program_path("sigmax-demo-network"))) return;
  scratch_folder const here("demo-network");
  CHECK(sigmax::test::run("sigmax-demo-network", "net.onnx", here).status == 0);
  auto const result = run("net.onnx --json -", here);
  CHECK(result.status == 0);
  auto const j = json::parse(result.out);
  CHECK(j["lipschitz_lower"].get<double>() <= j["lipschitz_upper"].get<double>());
  CHECK(sigmax::test::run("sigmax-demo-network", "net2.onnx", here).status == 0);
  CHECK(sigmax::test::contents(here / "net.onnx") == sigmax::test::contents(here / "net2.onnx"));
  CHECK(sigmax::test::run("sigmax-demo-network", "", here).status == 2);
  CHECK(sigmax::test::run("sigmax-demo-network", "none/net.onnx", here).status == 2);
  CHECK(sigmax::test::run("sigmax-demo-network", "--help", here).status == 0);
}
