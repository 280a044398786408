// SPDX-License-Identifier: MIT
// sigmax-polynomials from outside: what it says of the presets, what it refuses, and that nothing is left behind.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <filesystem>
#include <iterator>
#include <limits>
#include <string>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <sigmax/io/atomic_file.hpp>

#include "../../examples/polynomials/rounded_text.hpp"
#include "markup.hpp"
#include "run_program.hpp"

namespace {

using nlohmann::json;
using sigmax::test::has;
using sigmax::test::scratch_folder;

constexpr char const* program = "sigmax-polynomials";

/// The table "aol" of Emerging-Optimizers: its first step is negative above 0.8837.
constexpr char const* sign_flip =
    "4.0098,-7.0585,2.4635\n3.4585,-5.5479,2.5959\n2.7573,-3.2939,1.4254\n2.7215,-3.0494,1.3169\n";

/// The program is switched off where a library is missing.
bool available() {
  if (std::filesystem::exists(sigmax::test::program_path(program))) return true;
  MESSAGE("skipped: " << sigmax::test::program_path(program).string() << " is not built");
  return false;
}

sigmax::test::finished run(std::string const& arguments, scratch_folder const& folder) {
  auto result = sigmax::test::run(program, arguments, folder);
  INFO(result.err);
  CHECK(result.status >= 0);
  CHECK(result.status <= 2);
  return result;
}

/// What `arguments --json -` writes to stdout.
json analysed(std::string const& arguments, scratch_folder const& folder, int status = 0) {
  auto const result = run(arguments + " --json -", folder);
  INFO(result.err);
  CHECK(result.status == status);
  return json::parse(result.out);
}

json find(json const& all, std::string const& name) {
  for (auto const& each : all["schedules"]) {
    if (each["name"] == name) return each;
  }
  FAIL("no schedule " << name);
  return {};
}

auto files_in(scratch_folder const& folder) {
  return std::distance(std::filesystem::directory_iterator(folder.path()), {});
}

/// Status 2, nothing on stdout, one line on stderr that has the part, and no new file.
void check_unusable(std::string const& arguments, std::string const& part, scratch_folder const& folder) {
  auto const before = files_in(folder);
  auto const result = run(arguments + " --json out.json --svg out.svg", folder);
  CAPTURE(arguments);
  INFO(result.err);
  CHECK(result.status == 2);
  CHECK(result.out.empty());
  CHECK(result.lines_of_err() == 1);
  CHECK(result.err.starts_with("sigmax-polynomials: "));
  CHECK(has(result.err, part));
  CHECK(files_in(folder) == before);
}

double value_of(json const& schedule, double x) {
  for (auto const& step : schedule["coefficients"]) {
    double sum = 0;
    for (auto c = step.rbegin(); c != step.rend(); ++c) sum = sum * x * x + c->get<double>();
    x *= sum;
  }
  return x;
}

}  // namespace

