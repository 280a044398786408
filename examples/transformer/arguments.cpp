// SPDX-License-Identifier: MIT
#include <set>

#include <CLI/CLI.hpp>

#include <sigmax/core/error.hpp>
#include <sigmax/io/printable.hpp>
#include <sigmax/kernels.hpp>

#include "arguments.hpp"
#include "thread_pool/thread_pool.hpp"
#include "weight_optimizer.hpp"

namespace transformer {

namespace {

char const* const introduction =
    "Trains a small transformer whose weights provably stay inside their caps, without any normalisation,\n"
    "certifies it and writes text with it.";

char const* const afterword = R"(Files in the folder of --out:
  metrics.jsonl           a line now and then: losses, norms of all weights, largest activation, speed
  checkpoint.safetensors  everything the next step depends on; --resume goes on from it, bit for bit
  model.safetensors       the weights, after the last step
  report.html             all of that to look at
  certificate.json        how far logits can move with the tokens, proven, and how far an attack moved them

The same settings, text and level of processor, or kind of device, give the same bits, whatever the number of threads.

Examples:
  sigmax-transformer train --preset tiny --out run
  sigmax-transformer train --resume --out run
  sigmax-transformer train --preset shakespeare --text shakespeare.txt --optimizer muon --constraint soft_cap --sigma-max 2
  sigmax-transformer certify run
  sigmax-transformer sweep --caps 1,2 --minutes 10 --out sweep
  sigmax-transformer sample --out run --prompt "#include"

Exit status:
  0  done
  1  training diverged, or a weight was not proved to be inside its cap
  2  wrong usage, or a file that cannot be read or written)";

std::string one_line(std::string text) {
  for (char& c : text) {
    if (c == '\n' || c == '\r') c = ' ';
  }
  return "sigmax-transformer: " + sigmax::io::printable(text, 1000) + " (--help explains)";
}

/// `--learning-rate` of `learning_rate`.
std::string option_of(std::string name) {
  for (char& c : name) {
    if (c == '_') c = '-';
  }
  return "--" + name;
}

/// What each setting is, for --help; settings that are not here have no option.
char const* description_of(std::string const& name) {
  if (name == "optimizer") return "muon or adamw";
  if (name == "constraint") return "What a weight must satisfy after each step";
  if (name == "sigma_max") return "Cap of every weight, from RMS to RMS";
  if (name == "head_sigma_max") return "Another cap for the head; 0: the same";
  if (name == "learning_rate") return "At its peak; muon: norm of a step from RMS to RMS";
  if (name == "embedding_learning_rate") return "Of the embedding; muon: RMS of a row's step";
  if (name == "position_learning_rate") return "Of the position biases, whose optimizer is always adamw";
  if (name == "weight_decay") return "Decoupled; the fraction of a step for constraints that decay";
  if (name == "momentum") return "Of muon";
  if (name == "warmup_steps") return "Steps in which the learning rate rises";
  if (name == "steps") return "Steps of the run";
  if (name == "batch") return "Sequences of a step";
  if (name == "micro_batch") return "Sequences computed at once; memory grows with it";
  if (name == "seed") return "Of weights and batches";
  if (name == "log_every") return "Steps between lines of progress";
  if (name == "validate_every") return "Steps between validations";
  if (name == "checkpoint_every") return "Steps between checkpoints";
  if (name == "width") return "Of the residual stream";
  if (name == "blocks") return "Each an attention and an MLP";
  if (name == "heads") return "Of each attention";
  if (name == "key_width") return "Of each head";
  if (name == "mlp_width") return "Of the hidden layer of each MLP";
  if (name == "context") return "Tokens of a sequence";
  if (name == "position_bias") return "Learn what each distance of two tokens adds to their score in each head";
  if (name == "attention_scale") return "tau in softmax(tau q k); 0: 1 / key width";
  if (name == "attention_gain") return "Factor of the attention's output";
  if (name == "residual_scale") return "Times the number of residuals: alpha^-1";
  if (name == "ball_radius") return "Projects each token on a ball of this RMS after each residual; 0: does not";
  if (name == "logit_scale") return "Factor of the logits";
  return nullptr;
}

/// Options of a training; `in_grid` are settings that a sweep takes lists of.
void declare_training(CLI::App& app, train_arguments& result, std::set<std::string> const& in_grid) {
  app.add_option("--text", result.text, "File, or folder of sources; by default those of sigmax")->type_name("PATH");
  app.add_option("--out", result.out, "Folder of the run")->type_name("DIR")->capture_default_str();
  app.add_option("--threads", result.threads, "Threads")->check(CLI::Range(1, 1024))->capture_default_str();
  app.add_option("--device", result.device,
                 "cpu, or cuda where the program was built with it; by default that of the checkpoint, or cpu")
      ->check(CLI::IsMember({"cpu", "cuda"}))
      ->type_name("NAME");
  for_each_setting(result.settings, [&](std::string const& name, auto& value) {
    auto const* const description = description_of(name);
    if (description == nullptr || in_grid.contains(name)) return;
    auto* const option = app.add_option(option_of(name), value, description)->capture_default_str();
    if (name == "optimizer") option->check(CLI::IsMember(optimizer_names()))->type_name("NAME");
    if (name == "constraint") option->check(CLI::IsMember(constraint_names()))->type_name("NAME");
  });
}

void declare_sweep(CLI::App& app, sweep_arguments& result) {
  declare_training(
      app, result.training,
      {"optimizer", "constraint", "sigma_max", "learning_rate", "embedding_learning_rate", "weight_decay"});
  app.add_option("--optimizers", result.optimizers, "Each of muon, adamw")
      ->delimiter(',')
      ->check(CLI::IsMember(optimizer_names()))
      ->capture_default_str();
  app.add_option("--constraints", result.constraints, "Each of what --constraint of train takes; decays are 1 / cap")
      ->delimiter(',')
      ->check(CLI::IsMember(constraint_names()))
      ->capture_default_str();
  app.add_option("--caps", result.caps, "Caps of every weight, from RMS to RMS")
      ->delimiter(',')
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--muon-rates", result.muon_rates, "Learning rates")
      ->delimiter(',')
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--adamw-rates", result.adamw_rates, "Learning rates")
      ->delimiter(',')
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--minutes", result.minutes, "Budget of time; the same command goes on later")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
}

/// Of a batch that is smaller than what is computed at once.
void shrink_micro_batch(run_settings& settings) {
  if (settings.batch < settings.micro_batch) settings.micro_batch = settings.batch;
}

/// Presets are read first: what else is on the command line changes them.
run_settings preset_in(int argc, char const* const* argv) {
  std::string name = "tiny";
  for (int i = 1; i < argc; ++i) {
    std::string const argument = argv[i];
    if (argument == "--preset" && i + 1 < argc) name = argv[i + 1];
    if (argument.starts_with("--preset=")) name = argument.substr(9);
  }
  return name == "shakespeare" ? shakespeare_preset() : tiny_preset();
}

}  // namespace

