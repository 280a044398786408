// SPDX-License-Identifier: MIT
// fuzz_seeds FOLDER: writes what the fuzzers start from to FOLDER/<name of the fuzzer>/.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <sigmax/core/matrix.hpp>
#include <sigmax/core/random.hpp>
#include <sigmax/core/scalar.hpp>
#include <sigmax/io/atomic_file.hpp>
#include <sigmax/io/onnx.hpp>
#include <sigmax/io/safetensors.hpp>
#include <sigmax/lipschitz/combinators.hpp>
#include <sigmax/lipschitz/layers.hpp>
#include <sigmax/lipschitz/rules/activation.hpp>

namespace {

using namespace sigmax;
using namespace sigmax::lipschitz;

auto small_linear(std::uint64_t seed) {
  matrix<float> w(2, 2);
  fill_normal(w.view(), seed);
  return linear(std::move(w), std::vector<float>{0.5f, -1.0f});
}

/// A model of one node over x with a stored tensor t, integers s and attributes a fuzzer can turn into others.
std::string one_node(char const* type, std::vector<std::string> const& inputs, std::int64_t opset) {
  ::onnx::ModelProto model;
  model.set_ir_version(8);
  model.add_opset_import()->set_version(opset);
  auto& graph = *model.mutable_graph();
  auto& input = *graph.add_input();
  input.set_name("x");
  auto& tensor = *input.mutable_type()->mutable_tensor_type();
  tensor.set_elem_type(::onnx::TensorProto::FLOAT);
  tensor.mutable_shape()->add_dim()->set_dim_param("n");
  tensor.mutable_shape()->add_dim()->set_dim_value(2);
  auto& t = *graph.add_initializer();
  t.set_name("t");
  t.set_data_type(::onnx::TensorProto::FLOAT);
  t.add_dims(2);
  t.add_dims(2);
  t.set_raw_data(std::string(16, '\x3f'));
  auto& s = *graph.add_initializer();
  s.set_name("s");
  s.set_data_type(::onnx::TensorProto::INT64);
  s.add_dims(1);
  s.add_int64_data(0);
  auto& node = *graph.add_node();
  node.set_op_type(type);
  for (auto const& name : inputs) node.add_input(name);
  node.add_output("y");
  auto& attribute = *node.add_attribute();
  attribute.set_name("axis");
  attribute.set_type(::onnx::AttributeProto::INT);
  attribute.set_i(1);
  graph.add_output()->set_name("y");
  return model.SerializeAsString();
}

void write_onnx(std::filesystem::path const& folder) {
  std::filesystem::create_directories(folder);
  auto const save = [&](std::string const& name, std::string const& bytes) {
    io::write_file(folder / (name + ".onnx"), bytes);
  };
  save("chain", io::onnx_bytes(network_of(sequential(small_linear(1), relu(), small_linear(2), gelu()), {1, 2})));
  save("residual", io::onnx_bytes(network_of(residual(0.5, sequential(small_linear(3), leaky_relu())), {3, 2})));
  save("shapes", io::onnx_bytes(network_of(sequential(flatten(), scale({1, 2, 3, 4}), clip(-1, 1)), {2, 2})));
  for (char const* const type : {"Gemm", "MatMul", "Add", "Sub", "Mul", "Div", "Sum", "PRelu"}) {
    for (std::int64_t const opset : {6, 13})
      save(std::string(type) + std::to_string(opset), one_node(type, {"x", "t"}, opset));
  }
  for (char const* const type : {"Reshape", "Squeeze", "Unsqueeze"}) save(type, one_node(type, {"x", "s"}, 13));
  for (char const* const type :
       {"Flatten", "Transpose", "Constant", "Identity", "Cast", "Dropout", "Relu", "Selu", "Conv"}) {
    save(type, one_node(type, {"x"}, 13));
  }
}

void write_safetensors(std::filesystem::path const& folder) {
  std::filesystem::create_directories(folder);
  auto const save = [&](std::string const& name, std::string const& bytes) {
    io::write_file(folder / (name + ".safetensors"), bytes);
  };
  matrix<float> w(3, 2);
  fill_normal(w.view(), 1);
  std::vector<bf16> const half(8, bf16(0.5f));
  std::vector<std::byte> const zeros(64);
  save("nothing", io::safetensors_bytes({}));
  save("metadata", io::safetensors_bytes({}, {{"format", "pt"}, {"\u00e4\n\"", "\U0001f600\\"}}));
  save("layer", io::safetensors_bytes({{"fc.weight", w}, {"fc.bias", w.view().col(0)}}, {{"step", "10"}}));
  save("shapes", io::safetensors_bytes({{"kernel", {1, 2, 2, 2}, half},
                                        {"scalar", {}, std::span(half).first(1)},
                                        {"none", {0, 7}, std::span(half).first(0)}}));
  for (int i = 0; i < 22; ++i) {
    auto const type = static_cast<io::element_type>(i);
    save(io::name_of(type), io::safetensors_bytes({{"t", type, {2, 4}, std::span(zeros).first(io::bits_of(type))}}));
  }
  // Legal, and not as our writer writes it.
  std::string const header = R"({"\u0061" : {"shape" : [ 2 ] , "data_offsets":[1,3],"dtype":"U8"},)"
                             R"("\ud83d\ude00\/":{"dtype":"I8","shape":[1],"data_offsets":[0,1]}})";
  std::string odd(8, '\0');
  odd[0] = static_cast<char>(header.size());
  save("odd", odd + header + "abc");
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: fuzz_seeds FOLDER\n", stderr);
    return 2;
  }
  try {
    write_onnx(std::filesystem::path(argv[1]) / "onnx");
    write_safetensors(std::filesystem::path(argv[1]) / "safetensors");
    return 0;
  } catch (std::exception const& e) {
    std::fprintf(stderr, "fuzz_seeds: %s\n", e.what());
    return 1;
  }
}