TEST_CASE("sigmax-polynomials: the presets are what the reference measured of them") {
  if (!available()) return;
  scratch_folder const here("polynomials-presets");
  auto const all = analysed("--lower 1e-3 --upper 1", here, 0);
  CHECK(all["schedules"].size() == 15);
  struct row {
    char const* name;
    double slope, u_max, lower, upper, errors[3], reach[3], units[2];
  };
  constexpr double none = -1;
  // polynomials.md 1.3; of CANS the four-digit coefficients were measured there, so errors are those of all digits.
  row const rows[] = {
      {"muon", 484.9, 1.264, 0.4705, 1.2024, {0.53, 0.32, 0.32}, {0.0011, none, none}, {20, 65}},
      {"you", 492.7, 1.325, 0.4750, 1.1450, {0.53, 0.032, 0.032}, {0.0011, 0.0016, 0.0052}, {20, 65}},
      {"you_1024", 1137, 1.083, 0.8663, 0.9993, {0.13, 0.0044, 0.0044}, {0.00047, 0.00071, 0.0011}, {24, 78}},
      {"polar_express", 6363, 1.011, 1, 1, {2e-15, 0, 0}, {8.5e-05, 0.00013, 0.00021}, {32, 104}},
      {"polar_express_5", 976.3, 1.011, 0.8462, 1.1236, {0.15, 0.13, 0.13}, {0.00053, 0.00078, none}, {20, 65}},
      {"polar_express_raw", 6822, 1, 1, 1, {0, 0, 0}, {7.9e-05, 0.00012, 0.00019}, {32, 104}},
      {"polar_express_raw_5", 1026, 1, 0.8764, 1.1236, {0.12, 0.12, 0.12}, {0.00051, 0.00074, none}, {20, 65}},
      {"modded_nanogpt", 989.5, 1.022, 0.8589, 1.1411, {0.14, 0.14, 0.14}, {0.00053, 0.00077, none}, {20, 65}},
      {"deepseek", 7.926e4, 1.264, 1, 1.0005, {5.4e-4, 5.4e-4, 5.4e-4}, {6.8e-6, 1e-5, 1.6e-5}, {40, 130}},
      {"cans", 1049, 1, 0.8866, 1.1134, {0.11, 0.11, 0.11}, {0.0005, 0.00073, none}, {20, 65}},
      {"cesista", 198.2, 1.008, 0.1968, 1.1007, {0.8, 0.1, 0.0061}, {0.0026, 0.0039, 0.01}, {20, 65}},
      {"cubic5", 119.3, 1.003, 0.1191, 1.3, {0.88, 0.3, 0.3}, {0.0043, 0.0062, none}, {15, 60}},
      {"cubic", 437.9, 1.732, 0.4165, 1, {0.58, 2.4e-7, 0}, {0.0012, 0.0019, 0.003}, {45, 180}},
      {"quintic", 537, 1.528, 0.4987, 1, {0.5, 2.3e-10, 0}, {0.001, 0.0015, 0.0025}, {40, 130}},
  };
  for (auto const& row : rows) {
    CAPTURE(std::string(row.name));
    auto const schedule = find(all, row.name);
    auto const& proven = schedule["proven"];
    CHECK(schedule["refused"].is_null());
    CHECK(schedule["slope"].get<double>() == doctest::Approx(row.slope).epsilon(6e-4));
    CHECK(std::fabs(proven["u_max"].get<double>() - row.u_max) <= 6e-4);
    CHECK(std::fabs(proven["range"]["lower"].get<double>() - row.lower) <= 0.51e-4);
    CHECK(std::fabs(proven["range"]["upper"].get<double>() - row.upper) <= 0.51e-4);
    for (std::size_t i = 0; i < 3; ++i) {
      auto const& error = proven["max_error"][i];
      CHECK(error["from"] == (i == 0 ? 1e-3 : i == 1 ? 1e-2 : 1e-1));
      // Two digits, of which the reference cut some off; below 1e-14 rounding decides.
      CHECK(error["at_most"].get<double>() == doctest::Approx(row.errors[i]).epsilon(0.051).scale(1e-12));
      auto const& from = proven["reach"][i]["from"];
      if (row.reach[i] == none) {  // but for the last wave below 1, which a grid steps over
        CHECK((from.is_null() || from.get<double>() > 0.99));
      } else {
        CHECK(from.get<double>() == doctest::Approx(row.reach[i]).epsilon(0.051));
      }
    }
    CHECK(schedule["units"][0]["standard"] == row.units[0]);
    CHECK(schedule["units"][1]["standard"] == row.units[1]);
    for (auto const& units : schedule["units"]) CHECK(units["planned"] <= units["standard"]);
  }
  // Gram form without restarts, 3 a + 4 T - 3 (polynomials.md 4.1).
  CHECK(find(all, "muon")["units"][1]["gram"] == 29);
}

