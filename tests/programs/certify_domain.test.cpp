// SPDX-License-Identifier: MIT
// sigmax-certify on balls and boxes, in rms, and for several models.
#include <cmath>
#include <filesystem>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "certify_program.hpp"
#include "markup.hpp"
#include "run_program.hpp"

using nlohmann::json;
using namespace sigmax::test;

TEST_CASE("sigmax-certify: --radius, --centre and --box make a domain, and a bound where there is none without") {
  if (!available()) return;
  scratch_folder const here("certify-domain");
  save_model(here / "exp.onnx", "Exp");
  save_model(here / "m.onnx", "Tanh");
  auto const refused = run("exp.onnx", here);
  CHECK(refused.status == 1);
  CHECK(has(refused.out, "to tighten: "));
  CHECK(has(refused.out, "--radius"));
  // Finite only where the rule of exp knows its slopes on a range; on |x| <= 1 they reach e^3, and L is 9 e^3.
  auto const local = run("exp.onnx --norm linf --radius 1 --json -", here);
  if (local.status == 0) CHECK(upper_of(local) >= 9 * std::exp(3.0));
  auto const ball = run("m.onnx --norm linf --radius 1 --json -", here);
  CHECK(ball.status == 0);
  CHECK(upper_of(ball) >= 9 * (1 - 1e-12));
  auto const j = json::parse(ball.out);
  CHECK(j["domain"] == json::parse(R"({"type": "ball", "norm": "linf", "radius": 1.0, "file": null, "sha256": null})"));
  CHECK(has(ball.err, "within 1 (linf) of the origin"));
  CHECK(j["lipschitz_lower"].get<double>() <= upper_of(ball));

  put(here, "zero.txt", "# the origin\n0, 0\n");
  CHECK(upper_of(run("m.onnx --norm linf --radius 1 --centre zero.txt --json -", here)) == upper_of(ball));
  put(here, "low.json", "[[-2], -2.5e0]");
  auto const low = run("m.onnx --norm linf --radius 1 --centre low.json --json -", here);
  CHECK(upper_of(low) <= upper_of(ball));
  CHECK(has(low.err, "of the given centre"));
  CHECK(json::parse(low.out)["domain"]["file"] == "low.json");
  CHECK(json::parse(low.out)["domain"]["sha256"].get<std::string>().size() == 64);

  // The same box in every form.
  put(here, "a.txt", "-1 1");
  put(here, "b.txt", "-1 1 # first\n-1,1\n");
  put(here, "c.json", R"({"lower": -1, "upper": [1]})");
  put(here, "d.json", R"({"lower": [[-1, -1]], "upper": [1, 1]})");
  put(here, "e.json", "[[-1, 1], [-1, 1]]");
  double const expected = upper_of(run("m.onnx --norm linf --box a.txt --json -", here));
  CHECK(expected >= 9 * (1 - 1e-12));
  for (char const* const name : {"b.txt", "c.json", "d.json", "e.json"}) {
    auto const box = run(std::string("m.onnx --norm linf --json - --box ") + name, here);
    INFO(box.err);
    REQUIRE(box.status == 0);
    CHECK(upper_of(box) == expected);
    CHECK(json::parse(box.out)["domain"]["type"] == "box");
  }
  auto const rms = run("m.onnx --norm rms --radius 0.5 --json -", here);
  CHECK(rms.status == 0);
  CHECK(json::parse(rms.out)["norms"]["out"] == "rms");
}

