// SPDX-License-Identifier: MIT
/// @file
/// One weight with its optimizer and its constraint.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include <sigmax/constraint/clipped_weight_decay.hpp>
#include <sigmax/constraint/hard_cap.hpp>
#include <sigmax/constraint/none.hpp>
#include <sigmax/constraint/soft_cap.hpp>
#include <sigmax/constraint/spectral_hammer.hpp>
#include <sigmax/constraint/spectral_normalize.hpp>
#include <sigmax/constraint/spectral_weight_decay.hpp>
#include <sigmax/constraint/stiefel.hpp>
#include <sigmax/core/workspace.hpp>
#include <sigmax/io/safetensors/optimizer_state.hpp>
#include <sigmax/kernels.hpp>
#include <sigmax/optimizer/adamw.hpp>
#include <sigmax/optimizer/muon.hpp>

#include "parameters.hpp"
#include "settings.hpp"

namespace transformer {

namespace constraint = sigmax::constraint;

using any_constraint =
    std::variant<constraint::none, constraint::spectral_weight_decay, constraint::clipped_weight_decay,
                 constraint::spectral_normalize, constraint::stiefel, constraint::soft_cap, constraint::hard_cap,
                 constraint::spectral_hammer>;
using any_optimizer = std::variant<sigmax::muon<float>, sigmax::adamw<float>>;

/// The names --constraint and --optimizer take; weight_decay is that of the optimizer.
std::vector<std::string> constraint_names();
std::vector<std::string> optimizer_names();

/// The cap of a weight from RMS to RMS that its constraint proves; +infinity where it proves none.
double proven_cap(run_settings const& settings, weight_role role);

class weight_optimizer {
 public:
  /// `scratch` is shared by all weights and must outlive this.
  weight_optimizer(run_settings const& settings, std::string name, weight_role role, sigmax::matrix<float>& weight,
                   sigmax::matrix<float> const& gradient, sigmax::workspace& scratch);

  /// One step at `share` of the learning rate. Every row of an embedding has RMS <= 1 afterwards.
  constraint::outcome step(sigmax::cpu::native const& on, double share);

  std::string const& name() const { return name_; }
  weight_role role() const { return role_; }
  sigmax::matrix<float> const& weight() const { return *weight_; }
  bool has_cap() const { return has_cap_; }

  /// The state is called "optimizer.NAME.…" in a file.
  void add_to(sigmax::io::optimizer_state_writer& state) const;
  void restore(sigmax::io::safetensors_file const& file);

 private:
  std::string name_;
  weight_role role_;
  sigmax::matrix<float>* weight_;
  sigmax::matrix<float> const* gradient_;
  double learning_rate_;
  bool has_cap_;
  any_optimizer optimizer_;
  any_constraint constraint_;
};

}  // namespace transformer
