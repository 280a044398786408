// SPDX-License-Identifier: MIT
/// @file
/// sigmax-certify, the files it reads, and what it says.
#pragma once

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

namespace sigmax::test {

inline constexpr char const* certify = "sigmax-certify";

/// The program is switched off where a library is missing.
inline bool available() {
  if (std::filesystem::exists(program_path(certify))) return true;
  MESSAGE("skipped: " << program_path(certify).string() << " is not built");
  return false;
}

/// Runs the program in the folder.
inline finished run(std::string const& arguments, scratch_folder const& folder) {
  return run(certify, arguments, folder);
}

/// The status, nothing on stdout, one line on stderr that has the part.
inline void check_refused(finished const& result, int status, std::string const& part) {
  INFO(result.err);
  CHECK(result.status == status);
  CHECK(result.out.empty());
  CHECK(result.lines_of_err() == 1);
  CHECK(result.err.starts_with("sigmax-certify: "));
  CHECK(has(result.err, part));
}

inline void put(scratch_folder const& here, char const* name, std::string const& text) {
  sigmax::io::write_file(here / name, text);
}

/// x -> V activation(W x) of `width` elements, V = W = diag(3, -1, ...) or full of `seed`'s numbers.
inline void save_model(std::filesystem::path const& path, char const* activation, int width = 2, unsigned seed = 0) {
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

inline double upper_of(finished const& result) {
  return nlohmann::json::parse(result.out)["lipschitz_upper"].get<double>();
}

}  // namespace sigmax::test