TEST_CASE("sigmax-certify: what is wrong with a domain is one line that names the option") {
  if (!available()) return;
  scratch_folder const here("certify-domain-wrong");
  save_model(here / "m.onnx", "Tanh");
  for (char const* const radius : {"-1", "nan", "inf", "1e999", "0,1", "one", "''", "1x"}) {
    check_refused(run(std::string("m.onnx --radius=") + radius, here), 2, "--radius");
  }
  CHECK(run("m.onnx --radius 0 --no-attack", here).status == 0);
  put(here, "two.txt", "0 0");
  put(here, "three.txt", "0 0 0");
  put(here, "word.txt", "0\nzero\n");
  put(here, "inf.txt", "0 inf");
  put(here, "empty.txt", "\n");
  put(here, "comment.txt", "# nothing");
  put(here, "broken.json", "[0, ");
  put(here, "text.json", "[0, \"1\"]");
  put(here, "object.json", "{\"lower\": 0}");
  put(here, "crossed.txt", "0 1 1 0");
  put(here, "uneven.json", R"({"lower": [0, 0], "upper": [1, 1, 1]})");
  put(here, "pairs.json", "[[0, 1], [0]]");
  check_refused(run("m.onnx --centre two.txt", here), 2, "--centre needs --radius");
  check_refused(run("m.onnx --radius 1 --box two.txt", here), 2, "--radius and --box exclude each other");
  check_refused(run("m.onnx --radius 1 --centre ''", here), 2, "--centre");
  check_refused(run("m.onnx --box ''", here), 2, "--box");
  check_refused(run("m.onnx --box missing.txt", here), 2, "--box: ");
  check_refused(run("m.onnx --radius 1 --centre three.txt", here), 2, "--centre 'three.txt': 3 elements");
  check_refused(run("m.onnx --radius 1 --centre word.txt", here), 2, "line 2: 'zero' is no finite number");
  check_refused(run("m.onnx --radius 1 --centre inf.txt", here), 2, "'inf'");
  check_refused(run("m.onnx --radius 1 --centre empty.txt", here), 2, "is empty");
  check_refused(run("m.onnx --radius 1 --centre comment.txt", here), 2, "holds no numbers");
  check_refused(run("m.onnx --radius 1 --centre broken.json", here), 2, "no valid JSON");
  check_refused(run("m.onnx --radius 1 --centre text.json", here), 2, "no number");
  check_refused(run("m.onnx --radius 1 --centre object.json", here), 2, "no list");
  check_refused(run("m.onnx --box object.json", here), 2, "there is no \"upper\"");
  check_refused(run("m.onnx --box three.txt", here), 2, "--box 'three.txt': holds 3 numbers");
  check_refused(run("m.onnx --box crossed.txt", here), 2, "element 1 has lower 1 above upper 0");
  check_refused(run("m.onnx --box uneven.json", here), 2, "2 lower ends and 3 upper ends");
  check_refused(run("m.onnx --box pairs.json", here), 2, "no pair");
  auto const help = run("--help", here).out;
  for (char const* const part :
       {"--radius", "--centre", "--box", "rms", "\"lower\"", "--emit-proof", "--check-proof"}) {
    CHECK(has(help, part));
  }
}

TEST_CASE("sigmax-certify: what would tighten a product is named") {
  if (!available()) return;
  scratch_folder const here("certify-advice");
  save_model(here / "m.onnx", "Tanh", 6, 3);
  auto const result = run("m.onnx --method product", here);
  CHECK(result.status == 0);
  if (has(result.out, "product of the layers")) {
    CHECK(
        has(result.out, "to tighten: a product takes the worst direction of every layer anew; the largest factors: "));
    CHECK(has(result.out, "(linear) x "));
  }
  CHECK(has(result.out, "--box"));
  CHECK_FALSE(has(run("m.onnx --radius 0.01", here).out, "activations have the slopes"));
}

TEST_CASE("sigmax-certify: several models have one page, which says what was proved of which") {
  if (!available()) return;
  scratch_folder const here("certify-compare");
  save_model(here / "a.onnx", "Tanh");
  save_model(here / "<b>.onnx", "Relu", 3, 5);
  save_model(here / "c.onnx", "Exp");
  save_model(here / "d.onnx", "NonZero");
  auto const result = run("a.onnx '<b>.onnx' c.onnx d.onnx --no-attack --html page.html", here);
  CHECK(result.status == 1);
  CHECK(has(result.out, "model"));
  CHECK(has(result.out, "all inputs"));
  CHECK(has(result.out, "refused"));
  auto const page = sigmax::test::contents(here / "page.html");
  CHECK(sigmax::test::problem_in_markup(page) == "");
  CHECK(has(page, "Lipschitz certificates of 4 models"));
  CHECK(has(page, "&lt;b&gt;.onnx"));
  CHECK(has(page, "nothing was proved"));
  CHECK(has(page, "NonZero"));
  CHECK(has(page, "answer different questions"));
  CHECK(!has(page, "nan"));
  auto const same = run("a.onnx a.onnx --radius 1 --html same.html", here);
  CHECK(same.status == 0);
  CHECK(has(same.out, "a ball of inputs"));
  CHECK(!has(sigmax::test::contents(here / "same.html"), "answer different questions"));
  // Nothing proved, nothing written.
  CHECK(run("d.onnx d.onnx --html none.html", here).status == 1);
  CHECK(!std::filesystem::exists(here / "none.html"));
}
