// SPDX-License-Identifier: MIT
/// @file
/// Proofs as files: what a certificate stands on, to be verified by somebody else. Opt-in: needs nlohmann/json.
#pragma once

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include <sigmax/bound/extended.hpp>
#include <sigmax/bound/norm.hpp>
#include <sigmax/bound/rounding.hpp>
#include <sigmax/config.hpp>
#include <sigmax/core/error.hpp>
#include <sigmax/io/json.hpp>
#include <sigmax/io/printable.hpp>
#include <sigmax/lipschitz/check/norm_claims.hpp>
#include <sigmax/lipschitz/domain.hpp>

namespace sigmax::inline SIGMAX_ABI::io {

/// ||f(x) - f(y)|| <= upper ||x - y|| on the domain, of the model with this digest, from these norms of its weights.
/// Nothing in it is believed: see lipschitz::verify_product.
struct stored_proof {
  std::string model_path;
  std::string sha256;
  norm::any norm = sigmax::norm::l2;
  lipschitz::input_domain domain;
  /// Elements of the input; the numbers of a domain are written out.
  std::size_t input_size = 0;
  double relative_gap = 1e-7;
  extended upper;
  std::vector<lipschitz::norm_claim> claims;
};

inline constexpr char const* proof_schema = "sigmax-proof-1";

/// The proof as an object. Bounds are hexadecimal, so that they are exact; `multipliers` is null until a method that
/// has some is written here.
///   {schema, model{path, sha256}, statement, norm, domain{type, radius, centre | lower, upper}, relative_gap,
///    method: "product", upper{decimal, mantissa_hex, exp2}, norms[{rows, cols, bound, decimal, witness}],
///    multipliers: null, version, arch}
inline nlohmann::ordered_json to_json(stored_proof const& proof, std::string const& arch = architecture) {
  using kind = lipschitz::input_domain::kind;
  using json = nlohmann::ordered_json;
  json result = detail::json_head(proof_schema, {.path = proof.model_path, .sha256 = proof.sha256});
  result["norm"] = proof.norm.name();
  json domain;
  domain["type"] = "all";
  if (proof.domain.shape() == kind::ball) {
    domain["type"] = "ball";
    domain["radius"] = detail::hexadecimal(proof.domain.radius());
    domain["centre"] = proof.domain.centre(proof.input_size);
  } else if (proof.domain.shape() == kind::box) {
    domain["type"] = "box";
    domain["lower"] = json::array();
    domain["upper"] = json::array();
    for (auto const& ends : proof.domain.enclosure(proof.input_size, 1.0)) {
      domain["lower"].push_back(ends.lower);
      domain["upper"].push_back(ends.upper);
    }
  }
  result["domain"] = std::move(domain);
  result["relative_gap"] = proof.relative_gap;
  result["method"] = "product";
  result["upper"] = detail::upper_to_json(proof.upper);
  result["norms"] = json::array();
  for (auto const& claim : proof.claims) {
    result["norms"].push_back({{"rows", claim.rows},
                               {"cols", claim.cols},
                               {"bound", detail::hexadecimal(claim.bound)},
                               {"decimal", extended(claim.bound).to_decimal_up()},
                               {"witness", "gram+cholesky"}});
  }
  result["multipliers"] = nullptr;
  result["version"] = version;
  result["arch"] = arch;
  return result;
}

namespace detail {

/// Reads members of a proof. Every error names the member.
class proof_reader {
 public:
  using json = nlohmann::ordered_json;

  explicit proof_reader(std::string label) : label_(std::move(label)) {}

  [[noreturn]] void refuse(std::string const& what) const { throw format_error(printable(label_) + ": " + what); }

