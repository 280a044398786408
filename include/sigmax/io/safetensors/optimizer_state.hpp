// SPDX-License-Identifier: MIT
/// @file
/// Optimizers in safetensors files: training goes on bit for bit where it stopped.
#pragma once

#include <concepts>
#include <deque>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <sigmax/config.hpp>
#include <sigmax/core/matrix_view.hpp>
#include <sigmax/io/safetensors/file.hpp>
#include <sigmax/io/safetensors/load.hpp>
#include <sigmax/io/safetensors/named_tensor.hpp>
#include <sigmax/io/safetensors/save.hpp>

namespace sigmax::inline SIGMAX_ABI::io {

// clang-format off: version 14 breaks the lines of a concept where they are not to be broken.
/// Shows its state: `for_each_tensor(f)` calls f(name, matrix_view), `for_each_number(f)` calls f(name, double&).
template <class O>
concept has_state = std::copyable<O> && requires(O& optimizer, O const& constant) {
  optimizer.for_each_tensor([](std::string_view, auto) {});
  optimizer.for_each_number([](std::string_view, double&) {});
  constant.for_each_tensor([](std::string_view, auto) {});
  constant.for_each_number([](std::string_view, double&) {});
};
// clang-format on

/// Collects the states of several optimizers, and weights beside them, for one file.
///
///     io::optimizer_state_writer state;
///     state.add("layer1", opt1);
///     state.add("layer2", opt2);
///     state.save("state.safetensors", {{"step", "1000"}});
///
/// Tensors of "layer1" are called "layer1.momentum" and so on; its numbers are tensors of one F64, "layer1.learning_rate".
/// The tensors are not copied: the optimizers must stay as they are until the file is saved.
class optimizer_state_writer {
 public:
  /// @throws domain_error for a prefix that is not UTF-8, when the file is saved.
  template <has_state O>
  void add(std::string const& prefix, O const& optimizer) {
    optimizer.for_each_tensor(
        [&](std::string_view name, auto view) { tensors_.emplace_back(full_name(prefix, name), view); });
    optimizer.for_each_number([&](std::string_view name, double& value) {
      numbers_.push_back(value);
      tensors_.emplace_back(full_name(prefix, name), vector_view<double const>(&numbers_.back(), 1));
    });
  }
  /// Any other tensor, a weight as a rule.
  void add(named_tensor tensor) { tensors_.push_back(std::move(tensor)); }

  std::vector<named_tensor> const& tensors() const { return tensors_; }
  /// Throws as `save_safetensors`.
  void save(std::filesystem::path const& path, std::map<std::string, std::string> const& metadata = {}) const {
    save_safetensors(path, tensors_, metadata);
  }

  static std::string full_name(std::string const& prefix, std::string_view name) {
    return prefix.empty() ? std::string(name) : prefix + "." + std::string(name);
  }

 private:
  std::vector<named_tensor> tensors_;
  /// A deque does not move what it holds.
  std::deque<double> numbers_;
};

/// Reads the state that was added under `prefix` into an optimizer that was made for the same shapes with the same
/// options but for its numbers: the learning rate and its like come from the file.
/// @throws format_error if a tensor is missing or a number is not one, shape_error or unsupported_error for a tensor of
/// another shape or type, domain_error for numbers out of range and for what the optimizer was made with otherwise. The
/// optimizer is as it was then.
template <has_state O>
void restore_optimizer(safetensors_file const& file, std::string const& prefix, O& optimizer) {
  O next = optimizer;
  next.for_each_number([&](std::string_view name, double& value) {
    file.read_into(optimizer_state_writer::full_name(prefix, name), vector_view<double>(&value, 1));
  });
  next.for_each_tensor(
      [&](std::string_view name, auto view) { file.read_into(optimizer_state_writer::full_name(prefix, name), view); });
  optimizer = std::move(next);
}

}  // namespace sigmax::inline SIGMAX_ABI::io
