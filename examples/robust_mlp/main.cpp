// SPDX-License-Identifier: MIT
// sigmax-robust-mlp: trains classifiers of handwritten digits under caps and without, and proves how robust they are.
#include <cstdio>
#include <exception>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <sigmax/io/atomic_file.hpp>
#include <sigmax/io/printable.hpp>
#include <sigmax/kernels.hpp>

#include "assess.hpp"
#include "digits.hpp"
#include "robustness_page.hpp"
#include "thread_pool/thread_pool.hpp"
#include "train_classifier.hpp"

namespace robust_mlp {

namespace {

struct arguments {
  std::string data = ROBUST_MLP_DEFAULT_DATA;
  std::string out = "sigmax-robust-mlp";
  int threads = 1;
  bool alone = false;
  bool quick = false;
  recipe muon;
  index_t train_images = 8000;
  index_t test_images = 2000;
  attack_options attack;
  std::vector<double> budgets{0, 0.25, 0.5, 0.75, 1, 1.25, 1.5, 2};
};

/// The contender, the same with |x| for ReLU, which keeps the length of gradients, and the rivals: AdamW with a hard cap, and
/// as it is mostly used, with weight decay.
std::vector<recipe> recipes_of(arguments const& given) {
  recipe muon = given.muon;
  muon.name = "Muon, soft cap";
  std::vector<recipe> result{muon};
  if (given.alone) return result;
  recipe absolute = muon;
  absolute.name = "Muon, soft cap, |x|";
  absolute.phi = activation::absolute;
  result.push_back(absolute);
  recipe capped = muon;
  capped.name = "AdamW, hard cap";
  capped.optimizer = "adamw";
  capped.learning_rate = 2e-3;
  recipe decayed = capped;
  decayed.name = "AdamW, weight decay";
  decayed.sigma_max = 0;
  decayed.learning_rate = 1e-3;
  decayed.weight_decay = 1;
  decayed.temperature = 1;
  decayed.margin = 0;
  result.push_back(capped);
  result.push_back(decayed);
  return result;
}

void print(assessment const& of) {
  fmt::print("{}: clean {:.4f}, L <= {:.6g} ({}; product {:.6g})\n  l2 budget ", of.name, of.clean, of.bound, of.method,
             of.product_bound);
  for (double const each : of.budgets) fmt::print("{:>8g}", each);
  auto const row = [](char const* name, std::vector<double> const& values) {
    fmt::print("\n  {:<10}", name);
    for (double const each : values) fmt::print("{:>8.4f}", each);
  };
  row("certified", of.certified);
  row("product", of.certified_by_product);
  row("attacked", of.attacked);
  fmt::print("\n");
  std::fflush(stdout);
}

int run(arguments const& given) {
  if (!has_digits(given.data)) {
    fmt::print(stderr, "sigmax-robust-mlp: {}: MNIST's t10k-*-ubyte.gz files are not there; nothing was done\n",
               sigmax::io::printable(given.data));
    return 2;
  }
  programs::thread_pool pool(given.threads);
  sigmax::cpu::native const on(pool.workers());
  auto const training = read_digits(given.data, 0, given.train_images);
  auto const test = read_digits(given.data, 10000 - given.test_images, given.test_images);
  std::filesystem::create_directories(given.out);
  std::vector<assessed_recipe> all;
  bool sound = true;
  for (auto const& how : recipes_of(given)) {
    auto const trained = train(on, how, training, [&](epoch_report const& epoch) {
      if (epoch.epoch % 10 != 0 && epoch.epoch != how.epochs) return;
      fmt::print("{}: epoch {}/{}, loss {:.4f}, accuracy {:.4f}\n", how.name, epoch.epoch, how.epochs, epoch.loss,
                 epoch.accuracy);
      std::fflush(stdout);
    });
    all.push_back({how, trained.checks, trained.violations,
                   assess(on, how.name, trained.model, test, given.budgets, given.attack, !given.quick)});
    print(all.back().result);
    if (how.sigma_max > 0) fmt::print("  {} checks of caps, {} violations\n", trained.checks, trained.violations);
    sound = sound && trained.violations == 0 && all.back().result.contradictions == 0;
  }
  std::filesystem::path const folder = given.out;
  sigmax::io::write_file(folder / "robustness.json",
                         json_of(all, given.train_images, given.test_images).dump(1) + "\n");
  sigmax::io::write_file(folder / "robustness.html", page_of(all, given.train_images, given.test_images));
  fmt::print("{}\n", (folder / "robustness.html").string());
  return sound ? 0 : 1;
}

int start(int argc, char const* const* argv) {
  arguments given;
  given.threads = programs::threads_here();
  CLI::App app(
      "Trains a classifier of handwritten digits whose weights provably stay inside their caps, two rivals, and\n"
      "proves on how many test images no change of a given l2 length changes the class.",
      "sigmax-robust-mlp");
  app.set_version_flag("--version", std::string("sigmax-robust-mlp ") + sigmax::version);
  app.footer(
      "Exit status: 0 done; 1 a proof and an attack contradict each other, or training diverged;\n"
      "2 wrong usage, or no data.");
  app.add_option("--data", given.data, "Folder with MNIST's test set (10,000 images)")->capture_default_str();
  app.add_option("--out", given.out, "Folder for robustness.html and robustness.json")->capture_default_str();
  app.add_option("--threads", given.threads, "Threads")->check(CLI::Range(1, 1024));
  app.add_flag("--alone", given.alone, "Without the rivals");
  app.add_flag("--quick", given.quick,
               "Tell classes apart by the last layer alone, instead of a certificate for each pair");
  app.add_option("--sigma-max", given.muon.sigma_max, "Cap of every weight in l2")->capture_default_str();
  app.add_option("--learning-rate", given.muon.learning_rate, "Of Muon: l2 norm of a step")->capture_default_str();
  app.add_option("--temperature", given.muon.temperature, "Of the loss")->capture_default_str();
  app.add_option("--margin", given.muon.margin, "Taken off the label's logit in the loss")->capture_default_str();
  app.add_option("--width", given.muon.width, "Of both hidden layers")->check(CLI::Range(1, 100000));
  app.add_option("--epochs", given.muon.epochs, "Passes over the training images")->check(CLI::Range(1, 100000));
  app.add_option("--batch", given.muon.batch, "Images of a step")->check(CLI::Range(1, 8000));
  app.add_option("--shift", given.muon.shift, "Pixels by which training images are shifted at most")
      ->check(CLI::Range(0, 10));
  app.add_option("--seed", given.muon.seed, "Of weights, order and attack");
  app.add_option("--train-images", given.train_images, "The first of them")->check(CLI::Range(1, 9999));
  app.add_option("--test-images", given.test_images, "The last of them")->check(CLI::Range(1, 9999));
  app.add_option("--attack-steps", given.attack.steps, "Of projected gradient descent")->check(CLI::Range(1, 10000));
  app.add_option("--attack-restarts", given.attack.restarts, "Of the attack")->check(CLI::Range(1, 1000));
  try {
    app.parse(argc, argv);
    if (given.train_images + given.test_images > 10000 || given.muon.batch > given.train_images) {
      throw CLI::ValidationError("--train-images and --test-images", "there are 10,000 images, and a batch must fit");
    }
  } catch (CLI::Success const& asked) {
    return app.exit(asked);
  } catch (CLI::Error const& problem) {
    fmt::print(stderr, "sigmax-robust-mlp: {} (--help explains)\n", sigmax::io::printable(problem.what(), 1000));
    return 2;
  }
  return run(given);
}

}  // namespace

}  // namespace robust_mlp

int main(int argc, char** argv) {
  try {
    return robust_mlp::start(argc, argv);
  } catch (sigmax::numeric_error const& problem) {
    fmt::print(stderr, "sigmax-robust-mlp: {}\n", problem.what());
    return 1;
  } catch (std::exception const& problem) {
    fmt::print(stderr, "sigmax-robust-mlp: {}\n", problem.what());
    return 2;
  }
}