  json const& member(json const& object, char const* name) const {
    if (!object.is_object()) refuse(std::string("'") + name + "' is asked of something that is no object");
    auto const found = object.find(name);
    if (found == object.end()) refuse(std::string("there is no '") + name + "'");
    return *found;
  }
  std::string text(json const& object, char const* name) const {
    auto const& value = member(object, name);
    if (!value.is_string()) refuse(std::string("'") + name + "' is no text");
    return value.get<std::string>();
  }
  void require(json const& object, char const* name, std::string_view expected) const {
    auto const found = text(object, name);
    if (found != expected) {
      refuse(std::string("'") + name + "' is " + in_quotes(found) + "; this version checks '" + std::string(expected) +
             "'");
    }
  }
  /// A finite number >= 0 as "0x1.8p+1".
  double hexadecimal(json const& object, char const* name) const {
    auto const all = text(object, name);
    double value = 0;
    char const* const end = all.data() + all.size();
    bool const prefixed = all.starts_with("0x") && all.size() > 2 && all[2] != '-';
    auto const parsed = prefixed ? std::from_chars(all.data() + 2, end, value, std::chars_format::hex)
                                 : std::from_chars_result{all.data(), std::errc::invalid_argument};
    if (parsed.ec != std::errc() || parsed.ptr != end || !is_finite(value)) {
      refuse(std::string("'") + name + "' is " + in_quotes(all) + ", no finite hexadecimal number >= 0");
    }
    return value;
  }
  std::int64_t integer(json const& object, char const* name) const {
    auto const& value = member(object, name);
    bool const fits =
        value.is_number_integer() && (!value.is_number_unsigned() || value.get<std::uint64_t>() <= INT64_MAX);
    if (!fits) refuse(std::string("'") + name + "' is no integer of 64 bits");
    return value.get<std::int64_t>();
  }
  double number(json const& value, char const* name) const {
    if (!value.is_number()) refuse(std::string("'") + name + "' holds something that is no number");
    return value.get<double>();
  }
  std::vector<double> numbers(json const& object, char const* name) const {
    auto const& values = member(object, name);
    if (!values.is_array()) refuse(std::string("'") + name + "' is no list of numbers");
    std::vector<double> result;
    for (auto const& each : values) result.push_back(number(each, name));
    return result;
  }

 private:
  std::string label_;
};

}  // namespace detail

/// Reads a proof. Whatever this version does not know how to check is refused. @throws format_error that begins with
/// `label` and names what is wrong.
inline stored_proof parse_proof(std::string_view text, std::string const& label) {
  detail::proof_reader const read(label);
  auto const all = nlohmann::ordered_json::parse(text, nullptr, false);
  if (all.is_discarded() || !all.is_object()) read.refuse("not a proof: it is no JSON object");
  read.require(all, "schema", proof_schema);
  read.require(all, "statement", lipschitz::certificate::statement);
  read.require(all, "method", "product");
  if (!read.member(all, "multipliers").is_null()) read.refuse("'multipliers' are nothing this version can check");
  stored_proof result;
  auto const& model = read.member(all, "model");
  result.model_path = read.text(model, "path");
  result.sha256 = read.text(model, "sha256");
  auto const norm_name = read.text(all, "norm");
  bool known = false;
  for (norm::any const each : {norm::any(norm::l2), norm::any(norm::linf), norm::any(norm::rms)}) {
    if (norm_name != each.name()) continue;
    result.norm = each;
    known = true;
  }
  if (!known) read.refuse("'norm' is " + in_quotes(norm_name) + "; it must be l2, linf or rms");
  result.relative_gap = read.number(read.member(all, "relative_gap"), "relative_gap");
  if (!(result.relative_gap > 0 && result.relative_gap < 1)) read.refuse("'relative_gap' is not between 0 and 1");
  auto const& domain = read.member(all, "domain");
  auto const type = read.text(domain, "type");
  try {
    if (type == "ball") {
      result.domain = lipschitz::input_domain::ball(read.hexadecimal(domain, "radius"), read.numbers(domain, "centre"));
    } else if (type == "box") {
      result.domain = lipschitz::input_domain::box(read.numbers(domain, "lower"), read.numbers(domain, "upper"));
    } else if (type != "all") {
      read.refuse("'type' of the domain is " + in_quotes(type) + "; it must be all, ball or box");
    }
  } catch (domain_error const& problem) {
    read.refuse(problem.what());
  } catch (numeric_error const& problem) {
    read.refuse(problem.what());
  }
  auto const& upper = read.member(all, "upper");
  double const mantissa = read.hexadecimal(upper, "mantissa_hex");
  if (!(mantissa < 1)) read.refuse("'mantissa_hex' is not below 1");
  result.upper = extended(mantissa, read.integer(upper, "exp2"));
  if (result.upper.is_infinite()) read.refuse("'exp2' is too large");
  auto const& norms = read.member(all, "norms");
  if (!norms.is_array()) read.refuse("'norms' is no list");
  for (auto const& each : norms) {
    read.require(each, "witness", "gram+cholesky");
    result.claims.push_back({read.integer(each, "rows"), read.integer(each, "cols"), read.hexadecimal(each, "bound")});
  }
  return result;
}

}  // namespace sigmax::inline SIGMAX_ABI::io
