// SPDX-License-Identifier: MIT
/// @file
/// Proofs as files: what a certificate stands on, to be verified by somebody else. Opt-in: needs nlohmann/json.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include <nlohmann/json.hpp>

#include <sigmax/bound/extended.hpp>
#include <sigmax/bound/norm.hpp>
#include <sigmax/config.hpp>
#include <sigmax/core/error.hpp>
#include <sigmax/io/json.hpp>
#include <sigmax/io/json_reader.hpp>
#include <sigmax/io/printable.hpp>
#include <sigmax/lipschitz/certificate.hpp>
#include <sigmax/lipschitz/check/proof.hpp>
#include <sigmax/lipschitz/domain.hpp>
#include <sigmax/lipschitz/method.hpp>

namespace sigmax::inline SIGMAX_ABI::io {

/// The name of the format; another number where a key changes its meaning or goes.
inline constexpr char const* proof_schema = "sigmax-proof-2";

/// The proof as an object. Bounds are hexadecimal, so that they are exact, and every other number reads back as the same
/// double. `input_size` is the number of elements of the network's input: the numbers of a domain are written out.
///   {schema, model{path, sha256}, statement, norm, domain{type, radius, centre | lower, upper}, relative_gap,
///    upper{decimal, mantissa_hex, exp2}, norms[{rows, cols, count, bound, decimal, witness}],
///    segments[{end, name, method, squared_bound, multipliers[[..]..]}], version, arch}
inline nlohmann::ordered_json to_json(lipschitz::check::proof const& proof, std::size_t input_size,
                                      std::string const& arch = architecture) {
  using kind = lipschitz::input_domain::kind;
  using json = nlohmann::ordered_json;
  json result = detail::json_head(proof_schema, {.path = proof.model_path, .sha256 = proof.sha256});
  result["norm"] = proof.norm.name();
  json domain;
  domain["type"] = "all";
  if (proof.domain.shape() == kind::ball) {
    domain["type"] = "ball";
    domain["radius"] = detail::hexadecimal(proof.domain.radius());
    domain["centre"] = proof.domain.centre(input_size);
  } else if (proof.domain.shape() == kind::box) {
    domain["type"] = "box";
    domain["lower"] = json::array();
    domain["upper"] = json::array();
    for (auto const& ends : proof.domain.enclosure(input_size, 1.0)) {
      domain["lower"].push_back(ends.lower);
      domain["upper"].push_back(ends.upper);
    }
  }
  result["domain"] = std::move(domain);
  result["relative_gap"] = proof.relative_gap;
  result["upper"] = detail::upper_to_json(proof.upper);
  result["norms"] = json::array();
  for (auto const& claim : proof.norms) {
    result["norms"].push_back({{"rows", claim.rows},
                               {"cols", claim.cols},
                               {"count", claim.count},
                               {"bound", detail::hexadecimal(claim.bound)},
                               {"decimal", extended(claim.bound).to_decimal_up()},
                               {"witness", "gram+cholesky"}});
  }
  result["segments"] = json::array();
  for (auto const& part : proof.segments) {
    json row;
    row["end"] = part.end;
    row["name"] = printable(part.name);
    row["method"] = std::string(lipschitz::name_of(part.how));
    bool const searched = !part.multipliers.empty();
    row["squared_bound"] = searched ? json(detail::hexadecimal(part.squared_bound)) : json(nullptr);
    row["multipliers"] = searched ? json(part.multipliers) : json(nullptr);
    result["segments"].push_back(std::move(row));
  }
  result["version"] = version;
  result["arch"] = arch;
  return result;
}

namespace detail {

inline lipschitz::input_domain domain_of(json_reader const& read, nlohmann::ordered_json const& domain) {
  using lipschitz::input_domain;
  auto const type = read.text(domain, "type");
  try {
    if (type == "ball") {
      return input_domain::ball(read.hexadecimal(domain, "radius"), read.numbers(domain, "centre"));
    }
    if (type == "box") return input_domain::box(read.numbers(domain, "lower"), read.numbers(domain, "upper"));
  } catch (domain_error const& problem) {
    read.refuse(problem.what());
  } catch (numeric_error const& problem) {
    read.refuse(problem.what());
  }
  if (type != "all") read.refuse("type", "of the domain is " + in_quotes(type) + "; it must be all, ball or box");
  return {};
}

inline lipschitz::check::segment_proof segment_of(json_reader const& read, nlohmann::ordered_json const& object) {
  using lipschitz::method;
  lipschitz::check::segment_proof result;
  result.end = read.integer(object, "end");
  result.name = read.text(object, "name");
  auto const name = read.text(object, "method");
  bool known = false;
  for (auto const each : {method::dynamic_program, method::absolute, method::eclipse, method::lipsdp}) {
    if (name != lipschitz::name_of(each)) continue;
    result.how = each;
    known = true;
  }
  if (!known) read.refuse("method", "of a segment is " + in_quotes(name) + ", none this version can check");
  if (result.how == method::dynamic_program || result.how == method::absolute) return result;
  result.squared_bound = read.hexadecimal(object, "squared_bound");
  for (auto const& block : read.list(object, "multipliers")) {
    if (!block.is_array()) read.refuse("multipliers", "holds something that is no list of numbers");
    auto& row = result.multipliers.emplace_back();
    for (auto const& each : block) row.push_back(read.number(each, "multipliers"));
  }
  return result;
}

}  // namespace detail

/// Reads a proof. Nothing in it is believed; `lipschitz::verify` proves it. Whatever this version does not know how to check is
/// refused. @throws format_error that begins with `label` and names what is wrong.
inline lipschitz::check::proof parse_proof(std::string_view text, std::string const& label) {
  detail::json_reader const read(label);
  auto const all = nlohmann::ordered_json::parse(text, nullptr, false);
  if (all.is_discarded() || !all.is_object()) read.refuse("not a proof: it is no JSON object");
  read.require(all, "schema", proof_schema);
  read.require(all, "statement", lipschitz::certificate::statement);
  lipschitz::check::proof result;
  auto const& model = read.member(all, "model");
  result.model_path = read.text(model, "path");
  if (!read.member(model, "sha256").is_null()) result.sha256 = read.text(model, "sha256");
  auto const norm_name = read.text(all, "norm");
  bool known = false;
  for (norm::any const each : {norm::any(norm::l2), norm::any(norm::linf), norm::any(norm::rms)}) {
    if (norm_name != each.name()) continue;
    result.norm = each;
    known = true;
  }
  if (!known) read.refuse("norm", "is " + in_quotes(norm_name) + "; it must be l2, linf or rms");
  result.domain = detail::domain_of(read, read.member(all, "domain"));
  result.relative_gap = read.number(read.member(all, "relative_gap"), "relative_gap");
  if (!(result.relative_gap > 0 && result.relative_gap < 1)) read.refuse("relative_gap", "is not between 0 and 1");
  auto const& upper = read.member(all, "upper");
  double const mantissa = read.hexadecimal(upper, "mantissa_hex");
  if (!(mantissa < 1)) read.refuse("mantissa_hex", "is not below 1");
  result.upper = extended(mantissa, read.integer(upper, "exp2"));
  if (result.upper.is_infinite()) read.refuse("exp2", "is too large");
  for (auto const& each : read.list(all, "norms")) {
    read.require(each, "witness", "gram+cholesky");
    result.norms.push_back({read.integer(each, "rows"), read.integer(each, "cols"), read.integer(each, "count"),
                            read.hexadecimal(each, "bound")});
  }
  for (auto const& each : read.list(all, "segments")) result.segments.push_back(detail::segment_of(read, each));
  return result;
}

}  // namespace sigmax::inline SIGMAX_ABI::io
