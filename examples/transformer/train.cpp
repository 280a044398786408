// SPDX-License-Identifier: MIT
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include <fmt/format.h>

#include <sigmax/core/error.hpp>
#include <sigmax/io/printable.hpp>
#include <sigmax/io/safetensors.hpp>

#ifdef TRANSFORMER_CUDA
#include "cuda/device_trainer.hpp"
#endif
#include "certificate/certificate_file.hpp"
#include "certify.hpp"
#include "checkpoint.hpp"
#include "corpus.hpp"
#include "pages/run_page.hpp"
#include "progress.hpp"
#include "train.hpp"
#include "trainer.hpp"

namespace transformer {

namespace {

/// Sums over the steps since the last line of progress.
struct since_last_line {
  batch_loss loss;
  double seconds = 0;
  double seconds_of_optimizers = 0;
};

/// A run that was begun or resumed.
struct begun_run {
  corpus text;
  std::unique_ptr<trainer> model;
};

std::unique_ptr<trainer> make_trainer_for(sigmax::cpu::native const& on, std::string const& device,
                                          run_settings const& settings, corpus const& text) {
  if (device == "cpu") return make_trainer(on, settings, text);
#ifdef TRANSFORMER_CUDA
  if (device == "cuda") return make_trainer_on_device(on, settings, text);
#endif
  throw sigmax::unsupported_error("--device is " + device + "; this program was built without CUDA");
}

begun_run begin(sigmax::cpu::native const& on, train_arguments const& options) {
  auto settings = options.settings;
  begun_run result{make_corpus(read_text(options.text), settings.shape.context), nullptr};
  settings.shape.vocabulary = result.text.vocabulary.size();
  result.model = make_trainer_for(on, options.device.empty() ? "cpu" : options.device, settings, result.text);
  return result;
}

/// @throws format_error if the text is not that of the checkpoint.
begun_run resume(sigmax::cpu::native const& on, train_arguments const& options, std::filesystem::path const& checkpoint,
                 std::string& text) {
  auto const file = sigmax::io::load_safetensors(checkpoint);
  auto const stored = run_of(file);
  text = stored.text;
  begun_run result{make_corpus(read_text(text), stored.settings.shape.context), nullptr};
  if (result.text.digest != stored.digest || result.text.vocabulary.bytes() != stored.vocabulary) {
    throw sigmax::format_error(sigmax::io::printable(text) + ": this is not the text the checkpoint was trained on");
  }
  result.model =
      make_trainer_for(on, options.device.empty() ? stored.device : options.device, stored.settings, result.text);
  result.model->restore(file, stored.step, stored.caps);
  return result;
}

/// True at multiples of `every`, and at the end.
bool is_due(std::int64_t step, std::int64_t every, std::int64_t last) { return step % every == 0 || step == last; }

/// About forty spectra a run, each on a line that is written anyway.
std::int64_t steps_between_spectra(run_settings const& settings) {
  std::int64_t const lines = (settings.steps / 40 + settings.log_every - 1) / settings.log_every;
  return settings.log_every * (lines > 0 ? lines : 1);
}

}  // namespace

int train(sigmax::cpu::native const& on, train_arguments const& options) {
  std::filesystem::path const out = options.out;
  auto const checkpoint = out / "checkpoint.safetensors";
  std::string text = std::filesystem::absolute(options.text).lexically_normal().string();
  begun_run current = options.resume ? resume(on, options, checkpoint, text) : begin(on, options);
  auto& model = *current.model;
  auto const& settings = model.settings();
  std::filesystem::create_directories(out);
  metrics_file const metrics(out / "metrics.jsonl", model.steps());
  if (!options.quiet) {
    fmt::print("{} parameters, {} bytes of text, vocabulary {}, {} of {} steps done, {}\n", settings.shape.parameters(),
               current.text.tokens.size(), settings.shape.vocabulary, model.steps(), settings.steps, model.where());
  }
  auto const start = std::chrono::steady_clock::now();

  since_last_line since;
  while (model.steps() < settings.steps) {
    auto const done = model.step();
    since.loss.add(done.loss);
    since.seconds += done.seconds;
    since.seconds_of_optimizers += done.seconds_of_optimizers;
    std::int64_t const step = model.steps();
    bool const validates = is_due(step, settings.validate_every, settings.steps);
    if (validates || is_due(step, settings.log_every, settings.steps)) {
      measurement line{.step = step,
                       .training = since.loss,
                       .validation = {},
                       .norms = weight_norms(model),
                       .spectra = {},
                       .activations = model.largest_activations(),
                       .rate = done.rate,
                       .tokens_per_second = static_cast<double>(since.loss.tokens) / since.seconds,
                       .optimizer_share = since.seconds_of_optimizers / since.seconds,
                       .caps = model.caps()};
      if (validates) line.validation = model.validate();
      if (validates || step % steps_between_spectra(settings) == 0) line.spectra = weight_spectra(on, model.weights());
      if (!options.quiet) {
        fmt::print("{}\n", line.line_for_people(settings.steps));
        std::fflush(stdout);
      }
      metrics.append(line);
      since = {};
    }
    bool const is_late =
        options.seconds > 0 &&
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() > options.seconds;
    // Between lines of progress a resumed run could not finish the line.
    bool const stops = is_late && step < settings.steps && is_due(step, settings.log_every, settings.steps);
    if (stops || is_due(step, settings.checkpoint_every, settings.steps)) save_checkpoint(checkpoint, model, text);
    if (stops) return 0;
  }
  save_model(out / "model.safetensors", model);
  std::string about;
  if (options.certifies) {
    about = text_of(write_certificate(on, settings, model.weights(), model.steps(), current.text.validation(), true,
                                      out / "certificate.json"));
  }
  auto const page = write_pages(out);
  auto const& caps = model.caps();
  if (!options.quiet) {
    fmt::print("{}{}\n", about, page.string());
    fmt::print(
        "{} checks, after every step, that a weight is inside its cap: {} violations; {} proofs, {} weights hard "
        "capped\n",
        caps.checks, caps.violations, caps.constrained.proven, caps.constrained.hard_capped);
  }
  return caps.violations == 0 ? 0 : 1;
}

}  // namespace transformer
