// SPDX-License-Identifier: MIT
#include <string>
#include <variant>
#include <vector>

#include <sigmax/bound/norm.hpp>
#include <sigmax/core/error.hpp>

#include "weight_optimizer.hpp"

namespace transformer {

namespace {

double cap_of(run_settings const& settings, weight_role role) {
  bool const has_own = role == weight_role::head && settings.head_sigma_max > 0;
  return has_own ? settings.head_sigma_max : settings.sigma_max;
}

}  // namespace

std::vector<std::string> constraint_names() {
  return {"none",     "weight_decay", "spectral_weight_decay", "clipped_weight_decay", "spectral_normalize", "stiefel",
          "soft_cap", "hard_cap",     "spectral_hammer"};
}

std::vector<std::string> optimizer_names() { return {"muon", "adamw"}; }

any_constraint make_constraint(run_settings const& settings, weight_role role) {
  std::string const& name = settings.constraint;
  double const cap = cap_of(settings, role);
  auto const norm = sigmax::norm::any(sigmax::norm::rms);
  if (!is_map(role) || name == "none" || name == "weight_decay") return constraint::none{};
  if (name == "spectral_weight_decay") return constraint::spectral_weight_decay{.decay = settings.weight_decay};
  if (name == "clipped_weight_decay") {
    return constraint::clipped_weight_decay{.decay = settings.weight_decay, .sigma_max = cap, .norm = norm};
  }
  if (name == "spectral_normalize") {
    return constraint::spectral_normalize{.sigma_max = cap, .norm = norm, .certified = true};
  }
  if (name == "stiefel") return constraint::stiefel{.sigma_max = cap, .norm = norm, .certified = true};
  if (name == "soft_cap") return constraint::soft_cap{.sigma_max = cap, .norm = norm, .certified = true};
  if (name == "hard_cap") return constraint::hard_cap{.sigma_max = cap, .norm = norm, .certified = true};
  if (name == "spectral_hammer") return constraint::spectral_hammer{.sigma_max = cap, .norm = norm, .certified = true};
  throw sigmax::domain_error("there is no constraint " + name);
}

double proven_cap(run_settings const& settings, weight_role role) {
  auto const constraint = make_constraint(settings, role);
  bool const proves = std::visit([](auto const& c) { return c.proven_cap(1, 1) < sigmax::infinity; }, constraint);
  return proves ? cap_of(settings, role) : sigmax::infinity;
}

double learning_rate_of(run_settings const& settings, weight_role role) {
  if (role == weight_role::embedding) return settings.embedding_learning_rate;
  return role == weight_role::position_bias ? settings.position_learning_rate : settings.learning_rate;
}

}  // namespace transformer
