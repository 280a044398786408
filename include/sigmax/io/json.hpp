// SPDX-License-Identifier: MIT
/// @file
/// Certificates as JSON. Opt-in: needs nlohmann/json (link sigmax::json).
#pragma once

#include <charconv>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include <sigmax/bound/extended.hpp>
#include <sigmax/bound/rounding.hpp>
#include <sigmax/config.hpp>
#include <sigmax/io/printable.hpp>
#include <sigmax/lipschitz/certificate.hpp>
#include <sigmax/lipschitz/search_report.hpp>

namespace sigmax::inline SIGMAX_ABI::io {

/// What a certificate cannot know about itself.
struct json_context {
  /// The model's file and its digest in hexadecimal; empty where there is none.
  std::string path = {};
  std::string sha256 = {};
  /// The file the centre of a ball or the ends of a box came from, and its digest; empty where there is none.
  std::string domain_path = {};
  std::string domain_sha256 = {};
  double seconds = 0;
  /// Of the backend that computed, where that is not what this file is compiled for.
  std::string arch = architecture;
};

/// The name of the format `to_json` writes; another number where a key changes its meaning or goes.
inline constexpr char const* certificate_schema = "sigmax-certificate-1";

namespace detail {

/// A finite double, which JSON text keeps exactly (17 digits suffice and are printed), or null.
inline nlohmann::ordered_json number_or_null(double value) {
  if (!is_finite(value)) return nullptr;
  return value;
}

/// "0x1.8p-1": the mantissa exactly, as C reads it.
inline std::string hexadecimal(double value) {
  char text[64];
  auto const printed = std::to_chars(text, text + sizeof text, value, std::chars_format::hex);
  return "0x" + std::string(text, printed.ptr);
}

/// {decimal >= bound, mantissa_hex * 2^exp2 = bound}; without a bound "inf" and nulls.
inline nlohmann::ordered_json upper_to_json(extended const& upper) {
  nlohmann::ordered_json result;
  result["decimal"] = upper.to_decimal_up();
  result["mantissa_hex"] = nullptr;
  result["exp2"] = nullptr;
  if (!upper.is_infinite()) {
    result["mantissa_hex"] = hexadecimal(upper.mantissa());
    result["exp2"] = upper.exponent();
  }
  return result;
}

/// Empty texts become null.
inline nlohmann::ordered_json text_or_null(std::string const& text) {
  return text.empty() ? nlohmann::ordered_json(nullptr) : nlohmann::ordered_json(printable(text, 4096));
}

inline nlohmann::ordered_json json_head(char const* schema, json_context const& context) {
  nlohmann::ordered_json result;
  result["schema"] = schema;
  result["model"] = {{"path", printable(context.path, 4096)}, {"sha256", text_or_null(context.sha256)}};
  result["statement"] = lipschitz::certificate::statement;
  return result;
}

/// {type: all | ball | box, norm and radius of a ball, the file that gave the numbers and its digest}.
inline nlohmann::ordered_json domain_to_json(lipschitz::input_domain const& domain, norm::any norm,
                                             json_context const& context) {
  using kind = lipschitz::input_domain::kind;
  bool const ball = domain.shape() == kind::ball;
  nlohmann::ordered_json result;
  result["type"] = ball ? "ball" : domain.shape() == kind::box ? "box" : "all";
  result["norm"] = ball ? nlohmann::ordered_json(norm.name()) : nlohmann::ordered_json(nullptr);
  result["radius"] = ball ? number_or_null(domain.radius()) : nlohmann::ordered_json(nullptr);
  result["file"] = text_or_null(context.domain_path);
  result["sha256"] = text_or_null(context.domain_sha256);
  return result;
}

/// What every number of a certificate is computed in.
inline nlohmann::ordered_json arithmetic_to_json(json_context const& context) {
  nlohmann::ordered_json result;
  result["u"] = double_roundoff;
  result["eta"] = double_underflow;
  result["rounding"] = "to nearest, every bound moved outwards";
  result["flush_to_zero"] = false;
  result["fused_multiply_add"] = "either";
  result["backend"] = context.arch;
  return result;
}

inline nlohmann::ordered_json refused_to_json(lipschitz::refused_layer const& refused) {
  return {
      {"name", text_or_null(refused.name)}, {"op", text_or_null(refused.op)}, {"reason", text_or_null(refused.reason)}};
}

inline void json_tail(nlohmann::ordered_json& result, json_context const& context) {
  result["arithmetic"] = arithmetic_to_json(context);
  result["fp_execution"] = {{"included", false}, {"bound_abs", nullptr}};
  result["seconds"] = number_or_null(context.seconds);
  result["version"] = version;
  result["arch"] = context.arch;
}

}  // namespace detail

/// The certificate as an object with the keys of sigmax-certify, in its order. Upper bounds never shrink: each number
/// is the shortest text that reads back as the same double, and `upper` holds bound and digits rounded upwards even
/// beyond the range of double, where `lipschitz_upper` is null. Lower bounds never grow, for the same reason.
/// Names are made printable, so the text is valid UTF-8.
inline nlohmann::ordered_json to_json(lipschitz::certificate const& c, json_context const& context = {}) {
  using json = nlohmann::ordered_json;
  json result = detail::json_head(certificate_schema, context);
  result["domain"] = detail::domain_to_json(c.domain(), c.norm_in(), context);
  result["norms"] = {{"in", c.norm_in().name()}, {"out", c.norm_out().name()}};
  result["lipschitz_upper"] = detail::number_or_null(c.upper());
  result["upper"] = detail::upper_to_json(c.upper_extended());
  result["log10_upper"] = detail::number_or_null(c.log10_upper());
  auto const& lower = c.lower();
  bool const proven = lower && lower->proven;
  result["lipschitz_lower"] = proven ? detail::number_or_null(lower->value) : json(nullptr);
  result["lipschitz_estimate"] = lower && lower->estimate > 0 ? detail::number_or_null(lower->estimate) : json(nullptr);
  result["method"] = c.method();
  result["tried"] = json::array();
  for (auto const& tried : c.tried()) {
    result["tried"].push_back({{"method", printable(tried.name)},
                               {"upper", detail::upper_to_json(tried.upper)},
                               {"log10_upper", detail::number_or_null(tried.upper.log10_up())}});
  }
  result["conditional"] = c.conditional();
  result["assumptions"] = json::array();
  for (auto const& reason : c.rests_on().reasons()) result["assumptions"].push_back(printable(reason, 4096));
  bool const ball = c.domain().shape() == lipschitz::input_domain::kind::ball;
  result["input"] = {{"shape", c.input_shape()}, {"radius", ball ? json(c.domain().radius()) : json(nullptr)}};
  result["layers"] = json::array();
  for (auto const& layer : c.layers()) {
    json row;
    row["name"] = printable(layer.name);
    row["op"] = printable(layer.op);
    row["shape"] = layer.shape;
    row["log10_own"] = detail::number_or_null(layer.log10_sensitivity);
    row["log10_lipschitz"] = detail::number_or_null(layer.log10_lipschitz);
    row["log10_radius"] = detail::number_or_null(layer.log10_radius);
    row["share"] = detail::number_or_null(layer.share);
    row["rule"] = printable(layer.rule);
    result["layers"].push_back(std::move(row));
  }
  result["refused"] = json::array();
  for (auto const& refused : c.refused()) result["refused"].push_back(detail::refused_to_json(refused));
  result["coverage"] = {{"layers", c.layers().size()},
                        {"refused", c.refused().size()},
                        {"defaulted", 0},
                        {"text",
                         "every node between input and output is a layer listed here or a constant; none has a "
                         "default bound"}};
  detail::json_tail(result, context);
  return result;
}

/// What a search says of itself, for a report beside a certificate: all but `proved` are estimates.
///   {segment, multipliers, by, reason, estimated_ends, converged, estimated_optimum, proved}
inline nlohmann::ordered_json to_json(lipschitz::search_report const& report) {
  nlohmann::ordered_json result;
  result["segment"] = printable(report.end);
  result["multipliers"] = report.multipliers;
  result["by"] = detail::text_or_null(std::string(report.how));
  result["reason"] = detail::text_or_null(std::string(report.reason));
  result["estimated_ends"] = report.ends;
  result["converged"] = report.converged;
  result["estimated_optimum"] = detail::number_or_null(report.optimum);
  result["proved"] = detail::number_or_null(report.proved);
  return result;
}

/// The object for a model that could not be read as a network, for these reasons: the same keys, no bound.
inline nlohmann::ordered_json refusal_to_json(std::vector<lipschitz::refused_layer> const& refusals, norm::any norm,
                                              json_context const& context = {},
                                              lipschitz::input_domain const& domain = {}) {
  using json = nlohmann::ordered_json;
  json result = detail::json_head(certificate_schema, context);
  result["domain"] = detail::domain_to_json(domain, norm, context);
  result["norms"] = {{"in", norm.name()}, {"out", norm.name()}};
  result["lipschitz_upper"] = nullptr;
  result["upper"] = detail::upper_to_json(extended(infinity));
  for (char const* const key : {"log10_upper", "lipschitz_lower", "lipschitz_estimate"}) result[key] = nullptr;
  result["method"] = nullptr;
  result["tried"] = json::array();
  result["conditional"] = false;
  result["assumptions"] = json::array();
  result["input"] = {{"shape", nullptr}, {"radius", nullptr}};
  result["layers"] = json::array();
  result["refused"] = json::array();
  for (auto const& refused : refusals) result["refused"].push_back(detail::refused_to_json(refused));
  result["coverage"] = {{"layers", 0}, {"refused", refusals.size()}, {"defaulted", 0}, {"text", "nothing was proved"}};
  detail::json_tail(result, context);
  return result;
}

}  // namespace sigmax::inline SIGMAX_ABI::io
