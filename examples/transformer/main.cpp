// SPDX-License-Identifier: MIT
// sigmax-transformer: trains a small Lipschitz transformer, certifies it, and writes text with it.
#include <cstdio>
#include <exception>
#include <variant>

#include <fmt/format.h>

#include <sigmax/core/error.hpp>
#include <sigmax/kernels.hpp>

#include "arguments.hpp"
#include "certify.hpp"
#include "checkpoint.hpp"
#include "pages/run_page.hpp"
#include "pages/run_table.hpp"
#include "sample.hpp"
#include "sweep.hpp"
#include "thread_pool/thread_pool.hpp"
#include "train.hpp"

namespace transformer {

namespace {

int write_sample(sigmax::cpu::native const& on, sample_arguments const& options) {
  auto const from = load_model(options.model);
  fmt::print("{}", options.how.prompt);
  sample(on, from, options.how, [](char c) {
    std::fputc(c, stdout);
    std::fflush(stdout);
  });
  fmt::print("\n");
  return 0;
}

int threads_of(finished const&) { return 1; }
template <class Arguments>
int threads_of(Arguments const& of) {
  return of.threads;
}

void complain(char const* problem) { fmt::print(stderr, "sigmax-transformer: {}\n", problem); }

int run(int argc, char const* const* argv) {
  auto const parsed = parse_arguments(argc, argv);
  if (auto const* const done = std::get_if<finished>(&parsed)) {
    fmt::print(done->status == 0 ? stdout : stderr, "{}{}", done->text, done->status == 0 ? "" : "\n");
    return done->status;
  }
  int const threads = std::visit([](auto const& each) { return threads_of(each); }, parsed);
  programs::thread_pool pool(threads);
  sigmax::cpu::native const on(pool.workers());
  if (auto const* const training = std::get_if<train_arguments>(&parsed)) return train(on, *training);
  if (auto const* const certifying = std::get_if<certify_arguments>(&parsed)) return certify(on, *certifying);
  if (auto const* const sweeping = std::get_if<sweep_arguments>(&parsed)) return sweep(on, *sweeping);
  if (auto const* const reporting = std::get_if<report_arguments>(&parsed)) {
    auto const page = write_pages(reporting->folder);  // refuses what is no run
    if (reporting->table) fmt::print("{}\n", table_of_runs_in(reporting->folder));
    fmt::print("{}\n", page.string());
    return 0;
  }
  return write_sample(on, std::get<sample_arguments>(parsed));
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
