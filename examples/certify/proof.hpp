// SPDX-License-Identifier: MIT
/// @file
/// Proofs of bounds as files: written beside a certificate, and checked by themselves.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include <sigmax/lipschitz/certify.hpp>
#include <sigmax/lipschitz/check/norm_claims.hpp>
#include <sigmax/lipschitz/network.hpp>

#include "arguments.hpp"
#include "heartbeat.hpp"
#include "outcome.hpp"

namespace certify_program {

/// Writes the proof of a finite certificate, completely or not at all. @throws sigmax::format_error if it cannot.
void write_proof(std::string const& path, std::string const& model, std::string const& digest,
                 sigmax::lipschitz::network const& net, sigmax::lipschitz::certify_options const& made_with,
                 sigmax::lipschitz::certificate const& proof, std::vector<sigmax::lipschitz::norm_claim> const& claims);

/// Checks options.check_proof against a model. Fills in everything of the outcome; its status is 0 only if the bound is
/// proved from the claims of the file. @throws sigmax::error if the proof or the model cannot be read.
void check_proof(std::span<std::byte const> bytes, std::string const& digest, arguments const& options, progress& work,
                 outcome& result);

}  // namespace certify_program