TEST_CASE("sigmax-polynomials: proven ranges hold what is seen") {
  if (!available()) return;
  scratch_folder const here("polynomials-ranges");
  auto const all = analysed("", here);
  for (auto const& schedule : all["schedules"]) {
    CAPTURE(schedule["name"].get<std::string>());
    double const lower = schedule["interval"]["lower"];
    double const upper = schedule["interval"]["upper"];
    double const least = schedule["proven"]["range"]["lower"];
    double const greatest = schedule["proven"]["range"]["upper"];
    double const error = schedule["proven"]["max_error"][0]["at_most"];
    bool const cap = schedule["target"] == "min(1, x)";
    CHECK(schedule["degrees"].size() == schedule["steps"]);
    CHECK(schedule["coefficients"].size() == schedule["steps"]);
    CHECK(schedule["sampled"]["least"].get<double>() >= least - 1e-12);
    CHECK(schedule["sampled"]["greatest"].get<double>() <= greatest + 1e-12);
    double seen = 0;
    for (int i = 0; i <= 3000; ++i) {
      double const x = std::min(upper, lower * std::pow(upper / lower, i / 3000.0));
      double const y = value_of(schedule, x);
      CHECK(y >= least - 1e-12);
      CHECK(y <= greatest + 1e-12);
      seen = std::max(seen, std::fabs((cap ? std::min(1.0, x) : 1.0) - y));
      for (auto const& reach : schedule["proven"]["reach"]) {
        if (reach["from"].is_null() || x < reach["from"].get<double>()) continue;
        CHECK(y >= reach["least"].get<double>() - 1e-12);
        CHECK(y <= reach["greatest"].get<double>() + 1e-12);
      }
    }
    CHECK(seen <= error + 1e-12);
    CHECK(error <= 1.03 * seen + 1e-12);
  }
  auto const cap = find(all, "hard_cap");
  CHECK(cap["proven"]["max_error"][0]["at_most"].get<double>() == doctest::Approx(0.0339).epsilon(0.003));
  CHECK(cap["interval"]["upper"] == 3.5);
}

TEST_CASE("sigmax-polynomials: table on stdout, JSON in a file or alone on stdout") {
  if (!available()) return;
  scratch_folder const here("polynomials-output");
  auto const table = run("--schedule muon hard_cap --json m.json", here);
  CHECK(table.status == 0);
  CHECK(table.err.empty());
  CHECK(has(table.out, "[0.47054, 1.20237]"));
  CHECK(has(table.out, "1.2637"));
  CHECK(has(table.out, "proven, rounded outwards"));
  CHECK(has(table.out, "|min(1, x) - p(x)|"));
  auto const alone = run("--schedule muon hard_cap --json -", here);
  CHECK(alone.out == sigmax::test::contents(here / "m.json"));
  CHECK(alone.err == table.out);
  CHECK(json::parse(alone.out)["schedules"].size() == 2);
  CHECK(files_in(here) == 1);
  auto const list = run("--list", here);
  CHECK(list.status == 0);
  CHECK(list.lines_of_err() == 0);
  CHECK(std::count(list.out.begin(), list.out.end(), '\n') == 15);
  CHECK(has(run("--help", here).out, "Exit status:"));
  CHECK(has(run("--version", here).out, "sigmax-polynomials "));
}

TEST_CASE("sigmax-polynomials: drawings are well formed") {
  if (!available()) return;
  scratch_folder const here("polynomials-svg");
  sigmax::io::write_file(here / "<b>&'.txt", sign_flip);
  sigmax::io::write_file(here / "huge.txt", "1e308 -1e308\n1e308\n");
  CHECK(run("--schedule muon cubic hard_cap --coefficients \"<b>&'.txt\" huge.txt --svg a.svg --html a.html", here)
            .status == 1);
  auto const svg = sigmax::test::contents(here / "a.svg");
  auto const html = sigmax::test::contents(here / "a.html");
  CHECK(svg.starts_with("<svg "));
  CHECK(has(svg, "xmlns=\"http://www.w3.org/2000/svg\""));
  CHECK(sigmax::test::problem_in_markup(svg) == "");
  CHECK(sigmax::test::problem_in_markup(html) == "");
  CHECK(sigmax::test::count(svg, "class=\"curve ") == 3 * 5);
  CHECK(has(svg, "&lt;b&gt;&amp;&#39;.txt (refused)"));
  CHECK(has(html, svg));
  CHECK(has(html, "[0.47054, 1.20237]"));
  for (char const* const bad : {"<b>", "<script", "nan", "\"inf", " inf"}) CHECK(!has(svg, bad));
  CHECK(run("--svg all.svg", here).status == 0);
  CHECK(sigmax::test::count(sigmax::test::contents(here / "all.svg"), "class=\"curve ") == 3 * 15);
}

