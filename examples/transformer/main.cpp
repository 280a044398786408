// SPDX-License-Identifier: MIT
// sigmax-transformer: trains a small Lipschitz transformer, and writes text with it.
#include <cstdio>
#include <exception>
#include <filesystem>
#include <string>
#include <variant>

#include <fmt/format.h>

#include <sigmax/core/error.hpp>
#include <sigmax/core/parallel.hpp>
#include <sigmax/io/safetensors.hpp>
#include <sigmax/kernels.hpp>

#include "arguments.hpp"
#include "checkpoint.hpp"
#include "sample.hpp"
#include "train.hpp"

namespace transformer {

namespace {

int write_sample(sigmax::cpu::native const& on, sample_arguments const& options) {
  std::filesystem::path path = options.model;
  if (std::filesystem::is_directory(path)) {
    bool const is_done = std::filesystem::exists(path / "model.safetensors");
    path /= is_done ? "model.safetensors" : "checkpoint.safetensors";
  }
  auto const file = sigmax::io::load_safetensors(path);
  auto const stored = run_of(file);
  trained_model const from{stored.settings, weights_of(file, stored.settings.shape), tokenizer(stored.vocabulary)};
  fmt::print("{}", options.how.prompt);
  sample(on, from, options.how, [](char c) {
    std::fputc(c, stdout);
    std::fflush(stdout);
  });
  fmt::print("\n");
  return 0;
}

void complain(char const* problem) { fmt::print(stderr, "sigmax-transformer: {}\n", problem); }

int run(int argc, char const* const* argv) {
  auto const parsed = parse_arguments(argc, argv);
  if (auto const* const done = std::get_if<finished>(&parsed)) {
    fmt::print(done->status == 0 ? stdout : stderr, "{}{}", done->text, done->status == 0 ? "" : "\n");
    return done->status;
  }
  if (auto const* const training = std::get_if<train_arguments>(&parsed)) {
    return train(sigmax::cpu::native(sigmax::executor(training->threads)), *training);
  }
  auto const& sampling = std::get<sample_arguments>(parsed);
  return write_sample(sigmax::cpu::native(sigmax::executor(sampling.threads)), sampling);
}

}  // namespace

}  // namespace transformer

int main(int argc, char** argv) {
  try {
    return transformer::run(argc, argv);
  } catch (sigmax::numeric_error const& problem) {
    transformer::complain(problem.what());
    return 1;
  } catch (std::exception const& problem) {
    transformer::complain(problem.what());
    return 2;
  }
}
