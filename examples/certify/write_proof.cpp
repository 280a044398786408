// SPDX-License-Identifier: MIT
#include <cstddef>

#include <nlohmann/json.hpp>

#include <sigmax/io/atomic_file.hpp>
#include <sigmax/io/proof_json.hpp>
#include <sigmax/kernels.hpp>
#include <sigmax/lipschitz/tensor_shape.hpp>

#include "write_proof.hpp"

namespace certify_program {

void write_proof(std::string const& path, sigmax::lipschitz::network const& net,
                 sigmax::lipschitz::check::proof const& proof) {
  auto const inputs = static_cast<std::size_t>(sigmax::lipschitz::element_count(net.input_shape()));
  auto const json = sigmax::io::to_json(proof, inputs, sigmax::cpu::native().architecture());
  sigmax::io::write_file(path, json.dump(1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n");
}

}  // namespace certify_program
