// SPDX-License-Identifier: MIT
#include <charconv>
#include <system_error>

#include <CLI/CLI.hpp>

#include <sigmax/config.hpp>
#include <sigmax/io/printable.hpp>
#include <sigmax/kernels.hpp>

#include "arguments.hpp"

namespace certify_program {

namespace {

char const* const introduction =
    "Proves how much a neural network can amplify a change of its input, and how large its weights are.\n"
    "\n"
    "For each ONNX model it prints a number L with  ||f(x) - f(y)|| <= L ||x - y||  for all inputs x and y,\n"
    "layer by layer, and beside it the largest amplification an attack could reach.\n"
    "For each safetensors file it prints, tensor by tensor, two numbers that enclose the spectral norm.";

char const* const afterword = R"(What "proven" means:
  The upper bound holds for the network in real arithmetic with the parameters exactly as they are stored;
  the rounding errors of this program are accounted for. Rounding errors of the program that will run the
  network are not. A layer without a rule is never guessed: the model is refused and the layer named.
  The lower bound is proven too where it is printed as "L >=": a pair of points re-evaluated in interval
  arithmetic. The true constant lies between the two. A symbolic batch size counts as one sample.

Weights:
  A file is taken for safetensors if its name ends in .safetensors or its content begins as that of one.
  A tensor of two extents is a matrix W, rows being outputs and columns inputs (torch's Linear): printed are both
  ends of ||W||_2 and an upper end of the norm from RMS to RMS, sqrt(columns / rows) ||W||_2. Of a vector it is the
  Euclidean length. A tensor of more extents is flattened to (first extent) x (all others): the norm of that matrix
  is not the norm of the convolution it may belong to. Integers are skipped; what is not finite, of a type that is
  not F64, F32, F16 or BF16, or too large for --max-memory is refused by name.
  --norm, --method, --html, --seed and --no-attack are for networks.

Examples:
  sigmax-certify model.onnx
  sigmax-certify model.onnx --norm linf --html report.html
  sigmax-certify model.onnx --json - | python3 -m json.tool
  sigmax-certify before.onnx after.onnx --no-attack
  sigmax-certify weights.safetensors --json norms.json

Exit status:
  0  a finite bound was printed for every model and every tensor
  1  a model has no finite bound, something in it has no rule, or a tensor was refused; it is named on stderr
  2  wrong usage, or a model that cannot be read)";

std::string one_line(std::string text) {
  for (char& c : text) {
    if (c == '\n' || c == '\r') c = ' ';
  }
  return "sigmax-certify: " + sigmax::io::printable(text, 1000) + " (--help explains)";
}

/// Declares the options; the texts that need checking are returned through the references.
void declare(CLI::App& app, arguments& result, std::string& norm, std::string& method, std::string& memory,
             std::string& seed) {
  app.add_option("MODEL", result.models, "ONNX or safetensors files")->required()->type_name("FILE");
  app.add_option("--norm", norm, "Norm of inputs and outputs: l2 (Euclidean) or linf (largest entry)")
      ->check(CLI::IsMember({"l2", "linf"}))
      ->type_name("NAME")
      ->capture_default_str();
  app.add_option("--method", method, "How layers are put together: auto, or product (of their bounds)")
      ->check(CLI::IsMember({"auto", "product"}))
      ->type_name("NAME")
      ->capture_default_str();
  app.add_option("--json", result.json,
                 "Write what was proved as JSON: one object, an array for several models.\n"
                 "With - to standard output; the table then goes to standard error")
      ->type_name("FILE");
  app.add_option("--html", result.html, "Write a page with charts (one model)")->type_name("FILE");
  app.add_option("--max-memory", memory, "Refuse models that need more; K, M, G are understood")
      ->type_name("BYTES")
      ->capture_default_str();
  app.add_option("--seed", seed, "Seed of the attack")->type_name("N")->capture_default_str();
  app.add_flag_callback(
      "--no-attack", [&result] { result.attack = false; }, "Do not look for a lower bound");
  app.add_option("--relative-gap", result.relative_gap, "How closely the norm of each matrix is proven")
      ->type_name("X")
      ->capture_default_str();
  app.set_version_flag("--version", std::string("sigmax-certify ") + sigmax::version + " (" +
                                        sigmax::cpu::native().architecture() + ")");
  app.footer(afterword);
}

}  // namespace

std::optional<std::uint64_t> parse_bytes(std::string const& text) {
  std::uint64_t value = 0;
  char const* const end = text.data() + text.size();
  auto const parsed = std::from_chars(text.data(), end, value);
  if (parsed.ec != std::errc()) return std::nullopt;
  std::string const unit(parsed.ptr, end);
  int shift = 0;
  if (unit == "K" || unit == "k") {
    shift = 10;
  } else if (unit == "M" || unit == "m") {
    shift = 20;
  } else if (unit == "G" || unit == "g") {
    shift = 30;
  } else if (!unit.empty()) {
    return std::nullopt;
  }
  if (value == 0 || value > (UINT64_MAX >> shift)) return std::nullopt;
  return value << shift;
}

std::variant<arguments, finished> parse_arguments(int argc, char const* const* argv) {
  arguments result;
  std::string norm = "l2";
  std::string method = "auto";
  std::string memory = "4G";
  std::string seed = "1";
  CLI::App app(introduction, "sigmax-certify");
  try {
    declare(app, result, norm, method, memory, seed);
    app.parse(argc, argv);
  } catch (CLI::CallForHelp const&) {
    return finished{0, app.help()};
  } catch (CLI::CallForVersion const& asked) {
    return finished{0, std::string(asked.what()) + "\n"};
  } catch (CLI::Error const& problem) {
    return finished{2, one_line(problem.what())};
  }
  result.norm = norm == "linf" ? sigmax::norm::any(sigmax::norm::linf) : sigmax::norm::any(sigmax::norm::l2);
  auto const bytes = parse_bytes(memory);
  if (!bytes) {
    return finished{
        2, one_line("--max-memory is '" + memory + "'; it must be a positive number, with K, M or G if wanted")};
  }
  result.max_memory = *bytes;
  // CLI11 would take -1 for 2^64 - 1.
  auto const parsed = std::from_chars(seed.data(), seed.data() + seed.size(), result.seed);
  if (parsed.ec != std::errc() || parsed.ptr != seed.data() + seed.size()) {
    return finished{2, one_line("--seed is '" + seed + "'; it must be a whole number from 0 to 2^64 - 1")};
  }
  if (!(result.relative_gap > 0 && result.relative_gap < 1)) {
    return finished{2, one_line("--relative-gap must be above 0 and below 1")};
  }
  if (!result.html.empty() && result.models.size() > 1) {
    return finished{2, one_line("--html takes one model; " + std::to_string(result.models.size()) + " are given")};
  }
  for (auto const& model : result.models) {
    if (model.empty()) return finished{2, one_line("MODEL is empty")};
  }
  return result;
}

}  // namespace certify_program
