// SPDX-License-Identifier: MIT
#include <utility>
#include <vector>

#include <sigmax/io/json.hpp>
#include <sigmax/io/onnx/unsupported_operators.hpp>
#include <sigmax/io/printable.hpp>
#include <sigmax/kernels.hpp>
#include <sigmax/lipschitz/certificate_text.hpp>
#include <sigmax/lipschitz/certify.hpp>
#include <sigmax/lipschitz/propose.hpp>
#include <sigmax/lipschitz/search_report.hpp>

#include "listener.hpp"
#include "network.hpp"
#include "read_model.hpp"
#include "witness.hpp"
#include "write_proof.hpp"

namespace certify_program {

using search_log = std::vector<sigmax::lipschitz::search_report>;

void certify_network(sigmax::cpu::native const& on, std::span<std::byte const> bytes, std::string const& digest,
                     arguments const& options, requested_domain const& domain, progress& work, outcome& result) {
  search_log searches;
  sigmax::io::json_context context{.path = result.path,
                                   .sha256 = digest,
                                   .domain_path = domain.path,
                                   .domain_sha256 = domain.sha256,
                                   .arch = on.architecture()};
  auto const refuse = [&](std::vector<sigmax::lipschitz::refused_layer> const& refusals) {
    context.seconds = result.seconds();
    result.status = 1;
    result.json = sigmax::io::refusal_to_json(refusals, options.norm, context);
  };
  try {
    sigmax::lipschitz::network const net = read_model(bytes, options, result);
    sigmax::lipschitz::certify_options const ask{
        .norm = options.norm,
        .domain = domain.for_input(static_cast<std::size_t>(sigmax::lipschitz::element_count(net.input_shape()))),
        .relative_gap = options.relative_gap,
        .attack = options.attack,
        .attack_settings = {.seed = options.seed},
        .progress = listen_to(work),
        .methods = {.which = options.how, .searches = {&searches, [](void* self, auto const& report) {
                                                         static_cast<search_log*>(self)->push_back(report);
                                                       }}}};
    if (options.emit_proof.empty()) {
      result.proof = sigmax::lipschitz::certify(on, net, ask);
    } else {
      auto made = sigmax::lipschitz::propose(on, net, ask);
      result.proof = std::move(made.proved);
      if (result.proof->is_finite()) {
        made.proof.model_path = result.path;
        made.proof.sha256 = digest;
        write_proof(options.emit_proof, net, made.proof);
      }
    }
    context.seconds = result.seconds();
    result.table = to_string(*result.proof);
    result.json = sigmax::io::to_json(*result.proof, context);
    result.json["search"] = nlohmann::ordered_json::array();
    for (auto const& report : searches) {
      result.table += to_string(report);
      result.json["search"].push_back(sigmax::io::to_json(report));
    }
    result.status = result.proof->is_finite() ? 0 : 1;
  } catch (sigmax::io::unsupported_operators_error const& e) {
    std::vector<sigmax::lipschitz::refused_layer> refusals;
    for (auto const& op : e.operators()) refusals.push_back({"", op, "operator not supported"});
    refuse(refusals);
    throw;
  } catch (sigmax::unsupported_error const& e) {
    refuse({{"", "", e.what()}});
    throw;
  } catch (sigmax::lipschitz::contradiction const& e) {
    throw sigmax::numeric_error(std::string(e.what()) + "; " +
                                save_witness(e.witness(), result.path, context.sha256, e.what()));
  }
  if (result.status == 1) {
    result.problem = sigmax::io::printable(result.path) + ": no finite bound:";
    for (auto const& refused : result.proof->refused()) {
      result.problem += " " + sigmax::io::in_quotes(refused.name) + " (" + refused.op + ") is " + refused.reason + ";";
    }
    if (result.problem.back() == ';') result.problem.pop_back();
  }
}

}  // namespace certify_program
