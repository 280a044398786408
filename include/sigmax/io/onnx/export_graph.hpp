// SPDX-License-Identifier: MIT
/// @file
/// From a network to an ONNX model, node by node.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <onnx/onnx_pb.h>

#include <sigmax/bound/interval.hpp>
#include <sigmax/config.hpp>
#include <sigmax/core/error.hpp>
#include <sigmax/io/onnx/activation_names.hpp>
#include <sigmax/io/onnx/data_type.hpp>
#include <sigmax/io/onnx/model_writer.hpp>
#include <sigmax/io/printable.hpp>
#include <sigmax/lipschitz/network.hpp>
#include <sigmax/lipschitz/rules/activation_rule.hpp>
#include <sigmax/lipschitz/rules/add_constant.hpp>
#include <sigmax/lipschitz/rules/any_rule.hpp>
#include <sigmax/lipschitz/rules/constant.hpp>
#include <sigmax/lipschitz/rules/identity.hpp>
#include <sigmax/lipschitz/rules/linear.hpp>
#include <sigmax/lipschitz/rules/rearrange.hpp>
#include <sigmax/lipschitz/rules/scale.hpp>
#include <sigmax/lipschitz/rules/weighted_sum.hpp>

namespace sigmax::inline SIGMAX_ABI::io::onnx_detail {

/// One export. All tensors have one element type: float if every stored number is a float, else double.
class graph_export {
 public:
  explicit graph_export(lipschitz::network const& net)
      : net_(net), out_(all_floats(net) ? data_type::float32 : data_type::float64) {}

  ::onnx::ModelProto run() {
    for (lipschitz::node_id id = 0; id < net_.size(); ++id) names_.push_back("value_" + std::to_string(id));
    names_[static_cast<std::size_t>(net_.output())] = "output";
    names_[0] = "input";
    out_.describe(*out_.graph().add_input(), "input", net_.input_shape());
    out_.describe(*out_.graph().add_output(), "output", net_.output_shape());
    if (net_.output() == net_.input()) out_.add_node("Identity", {"input"}, "output", "identity");
    auto const needed = nodes_needed();
    for (lipschitz::node_id id = 1; id < net_.size(); ++id) {
      if (needed[static_cast<std::size_t>(id)] == 0) continue;
      current_ = id;
      if (!as_known(node().rule, [&](auto const& rule) { write(rule); })) refuse("it has no form in ONNX");
    }
    return out_.finish();
  }

 private:
  lipschitz::network_node const& node() const { return net_[current_]; }
  std::string const& output() const { return names_[static_cast<std::size_t>(current_)]; }
  std::string const& input(std::size_t i = 0) const { return names_[static_cast<std::size_t>(node().inputs[i])]; }
  tensor_shape const& input_shape() const { return net_[node().inputs[0]].shape; }

  /// Calls f with the rule as the type it is, if that is one of these. @return whether it is.
  template <class... Known, class F>
  static bool call_as(lipschitz::any_rule const& rule, F const& f) {
    return ((rule.as<Known>() != nullptr && (f(*rule.as<Known>()), true)) || ...);
  }
  template <class F>
  static bool as_known(lipschitz::any_rule const& rule, F const& f) {
    namespace rules = lipschitz::rules;
    return call_as<rules::identity, rules::linear, rules::constant, rules::add_constant, rules::scale, rules::rearrange,
                   rules::weighted_sum, rules::activation>(rule, f);
  }

  [[noreturn]] void refuse(std::string const& reason) const {
    throw unsupported_error("layer " + in_quotes(node().name) + " (" + node().rule.operator_name() + "): " + reason);
  }

  std::vector<char> nodes_needed() const {
    std::vector<char> needed(static_cast<std::size_t>(net_.size()), 0);
    needed[static_cast<std::size_t>(net_.output())] = 1;
    for (lipschitz::node_id id = net_.size(); id-- > 0;) {
      if (needed[static_cast<std::size_t>(id)] == 0) continue;
      for (lipschitz::node_id const from : net_[id].inputs) needed[static_cast<std::size_t>(from)] = 1;
    }
    return needed;
  }

  // ------------------------------------------------------------------------------------------------ element type

