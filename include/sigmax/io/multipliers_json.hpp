// SPDX-License-Identifier: MIT
/// @file
/// Proofs of Lipschitz bounds as JSON. Opt-in: needs nlohmann/json (link sigmax::json).
#pragma once

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include <nlohmann/json.hpp>

#include <sigmax/bound/extended.hpp>
#include <sigmax/bound/interval.hpp>
#include <sigmax/bound/norm.hpp>
#include <sigmax/bound/rounding.hpp>
#include <sigmax/config.hpp>
#include <sigmax/core/error.hpp>
#include <sigmax/io/json.hpp>
#include <sigmax/lipschitz/check/proof.hpp>
#include <sigmax/lipschitz/domain.hpp>

namespace sigmax::inline SIGMAX_ABI::io {

/// The proof as an object: {format, sha256, norm, domain, upper, segments: [{end, squared_bound, multipliers}]}. Every
/// number reads back as the same double. `inputs` is the number of elements of the network's input.
inline nlohmann::ordered_json to_json(lipschitz::check::proof const& proof, std::size_t inputs) {
  using json = nlohmann::ordered_json;
  json result;
  result["format"] = "sigmax Lipschitz proof 1";
  result["sha256"] = proof.sha256.empty() ? json(nullptr) : json(proof.sha256);
  result["norm"] = proof.norm.name();
  json domain;
  using kind = lipschitz::input_domain::kind;
  if (proof.domain.shape() == kind::all) {
    domain["kind"] = "all";
  } else if (proof.domain.shape() == kind::ball) {
    domain["kind"] = "ball";
    domain["radius"] = proof.domain.radius();
    domain["centre"] = proof.domain.centre(inputs);
  } else {
    std::vector<double> lower;
    std::vector<double> upper;
    for (interval const x : proof.domain.enclosure(inputs, 0)) {
      lower.push_back(x.lower);
      upper.push_back(x.upper);
    }
    domain["kind"] = "box";
    domain["lower"] = lower;
    domain["upper"] = upper;
  }
  result["domain"] = domain;
  result["upper"] = detail::upper_to_json(proof.upper);
  result["segments"] = json::array();
  for (auto const& part : proof.segments) {
    result["segments"].push_back({{"end", part.end},
                                  {"squared_bound", detail::number_or_null(part.squared_bound)},
                                  {"multipliers", part.multipliers}});
  }
  return result;
}

namespace detail {

[[noreturn]] inline void refuse_proof(std::string_view what) { sigmax::detail::raise<format_error>({"proof: ", what}); }

inline norm::any norm_named(std::string const& name) {
  for (norm::any const n : {norm::any(norm::l2), norm::any(norm::linf), norm::any(norm::rms)}) {
    if (name == n.name()) return n;
  }
  refuse_proof("'norm' is none of l2, linf, rms");
}

inline extended upper_from_json(nlohmann::ordered_json const& value) {
  if (value.at("mantissa_hex").is_null()) return extended(infinity);
  auto const text = value.at("mantissa_hex").get<std::string>();
  double mantissa = 0;
  char const* const end = text.data() + text.size();
  if (!text.starts_with("0x")) refuse_proof("'mantissa_hex' does not begin with 0x");
  auto const read = std::from_chars(text.data() + 2, end, mantissa, std::chars_format::hex);
  if (read.ec != std::errc() || read.ptr != end) refuse_proof("'mantissa_hex' is no hexadecimal number");
  return extended(mantissa, value.at("exp2").get<std::int64_t>());
}

}  // namespace detail

/// The proof an object holds. Nothing in it is believed; `verify` proves it. @throws format_error if it is none, or errors of
/// input_domain.
inline lipschitz::check::proof proof_from_json(nlohmann::ordered_json const& object) {
  using lipschitz::input_domain;
  lipschitz::check::proof result;
  try {
    if (object.at("format").get<std::string>() != "sigmax Lipschitz proof 1") {
      detail::refuse_proof("'format' is not 'sigmax Lipschitz proof 1'");
    }
    if (!object.at("sha256").is_null()) result.sha256 = object.at("sha256").get<std::string>();
    result.norm = detail::norm_named(object.at("norm").get<std::string>());
    auto const& domain = object.at("domain");
    auto const kind = domain.at("kind").get<std::string>();
    if (kind == "ball") {
      result.domain =
          input_domain::ball(domain.at("radius").get<double>(), domain.at("centre").get<std::vector<double>>());
    } else if (kind == "box") {
      result.domain = input_domain::box(domain.at("lower").get<std::vector<double>>(),
                                        domain.at("upper").get<std::vector<double>>());
    } else if (kind != "all") {
      detail::refuse_proof("'domain' is none of all, ball, box");
    }
    result.upper = detail::upper_from_json(object.at("upper"));
    for (auto const& part : object.at("segments")) {
      result.segments.push_back({part.at("end").get<std::string>(),
                                 part.at("multipliers").get<lipschitz::check::slope_multipliers>(),
                                 part.at("squared_bound").get<double>()});
    }
  } catch (nlohmann::json::exception const& problem) {
    detail::refuse_proof(problem.what());
  }
  return result;
}

}  // namespace sigmax::inline SIGMAX_ABI::io
