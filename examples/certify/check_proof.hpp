// SPDX-License-Identifier: MIT
/// @file
/// Checks the proof of a bound that somebody else wrote. Neither this nor what it includes searches for anything: a test
/// walks through the includes.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include <sigmax/kernels.hpp>

#include "arguments.hpp"
#include "heartbeat.hpp"
#include "outcome.hpp"

namespace certify_program {

/// Checks options.check_proof against a model. Fills in everything of the outcome; its status is 0 only if the bound is
/// proved from what the file claims. @throws sigmax::error if the proof or the model cannot be read.
void check_proof(sigmax::cpu::native const& on, std::span<std::byte const> bytes, std::string const& digest,
                 arguments const& options, progress& work, outcome& result);

}  // namespace certify_program
