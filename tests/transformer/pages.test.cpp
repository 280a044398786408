// SPDX-License-Identifier: MIT
// Pages about runs: complete, whatever of a run is there, and the frontier of several.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include <doctest/doctest.h>

#include <sigmax/core/error.hpp>

#include "programs/markup.hpp"
#include "programs/run_program.hpp"
#include "small_models.hpp"
#include "transformer/certificate/certificate_file.hpp"
#include "transformer/pages/frontier.hpp"
#include "transformer/pages/run_page.hpp"
#include "transformer/pages/run_table.hpp"

using namespace transformer;
using namespace transformer::test;
using sigmax::test::contents;
using sigmax::test::scratch_folder;

namespace {

/// A run that logged `lines` times and, if asked, was certified.
void write_run(std::filesystem::path const& folder, int lines, double loss, bool certified) {
  std::filesystem::create_directories(folder);
  std::ofstream metrics(folder / "metrics.jsonl");
  for (int i = 1; i <= lines; ++i) {
    nlohmann::json line{{"step", 10 * i}, {"loss", loss + 1.0 / i}, {"largest_activation", 3.5}};
    line["validation_loss"] = loss + 2.0 / i;
    line["validation_accuracy"] = 0.25;
    line["activations"] = {{"stream", 1.0}, {"query", 500.0}, {"key", 3.0},
                           {"value", 2.0},  {"mixed", 1.0},   {"hidden", 1.0}};
    line["norms"] = {{"embedding", 1.0}, {"head", 1.5}};
    line["spectra"] = {{"head", {0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 1.5}}};
    line["checks"] = 80 * i;
    line["violations"] = 0;
    metrics << line.dump() << "\n";
  }
  metrics << "{\"step\": 99";  // killed while it wrote
  if (!certified) return;
  run_settings settings;
  settings.shape = tiny_shape();
  auto const certificate = certify_model({}, settings, random_parameters<float>(settings.shape, 3, loss),
                                         {.walk_network = false, .attack_settings = {.rounds = 2}});
  save_certificate(folder / "certificate.json", certificate, 10 * lines, "x86-64");
}

bool is_page(std::string const& page) {
  return sigmax::test::problem_in_markup(page).empty() &&
         page.find("http://www.w3.org/2000/svg") != std::string::npos && page.find("<script") == std::string::npos &&
         page.find("src=") == std::string::npos && page.find("<link") == std::string::npos;
}

}  // namespace

TEST_CASE("a page says what a run learnt and what is proven of it") {
  scratch_folder const folder("transformer-page");
  write_run(folder.path() / "run & <more>", 5, 0.5, true);
  auto const page = write_pages(folder.path() / "run & <more>");
  auto const text = contents(page);
  CHECK(is_page(text));
  for (char const* const expected : {"run &amp; &lt;more&gt;", "Loss", "fp8 e4m3", "Spectra", "The certificate",
                                     "no bound", "400 checks", "0 violations", "blocks.1.mlp", "L \u2264"}) {
    CAPTURE(expected);
    CHECK(text.find(expected) != std::string::npos);
  }
}

TEST_CASE("a run that has just begun has a page") {
  scratch_folder const folder("transformer-young");
  write_run(folder.path(), 0, 1, false);
  auto const text = contents(write_pages(folder.path()));
  CHECK(sigmax::test::problem_in_markup(text) == "");
  write_run(folder.path(), 1, 1, false);
  CHECK(is_page(contents(write_pages(folder.path()))));
}

TEST_CASE("runs in a folder have a page together, and the frontier is of those that no other beats") {
  scratch_folder const folder("transformer-frontier");
  write_run(folder.path() / "a", 3, 0.8, true);
  write_run(folder.path() / "b", 3, 0.2, true);
  write_run(folder.path() / "c", 3, 1.9, true);
  write_run(folder.path() / "d", 3, 0.1, false);
  std::filesystem::create_directories(folder.path() / "no run");
  auto const text = contents(write_pages(folder.path()));
  CHECK(is_page(text));
  CHECK(text.find("a/report.html") != std::string::npos);
  CHECK(std::filesystem::exists(folder.path() / "d" / "report.html"));
  auto const runs = read_runs(folder.path());
  REQUIRE(runs.size() == 4);
  auto const points = frontier_of(runs);
  REQUIRE(points.size() == 3);  // d has no certificate
  // Weights grow with the loss here: the smallest bound has the smallest loss, and beats all others.
  CHECK(points[0].run->name == "b");
  CHECK(points[0].is_best);
  CHECK_FALSE(points[1].is_best);
  CHECK_FALSE(points[2].is_best);
  CHECK(points[0].lipschitz < points[1].lipschitz);
}

TEST_CASE("a table in Markdown has a line a run, with and without a certificate") {
  scratch_folder const folder("transformer-table");
  write_run(folder.path() / "a|b", 3, 0.8, true);
  write_run(folder.path() / "d", 3, 0.1, false);
  auto const table = table_of_runs_in(folder.path());
  CHECK(std::count(table.begin(), table.end(), '\n') == 4);
  // A name must not end a cell.
  CHECK(table.find("| a\\|b |") != std::string::npos);
  CHECK(table.find("| d |") != std::string::npos);
  auto const lines_of_pipes = [&](std::string const& line) { return std::count(line.begin(), line.end(), '|'); };
  std::istringstream in(table);
  for (std::string line; std::getline(in, line);) {
    CHECK(lines_of_pipes(line) == 16 + (line.find("\\|") != std::string::npos ? 1 : 0));
  }
  CHECK(table_of_runs_in(folder.path() / "d").find("| - | - | - |") != std::string::npos);
}

TEST_CASE("what is no run is refused by name") {
  scratch_folder const folder("transformer-no-run");
  CHECK_THROWS_AS(write_pages(folder.path()), sigmax::format_error);
  CHECK_THROWS_AS(write_pages(folder.path() / "missing"), sigmax::format_error);
  write_run(folder.path(), 1, 1, false);
  std::ofstream(folder.path() / "certificate.json") << "[1, 2";
  CHECK_THROWS_AS(write_pages(folder.path()), sigmax::format_error);
}