  static bool floats(std::vector<double> const& values) {
    for (double const value : values) {
      if (!is_float(value)) return false;
    }
    return true;
  }
  static bool floats(lipschitz::weight const& w) {
    return w.visit([]<class View>(View const&) { return !std::is_same_v<typename View::value_type, double>; });
  }
  static bool all_floats(lipschitz::network const& net) {
    bool all = true;
    for (auto const& each : net.nodes()) {
      as_known(each.rule, [&]<class R>(R const& rule) {
        using namespace lipschitz::rules;
        if constexpr (std::is_same_v<R, linear>) all = all && floats(rule.matrix()) && is_float(rule.coefficient());
        if constexpr (std::is_same_v<R, lipschitz::rules::constant>) all = all && floats(rule.values());
        if constexpr (std::is_same_v<R, add_constant>)
          all = all && floats(rule.values()) && is_float(rule.coefficient());
        if constexpr (std::is_same_v<R, scale>) all = all && floats(rule.factors());
        if constexpr (std::is_same_v<R, weighted_sum>) {
          for (interval const c : rule.coefficients()) all = all && is_float(c.lower);
        }
      });
    }
    return all;
  }

  ::onnx::NodeProto& add_node(char const* type, std::initializer_list<std::string> inputs) {
    return out_.add_node(type, inputs, output(), node().name);
  }

  void set_attribute(::onnx::NodeProto& added, char const* name, double value) {
    if (!is_float(value)) refuse(std::string("parameter '") + name + "' is no float; ONNX stores floats there");
    auto& attribute = *added.add_attribute();
    attribute.set_name(name);
    attribute.set_type(::onnx::AttributeProto::FLOAT);
    attribute.set_f(static_cast<float>(value));
  }

  // ------------------------------------------------------------------------------------------------ rules

  void write(lipschitz::rules::identity const&) { add_node("Identity", {input()}); }

  void write(lipschitz::rules::constant const& rule) {
    auto const stored = out_.store(rule.shape(), rule.values());
    add_node("Identity", {stored});
  }

  void write(lipschitz::rules::linear const& rule) {
    auto const& w = rule.matrix();
    double const c = rule.coefficient();
    bool const gemm = input_shape().size() == 2;
    bool const inside = gemm && is_float(c);
    std::string const product = inside || c == 1 ? output() : output() + "/product";
    if (gemm) {
      auto const name = out_.store(
          {w.rows(), w.cols()}, w.rows() * w.cols(), [&](index_t i) { return w(i / w.cols(), i % w.cols()); },
          out_.type());
      auto& added = out_.add_node("Gemm", {input(), name}, product, node().name);
      auto& trans = *added.add_attribute();
      trans.set_name("transB");
      trans.set_type(::onnx::AttributeProto::INT);
      trans.set_i(1);
      if (inside && c != 1) set_attribute(added, "alpha", c);
    } else {
      auto const name = out_.store(
          {w.cols(), w.rows()}, w.rows() * w.cols(), [&](index_t i) { return w(i % w.rows(), i / w.rows()); },
          out_.type());
      out_.add_node("MatMul", {input(), name}, product, node().name);
    }
    if (product != output()) out_.add_node("Mul", {product, out_.store(c)}, output(), node().name + "/scale");
  }

  void write(lipschitz::rules::add_constant const& rule) {
    if (rule.values().empty()) {
      add_node("Identity", {input()});
      return;
    }
    auto values = rule.values();
    double const c = rule.coefficient();
    for (double& value : values) {
      double const product = c * value;
      bool const exact = std::fma(c, value, -product) == 0 && (product != 0 || c == 0 || value == 0);
      if (!exact || (out_.type() == data_type::float32 && !is_float(product))) {
        refuse("coefficient times constant is no number of the stored type");
      }
      value = product;
    }
    add_node("Add", {input(), out_.store_repeating(values, input_shape())});
  }

  void write(lipschitz::rules::scale const& rule) {
    bool const divides = rule.how() == lipschitz::rules::scale::operation::divide;
    add_node(divides ? "Div" : "Mul", {input(), out_.store_repeating(rule.factors(), input_shape())});
  }

