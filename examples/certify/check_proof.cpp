// SPDX-License-Identifier: MIT
#include <cstddef>
#include <string>

#include <fmt/format.h>

#include <sigmax/core/error.hpp>
#include <sigmax/io/json.hpp>
#include <sigmax/io/printable.hpp>
#include <sigmax/io/proof_json.hpp>
#include <sigmax/io/read_file.hpp>
#include <sigmax/kernels.hpp>
#include <sigmax/lipschitz/certificate_numbers.hpp>
#include <sigmax/lipschitz/certificate_text.hpp>
#include <sigmax/lipschitz/verify.hpp>

#include "check_proof.hpp"
#include "listener.hpp"
#include "read_model.hpp"

namespace certify_program {

void check_proof(sigmax::cpu::native const& on, std::span<std::byte const> bytes, std::string const& digest,
                 arguments const& options, progress& work, outcome& result) {
  auto const file = sigmax::io::read_file(options.check_proof, options.max_memory);
  auto const shown = sigmax::io::printable(options.check_proof);
  auto const claimed =
      sigmax::io::parse_proof({reinterpret_cast<char const*>(file.data()), file.size()}, options.check_proof);
  auto const refuse = [&](std::string const& why) {
    result.status = 1;
    result.problem = fmt::format("{}: does not hold for {}: {}", shown, sigmax::io::printable(result.path), why);
  };
  if (digest.empty() || claimed.sha256 != digest) {
    return refuse(fmt::format("it is about the file with SHA-256 {}", sigmax::io::in_quotes(claimed.sha256)));
  }
  auto const net = read_model(bytes, options, result);
  try {
    result.proof = sigmax::lipschitz::verify(on, net, claimed, listen_to(work));
  } catch (sigmax::domain_error const& problem) {
    return refuse(problem.what());
  }
  result.status = 0;
  std::size_t searched = 0;
  for (auto const& part : claimed.segments) searched += part.multipliers.empty() ? 0 : 1;
  result.table = to_string(*result.proof) +
                 fmt::format(
                     "checked: L <= {}, by {} claimed norms of weights and {} sets of multipliers, Cholesky "
                     "factorisations alone; nothing was searched for\n",
                     sigmax::lipschitz::detail::short_upper(claimed.upper), claimed.norms.size(), searched);
  result.json = sigmax::io::to_json(*result.proof, {.path = result.path,
                                                    .sha256 = digest,
                                                    .domain_path = {},
                                                    .domain_sha256 = {},
                                                    .seconds = result.seconds(),
                                                    .arch = on.architecture()});
  result.json["checked"] = {{"proof", shown},
                            {"upper", sigmax::io::detail::upper_to_json(claimed.upper)},
                            {"claims", claimed.norms.size()},
                            {"segments", claimed.segments.size()},
                            {"multipliers", searched}};
}

}  // namespace certify_program
