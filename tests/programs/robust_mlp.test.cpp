// SPDX-License-Identifier: MIT
// sigmax-robust-mlp as its users see it.
#include <filesystem>
#include <string>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "programs/markup.hpp"
#include "programs/run_program.hpp"

using sigmax::test::contents;
using sigmax::test::run;
using sigmax::test::scratch_folder;

namespace {

constexpr char const* program = "sigmax-robust-mlp";

bool is_missing() {
  if (std::filesystem::exists(sigmax::test::program_path(program))) return false;
  MESSAGE("skipped: sigmax-robust-mlp was not built");
  return true;
}

}  // namespace

TEST_CASE("without data, or used wrongly, the program says so on one line") {
  if (is_missing()) return;
  scratch_folder const folder("robust-mlp-usage");
  for (std::string const arguments : {"--data .", "--epochs 0", "--train-images 9000", "--colour red", "again"}) {
    CAPTURE(arguments);
    auto const result = run(program, arguments, folder);
    CHECK(result.status == 2);
    CHECK(result.out.empty());
    CHECK(result.lines_of_err() == 1);
  }
  CHECK(run(program, "--help", folder).out.find("--sigma-max") != std::string::npos);
}

TEST_CASE("a classifier is trained, certified and attacked") {
  if (is_missing()) return;
  std::filesystem::path const data = std::filesystem::path(SIGMAX_DATA_DIR) / "mnist";
  if (!std::filesystem::exists(data / "t10k-images-idx3-ubyte.gz")) {
    MESSAGE("skipped: no MNIST in " << data.string());
    return;
  }
  scratch_folder const folder("robust-mlp-run");
  auto const result =
      run(program,
          "--alone --quick --width 32 --epochs 2 --train-images 1000 --test-images 200 --attack-steps 5 "
          "--attack-restarts 1 --out run --data " +
              data.string(),
          folder);
  CAPTURE(result.err);
  REQUIRE(result.status == 0);
  auto const json = nlohmann::json::parse(contents(folder.path() / "run" / "robustness.json"));
  auto const& only = json["classifiers"][0];
  CHECK(only["violations"] == 0);
  CHECK(only["contradictions"] == 0);
  CHECK(only["clean"].get<double>() > 0.5);
  for (std::size_t k = 0; k < only["budgets"].size(); ++k) {
    CHECK(only["certified"][k].get<double>() <= only["attacked"][k].get<double>());
  }
  CHECK(sigmax::test::problem_in_markup(contents(folder.path() / "run" / "robustness.html")) == "");
}
