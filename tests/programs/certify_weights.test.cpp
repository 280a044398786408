// SPDX-License-Identifier: MIT
// sigmax-certify on files of weights, from outside.
#include <charconv>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include <Eigen/Dense>
#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <sigmax/core/matrix.hpp>
#include <sigmax/core/random.hpp>
#include <sigmax/io/atomic_file.hpp>
#include <sigmax/io/safetensors.hpp>

#include "run_program.hpp"
#include "support/singular_values.hpp"

namespace {

using namespace sigmax;
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
  return sigmax::test::run(certify, arguments, folder);
}

void check_refused(sigmax::test::finished const& result, int status, std::string const& part) {
  INFO(result.err);
  CHECK(result.status == status);
  CHECK(result.lines_of_err() == 1);
  CHECK(result.err.starts_with("sigmax-certify: "));
  CHECK(result.err.find(part) != std::string::npos);
}

bool has(std::string const& text, char const* part) { return text.find(part) != std::string::npos; }

/// Everything there may be in a file that is in order.
void save_everything(std::filesystem::path const& path) {
  matrix<float> w(2, 8);
  w(0, 0) = 3;
  w(1, 7) = -2;
  matrix<double> square(3, 3);
  fill_normal(square.view(), 5);
  std::vector<f16> const kernel(2 * 3 * 2 * 2, f16(0.5f));
  std::vector<bf16> const bias{bf16(3.0f), bf16(-4.0f)};
  std::vector<std::int64_t> const ids{1, 2};
  matrix<float> const zero(2, 3);
  io::save_safetensors(path, {{"fc.weight", w},
                              {"square", square},
                              {"conv.weight", {2, 3, 2, 2}, kernel},
                              {"fc.bias", {2}, bias},
                              {"scale", {}, std::span(bias).first(1)},
                              {"none", {0, 7}, std::span(bias).first(0)},
                              {"zero", zero},
                              {"mask", io::element_type::boolean, {2}, std::as_bytes(std::span(ids)).first(2)},
                              {"ids", io::element_type::i64, {2}, std::as_bytes(std::span(ids))}});
}

json const& tensor(json const& report, std::string const& name) {
  for (auto const& each : report["tensors"]) {
    if (each["name"] == name) return each;
  }
  FAIL("no tensor " << name);
  return report;
}

/// The upper end in the three ways it is written: a decimal not below, and exactly.
double upper(json const& norm) {
  auto const decimal = norm["upper"]["decimal"].get<std::string>();
  double near = 0;
  std::from_chars(decimal.data(), decimal.data() + decimal.size(), near);
  auto const mantissa = std::strtod(norm["upper"]["mantissa_hex"].get<std::string>().c_str(), nullptr);
  double const exact = std::ldexp(mantissa, norm["upper"]["exp2"].get<int>());
  CHECK(near >= exact);
  CHECK(near <= exact * (1 + 1e-15));
  return exact;
}

}  // namespace

TEST_CASE("sigmax-certify weights: the table") {
  if (!available()) return;
  scratch_folder const here("weights-table");
  save_everything(here / "m.safetensors");
  auto const result = run("m.safetensors", here);
  INFO(result.out);
  CHECK(result.status == 0);
  CHECK(result.err.empty());
  CHECK(has(result.out, "fc.weight    F32   2 x 8          matrix     2.999999"));
  CHECK(has(result.out, "6.000000"));  // sqrt(8 / 2) * 3
  CHECK(has(result.out, "conv.weight  F16   2 x 3 x 2 x 2  flattened"));
  CHECK(has(result.out, "not that of the convolution"));
  CHECK(has(result.out, "fc.bias      BF16  2              vector     4.99999"));
  CHECK(has(result.out, "scale        BF16  scalar         scalar     2.99999"));
  CHECK(has(result.out, "ids          I64   2              skipped"));
  CHECK(has(result.out, "integers"));
  CHECK(has(result.out, "truth values"));
  CHECK(has(result.out, "4 matrices, 1 flattened tensor, 1 vector, 1 scalar, 2 skipped\n"));
  CHECK(has(result.out, "real arithmetic"));
}

