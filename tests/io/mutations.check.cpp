// SPDX-License-Identifier: MIT
// 1,000,000 mutations of files for each reader: what comes out is a result or one of sigmax's exceptions, in less than a
// second and within the memory that was allowed.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <ctime>
#include <exception>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <sigmax/core/error.hpp>
#include <sigmax/core/matrix.hpp>
#include <sigmax/core/random.hpp>
#include <sigmax/io/atomic_file.hpp>
#include <sigmax/io/onnx.hpp>
#include <sigmax/io/read_file.hpp>
#include <sigmax/io/safetensors.hpp>
#include <sigmax/lipschitz/combinators.hpp>
#include <sigmax/lipschitz/layers.hpp>
#include <sigmax/lipschitz/rules/activation.hpp>

#include "model_mutator.hpp"
#include "mutator.hpp"
#include "support/allocation_peak.hpp"

namespace {

using namespace sigmax;

constexpr int mutations = 1'000'000;

std::span<std::byte const> bytes_of(std::string const& text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

struct tally {
  int read = 0;
  int refused = 0;
  int wrong = 0;
  double slowest = 0;
  double seconds = 0;
  std::size_t largest = 0;
  /// What first went wrong.
  std::string problem = {};
};

/// Runs `read` on `file` and judges what it did: exceptions, processor time, memory beyond `limit`, file included.
template <class Read>
void judge(std::string const& file, std::uint64_t limit, tally& sum, Read const& read) {
  std::string problem;
  bool accepted = false;
  std::clock_t const start = std::clock();
  std::size_t const peak = peak_bytes_of([&] {
    try {
      read();
      accepted = true;
    } catch (error const& e) {
      std::string const text = e.what();
      if (text.empty() || text.find('\n') != std::string::npos || text.size() > 3000) problem = "message: " + text;
    } catch (std::exception const& e) {
      problem = std::string("foreign exception: ") + e.what();
    }
  });
  double const seconds = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
  if (seconds > 1) problem = "took " + std::to_string(seconds) + " s";
  // A refusal takes its own text.
  if (file.size() + peak > std::max<std::uint64_t>(limit, file.size() + 4096)) {
    problem = "held " + std::to_string(peak) + " bytes beside the file of " + std::to_string(file.size()) + ", " +
              std::to_string(limit) + " are allowed";
  }
  sum.slowest = std::max(sum.slowest, seconds);
  sum.seconds += seconds;
  sum.largest = std::max(sum.largest, peak);
  ++(accepted ? sum.read : sum.refused);
  if (problem.empty() || sum.wrong++ > 0) return;
  auto const kept = std::filesystem::temp_directory_path() / "sigmax-mutation";
  io::write_file(kept, file);
  sum.problem = problem + " (the file is kept as " + kept.string() + ")";
}

void report(std::string const& reader, tally const& sum) {
  MESSAGE(reader << ": " << sum.read << " read, " << sum.refused << " refused, slowest " << 1000 * sum.slowest
                 << " ms, all " << sum.seconds << " s, at most " << sum.largest << " bytes held");
  INFO(sum.problem);
  CHECK(sum.wrong == 0);
  CHECK(sum.read + sum.refused == mutations);
  // Mutations of numbers and names leave files; most break something.
  CHECK(sum.read > mutations / 100);
  CHECK(sum.refused > mutations / 2);
}

/// Weights as programs store them, in several shapes and types.
std::vector<std::string> weight_files() {
  matrix<float> w(24, 40);
  fill_normal(w.view(), 1);
  matrix<bf16> half(16, 16);
  fill_normal(half.view(), 2);
  matrix<double> d(5, 3);
  fill_normal(d.view(), 3);
  std::vector<f16> kernel(8 * 3 * 3 * 3, f16(0.25f));
  std::vector<std::byte> const zeros(64);
  std::vector<io::named_tensor> blocks;
  for (int layer = 0; layer < 12; ++layer) {
    auto const prefix = "blocks." + std::to_string(layer);
    blocks.emplace_back(prefix + ".attention.query.weight", half);
    blocks.emplace_back(prefix + ".attention.output.weight", half.view().transposed());
    blocks.emplace_back(prefix + ".norm.bias", half.view().row(layer));
  }
  std::vector<io::named_tensor> types;
  for (int i = 0; i < 22; ++i) {
    auto const type = static_cast<io::element_type>(i);
    types.emplace_back(std::string("t.") + io::name_of(type), type, std::vector<index_t>{2, 2, 2},
                       std::span(zeros).first(io::bits_of(type)));
  }
  return {
      io::safetensors_bytes({{"fc.weight", w}, {"fc.bias", w.view().col(0)}}, {{"format", "pt"}}),
      io::safetensors_bytes(blocks, {{"step", "1000"}, {"text", "\"\u00e4\\\n\""}}),
      io::safetensors_bytes({{"kernel", {8, 3, 3, 3}, kernel},
                             {"scalar", {}, std::span(kernel).first(1)},
                             {"none", {0, 7}, std::span(kernel).first(0)},
                             {"d", d}}),
      io::safetensors_bytes(types),
      io::safetensors_bytes({}, {{"nothing", "but this"}}),
  };
}

/// With a length that is that of the header as far as one can tell: up to the last '}' and what pads it.
void repair_length(std::string& file) {
  std::size_t const brace = file.rfind("]}}");
  if (brace == std::string::npos || file.size() < 8) return;
  std::uint64_t length = brace + 3 - 8;
  while (length + 8 < file.size() && length % 8 != 0 && file[length + 8] == ' ') ++length;
  std::memcpy(file.data(), &length, sizeof length);
}

/// True if another JSON parser sees the same header.
bool agrees(io::safetensors_file const& file, std::string const& bytes) {
  std::uint64_t length = 0;
  std::memcpy(&length, bytes.data(), sizeof length);
  auto const json = nlohmann::json::parse(bytes.begin() + 8, bytes.begin() + 8 + static_cast<std::ptrdiff_t>(length));
  bool same = json.size() == file.tensors().size() + (json.contains("__metadata__") ? 1 : 0);
  for (auto const& [name, value] : json.items()) {
    if (name == "__metadata__") {
      same = same && value.get<std::map<std::string, std::string>>() == file.metadata();
      continue;
    }
    auto const& tensor = file.at(name);
    same = same && value["dtype"] == io::name_of(tensor.type) &&
           value["shape"].get<std::vector<index_t>>() == tensor.shape &&
           value["data_offsets"] == nlohmann::json::array({tensor.begin, tensor.end});
  }
  return same;
}

/// Reads every element there is.
void use(io::safetensors_file const& file) {
  std::uint64_t covered = 0;
  for (auto const& tensor : file.tensors()) {
    covered += file.bytes(tensor).size();
    try {
      file.visit(tensor, [](auto const& elements) {
        double volatile sum = 0;
        for (index_t i = 0; i < elements.rows(); ++i) {
          for (index_t j = 0; j < elements.cols(); ++j) sum = sum + static_cast<double>(elements(i, j));
        }
      });
    } catch (unsupported_error const&) {
    }
  }
  if (covered > 1 << 20) throw std::logic_error("more bytes than the file has");
}

/// Models of ours, and small ones of others where there are any.
std::vector<std::string> network_files() {
  auto const layer = [](std::uint64_t seed) {
    matrix<float> w(8, 8);
    fill_normal(w.view(), seed);
    return lipschitz::linear(std::move(w), std::vector<float>(8, 0.5f));
  };
  using namespace lipschitz;
  std::vector<std::string> files{
      io::onnx_bytes(network_of(sequential(layer(1), relu(), layer(2), gelu()), {1, 8})),
      io::onnx_bytes(network_of(residual(0.5, sequential(layer(3), leaky_relu())), {3, 8})),
      io::onnx_bytes(network_of(sequential(flatten(), scale({1, 2, 3, 4}), clip(-1, 1)), {2, 2})),
  };
  auto const folder = std::filesystem::path(SIGMAX_DATA_DIR) / "onnx";
  for (char const* const name : {"ACASXU_run2a_1_1_batch_2000.onnx", "Convnet_maxpool.onnx", "cifar_base_kw.onnx",
                                 "resnet_2b.onnx", "mnist-net_256x2.onnx"}) {
    if (!std::filesystem::exists(folder / name)) {
      MESSAGE("skipped: there is no " << (folder / name).string());
      continue;
    }
    auto const bytes = io::read_file(folder / name, 2 << 20);
    files.emplace_back(reinterpret_cast<char const*>(bytes.data()), bytes.size());
  }
  return files;
}

}  // namespace

TEST_CASE("safetensors: 1,000,000 mutations of files") {
  auto const files = weight_files();
  test::mutator make(files);
  tally sum;
  int different = 0;
  for (int i = 0; i < mutations; ++i) {
    std::string const& original = files[make.next(files.size())];
    std::string file = make.mutated(original, std::max<std::size_t>(64, original.rfind("]}}") + 3));
    if (make.next(4) != 0) repair_length(file);
    // Tight for some, so that limits are met too.
    std::uint64_t const limit = file.size() + (make.next(8) == 0 ? 16384 + make.next(8192) : 65536);
    bool accepted = false;
    judge(file, limit, sum, [&] {
      use(io::parse_safetensors(bytes_of(file), {.max_memory = limit}));
      accepted = true;
    });
    if (accepted) different += agrees(io::parse_safetensors(bytes_of(file)), file) ? 0 : 1;
  }
  report("safetensors", sum);
  CHECK(different == 0);
}

TEST_CASE("onnx: 1,000,000 mutations of files") {
  auto const files = network_files();
  test::mutator make(files);
  tally sum;
  for (int i = 0; i < mutations; ++i) {
    std::size_t which = make.next(files.size());
    // Large files are slow, not better.
    if (files[which].size() > 100'000 && make.next(16) != 0) which = make.next(3);
    std::string const file =
        make.next(2) == 0 ? make.mutated(files[which], 2048) : test::mutated_model(files[which], make);
    std::uint64_t const limit = 4 * file.size() + (make.next(8) == 0 ? 32768 : 262144);
    judge(file, limit, sum, [&] { io::parse_onnx(bytes_of(file), {.max_memory = limit}); });
  }
  report("ONNX", sum);
}
