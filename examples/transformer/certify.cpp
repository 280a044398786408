// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include "certificate/certificate_file.hpp"
#include "certify.hpp"
#include "checkpoint.hpp"
#include "pages/run_page.hpp"
#include "sample.hpp"

namespace transformer {

model_certificate write_certificate(sigmax::cpu::native const& on, run_settings const& settings,
                                    parameters<float> const& weights, std::int64_t step, std::span<token const> text,
                                    bool fast, std::filesystem::path const& path) {
  auto const result = certify_model(
      on, settings, weights, {.walk_network = !fast, .attack_settings = {.rounds = fast ? 16 : 40, .text = text}});
  save_certificate(path, result, step, on.architecture());
  return result;
}

namespace {

/// The tokens a run was trained on, as its checkpoint tells; none where they are not there any more.
std::vector<token> text_of_run(std::filesystem::path const& folder) {
  auto const checkpoint = folder / "checkpoint.safetensors";
  if (!std::filesystem::exists(checkpoint)) return {};
  auto const stored = run_of(sigmax::io::load_safetensors(checkpoint));
  if (stored.text.empty() || !std::filesystem::exists(stored.text)) return {};
  auto const text = read_text(stored.text);
  auto const vocabulary = tokenizer::of_text(text);
  return vocabulary.bytes() == stored.vocabulary ? vocabulary.encode(text) : std::vector<token>();
}

/// What the model itself writes, for attacks to begin with where its text is not at hand: far better than tokens drawn at
/// random, among which a trained model moves little.
std::vector<token> text_of_model(sigmax::cpu::native const& on, stored_model const& from) {
  constexpr index_t contexts = 4;
  std::string text(1, from.vocabulary.decode(0));
  sample(on, from, {.prompt = text, .count = contexts * from.settings.shape.context, .temperature = 1},
         [&](char next) { text += next; });
  return from.vocabulary.encode(text);
}

}  // namespace

int certify(sigmax::cpu::native const& on, certify_arguments const& options) {
  std::filesystem::path const path = options.model;
  auto const from = load_model(path);
  auto const folder = std::filesystem::is_directory(path) ? path : path.parent_path();
  auto text = text_of_run(folder);
  if (text.empty()) text = text_of_model(on, from);
  auto const result =
      write_certificate(on, from.settings, from.weights, from.step, text, options.fast, folder / "certificate.json");
  fmt::print("{}{} ({:.1f} s)\n", text_of(result), (folder / "certificate.json").string(), result.seconds);
  if (is_run(folder)) fmt::print("{}\n", write_pages(folder).string());
  return 0;
}

}  // namespace transformer
