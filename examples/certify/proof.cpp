// SPDX-License-Identifier: MIT
#include <utility>

#include <fmt/format.h>

#include <sigmax/io/atomic_file.hpp>
#include <sigmax/io/json.hpp>
#include <sigmax/io/onnx.hpp>
#include <sigmax/io/printable.hpp>
#include <sigmax/io/proof_json.hpp>
#include <sigmax/io/read_file.hpp>
#include <sigmax/kernels.hpp>
#include <sigmax/lipschitz/certificate_text.hpp>
#include <sigmax/lipschitz/check/product_proof.hpp>

#include "network.hpp"
#include "proof.hpp"

namespace certify_program {

void write_proof(std::string const& path, std::string const& model, std::string const& digest,
                 sigmax::lipschitz::network const& net, sigmax::lipschitz::certify_options const& made_with,
                 sigmax::lipschitz::certificate const& proof,
                 std::vector<sigmax::lipschitz::norm_claim> const& claims) {
  sigmax::io::stored_proof stored{
      .model_path = model,
      .sha256 = digest,
      .norm = made_with.norm,
      .domain = made_with.domain,
      .input_size = static_cast<std::size_t>(sigmax::lipschitz::element_count(net.input_shape())),
      .relative_gap = made_with.relative_gap,
      .upper = proof.upper_extended(),
      .claims = claims};
  auto const json = sigmax::io::to_json(stored, sigmax::cpu::native().architecture());
  sigmax::io::write_file(path, json.dump(1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n");
}

void check_proof(std::span<std::byte const> bytes, std::string const& digest, arguments const& options, progress& work,
                 outcome& result) {
  sigmax::cpu::native const on;
  auto const file = sigmax::io::read_file(options.check_proof, options.max_memory);
  auto const shown = sigmax::io::printable(options.check_proof);
  auto const stored =
      sigmax::io::parse_proof({reinterpret_cast<char const*>(file.data()), file.size()}, options.check_proof);
  auto const refuse = [&](std::string const& why) {
    result.status = 1;
    result.problem = fmt::format("{}: does not hold for {}: {}", shown, sigmax::io::printable(result.path), why);
  };
  if (digest.empty() || stored.sha256 != digest) {
    return refuse(fmt::format("it is about the file with SHA-256 {}", sigmax::io::in_quotes(stored.sha256)));
  }
  auto const net = sigmax::io::parse_onnx(bytes, {.max_memory = options.max_memory, .label = result.path});
  sigmax::lipschitz::certify_options const made_with{
      .norm = stored.norm, .domain = stored.domain, .relative_gap = stored.relative_gap, .progress = listen_to(work)};
  sigmax::lipschitz::verified_product checked;
  try {
    checked = sigmax::lipschitz::verify_product(on, net, stored.claims, stored.upper, made_with);
  } catch (sigmax::domain_error const& problem) {
    return refuse(problem.what());  // a domain of another size
  }
  if (!checked.holds()) return refuse(checked.problem);
  result.status = 0;
  result.proof = std::move(checked.proof);
  result.table = to_string(*result.proof) +
                 fmt::format("checked: {} claimed norms of weights, one factorisation each; nothing was searched for\n",
                             stored.claims.size());
  result.json = sigmax::io::to_json(*result.proof, {.path = result.path,
                                                    .sha256 = digest,
                                                    .domain_path = {},
                                                    .domain_sha256 = {},
                                                    .seconds = result.seconds(),
                                                    .arch = on.architecture()});
  result.json["checked"] = {{"proof", shown}, {"claims", stored.claims.size()}};
}

}  // namespace certify_program