TEST_CASE("sigmax-polynomials: files of coefficients") {
  if (!available()) return;
  scratch_folder const here("polynomials-files");
  std::string const step = "3.4445 -4.7750 2.0315";
  sigmax::io::write_file(
      here / "text", "# Muon\n\n" + step + "\n" + step + " # two\r\n\t3.4445,-4.7750 , 2.0315\n" + step + "\n" + step);
  std::string const array = "[3.4445, -4.775, 2.0315]";
  sigmax::io::write_file(here / "json", "[" + array + ",\n" + array + "," + array + "," + array + "," + array + "]\n");
  auto const all = analysed("--schedule muon --coefficients text json", here);
  REQUIRE(all["schedules"].size() == 3);
  for (std::size_t const i : {1u, 2u}) {
    CHECK(all["schedules"][i]["source"] == "file");
    for (char const* const key : {"coefficients", "proven", "sampled", "units"}) {
      CHECK(all["schedules"][i][key] == all["schedules"][0][key]);
    }
  }
  struct bad {
    std::string contents, part;
  };
  std::string many;
  for (int i = 0; i < 33; ++i) many += "1\n";
  bad const files[] = {{"", "f:1: end of file: there is no step"},
                       {"# nothing\n\n", "there is no step"},
                       {"1 2\n3 x 4\n", "f:2: 'x': a coefficient is a finite decimal number"},
                       {"1,,2\n", "f:1: ','"},
                       {"1,\n", "f:1: end of line"},
                       {"1 2 3 4 5 6\n", "f:1: '6': a step has at most 5 coefficients"},
                       {many, "f:33: '33': a schedule has at most 32 steps"},
                       {"nan\n", "'nan'"},
                       {"1 inf\n", "'inf'"},
                       {"1e999\n", "'1e999': the number does not fit a double"},
                       {"0x10\n", "'0x10'"},
                       {"+1\n", "'+1'"},
                       {"1.5;2\n", "'1.5;2'"},
                       {std::string("1\0 2\n", 5), "'1\\x00'"},
                       {"\x1b[31m1\n", "'\\x1b'"},
                       {"[]", "f:1: ']': each step is an array"},
                       {"[[1],\n[]]", "f:2: ']': a coefficient"},
                       {"[[1],\n[2]", "f:2: end of file: steps are separated"},
                       {"[[1 2]]", "'2': coefficients are separated"},
                       {"[[1]] x", "'x': nothing may follow"},
                       {"[[\"1\"]]", "'\"1\"'"},
                       {"[1, 2]", "'1': each step is an array"},
                       {std::string(60000, '['), "f:1: '[': a coefficient"},
                       {std::string(70000, '1'), "at most 65536"}};
  for (auto const& file : files) {
    sigmax::io::write_file(here / "f", file.contents);
    check_unusable("--schedule muon --coefficients f", file.part, here);
  }
  check_unusable("--coefficients absent", "absent: there is no such file", here);
  check_unusable("--coefficients .", "not a regular file", here);
}

TEST_CASE("sigmax-polynomials: a schedule that reverses directions is refused by step and singular value") {
  if (!available()) return;
  scratch_folder const here("polynomials-sign");
  sigmax::io::write_file(here / "aol.txt", sign_flip);
  auto const result = run("--schedule you --coefficients aol.txt --json a.json", here);
  CHECK(result.status == 1);
  CHECK(result.lines_of_err() == 1);
  CHECK(has(result.err,
            "refused: schedule aol.txt reverses singular directions: step 1 of 4 falls below 0 at the "
            "singular value 0.8836"));
  CHECK(has(result.out, "aol.txt (refused)"));
  CHECK(has(result.out, "[-1.08445, 1.08445]"));
  auto const all = json::parse(sigmax::test::contents(here / "a.json"));
  CHECK(find(all, "you")["refused"].is_null());
  CHECK(has(find(all, "aol.txt")["refused"], "step 1 of 4"));
  // On the part where every step stays above 0 it is a schedule like any other.
  CHECK(run("--coefficients aol.txt --upper 0.88", here).status == 0);
  CHECK(run("--coefficients aol.txt --upper 0.8837", here).status == 1);
}