TEST_CASE("sigmax-certify weights: JSON") {
  if (!available()) return;
  scratch_folder const here("weights-json");
  save_everything(here / "m.safetensors");
  auto const result = run("m.safetensors --json -", here);
  CHECK(result.status == 0);
  CHECK(has(result.err, "fc.weight"));
  auto const report = json::parse(result.out);
  CHECK(report["model"]["path"] == "m.safetensors");
  CHECK(report["model"]["sha256"].get<std::string>().size() == 64);
  CHECK(report["tensors"].size() == 9);
  CHECK(report["refused"].empty());
  CHECK(report["seconds"].get<double>() >= 0);
  CHECK(report["version"] == version);
  CHECK(run("--version", here).out.find("(" + report["arch"].get<std::string>() + ")") != std::string::npos);

  auto const& w = tensor(report, "fc.weight");
  CHECK(w["dtype"] == "F32");
  CHECK(w["shape"] == json::array({2, 8}));
  CHECK(w["taken_as"] == "matrix");
  CHECK(w["spectral_norm"]["lower"].get<double>() <= 3);
  CHECK(w["spectral_norm"]["lower"].get<double>() >= 3 * (1 - 1e-7));
  CHECK(upper(w["spectral_norm"]) >= 3);
  CHECK(upper(w["spectral_norm"]) <= 3 * (1 + 1e-7));
  CHECK(upper(w["rms_norm"]) >= 2 * upper(w["spectral_norm"]));
  CHECK(upper(w["rms_norm"]) <= 2 * upper(w["spectral_norm"]) * (1 + 1e-15));
  CHECK(w["reason"].is_null());
  CHECK(!w["proof"].get<std::string>().empty());
  auto const& square = tensor(report, "square");
  CHECK(upper(square["rms_norm"]) == upper(square["spectral_norm"]));
  CHECK(tensor(report, "conv.weight")["taken_as"] == "flattened");
  CHECK(tensor(report, "conv.weight")["rms_norm"].is_null());
  CHECK(upper(tensor(report, "conv.weight")["spectral_norm"]) >= std::sqrt(24 * 0.25) * (1 - 1e-15));
  CHECK(tensor(report, "fc.bias")["taken_as"] == "vector");
  CHECK(upper(tensor(report, "fc.bias")["spectral_norm"]) >= 5);
  CHECK(tensor(report, "scale")["taken_as"] == "scalar");
  for (char const* const name : {"zero", "none"}) {
    CHECK(tensor(report, name)["spectral_norm"]["lower"] == 0);
    CHECK(tensor(report, name)["spectral_norm"]["upper"]["decimal"] == "0");
    CHECK(tensor(report, name)["rms_norm"]["upper"]["decimal"] == "0");
  }
  CHECK(tensor(report, "ids")["taken_as"] == "skipped");
  CHECK(tensor(report, "ids")["spectral_norm"].is_null());
  CHECK(tensor(report, "ids")["reason"] == "integers");
  CHECK(tensor(report, "mask")["reason"] == "truth values");

  CHECK(run("m.safetensors --json out.json", here).status == 0);
  auto filed = json::parse(sigmax::test::contents(here / "out.json"));
  filed["seconds"] = report["seconds"];
  CHECK(filed == report);
}

TEST_CASE("sigmax-certify weights: the ends enclose what a singular value decomposition finds") {
  if (!available()) return;
  scratch_folder const here("weights-svd");
  std::vector<Eigen::MatrixXf> weights;
  std::vector<io::named_tensor> tensors;
  int const shapes[][2] = {{1, 1}, {1, 9}, {9, 1}, {20, 20}, {64, 10}, {10, 64}, {33, 47}};
  std::srand(7);
  for (auto const& shape : shapes) weights.push_back(Eigen::MatrixXf::Random(shape[0], shape[1]));
  tensors.reserve(weights.size());
  for (auto const& w : weights) tensors.emplace_back(std::to_string(tensors.size()), w);
  io::save_safetensors(here / "m.safetensors", tensors);
  auto const report = json::parse(run("m.safetensors --json -", here).out);
  for (std::size_t i = 0; i < weights.size(); ++i) {
    CAPTURE(i);
    auto const& w = weights[i];
    double const sigma = oracle::largest_singular_value(w.cast<double>());
    auto const& row = tensor(report, std::to_string(i));
    CHECK(row["spectral_norm"]["lower"].get<double>() <= sigma * (1 + 1e-13));
    CHECK(upper(row["spectral_norm"]) >= sigma * (1 - 1e-13));
    CHECK(upper(row["spectral_norm"]) <= sigma * (1 + 2e-7));
    double const factor = std::sqrt(static_cast<double>(w.cols()) / static_cast<double>(w.rows()));
    CHECK(upper(row["rms_norm"]) >= factor * sigma * (1 - 1e-13));
    CHECK(upper(row["rms_norm"]) <= factor * sigma * (1 + 2e-7));
  }
}

