// SPDX-License-Identifier: MIT
#include <algorithm>
#include <array>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <sigmax/config.hpp>
#include <sigmax/core/error.hpp>
#include <sigmax/io/json.hpp>
#include <sigmax/io/printable.hpp>
#include <sigmax/io/safetensors.hpp>
#include <sigmax/kernels.hpp>
#include <sigmax/lipschitz/certificate_text.hpp>
#include <sigmax/lipschitz/tensor_shape.hpp>

#include "tensor_norm.hpp"
#include "weights.hpp"

namespace certify_program {

namespace {

using json = nlohmann::ordered_json;
using sigmax::io::printable;
namespace text = sigmax::lipschitz::detail;

constexpr char const* statement = "norms of the stored matrices in real arithmetic; float execution not included";

/// How certified_spectral_norm proves its two ends.
constexpr char const* proof = "below by a Rayleigh quotient, above by a Cholesky factorisation or sums of entries";

std::size_t count(std::vector<tensor_norm> const& norms, tensor_kind kind) {
  return static_cast<std::size_t>(
      std::count_if(norms.begin(), norms.end(), [&](auto const& norm) { return norm.kind == kind; }));
}

/// "12 matrices, 1 vector" for all kinds there are.
std::string summary(std::vector<tensor_norm> const& norms) {
  struct words {
    tensor_kind kind;
    char const* one;
    char const* many;
  };
  static constexpr std::array<words, 6> all{{{tensor_kind::matrix, "matrix", "matrices"},
                                             {tensor_kind::flattened, "flattened tensor", "flattened tensors"},
                                             {tensor_kind::vector, "vector", "vectors"},
                                             {tensor_kind::scalar, "scalar", "scalars"},
                                             {tensor_kind::skipped, "skipped", "skipped"},
                                             {tensor_kind::refused, "refused", "refused"}}};
  std::string line;
  for (auto const& [kind, one, many] : all) {
    std::size_t const n = count(norms, kind);
    if (n > 0) line += fmt::format("{}{} {}", line.empty() ? "" : ", ", n, n == 1 ? one : many);
  }
  return line.empty() ? "no tensors" : line;
}

std::string table_of(std::vector<tensor_norm> const& norms) {
  std::vector<std::vector<std::string>> rows{
      {"tensor", "type", "shape", "taken as", "norm >=", "norm <=", "RMS norm <=", "proof"}};
  tensor_norm const* largest = nullptr;
  for (auto const& norm : norms) {
    std::vector<std::string> row{printable(norm.name),
                                 name_of(norm.type),
                                 sigmax::lipschitz::shape_text(norm.shape),
                                 name_of(norm.kind),
                                 "-",
                                 "-",
                                 "-",
                                 printable(norm.reason)};
    if (norm.reason.empty()) {
      row[4] = text::short_lower(norm.lower);
      row[5] = text::short_upper(norm.upper);
      if (norm.rms_upper) row[6] = text::short_upper(*norm.rms_upper);
      row[7] = "enclosed";
      if (norm.kind == tensor_kind::matrix && (largest == nullptr || largest->upper < norm.upper)) largest = &norm;
    }
    rows.push_back(std::move(row));
  }
  std::string result = "norm: ||W||_2; RMS norm: sqrt(columns / rows) ||W||_2, with rows as outputs\n\n" +
                       text::aligned(rows, 4, 6) + "\n" + summary(norms) + "\n";
  if (largest != nullptr) {
    result += fmt::format("largest norm of a matrix <= {} ({})\n", text::short_upper(largest->upper),
                          printable(largest->name));
  }
  if (count(norms, tensor_kind::flattened) > 0) {
    result += "flattened: the matrix of first extent x all others; its norm is not that of the convolution\n";
  }
  if (count(norms, tensor_kind::vector) + count(norms, tensor_kind::scalar) > 0) {
    result += "vector, scalar: not matrices; the norm is the Euclidean length\n";
  }
  return result + "enclosed: " + proof + ", rounding included\n" + statement + "\n";
}

json json_of(tensor_norm const& norm) {
  json result;
  result["name"] = printable(norm.name, 4096);
  result["dtype"] = name_of(norm.type);
  result["shape"] = norm.shape;
  result["taken_as"] = name_of(norm.kind);
  result["spectral_norm"] = nullptr;
  result["rms_norm"] = nullptr;
  result["proof"] = nullptr;
  result["reason"] = nullptr;
  if (!norm.reason.empty()) {
    result["reason"] = norm.reason;
    return result;
  }
  result["spectral_norm"] = {{"lower", norm.lower}, {"upper", sigmax::io::detail::upper_to_json(norm.upper)}};
  result["proof"] = proof;
  if (norm.rms_upper) result["rms_norm"] = {{"upper", sigmax::io::detail::upper_to_json(*norm.rms_upper)}};
  return result;
}

json json_of(std::vector<tensor_norm> const& norms, sigmax::io::json_context const& context) {
  json result = sigmax::io::detail::json_head("sigmax-norms-1", context);
  result["statement"] = statement;
  result["tensors"] = json::array();
  result["refused"] = json::array();
  for (auto const& norm : norms) {
    result["tensors"].push_back(json_of(norm));
    if (norm.kind == tensor_kind::refused) {
      result["refused"].push_back(
          {{"name", printable(norm.name, 4096)}, {"dtype", name_of(norm.type)}, {"reason", norm.reason}});
    }
  }
  sigmax::io::detail::json_tail(result, context);
  return result;
}

/// One line that names what was refused; empty if nothing was.
std::string problem_of(std::vector<tensor_norm> const& norms) {
  constexpr std::size_t named = 10;
  std::string line;
  std::size_t refused = 0;
  for (auto const& norm : norms) {
    if (norm.kind != tensor_kind::refused || ++refused > named) continue;
    line += fmt::format("{}tensor {}: {}", line.empty() ? "" : "; ", sigmax::io::in_quotes(norm.name), norm.reason);
  }
  return refused > named ? fmt::format("{}; and {} more", line, refused - named) : line;
}

}  // namespace

bool is_weights(std::string const& path, std::span<std::byte const> bytes) {
  return path.ends_with(".safetensors") || sigmax::io::looks_like_safetensors(bytes);
}

void certify_weights(sigmax::cpu::native const& on, std::span<std::byte const> bytes, std::string const& digest,
                     arguments const& options, progress& work, outcome& result) {
  result.is_weights = true;
  work.unit = "tensors";
  if (!options.html.empty()) throw sigmax::domain_error("--html is for networks, and these are weights");
  if (std::string_view(options.norm.name()) != "l2") {
    throw sigmax::domain_error(fmt::format(
        "--norm {} is for networks; of weights the spectral and the RMS norm are proved", options.norm.name()));
  }
  if (!options.of_networks.empty()) {
    throw sigmax::domain_error(fmt::format("{} is for networks, and these are weights", options.of_networks.front()));
  }
  sigmax::io::json_context context{.path = result.path, .sha256 = digest, .arch = on.architecture()};
  try {
    auto const file = sigmax::io::parse_safetensors(bytes, {.max_memory = options.max_memory, .label = result.path});
    auto const norms = tensor_norms(
        on, file, {.relative_gap = options.relative_gap, .max_memory = options.max_memory - bytes.size()}, work);
    context.seconds = result.seconds();
    result.status = count(norms, tensor_kind::refused) > 0 ? 1 : 0;
    result.table = table_of(norms);
    result.json = json_of(norms, context);
    if (result.status == 1) result.problem = printable(result.path) + ": refused: " + problem_of(norms);
  } catch (sigmax::unsupported_error const& e) {
    // A type nobody knows: without its size nothing in the file has a place.
    context.seconds = result.seconds();
    result.status = 1;
    result.json = json_of({}, context);
    result.json["refused"].push_back({{"name", nullptr}, {"dtype", nullptr}, {"reason", e.what()}});
    throw;
  }
}

}  // namespace certify_program
