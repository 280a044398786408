// SPDX-License-Identifier: MIT
/// @file
/// Optimizers in safetensors files: training goes on bit for bit where it stopped.
#pragma once

#include <algorithm>
#include <concepts>
#include <filesystem>
#include <iterator>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <sigmax/config.hpp>
#include <sigmax/core/matrix.hpp>
#include <sigmax/core/matrix_like.hpp>
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

namespace safetensors_detail {

/// Stands for the backend where none is given: tensors are in the memory of the host then.
struct no_device {
  using space = host_space;
};

/// The host may use the view where it lies. Otherwise it lies in the memory of backend B, or this does not compile.
template <class B, class View>
constexpr bool is_of_host() {
  constexpr bool on_host = std::same_as<space_t<View>, host_space>;
  static_assert(on_host || std::same_as<space_t<View>, typename B::space>,
                "sigmax::io: the state is in the memory of a device; give its backend as the first argument");
  return on_host;
}

/// Reads a tensor into memory of the host or of the device of `on`.
template <class B, class View>
void read_tensor([[maybe_unused]] B const& on, safetensors_file const& file, std::string const& name, View view) {
  if constexpr (is_of_host<B, View>()) {
    file.read_into(name, view);
  } else {
    sigmax::matrix<value_t<View>> staged(view.rows(), view.cols());
    file.read_into(name, staged);
    if (!view.empty()) on.copy_from_host(std::as_const(staged).view(), view);
  }
}

}  // namespace safetensors_detail

/// Collects the states of several optimizers, and weights beside them, for one file.
///
///     io::optimizer_state_writer state;
///     state.add("layer1", opt1);
///     state.add("layer2", opt2);
///     state.add(gpu::cuda(stream), "layer3", opt3);  // made for weights on the device
///     state.save("state.safetensors", {{"step", "1000"}});
///
/// Tensors of "layer1" are called "layer1.momentum" and so on; its numbers are tensors of one F64,
/// "layer1.learning_rate". Files do not say where a state was: the same state on the host and on a device gives the
/// same bytes.
///
/// Numbers, and tensors in the memory of a device, are copied when they are added. Tensors of the host, and those that
/// are added as `named_tensor`, are not: they must stay as they are until the file is saved. `tensors()` refer to the
/// copies, which live as long as the writer or a copy of it.
class optimizer_state_writer {
 public:
  /// @throws domain_error for a prefix that is not UTF-8, when the file is saved.
  template <has_state O>
  void add(std::string const& prefix, O const& optimizer) {
    add(safetensors_detail::no_device{}, prefix, optimizer);
  }
  /// The same of an optimizer in the memory of a backend's device; waits for the device. Of an optimizer of the host it
  /// is the above.
  /// @throws also what `on.copy_to_host` throws. Nothing was added then.
  template <class B, has_state O>
  void add(B const& on, std::string const& prefix, O const& optimizer) {
    // Copies of an addition that failed are kept and never written.
    std::vector<named_tensor> added;
    optimizer.for_each_tensor(
        [&](std::string_view name, auto view) { added.push_back(seen_by_host(on, full_name(prefix, name), view)); });
    optimizer.for_each_number([&](std::string_view name, double& value) {
      added.emplace_back(full_name(prefix, name), vector_view<double const>(keep(double(value)).get(), 1));
    });
    tensors_.reserve(tensors_.size() + added.size());
    std::move(added.begin(), added.end(), std::back_inserter(tensors_));
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
  /// The tensor where it lies, or a copy that is kept.
  template <class B, class View>
  named_tensor seen_by_host([[maybe_unused]] B const& on, std::string name, View view) {
    if constexpr (safetensors_detail::is_of_host<B, View>()) {
      return {std::move(name), view};
    } else {
      auto const copy = keep(sigmax::matrix<value_t<View>>(view.rows(), view.cols()));
      if (!view.empty()) on.copy_to_host(view, copy->view());
      return {std::move(name), *copy};
    }
  }

  template <class Value>
  std::shared_ptr<Value> keep(Value value) {
    auto const kept = std::make_shared<Value>(std::move(value));
    copies_.push_back(kept);
    return kept;
  }

  std::vector<named_tensor> tensors_;
  /// Shared, so that what the tensors refer to stays where it is when the writer is moved or copied.
  std::vector<std::shared_ptr<void const>> copies_;
};

/// Reads the state that was added under `prefix` into an optimizer that was made for the same shapes with the same
/// options but for its numbers: the learning rate and its like come from the file. The optimizer may be in the memory
/// of the device of `on`, its backend on its stream, wherever the one was that the file was written for; the tensors go
/// there one by one, through memory of the host.
/// @throws format_error if a tensor is missing or a number is not one, shape_error or unsupported_error for a tensor of
/// another shape or type, domain_error for numbers out of range and for what the optimizer was made with otherwise, and
/// what memory of the device and `on.copy_from_host` throw. The optimizer is as it was then.
template <class B, has_state O>
void restore_optimizer(B const& on, safetensors_file const& file, std::string const& prefix, O& optimizer) {
  O next = optimizer;
  next.for_each_number([&](std::string_view name, double& value) {
    file.read_into(optimizer_state_writer::full_name(prefix, name), vector_view<double>(&value, 1));
  });
  next.for_each_tensor([&](std::string_view name, auto view) {
    safetensors_detail::read_tensor(on, file, optimizer_state_writer::full_name(prefix, name), view);
  });
  optimizer = std::move(next);
}
/// The same for an optimizer in the memory of the host.
template <has_state O>
void restore_optimizer(safetensors_file const& file, std::string const& prefix, O& optimizer) {
  restore_optimizer(safetensors_detail::no_device{}, file, prefix, optimizer);
}

}  // namespace sigmax::inline SIGMAX_ABI::io
