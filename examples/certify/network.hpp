// SPDX-License-Identifier: MIT
/// @file
/// Certifies a network from an ONNX file.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include <sigmax/kernels.hpp>

#include "arguments.hpp"
#include "domain_file.hpp"
#include "heartbeat.hpp"
#include "outcome.hpp"

namespace certify_program {

/// Reads the network and proves its bound. Fills in everything of the outcome.
/// @throws sigmax::error if it cannot be read or has an operator without a rule.
void certify_network(sigmax::cpu::native const& on, std::span<std::byte const> bytes, std::string const& digest,
                     arguments const& options, requested_domain const& domain, progress& work, outcome& result);

}  // namespace certify_program