TEST_CASE("sigmax-certify weights: what is not finite is refused by name and position, the rest is proved, status 1") {
  if (!available()) return;
  scratch_folder const here("weights-nan");
  matrix<float> good(2, 2);
  good(0, 0) = 1;
  matrix<bf16> bad(3, 2);
  bad(1, 1) = bf16(std::numeric_limits<float>::quiet_NaN());
  std::vector<double> const infinite{1, 2, 3, 4, -std::numeric_limits<double>::infinity(), 6};
  io::save_safetensors(here / "m.safetensors", {{"good", good}, {"bad\x1b[31m", bad}, {"worse", {1, 3, 2}, infinite}});
  auto const result = run("m.safetensors --json out.json", here);
  check_refused(result, 1,
                "m.safetensors: refused: tensor 'worse': element [0, 2, 0] is -infinity; tensor "
                "'bad\\x1b[31m': element [1, 1] is NaN");
  CHECK(has(result.out, "good"));
  CHECK(has(result.out, "1 matrix, 2 refused"));
  CHECK(!has(result.out, "\x1b"));
  auto const report = json::parse(sigmax::test::contents(here / "out.json"));
  CHECK(report["refused"].size() == 2);
  CHECK(report["refused"][1]["name"] == "bad\\x1b[31m");
  CHECK(report["refused"][1]["reason"] == "element [1, 1] is NaN");
  CHECK(report["tensors"].size() == 3);
  CHECK(upper(tensor(report, "good")["spectral_norm"]) >= 1);
}

TEST_CASE("sigmax-certify weights: types without exact doubles are refused, not skipped") {
  if (!available()) return;
  scratch_folder const here("weights-types");
  std::vector<std::byte> const zeros(64);
  std::vector<io::named_tensor> tensors;
  for (int i = 0; i < 22; ++i) {
    auto const type = static_cast<io::element_type>(i);
    tensors.emplace_back(io::name_of(type), type, std::vector<index_t>{4, 2},
                         std::span(zeros).first(io::bits_of(type)));
  }
  io::save_safetensors(here / "m.safetensors", tensors);
  auto const result = run("m.safetensors --json -", here);
  CHECK(result.status == 1);
  CHECK(has(result.err, "tensor 'F8_E4M3': sigmax does not compute with F8_E4M3"));
  auto const report = json::parse(result.out);
  int refused = 0, skipped = 0, proved = 0;
  for (auto const& each : report["tensors"]) {
    refused += each["taken_as"] == "refused" ? 1 : 0;
    skipped += each["taken_as"] == "skipped" ? 1 : 0;
    proved += each["taken_as"] == "matrix" ? 1 : 0;
  }
  CHECK(proved == 4);
  CHECK(skipped == 9);
  CHECK(refused == 9);
}