any_arguments parse_arguments(int argc, char const* const* argv) {
  train_arguments training;
  training.settings = preset_in(argc, argv);
  training.text = TRANSFORMER_DEFAULT_TEXT;
  training.out = "sigmax-transformer-run";
  training.threads = programs::threads_here();
  sample_arguments sampling;
  sampling.model = training.out;
  sampling.threads = training.threads;
  certify_arguments certifying;
  certifying.model = training.out;
  certifying.threads = training.threads;
  sweep_arguments sweeping;
  sweeping.training = training;
  sweeping.training.out = "sigmax-transformer-sweep";
  report_arguments reporting;
  reporting.folder = training.out;
  std::string preset;
  CLI::App app(introduction, "sigmax-transformer");
  auto* const train = app.add_subcommand("train", "Train a model");
  auto* const sample = app.add_subcommand("sample", "Write text with a model");
  auto* const certify = app.add_subcommand("certify", "Prove how far logits move with the tokens");
  auto* const sweep = app.add_subcommand("sweep", "Train a grid of models, and draw loss over proven bound");
  auto* const report = app.add_subcommand("report", "Write a page about a run, or about all runs in a folder");
  try {
    app.require_subcommand(1);
    app.set_version_flag("--version", std::string("sigmax-transformer ") + sigmax::version + " (" +
                                          sigmax::cpu::native().architecture() + ")");
    app.footer(afterword);
    train->add_option("--preset", preset, "tiny (a minute) or shakespeare (the paper's model)")
        ->check(CLI::IsMember({"tiny", "shakespeare"}));
    declare_training(*train, training, {});
    train->add_flag("!--no-certificate", training.certifies, "Leave the certificate to certify, which takes its time");
    train->add_flag("--resume", training.resume, "Go on from the checkpoint in the folder of the run");
    sweep->add_option("--preset", preset, "tiny or shakespeare")->check(CLI::IsMember({"tiny", "shakespeare"}));
    declare_sweep(*sweep, sweeping);
    sample->add_option("--out,--model", sampling.model, "Folder of the run, or its file")->capture_default_str();
    sample->add_option("--prompt", sampling.how.prompt, "Text to go on from");
    sample->add_option("--count", sampling.how.count, "Bytes to write")->check(CLI::NonNegativeNumber);
    sample->add_option("--temperature", sampling.how.temperature, "0 takes the most probable byte")
        ->check(CLI::Range(0.0, 100.0))
        ->capture_default_str();
    sample->add_option("--seed", sampling.how.seed, "Of the draws")->capture_default_str();
    sample->add_option("--threads", sampling.threads, "Threads")->check(CLI::Range(1, 1024));
    certify->add_option("model", certifying.model, "Folder of the run, or its file")->capture_default_str();
    certify->add_flag("--fast", certifying.fast, "Only formulas of proven norms, not the graph");
    certify->add_option("--threads", certifying.threads, "Threads")->check(CLI::Range(1, 1024));
    report->add_option("folder", reporting.folder, "Folder of a run, or of runs")->capture_default_str();
    report->add_flag("--table", reporting.table, "Print a table in Markdown as well, a line a run");
    app.parse(argc, argv);
    if (train->parsed() && !training.resume) {
      shrink_micro_batch(training.settings);
      check(training.settings);
    }
    shrink_micro_batch(sweeping.training.settings);
    if (sweep->parsed()) check(sweeping.training.settings);
  } catch (CLI::CallForHelp const&) {
    return finished{0, app.help()};
  } catch (CLI::CallForVersion const& asked) {
    return finished{0, std::string(asked.what()) + "\n"};
  } catch (CLI::Error const& problem) {
    return finished{2, one_line(problem.what())};
  } catch (sigmax::error const& problem) {
    return finished{2, one_line(problem.what())};
  }
  if (train->parsed()) return training;
  if (certify->parsed()) return certifying;
  if (report->parsed()) return reporting;
  sweeping.threads = sweeping.training.threads;
  if (sweep->parsed()) return sweeping;
  return sampling;
}

}  // namespace transformer
