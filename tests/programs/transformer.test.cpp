// SPDX-License-Identifier: MIT
// sigmax-transformer as its users see it.
#include <chrono>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <sigmax/core/random.hpp>
#include <sigmax/io/safetensors.hpp>

#include "programs/run_program.hpp"

using sigmax::test::contents;
using sigmax::test::run;
using sigmax::test::scratch_folder;

namespace {

constexpr char const* program = "sigmax-transformer";

bool is_missing() {
  if (std::filesystem::exists(sigmax::test::program_path(program))) return false;
  MESSAGE("skipped: sigmax-transformer was not built");
  return true;
}

void write_text(scratch_folder const& folder) {
  std::ofstream file(folder / "text.txt", std::ios::binary);
  sigmax::random_sequence const random(1);
  for (std::uint64_t i = 0; i < 4000; ++i) file << (random.bits(i) % 3 == 0 ? "to be " : "or not ");
}

std::string const small =
    " --text text.txt --width 32 --blocks 1 --key-width 16 --mlp-width 64 --context 32 --batch 8 --threads 2";

}  // namespace

TEST_CASE("a model is trained, its weights stay in their caps, and it writes text") {
  if (is_missing()) return;
  scratch_folder const folder("transformer-train");
  write_text(folder);
  auto const training = run(
      program, "train" + small + " --steps 60 --log-every 20 --validate-every 60 --sigma-max 1.5 --out run", folder);
  CAPTURE(training.err);
  REQUIRE(training.status == 0);
  CHECK(training.err.empty());
  CHECK(training.out.find(" 0 violations") != std::string::npos);
  auto const file = sigmax::io::load_safetensors(folder.path() / "run" / "model.safetensors");
  CHECK(file.matrix<float>("blocks.0.mlp.in").rows() == 64);
  CHECK(file.metadata().at("step") == "60");

  std::ifstream metrics(folder.path() / "run" / "metrics.jsonl");
  std::string line;
  nlohmann::json last;
  int lines = 0;
  for (; std::getline(metrics, line); ++lines) last = nlohmann::json::parse(line);
  CHECK(lines == 3);
  CHECK(last["step"] == 60);
  CHECK(last["violations"] == 0);
  CHECK(last["checks"] == 60 * 8);
  CHECK(last["spectra"]["blocks.0.mlp.in"].size() == 7);
  CHECK(last["spectra"]["blocks.0.mlp.in"][6].get<double>() <= 1.5 * 1.001);
  CHECK(last["activations"]["hidden"].get<double>() <= last["largest_activation"].get<double>());
  CHECK(last["largest_norm"].get<double>() <= 1.5 * 1.001);
  CHECK(last["validation_loss"].get<double>() < 2.0);
  // 26,000 bytes and a few: the last tenth less its first byte.
  CHECK(last["validation_tokens"].get<int>() > 2000);

  auto const certificate = nlohmann::json::parse(contents(folder.path() / "run" / "certificate.json"));
  CHECK(certificate["step"] == 60);
  CHECK(certificate["sequence_length"] == 32);
  CHECK(certificate["gelu"] == "erf");
  CHECK(certificate["published"]["is_a_bound"] == false);
  CHECK(certificate["tried"].size() == 4);
  CHECK(certificate["lipschitz_lower"].get<double>() > 0);
  CHECK(certificate["lipschitz_lower"].get<double>() < certificate["lipschitz_upper"].get<double>());
  auto const again = run(program, "certify run --threads 2", folder);
  CHECK(again.status == 0);
  auto const whole = nlohmann::json::parse(contents(folder.path() / "run" / "certificate.json"));
  CHECK(whole["tried"].size() == 5);
  CHECK(whole["lipschitz_upper"].get<double>() <= certificate["lipschitz_upper"].get<double>());
  for (auto const& tried : whole["tried"]) CHECK(tried["upper"]["decimal"].get<std::string>() != "inf");
  CHECK(again.out.find("published formula") != std::string::npos);

  auto const sample = run(program, "sample --out run --prompt 'to be ' --count 40 --seed 3", folder);
  CHECK(sample.status == 0);
  CHECK(sample.out.size() == 6 + 40 + 1);
  CHECK(sample.out == run(program, "sample --out run --prompt 'to be ' --count 40 --seed 3", folder).out);
  CHECK(sample.out != run(program, "sample --out run --prompt 'to be ' --count 40 --seed 4", folder).out);
}