  void write(lipschitz::rules::weighted_sum const& rule) {
    std::vector<std::string> terms;
    for (std::size_t i = 0; i < rule.coefficients().size(); ++i) {
      interval const c = rule.coefficients()[i];
      if (!c.is_point()) refuse("coefficient " + std::to_string(i) + " is known only as an interval");
      if (c == interval(1.0)) {
        terms.push_back(input(i));
        continue;
      }
      bool const last = rule.coefficients().size() == 1;
      terms.push_back(last ? output() : output() + "/term_" + std::to_string(i));
      out_.add_node("Mul", {input(i), out_.store(c.lower)}, terms.back(), node().name + "/scale_" + std::to_string(i));
    }
    if (terms.size() == 1) {
      if (terms.front() != output()) add_node("Identity", {terms.front()});
      return;
    }
    auto& added = add_node(terms.size() == 2 ? "Add" : "Sum", {});
    for (auto const& term : terms) added.add_input(term);
  }

  void write(lipschitz::rules::rearrange const& rule) {
    for (std::size_t i = 0; i < rule.map().size(); ++i) {
      if (rule.map()[i] != static_cast<index_t>(i)) refuse("it moves elements; only a change of shape can be exported");
    }
    if (lipschitz::element_count(input_shape()) != lipschitz::element_count(node().shape)) refuse("it drops elements");
    auto const rank = static_cast<index_t>(node().shape.size());
    auto const shape = out_.store(
        {rank}, rank, [&](index_t i) { return node().shape[static_cast<std::size_t>(i)]; }, data_type::int64);
    add_node("Reshape", {input(), shape});
  }

  void write(lipschitz::rules::activation const& rule) {
    auto const& entry = rule.entry();
    std::string const type(entry.onnx_name);
    if (!is_onnx_activation(type)) refuse("ONNX has no such operator");
    auto const& p = rule.parameters();
    if (type == "Pow" || type == "PRelu" || type == "Clip") {
      write_with_inputs(rule, type);
      return;
    }
    auto& added = add_node(type.c_str(), {input()});
    auto const attributes = activation_attributes(entry);
    for (std::size_t i = 0; i < p.size(); ++i) {
      std::string_view const name = entry.parameters[i].name;
      if (std::find(attributes.begin(), attributes.end(), name) != attributes.end()) {
        set_attribute(added, std::string(name).c_str(), p[i]);
      } else if (p[i] != entry.parameters[i].default_value) {
        refuse("parameter '" + std::string(name) + "' has no place in ONNX");
      }
    }
    if (!entry.onnx_variant.empty()) {
      auto& attribute = *added.add_attribute();
      attribute.set_name("approximate");
      attribute.set_type(::onnx::AttributeProto::STRING);
      attribute.set_s(std::string(entry.onnx_variant));
    }
    if (type == "Gelu" || type == "Mish" || type == "HardSwish") out_.need_opset(20);
  }

  /// Activations whose parameters are inputs in ONNX.
  void write_with_inputs(lipschitz::rules::activation const& rule, std::string const& type) {
    auto const& p = rule.parameters();
    if (type == "PRelu") {
      auto const each = rule.each();
      std::vector<double> const slopes =
          each.empty() ? std::vector<double>{p[0]} : std::vector<double>(each.begin(), each.end());
      add_node("PRelu", {input(), out_.store_repeating(representable(slopes), input_shape())});
      return;
    }
    if (type == "Pow") {
      add_node("Pow", {input(), out_.store(representable({p[0]}).front())});
      return;
    }
    std::string const least = is_finite(p[0]) ? out_.store(representable({p[0]}).front()) : "";
    std::string const most = is_finite(p[1]) ? out_.store(representable({p[1]}).front()) : "";
    auto& added = add_node("Clip", {input()});
    if (!least.empty() || !most.empty()) added.add_input(least);
    if (!most.empty()) added.add_input(most);
  }

  std::vector<double> representable(std::vector<double> values) const {
    if (out_.type() == data_type::float32 && !floats(values))
      refuse("a parameter is no float, as the other numbers are");
    return values;
  }

  lipschitz::network const& net_;
  model_writer out_;
  std::vector<std::string> names_ = {};
  lipschitz::node_id current_ = 0;
};

}  // namespace sigmax::inline SIGMAX_ABI::io::onnx_detail
