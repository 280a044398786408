// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include "certificate/certificate_file.hpp"
#include "certify.hpp"
#include "checkpoint.hpp"
#include "pages/run_page.hpp"

namespace transformer {

model_certificate write_certificate(sigmax::cpu::native const& on, run_settings const& settings,
                                    parameters<float> const& weights, std::int64_t step, std::span<token const> text,
                                    bool fast, std::filesystem::path const& path) {
  auto const result = certify_model(on, settings, weights, {.walk_network = !fast, .attack_settings = {.text = text}});
  save_certificate(path, result, step, on.architecture());
  fmt::print("{}", text_of(result));
  return result;
}

int certify(sigmax::cpu::native const& on, certify_arguments const& options) {
  std::filesystem::path const path = options.model;
  auto const from = load_model(path);
  auto const folder = std::filesystem::is_directory(path) ? path : path.parent_path();
  auto const result =
      write_certificate(on, from.settings, from.weights, from.step, {}, options.fast, folder / "certificate.json");
  fmt::print("{} ({:.1f} s)\n", (folder / "certificate.json").string(), result.seconds);
  if (is_run(folder)) fmt::print("{}\n", write_pages(folder).string());
  return 0;
}

}  // namespace transformer