TEST_CASE("a run that is killed at any moment is resumed to the same bits") {
  if (is_missing()) return;
  scratch_folder const folder("transformer-kill");
  write_text(folder);
  std::string const settings =
      "train" + small + " --steps 300 --checkpoint-every 10 --log-every 30 --validate-every 150";
  auto const begin = std::chrono::steady_clock::now();
  REQUIRE(run(program, settings + " --out whole", folder).status == 0);
  double const whole = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  auto const binary = "'" + sigmax::test::program_path(program).string() + "' ";
  int kills = 0;
  sigmax::random_sequence const random(5);
  auto const has_begun = [&] { return std::filesystem::exists(folder.path() / "killed" / "checkpoint.safetensors"); };
  for (std::uint64_t attempt = 0; attempt < 20; ++attempt) {
    bool const begun = has_begun();
    // Parts of what the whole took here and now: enough for some checkpoints, too little for the end.
    double const seconds = (0.05 + 0.1 * random.uniform(attempt)) * whole;
    std::string const command = "cd '" + folder.path().string() + "' && timeout -s KILL " + std::to_string(seconds) +
                                " " + binary + (begun ? "train --resume --threads 2" : settings) +
                                " --out killed >/dev/null 2>&1";
    // In a shell of its own, which alone would tell of the signal.
    if (std::system(("sh -c \"" + command + "\" 2>/dev/null").c_str()) == 0) break;
    ++kills;
  }
  MESSAGE("killed ", kills, " times");
  WARN(kills > 0);  // a fast machine may be done before the first one
  if (!std::filesystem::exists(folder.path() / "killed" / "model.safetensors")) {
    REQUIRE(run(program, (has_begun() ? "train --resume" : settings) + " --out killed", folder).status == 0);
  }
  for (char const* name : {"model.safetensors", "checkpoint.safetensors"}) {
    CHECK(contents(folder.path() / "whole" / name) == contents(folder.path() / "killed" / name));
  }
  std::ifstream metrics(folder.path() / "killed" / "metrics.jsonl");
  std::multiset<int> steps;
  for (std::string line; std::getline(metrics, line);) steps.insert(nlohmann::json::parse(line)["step"].get<int>());
  CHECK(steps == std::multiset<int>{30, 60, 90, 120, 150, 180, 210, 240, 270, 300});
}

TEST_CASE("a sweep runs its grid within its budget, goes on where it stopped, and draws the frontier") {
  if (is_missing()) return;
  scratch_folder const folder("transformer-sweep");
  write_text(folder);
  std::string const grid = "sweep" + small +
                           " --steps 600 --log-every 10 --validate-every 600 --optimizers muon,adamw --constraints "
                           "soft_cap,none --caps 1,2 --muon-rates 0.1 --adamw-rates 0.01 --out grid";
  auto const none = run(program, grid + " --minutes 0", folder);
  CHECK(none.status == 0);
  CHECK(none.out.find("0 of 6 runs are done") != std::string::npos);
  // So little that it stops inside of the first run.
  auto const begun = run(program, grid + " --minutes 0.001", folder);
  CHECK(begun.status == 0);
  CHECK(begun.out.find("0 of 6 runs are done") != std::string::npos);
  CHECK(begun.out.find("stopped at step") != std::string::npos);
  auto const all = run(program, grid, folder);
  CAPTURE(all.err);
  CHECK(all.status == 0);
  CHECK(all.out.find("6 of 6 runs are done") != std::string::npos);
  for (char const* const name : {"muon-soft_cap-1-0.1", "muon-soft_cap-2-0.1", "muon-none-0.1", "adamw-soft_cap-1-0.01",
                                 "adamw-soft_cap-2-0.01", "adamw-none-0.01"}) {
    CAPTURE(name);
    CHECK(std::filesystem::exists(folder.path() / "grid" / name / "certificate.json"));
    CHECK(std::filesystem::exists(folder.path() / "grid" / name / "report.html"));
    CHECK(contents(folder.path() / "grid" / "report.html").find(name) != std::string::npos);
  }
  CHECK(run(program, grid, folder).out.find("6 of 6 runs are done") != std::string::npos);
  auto const other = run(program, grid + " --seed 9", folder);
  CHECK(other.status == 2);
  CHECK(other.err.find("other settings") != std::string::npos);
}

