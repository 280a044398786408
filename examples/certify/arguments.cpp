// SPDX-License-Identifier: MIT
#include <charconv>
#include <string>
#include <system_error>
#include <vector>

#include <CLI/CLI.hpp>

#include <sigmax/bound/rounding.hpp>
#include <sigmax/config.hpp>
#include <sigmax/io/printable.hpp>
#include <sigmax/kernels.hpp>

#include "arguments.hpp"
#include "thread_pool/thread_pool.hpp"

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
  --norm, --method, --html, --seed, --no-attack, domains and proofs are for networks.

Methods:
  Each bounds pieces of the network of linear maps and elementwise functions as a whole; the least bound counts, and
  "tried" says what each gives alone. For lipsdp multipliers are searched for: "search" says where the search and its
  restarts ended, whether they agree to 1e-4, and how far above its optimum the proof is. These are estimates; the bound
  is proved from the multipliers by other code.

Domains:
  Without --radius and --box the bound holds for all inputs. With --radius R both x and y lie in the ball of radius R,
  in the norm of --norm, around the origin or around the numbers of --centre FILE; with --box FILE they lie in a box.
  Some operators have a bound only then, and others a smaller one.
  A file of numbers is JSON or text. JSON for --centre: a list of numbers, nested as you like. JSON for --box: an
  object {"lower": .., "upper": ..} of two lists or of two numbers, or a list of pairs [lower, upper].
  Text: numbers with spaces, commas or line ends between them, # begins a comment; for --box lower and upper of the
  first element, of the second, and so on. Two numbers alone are the ends for all elements. Decimals are rounded to
  the nearest double.

Proofs:
  --emit-proof writes what the bound stands on: a claimed norm of every weight, and of every piece of the network that
  --method bounded as a whole, how, with the multipliers that prove it. The bound it claims is 1e-9 above the one printed.
  --check-proof reads that and the model, confirms every claim by Cholesky factorisations, applies the rules of all
  layers again and searches for nothing. A file that is not about this model, or claims too little, is refused.

Examples:
  sigmax-certify model.onnx
  sigmax-certify model.onnx --norm linf --html report.html
  sigmax-certify model.onnx --json - | python3 -m json.tool
  sigmax-certify before.onnx after.onnx --no-attack
  sigmax-certify model.onnx --norm linf --radius 0.1 --centre image.json
  sigmax-certify model.onnx --emit-proof proof.json
  sigmax-certify model.onnx --check-proof proof.json
  sigmax-certify weights.safetensors --json norms.json

Exit status:
  0  a finite bound was printed for every model and every tensor
  1  a model has no finite bound, something in it has no rule, a tensor was refused, or a proof does not hold; it is
     named on stderr
  2  wrong usage, or a model that cannot be read)";

std::string one_line(std::string text) {
  for (char& c : text) {
    if (c == '\n' || c == '\r') c = ' ';
  }
  return "sigmax-certify: " + sigmax::io::printable(text, 1000) + " (--help explains)";
}

/// What is checked after parsing.
struct texts {
  std::string norm = "l2";
  std::string method = "auto";
  std::string memory = "4G";
  std::string seed = "1";
  std::string radius;
};

/// Declares the options; the texts that need checking are returned in `given`.
void declare(CLI::App& app, arguments& result, texts& given) {
  app.add_option("MODEL", result.models, "ONNX or safetensors files")->required()->type_name("FILE");
  app.add_option("--norm", given.norm,
                 "Norm of inputs and outputs: l2 (Euclidean), linf (largest entry) or\nrms (largest root mean square "
                 "along the last axis)")
      ->check(CLI::IsMember({"l2", "linf", "rms"}))
      ->type_name("NAME")
      ->capture_default_str();
  std::vector<std::string> names;
  std::string known = "How layers are put together:";
  for (auto const& each : methods) {
    known += std::string(names.empty() ? " " : ", ") + each.name + " (" + each.what + ")";
    names.emplace_back(each.name);
  }
  app.add_option("--method", given.method, known)
      ->check(CLI::IsMember(names))
      ->type_name("NAME")
      ->capture_default_str();
  app.add_option("--radius", given.radius, "Speak of a ball of inputs of this radius")->type_name("R");
  app.add_option("--centre", result.centre, "The centre of that ball, else the origin (format below)")
      ->type_name("FILE");
  app.add_option("--box", result.box, "Speak of a box of inputs (format below)")->type_name("FILE");
  app.add_option("--json", result.json,
                 "Write what was proved as JSON: one object, an array for several models.\n"
                 "With - to standard output; the table then goes to standard error")
      ->type_name("FILE");
  app.add_option("--html", result.html, "Write a page with charts; of several models one that compares them")
      ->type_name("FILE");
  app.add_option("--emit-proof", result.emit_proof, "Write the proof (one model)")->type_name("FILE");
  app.add_option("--check-proof", result.check_proof, "Check a proof, and prove nothing else (one model)")
      ->type_name("FILE");
  app.add_option("--max-memory", given.memory, "Refuse models that need more; K, M, G are understood")
      ->type_name("BYTES")
      ->capture_default_str();
  app.add_option("--seed", given.seed, "Seed of the attack")->type_name("N")->capture_default_str();
  app.add_option("--threads", result.threads, "Threads for networks; their number changes no bit")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str();
  app.add_flag_callback(
      "--no-attack", [&result] { result.attack = false; }, "Do not look for a lower bound");
  app.add_option("--relative-gap", result.relative_gap, "How closely the norm of each matrix is proven")
      ->type_name("X")
      ->capture_default_str();
  app.set_version_flag("--version", std::string("sigmax-certify ") + sigmax::version + " (" +
                                        sigmax::cpu::native().architecture() + ")");
  app.footer(afterword);
}

