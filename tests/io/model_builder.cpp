// SPDX-License-Identifier: MIT
#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <sigmax/io/onnx.hpp>
#include <sigmax/lipschitz/certify.hpp>

#include "model_builder.hpp"

namespace sigmax::test {

using namespace sigmax;

lipschitz::network parse(std::string const& bytes, io::onnx_options const& options) {
  return io::parse_onnx(as_span(bytes), options);
}

lipschitz::network load(std::filesystem::path const& path, io::onnx_options const& options) {
  return io::load_onnx(path, options);
}

lipschitz::certificate certify(lipschitz::network const& net, lipschitz::certify_options const& options) {
  auto by_layers = options;
  by_layers.methods.which = sigmax::lipschitz::method::product;
  return lipschitz::certify(net, by_layers);
}

std::string save(lipschitz::network const& net) { return io::onnx_bytes(net); }

void save(lipschitz::network const& net, std::filesystem::path const& path) { io::save_onnx(net, path); }

std::vector<double> evaluate(lipschitz::network const& net, std::vector<double> const& x) {
  std::vector<std::vector<double>> values{x};
  for (lipschitz::node_id id = 1; id < net.size(); ++id) {
    auto const& node = net[id];
    std::vector<std::span<double const>> inputs;
    std::vector<lipschitz::tensor_shape> shapes;
    for (auto const from : node.inputs) {
      inputs.emplace_back(values[static_cast<std::size_t>(from)]);
      shapes.push_back(net[from].shape);
    }
    std::vector<double> y(static_cast<std::size_t>(lipschitz::element_count(node.shape)));
    node.rule.evaluate<double>(inputs, shapes, y);
    values.push_back(std::move(y));
  }
  return values[static_cast<std::size_t>(net.output())];
}

}  // namespace sigmax::test
