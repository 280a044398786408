// SPDX-License-Identifier: MIT
// Networks of others, where they are at hand (see ../shared/data).
#include <filesystem>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <sigmax/io/onnx.hpp>
#include <sigmax/lipschitz/certify.hpp>

#include "model_builder.hpp"

namespace {

using namespace sigmax;

/// The path, or nothing where the file is not at hand; says so.
std::filesystem::path model(char const* name) {
  auto const path = std::filesystem::path(SIGMAX_DATA_DIR) / "onnx" / name;
  if (std::filesystem::exists(path)) return path;
  MESSAGE("skipped: there is no " << path.string());
  return {};
}

}  // namespace

// The intervals hold the product of the spectral norms in exact arithmetic at their left end, and what a relative gap
// of 1e-7 a layer may add at their right end.
TEST_CASE("onnx: mnist-net_256x2") {
  auto const path = model("mnist-net_256x2.onnx");
  if (path.empty()) return;
  auto const c = test::certify(test::load(path));
  CHECK(c.upper() >= 839.2578715);
  CHECK(c.upper() <= 839.2587);
  CHECK(c.input_shape() == lipschitz::tensor_shape{1, 784, 1});
  REQUIRE(c.lower());
  CHECK(c.lower()->proven);
  CHECK(c.lower()->value <= c.upper());
}

TEST_CASE("onnx: ACAS Xu 1_1") {
  auto const path = model("ACASXU_run2a_1_1_batch_2000.onnx");
  if (path.empty()) return;
  auto const c = test::certify(test::load(path));
  CHECK(c.upper() >= 28786941.16);
  CHECK(c.upper() <= 28786970);
  CHECK(c.output_shape() == lipschitz::tensor_shape{1, 5});
}

TEST_CASE("onnx: convolutional networks are certified in l2 and linf above what the attack proves") {
  struct row {
    char const* file;
    double l2;
    double linf;
  };
  // The bounds of the product of layers; the largest singular values of these layers are checked in lipschitz_test.
  for (auto const& [file, l2, linf] : {row{"Convnet_maxpool.onnx", 598.1, 6869}, row{"cifar_base_kw.onnx", 20.6, 7171},
                                       row{"resnet_2b.onnx", 1514, 2.096e7}}) {
    auto const path = model(file);
    if (path.empty()) continue;
    auto const net = test::load(path);
    for (bool const euclidean : {true, false}) {
      auto const c = test::certify(net, {.norm = euclidean ? norm::any(norm::l2) : norm::any(norm::linf)});
      REQUIRE(c.lower());
      CHECK(c.lower()->proven);
      CHECK(c.lower()->value <= c.upper());
      CHECK(c.upper() <= (euclidean ? l2 : linf));
      MESSAGE(std::string(file) << std::string(euclidean ? " l2 " : " linf ") << c.upper()
                                << " >= L >= " << c.lower()->value);
    }
  }
}

TEST_CASE("onnx: the wire scan's estimate of real files is above what protobuf takes and within three times that") {
  for (char const* const file : {"mnist-net_256x2.onnx", "ACASXU_run2a_1_1_batch_2000.onnx", "resnet_2b.onnx"}) {
    auto const path = model(file);
    if (path.empty()) continue;
    auto const bytes = test::read_bytes(path);
    auto const summary = io::scan_onnx_wire(test::as_span(bytes), UINT64_MAX);
    onnx::ModelProto parsed;
    REQUIRE(parsed.ParseFromString(bytes));
    CHECK(summary.memory >= bytes.size() + static_cast<std::size_t>(parsed.SpaceUsedLong()));
    CHECK(summary.memory <= 3 * (bytes.size() + static_cast<std::size_t>(parsed.SpaceUsedLong())));
  }
}

TEST_CASE("onnx: a real file cut anywhere or flipped anywhere ends in a network or an error of ours") {
  auto const path = model("ACASXU_run2a_1_1_batch_2000.onnx");
  if (path.empty()) return;
  auto const bytes = test::read_bytes(path);
  int networks = 0;
  auto const read = [&](std::string const& changed) {
    try {
      test::parse(changed, {.max_memory = 64 << 20});
      ++networks;
    } catch (error const&) {
    }
  };
  // The structure at either end byte by byte, and a sample of the weights between.
  for (std::size_t at = 0; at < bytes.size(); at += at < 400 || at + 1200 > bytes.size() ? 1 : 499) {
    read(bytes.substr(0, at));
    std::string flipped = bytes;
    flipped[at] = static_cast<char>(flipped[at] ^ 0x55);
    read(flipped);
  }
  CHECK(networks > 0);
}
