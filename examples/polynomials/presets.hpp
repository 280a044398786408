// SPDX-License-Identifier: MIT
/// @file
/// The named schedules of sigmax/polynomial/schedules.hpp with a line about each.
#pragma once

#include <sigmax/polynomial/polynomial_schedule.hpp>
#include <sigmax/polynomial/schedules.hpp>

#include "analysis.hpp"

namespace polynomials_program {

struct preset {
  sigmax::polynomial_schedule const* schedule;
  char const* description;
  target aim = target::one;
};

inline constexpr preset presets[] = {
    {&sigmax::schedules::muon, "Keller Jordan's quintic five times, the default of Muon"},
    {&sigmax::schedules::you, "You Jiacheng's five quintics (modded-nanogpt, dion)"},
    {&sigmax::schedules::you_1024, "You Jiacheng's six quintics in 1/1024 (lipschitz-transformers); never above 1"},
    {&sigmax::schedules::polar_express, "Polar Express, eight quintics with the safety factor 1.01"},
    {&sigmax::schedules::polar_express_5, "polar_express, the first five steps"},
    {&sigmax::schedules::polar_express_raw, "Polar Express as published, without safety"},
    {&sigmax::schedules::polar_express_raw_5, "polar_express_raw, the first five steps"},
    {&sigmax::schedules::modded_nanogpt, "five quintics of modded-nanogpt, dion and nanochat, safety 1.02"},
    {&sigmax::schedules::deepseek, "eight of Muon's quintics, then two that converge (DeepSeek-V4)"},
    {&sigmax::schedules::cans, "CANS: five minimax quintics for [0.001, 1]"},
    {&sigmax::schedules::cesista, "Cesista's five quintics (adaptive-muon)"},
    {&sigmax::schedules::cubic5, "five cubics that aim at [0.7, 1.3]"},
    {&sigmax::schedules::cubic, "the classical Newton-Schulz cubic fifteen times"},
    {&sigmax::schedules::quintic, "the classical quintic ten times"},
    {&sigmax::schedules::hard_cap, "min(1, x) on [0, 3.5] by four quintics (lipschitz-transformers)", target::cap},
};

}  // namespace polynomials_program
