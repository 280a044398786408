// SPDX-License-Identifier: MIT
#include <memory>

#include "trainer.hpp"
#include "trainer_on.hpp"

namespace transformer {

cap_checks& cap_checks::operator+=(cap_checks const& other) {
  checks += other.checks;
  violations += other.violations;
  constrained += other.constrained;
  return *this;
}

std::unique_ptr<trainer> make_trainer(sigmax::cpu::native const& on, run_settings const& settings, corpus const& text) {
  return std::make_unique<trainer_on<sigmax::cpu::native>>(on, on, settings, text);
}

}  // namespace transformer
