// SPDX-License-Identifier: MIT
#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <sigmax/config.hpp>
#include <sigmax/io/printable.hpp>

#include "arguments.hpp"
#include "presets.hpp"

namespace polynomials_program {

namespace {

char const* const introduction =
    "Shows what a composition p of odd polynomials does to singular values, and what it costs.\n"
    "\n"
    "A matrix X = U S V^T becomes U p(S) V^T by products alone: Muon, Newton-Schulz and Polar Express are such\n"
    "compositions, each of whose steps is a x + b x^3 + c x^5 + ... The question is always how close to 1 singular\n"
    "values come, from how far below, and for how many FLOPs. Without arguments: a table of all presets.";

char const* const afterword = R"(What the columns say:
  p in               p([lower, upper]) lies in this interval
  max error          |1 - p(x)| on [lower, upper] is at most this; then the same for x from 0.01 and 0.1 on.
                     With --target cap, and for the preset hard_cap, |min(1, x) - p(x)|
  slope              p'(0), the product of the first coefficients: how much the smallest singular values grow
  u_max              p([1, u_max]) lies in [0.2, 1.8]: how much a norm may be underestimated
  +-0.5, 0.3, 0.1    from this singular value on everything lands in [0.5, 1.5], [0.7, 1.3], [0.9, 1.1]
  units              m^3 FLOPs for m x n, where products with symmetric results cost half. std: every step on X;
                     plan: what the library runs in float, in Gram form where that is cheaper and accurate enough

What "proven" means:
  p in, max error, reach and u_max hold for p in real arithmetic with the coefficients as given: proved by interval
  arithmetic and rounded outwards as printed. Rounding in a matrix computation is not included. Slope and units are
  computed, and the curves of --svg are drawn from samples.
  A schedule is refused unless it is proved that no step takes a number of [0, upper] below 0: a negative p(x) turns
  that singular direction round, and an optimizer would step uphill. The step and the singular value are named.

Files of coefficients:
  One step a line, coefficients of x, x^3, x^5, ... separated by blanks or commas, # begins a comment; or a JSON array
  of arrays. At most 32 steps of at most 5 coefficients.
    3.4445 -4.7750 2.0315     # first step
    1.5, -0.5                 # second step

Examples:
  sigmax-polynomials
  sigmax-polynomials --schedule muon --schedule polar_express_5 --svg curves.svg
  sigmax-polynomials --generate --lower 1e-4 --degree 9 --tolerance 0.01
  sigmax-polynomials --coefficients mine.txt --lower 1e-2 --upper 1.05 --json - | python3 -m json.tool

Exit status:
  0  every schedule was analysed, and none reverses a singular direction
  1  a schedule is refused; it is in the table all the same, and stderr says why
  2  wrong usage, or a file that cannot be read or written)";

std::string one_line(std::string text) {
  for (char& c : text) {
    if (c == '\n' || c == '\r') c = ' ';
  }
  return "sigmax-polynomials: " + sigmax::io::printable(text, 1000) + " (--help explains)";
}

std::string list_of_presets() {
  std::string text;
  for (auto const& each : presets) {
    text += fmt::format("{:<20} {:>2} steps  {}\n", each.schedule->name(), each.schedule->size(), each.description);
  }
  return text;
}

/// Declares the options; the text that needs translation is returned through the reference.
void declare(CLI::App& app, arguments& result, std::string& aim) {
  app.add_option("--schedule", result.schedules, "Presets to look at (--list names them)")->type_name("NAME");
  app.add_flag_callback(
      "--list", [] { throw CLI::CallForVersion(list_of_presets(), 0); }, "Print the names of the presets and leave");
  app.add_option("--coefficients", result.files, "Files of coefficients to look at")->type_name("FILE");
  auto* const generate = app.add_flag_callback(
      "--generate", [&result] { result.generate = true; },
      "Generate the schedule closest to 1 on [lower, 1] (greedy minimax) and print its coefficients");
  generate->group("Generated schedules");
  auto const number = [&](char const* name, auto& variable, char const* help) {
    return app.add_option(name, variable, help)->needs(generate)->type_name("X")->group("Generated schedules");
  };
  number("--degree", result.generator.degree, "Of its steps: 3, 5, 7 or 9")->type_name("N")->capture_default_str();
  auto* const steps = number("--steps", result.steps, "How many")->type_name("N")->capture_default_str();
  number("--tolerance", result.tolerance, "Or: as many as bring the error on [lower, 1] down to this")->excludes(steps);
  number("--safety", result.generator.safety,
         "Every step but the last is p(x / (1 + X)): room for singular values that rounding puts above 1")
      ->capture_default_str();
  number("--cushion", result.generator.cushion, "No p(x) / x below about X: backward stability, for some steps more")
      ->capture_default_str();
  app.add_option("--lower", result.lower, "Singular values from here on are analysed, and generated for")
      ->type_name("X")
      ->capture_default_str();
  app.add_option("--upper", result.upper, "Up to here; else up to where each schedule's own statement ends, mostly 1")
      ->type_name("X");
  app.add_option("--target", aim, "What singular values are to become: one, or cap for min(1, x)")
      ->check(CLI::IsMember({"one", "cap"}))
      ->type_name("NAME");
  app.add_option("--json", result.json,
                 "Write everything as JSON. With - to standard output; the table then goes to standard error")
      ->type_name("FILE");
  app.add_option("--svg", result.svg, "Draw p and its error from lower / 10 to 1.5 upper")->type_name("FILE");
  app.add_option("--html", result.html, "Write a page with drawing and tables")->type_name("FILE");
  app.set_version_flag("--version",
                       std::string("sigmax-polynomials ") + sigmax::version + " (" + sigmax::architecture + ")");
  app.footer(afterword);
}

/// The rule that the numbers violate; empty if there is none.
std::string problem_of(arguments const& given) {
  if (!(given.lower >= 1e-30 && given.lower <= 1e30)) {
    return fmt::format("--lower is {}; it must lie in [1e-30, 1e30]", given.lower);
  }
  if (given.upper && !(*given.upper > given.lower && *given.upper <= 1e30)) {
    return fmt::format("--upper is {}; it must lie above --lower, which is {}, and be at most 1e30", *given.upper,
                       given.lower);
  }
  return "";
}

}  // namespace

std::variant<arguments, finished> parse_arguments(int argc, char const* const* argv) {
  arguments result;
  std::string aim;
  CLI::App app(introduction, "sigmax-polynomials");
  try {
    declare(app, result, aim);
    app.parse(argc, argv);
  } catch (CLI::CallForHelp const&) {
    return finished{0, app.help()};
  } catch (CLI::CallForVersion const& asked) {
    std::string const text = asked.what();
    return finished{0, text.ends_with('\n') ? text : text + "\n"};
  } catch (CLI::Error const& problem) {
    return finished{2, one_line(problem.what())};
  }
  if (!aim.empty()) result.aim = aim == "cap" ? target::cap : target::one;
  if (auto const problem = problem_of(result); !problem.empty()) return finished{2, one_line(problem)};
  return result;
}

}  // namespace polynomials_program