TEST_CASE("a checkpoint is not resumed on another text") {
  if (is_missing()) return;
  scratch_folder const folder("transformer-text");
  write_text(folder);
  REQUIRE(run(program, "train" + small + " --steps 2 --out run", folder).status == 0);
  std::ofstream(folder / "text.txt", std::ios::app) << "t";
  auto const again = run(program, "train --resume --out run", folder);
  CHECK(again.status == 2);
  CHECK(again.lines_of_err() == 1);
  CHECK(again.err.find("not the text") != std::string::npos);
}

TEST_CASE("a device computes, or is refused in one line and nothing is written; the certificate can wait") {
  if (is_missing()) return;
  scratch_folder const folder("transformer-device");
  write_text(folder);
  std::string const training = "train" + small + " --steps 2 --no-certificate";
  auto const there = run(program, training + " --device cuda --out there", folder);
  CAPTURE(there.err);
  if (there.status == 0) {
    CHECK(std::filesystem::exists(folder.path() / "there" / "model.safetensors"));
  } else {
    CHECK(there.status == 2);
    CHECK(there.lines_of_err() == 1);
    CHECK(there.err.find("CUDA") != std::string::npos);
    CHECK_FALSE(std::filesystem::exists(folder.path() / "there"));
  }
  // A sweep says so before it begins, not once a run.
  std::string const grid = "sweep" + small + " --steps 2 --optimizers muon --constraints none --muon-rates 0.1";
  auto const swept = run(program, grid + " --device cuda --out grid", folder);
  CAPTURE(swept.err);
  CHECK(swept.status == there.status);
  CHECK(std::filesystem::exists(folder.path() / "grid") == (there.status == 0));
  if (there.status != 0) CHECK(swept.err == there.err);
  REQUIRE(run(program, training + " --out here", folder).status == 0);
  auto const certificate = folder.path() / "here" / "certificate.json";
  CHECK_FALSE(std::filesystem::exists(certificate));
  auto const attacked = [&] {
    CHECK(run(program, "certify --fast here", folder).status == 0);
    return nlohmann::json::parse(contents(certificate)).at("lipschitz_lower").get<double>();
  };
  double const with_text = attacked();
  CHECK(with_text > 0);
  std::filesystem::remove(folder.path() / "text.txt");
  CHECK(attacked() > with_text / 2);  // from what the model itself writes
}

TEST_CASE("wrong usage is one line on stderr, and status 2") {
  if (is_missing()) return;
  scratch_folder const folder("transformer-usage");
  write_text(folder);
  for (std::string const arguments :
       {"", "fly", "train --constraint nothing", "train --preset huge", "train --text missing.txt", "train --batch 0",
        "train --text text.txt --batch 9 --micro-batch 2", "train --text text.txt --key-width 3",
        "train --text text.txt --context 100000", "train --text text.txt --residual-scale 100",
        "train --resume --out nowhere", "train --text text.txt --device tpu", "sample --out nowhere",
        "sample --out text.txt", "certify nowhere", "certify text.txt"}) {
    CAPTURE(arguments);
    auto const result = run(program, arguments, folder);
    CHECK(result.status == 2);
    CHECK(result.out.empty());
    CHECK(result.lines_of_err() == 1);
  }
  CHECK(run(program, "--help", folder).status == 0);
  CHECK(run(program, "train --help", folder).out.find("--sigma-max") != std::string::npos);
}