TEST_CASE("sigmax-polynomials: generated schedules, and their coefficients read back") {
  if (!available()) return;
  scratch_folder const here("polynomials-generated");
  auto const made = run("--generate --lower 1e-2 --degree 9 --tolerance 1e-3 --json g.json", here);
  CHECK(made.status == 0);
  std::size_t const begin = made.out.find("# generated");
  REQUIRE(begin != std::string::npos);
  sigmax::io::write_file(here / "g.txt", made.out.substr(begin, made.out.find("\n\n", begin) - begin));
  auto const first = json::parse(sigmax::test::contents(here / "g.json"))["schedules"][0];
  auto const second = analysed("--lower 1e-2 --coefficients g.txt", here)["schedules"][0];
  CHECK(first["source"] == "generated");
  CHECK(first["steps"] == 4);
  CHECK(first["proven"]["max_error"][0]["at_most"].get<double>() <= 1e-3);
  CHECK(first["coefficients"] == second["coefficients"]);
  CHECK(first["proven"] == second["proven"]);
  // The table of modded-nanogpt is generated.
  auto const known = analysed("--generate --safety 0.02 --cushion 0.02 --schedule modded_nanogpt", here);
  for (std::size_t i = 0; i < 5; ++i) {
    for (std::size_t k = 0; k < 3; ++k) {
      CHECK(known["schedules"][0]["coefficients"][i][k].get<double>() ==
            doctest::Approx(known["schedules"][1]["coefficients"][i][k].get<double>()).epsilon(1e-9));
    }
  }
  CHECK(known["schedules"][0]["interval"]["upper"] == known["schedules"][1]["interval"]["upper"]);
}

TEST_CASE("sigmax-polynomials: wrong usage names the argument, its value and the rule") {
  if (!available()) return;
  scratch_folder const here("polynomials-usage");
  check_unusable("surplus", "surplus", here);
  check_unusable("--schedule 'mu\non'", "'mu\\x0aon'; no preset has that name", here);
  check_unusable("--lower 0", "--lower is 0", here);
  check_unusable("--lower -1", "--lower is -1", here);
  check_unusable("--lower nan", "--lower is nan", here);
  check_unusable("--lower 1e-3x", "--lower", here);
  check_unusable("--lower 1", "--lower is 1; it must lie below the upper end of muon, which is 1", here);
  check_unusable("--upper inf", "--upper is inf", here);
  check_unusable("--upper 1e-4", "--upper is 0.0001", here);
  check_unusable("--target two", "two not in", here);
  check_unusable("--steps 3", "--generate", here);
  check_unusable("--generate --steps 3 --tolerance 1", "excludes", here);
  check_unusable("--generate --degree 4", "degree is 4; it must be 3, 5, 7 or 9", here);
  check_unusable("--generate --steps 33", "steps is 33", here);
  check_unusable("--generate --tolerance 0", "tolerance is 0", here);
  check_unusable("--generate --tolerance 1e-9 --safety 0.5", "more than 32 steps", here);
  // Several files appear together or not at all.
  auto const result = run("--schedule muon --json a.json --svg a.svg --html no/such/folder/a.html", here);
  CHECK(result.status == 2);
  CHECK(result.out.empty());
  CHECK(has(result.err, "no/such/folder"));
  CHECK(files_in(here) == 0);
}

TEST_CASE("sigmax-polynomials: printed decimals stay on their side") {
  using namespace polynomials_program;
  CHECK(fixed_down(0.1, 3) == "0.100");
  CHECK(fixed_down(0.1, 20) == "0.10000000000000000555");
  CHECK(fixed_up(0.1, 20) == "0.10000000000000000556");
  CHECK(fixed_up(0.99996, 4) == "1.0000");
  CHECK(fixed_down(0.99996, 4) == "0.9999");
  CHECK(fixed_up(9.9999999, 2) == "10.00");
  CHECK(fixed_down(-1e-9, 2) == "-0.01");
  CHECK(fixed_up(-1e-9, 2) == "0.00");
  CHECK(fixed_up(5e-324, 3) == "0.001");
  CHECK(fixed_down(1e300, 0).size() == 301);
  CHECK(fixed_down(-std::numeric_limits<double>::infinity(), 2) == "-inf");
  CHECK(fixed_up(std::numeric_limits<double>::infinity(), 2) == "inf");
  CHECK(significant_up(1.001e-5, 2) == "1.1e-05");
  CHECK(significant_up(0.5, 3) == "0.500");
  CHECK(significant_up(0, 3) == "0");
  CHECK(shortest(1e-3) == "0.001");
}
