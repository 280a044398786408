// SPDX-License-Identifier: MIT
/// @file
/// Reads ONNX models for the rest of the program: compiled once, because the importer takes long.
#pragma once

#include <cstddef>
#include <span>

#include <sigmax/lipschitz/network.hpp>

#include "arguments.hpp"
#include "outcome.hpp"

namespace certify_program {

/// The network in the bytes of the file result.path. Throws as sigmax::io::parse_onnx.
sigmax::lipschitz::network read_model(std::span<std::byte const> bytes, arguments const& options,
                                      outcome const& result);

}  // namespace certify_program
