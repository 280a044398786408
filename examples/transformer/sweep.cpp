// SPDX-License-Identifier: MIT
#include <chrono>
#include <filesystem>
#include <numeric>
#include <set>

#include <fmt/format.h>

#include <sigmax/core/error.hpp>
#include <sigmax/io/printable.hpp>

#include "checkpoint.hpp"
#include "pages/certificate_section.hpp"
#include "pages/run_page.hpp"
#include "sweep.hpp"
#include "train.hpp"
#include "weight_optimizer.hpp"

namespace transformer {

namespace {

using clock = std::chrono::steady_clock;

double seconds_since(clock::time_point start) { return std::chrono::duration<double>(clock::now() - start).count(); }

bool decays(std::string const& constraint) { return constraint.find("decay") != std::string::npos; }

/// "muon-soft_cap-2-0.1"; without a cap "muon-none-0.1".
std::string name_of(run_settings const& settings) {
  bool const has_cap = settings.constraint != "none";
  return fmt::format("{}-{}{}-{:g}", settings.optimizer, settings.constraint,
                     has_cap ? fmt::format("-{:g}", settings.sigma_max) : "", settings.learning_rate);
}

bool is_done(std::filesystem::path const& folder) {
  return std::filesystem::exists(folder / "model.safetensors") && std::filesystem::exists(folder / "certificate.json");
}

/// @throws domain_error if the folder holds a run of other settings than planned.
void require_same(std::filesystem::path const& folder, run_settings planned) {
  bool const begun = std::filesystem::exists(folder / "checkpoint.safetensors") ||
                     std::filesystem::exists(folder / "model.safetensors");
  if (!begun) return;
  auto const stored = load_model(folder).settings;
  planned.shape.vocabulary = stored.shape.vocabulary;
  if (stored == planned) return;
  throw sigmax::domain_error(
      sigmax::io::printable(folder.string()) +
      ": this run has other settings than the sweep; give the settings it began with, or another --out");
}

}  // namespace

std::vector<planned_run> plan_of(sweep_arguments const& options) {
  std::vector<planned_run> grid;
  std::set<std::string> names;
  for (auto const& optimizer : options.optimizers) {
    auto const& rates = optimizer == "muon" ? options.muon_rates : options.adamw_rates;
    for (auto const& constraint : options.constraints) {
      for (double const cap : options.caps) {
        for (double const rate : rates) {
          auto settings = options.training.settings;
          settings.optimizer = optimizer;
          settings.constraint = constraint;
          settings.sigma_max = cap;
          settings.learning_rate = settings.embedding_learning_rate = rate;
          if (decays(constraint)) settings.weight_decay = 1 / cap;
          check(settings);
          planned_run run{name_of(settings), settings};
          if (names.insert(run.name).second) grid.push_back(std::move(run));
        }
      }
    }
  }
  // Steps of the golden ratio, made coprime to the size, visit every run once and leave no corner for the end.
  std::vector<planned_run> order;
  auto const size = static_cast<std::int64_t>(grid.size());
  auto jump = static_cast<std::int64_t>(0.6180339887 * static_cast<double>(size));
  while (jump < size && std::gcd(jump, size) != 1) ++jump;
  for (std::int64_t i = 0, at = 0; i < size; ++i, at = (at + jump) % size) {
    order.push_back(grid[static_cast<std::size_t>(at)]);
  }
  return order;
}

int sweep(sigmax::cpu::native const& on, sweep_arguments const& options) {
  auto const start = clock::now();
  double const budget = 60 * options.minutes;
  std::filesystem::path const folder = options.training.out;
  auto const plan = plan_of(options);
  std::size_t done = 0;
  int status = 0;
  for (auto const& run : plan) {
    auto const own = folder / run.name;
    require_same(own, run.settings);
    if (is_done(own)) {
      ++done;
      continue;
    }
    double const left = budget - seconds_since(start);
    if (left <= 0) continue;
    auto training = options.training;
    training.settings = run.settings;
    training.out = own.string();
    training.quiet = true;
    training.seconds = left;
    training.resume = std::filesystem::exists(own / "checkpoint.safetensors");
    auto const began = clock::now();
    try {
      int const own_status = train(on, training);
      status = own_status > status ? own_status : status;
    } catch (sigmax::numeric_error const& problem) {
      // A run that diverges is a result: it has no model, and the others go on.
      fmt::print("{}: {}\n", run.name, problem.what());
      continue;
    }
    bool const finished = is_done(own);
    done += finished ? 1 : 0;
    auto const record = read_run(own);
    fmt::print("{:<40} {:>4.0f} s  {}\n", run.name, seconds_since(began),
               finished ? fmt::format("validation {:.4f}  L <= {}", record.last("validation_loss", 0),
                                      upper_text(record.certificate["upper"]))
                        : fmt::format("stopped at step {:.0f}, the budget is used up", record.last("step", 0)));
    std::fflush(stdout);
    write_pages(folder);
  }
  fmt::print("{} of {} runs are done{}\n", done, plan.size(),
             done < plan.size() ? "; the same command goes on with the others" : "");
  bool any = false;
  for (auto const& run : plan) any = any || is_run(folder / run.name);
  if (any) fmt::print("{}\n", write_pages(folder).string());
  return status;
}

}  // namespace transformer