TEST_CASE("sigmax-certify weights: extreme norms and little memory") {
  if (!available()) return;
  scratch_folder const here("weights-extreme");
  matrix<double> large(4, 4);
  matrix<double> small(2, 8);
  for (index_t i = 0; i < 16; ++i) {
    large.data()[i] = 1e308;
    small.data()[i] = 5e-324;
  }
  io::save_safetensors(here / "m.safetensors", {{"large", large}, {"small", small}});
  auto const result = run("m.safetensors --json -", here);
  CHECK(result.status == 0);
  CHECK(has(result.err, "4.00000000"));
  auto const report = json::parse(result.out);
  auto const& norm = tensor(report, "large")["spectral_norm"];
  CHECK(norm["upper"]["decimal"].get<std::string>().starts_with("4.0000000"));
  CHECK(norm["upper"]["decimal"].get<std::string>().ends_with("e+308"));
  CHECK(norm["upper"]["exp2"].get<int>() > 1024);
  CHECK(norm["lower"].get<double>() > 1.7e308);
  CHECK(upper(tensor(report, "small")["spectral_norm"]) >= 2e-323);

  matrix<float> wide(100, 5000);
  fill_normal(wide.view(), 1);
  io::save_safetensors(here / "w.safetensors", {{"wide", wide}});
  check_refused(run("w.safetensors --max-memory 3M", here), 1, "tensor 'wide': proving its norm takes ");
  check_refused(run("w.safetensors --max-memory 1M", here), 2, "w.safetensors: the file takes 2000");
  CHECK(run("w.safetensors --max-memory 20M", here).status == 0);
}

TEST_CASE("sigmax-certify weights: files are recognised by name or content") {
  if (!available()) return;
  scratch_folder const here("weights-recognised");
  save_everything(here / "weights.bin");
  CHECK(has(run("weights.bin", here).out, "fc.weight"));
  io::save_safetensors(here / "empty.onnx", {}, {{"format", "pt"}});
  auto const empty = run("empty.onnx", here);
  CHECK(empty.status == 0);
  CHECK(has(empty.out, "no tensors"));
  io::write_file(here / "text.safetensors", "hello, world");
  check_refused(run("text.safetensors", here), 2, "text.safetensors: not a safetensors file: its first 8 bytes say");
}

TEST_CASE("sigmax-certify weights: what cannot be read is one line and status 2, an unknown type status 1") {
  if (!available()) return;
  scratch_folder const here("weights-unreadable");
  save_everything(here / "m.safetensors");
  auto const bytes = sigmax::test::contents(here / "m.safetensors");
  for (std::size_t const size : {std::size_t{0}, std::size_t{7}, std::size_t{8}, std::size_t{100}, bytes.size() - 1}) {
    io::write_file(here / "cut.safetensors", bytes.substr(0, size));
    auto const result = run("cut.safetensors --json out.json", here);
    check_refused(result, 2, "cut.safetensors: ");
    CHECK(result.out.empty());
    CHECK(!std::filesystem::exists(here / "out.json"));
  }
  std::size_t const type = bytes.find("BF16");
  REQUIRE(type != std::string::npos);
  io::write_file(here / "unknown.safetensors", bytes.substr(0, type) + "F128" + bytes.substr(type + 4));
  auto const result = run("unknown.safetensors --json out.json", here);
  check_refused(result, 1, "dtype is 'F128', which sigmax does not know");
  auto const report = json::parse(sigmax::test::contents(here / "out.json"));
  CHECK(report["tensors"].empty());
  CHECK(report["refused"].size() == 1);
}

TEST_CASE("sigmax-certify weights: options of networks are refused, several files go together") {
  if (!available()) return;
  scratch_folder const here("weights-options");
  save_everything(here / "m.safetensors");
  check_refused(run("m.safetensors --html page.html", here), 2, "m.safetensors: --html is for networks");
  check_refused(run("m.safetensors --norm linf", here), 2, "m.safetensors: --norm linf is for networks");
  CHECK(!std::filesystem::exists(here / "page.html"));
  auto const coarse = run("m.safetensors --relative-gap 1e-2 --no-attack", here);
  CHECK(coarse.status == 0);
  auto const both = run("m.safetensors m.safetensors missing.onnx --json out.json", here);
  CHECK(both.status == 2);
  CHECK(both.lines_of_err() == 1);
  CHECK(has(both.out, " weights"));
  CHECK(json::parse(sigmax::test::contents(here / "out.json")).size() == 2);
  auto const help = run("--help", here).out;
  CHECK(has(help, "safetensors"));
  CHECK(has(help, "not the norm of the convolution"));
}
