// SPDX-License-Identifier: MIT
/// @file
/// Proofs of bounds as files, written beside a certificate.
#pragma once

#include <string>

#include <sigmax/lipschitz/check/proof.hpp>
#include <sigmax/lipschitz/network.hpp>

namespace certify_program {

/// Writes a proof, with the file of its model and its digest filled in, completely or not at all.
/// @throws sigmax::format_error if it cannot.
void write_proof(std::string const& path, sigmax::lipschitz::network const& net,
                 sigmax::lipschitz::check::proof const& proof);

}  // namespace certify_program
