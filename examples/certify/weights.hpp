// SPDX-License-Identifier: MIT
/// @file
/// Certifies the weights of a safetensors file, one by one.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include <sigmax/kernels.hpp>

#include "arguments.hpp"
#include "heartbeat.hpp"
#include "outcome.hpp"

namespace certify_program {

/// True for a name that ends in .safetensors and for content that begins as such a file does, whatever its name.
bool is_weights(std::string const& path, std::span<std::byte const> bytes);

/// Reads the file and proves the norm of every tensor. Fills in status, table, problem and json.
/// @throws sigmax::error if the file cannot be read or an option is not for weights.
void certify_weights(sigmax::cpu::native const& on, std::span<std::byte const> bytes, std::string const& digest,
                     arguments const& options, progress& work, outcome& result);

}  // namespace certify_program