/// Reads --radius and says what is wrong with the options of domains.
std::optional<std::string> domain_problem(CLI::App const& app, texts const& given, arguments& result) {
  auto const has = [&](char const* option) { return app.count(option) > 0; };
  for (char const* const option : {"--radius", "--centre", "--box", "--emit-proof", "--check-proof"}) {
    if (has(option)) result.of_networks.emplace_back(option);
  }
  for (char const* const option : {"--centre", "--box"}) {
    if (has(option) && (option == std::string("--box") ? result.box : result.centre).empty()) {
      return std::string(option) + " is empty; it must name a file";
    }
  }
  if (has("--radius") && has("--box")) return "--radius and --box exclude each other";
  if (has("--centre") && !has("--radius")) return "--centre needs --radius";
  if (!has("--radius")) return std::nullopt;
  double radius = 0;
  char const* const end = given.radius.data() + given.radius.size();
  auto const parsed = std::from_chars(given.radius.data(), end, radius);
  if (parsed.ec != std::errc() || parsed.ptr != end || !sigmax::is_finite(radius) || radius < 0) {
    return "--radius is '" + given.radius + "'; it must be a finite number >= 0";
  }
  result.radius = radius;
  return std::nullopt;
}

/// What is wrong with the options of proofs.
std::optional<std::string> proof_problem(CLI::App const& app, arguments const& result) {
  for (char const* const option : {"--emit-proof", "--check-proof"}) {
    if (app.count(option) == 0) continue;
    if ((option == std::string("--emit-proof") ? result.emit_proof : result.check_proof).empty()) {
      return std::string(option) + " is empty; it must name a file";
    }
    if (result.models.size() > 1) {
      return std::string(option) + " takes one model; " + std::to_string(result.models.size()) + " are given";
    }
  }
  if (app.count("--check-proof") == 0) return std::nullopt;
  for (char const* const option :
       {"--norm", "--method", "--radius", "--centre", "--box", "--relative-gap", "--seed", "--html", "--emit-proof"}) {
    if (app.count(option) > 0) return "--check-proof does not go with " + std::string(option) + "; the proof says it";
  }
  return std::nullopt;
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
  result.threads = programs::threads_here();
  texts given;
  CLI::App app(introduction, "sigmax-certify");
  try {
    declare(app, result, given);
    app.parse(argc, argv);
  } catch (CLI::CallForHelp const&) {
    return finished{0, app.help()};
  } catch (CLI::CallForVersion const& asked) {
    return finished{0, std::string(asked.what()) + "\n"};
  } catch (CLI::Error const& problem) {
    return finished{2, one_line(problem.what())};
  }
  if (given.norm == "linf") result.norm = sigmax::norm::linf;
  if (given.norm == "rms") result.norm = sigmax::norm::rms;
  for (auto const& each : methods) {
    if (given.method == each.name) result.how = each.value;
  }
  auto const bytes = parse_bytes(given.memory);
  if (!bytes) {
    return finished{
        2, one_line("--max-memory is '" + given.memory + "'; it must be a positive number, with K, M or G if wanted")};
  }
  result.max_memory = *bytes;
  // CLI11 would take -1 for 2^64 - 1.
  auto const parsed = std::from_chars(given.seed.data(), given.seed.data() + given.seed.size(), result.seed);
  if (parsed.ec != std::errc() || parsed.ptr != given.seed.data() + given.seed.size()) {
    return finished{2, one_line("--seed is '" + given.seed + "'; it must be a whole number from 0 to 2^64 - 1")};
  }
  if (!(result.relative_gap > 0 && result.relative_gap < 1)) {
    return finished{2, one_line("--relative-gap must be above 0 and below 1")};
  }
  if (auto const problem = domain_problem(app, given, result)) return finished{2, one_line(*problem)};
  if (auto const problem = proof_problem(app, result)) return finished{2, one_line(*problem)};
  for (auto const& model : result.models) {
    if (model.empty()) return finished{2, one_line("MODEL is empty")};
  }
  return result;
}

}  // namespace certify_program
