// SPDX-License-Identifier: MIT
#include <charconv>
#include <map>
#include <type_traits>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <sigmax/core/error.hpp>

#include "checkpoint.hpp"

namespace transformer {

namespace {

using metadata = std::map<std::string, std::string>;

std::string to_hexadecimal(std::string const& bytes) {
  std::string result;
  for (char const c : bytes) result += fmt::format("{:02x}", static_cast<unsigned char>(c));
  return result;
}

std::string from_hexadecimal(std::string const& text) {
  std::string result;
  for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
    unsigned value = 0;
    auto const parsed = std::from_chars(text.data() + i, text.data() + i + 2, value, 16);
    if (parsed.ptr != text.data() + i + 2) throw sigmax::format_error("the vocabulary of the file is not hexadecimal");
    result += static_cast<char>(value);
  }
  return result;
}

template <class Number>
Number number_in(metadata const& from, char const* key) {
  auto const found = from.find(key);
  if (found == from.end()) throw sigmax::format_error(std::string("the file has no metadata '") + key + "'");
  Number value{};
  auto const* const end = found->second.data() + found->second.size();
  if (std::from_chars(found->second.data(), end, value).ptr != end) {
    throw sigmax::format_error(std::string("the metadata '") + key + "' of the file are no number");
  }
  return value;
}

metadata metadata_of(trainer const& of) {
  return {{"settings", settings_text(of.settings())},
          {"vocabulary", to_hexadecimal(of.text().vocabulary.bytes())},
          {"step", std::to_string(of.steps())}};
}

/// f(name, count) for all counts of checks.
template <class Checks, class F>
void for_each_count(Checks& caps, F const& f) {
  f("checks", caps.checks);
  f("violations", caps.violations);
  f("matrices", caps.constrained.matrices);
  f("hard_capped", caps.constrained.hard_capped);
  f("proven", caps.constrained.proven);
  f("rescaled", caps.constrained.rescaled);
}

}  // namespace

std::string settings_text(run_settings const& settings) {
  nlohmann::ordered_json json;
  for_each_setting(settings, [&](char const* name, auto const& value) { json[name] = value; });
  return json.dump();
}

run_settings settings_from(std::string const& text) {
  run_settings result;
  try {
    auto const json = nlohmann::json::parse(text);
    for_each_setting(result, [&](char const* name, auto& value) { json.at(name).get_to(value); });
  } catch (nlohmann::json::exception const& problem) {
    throw sigmax::format_error(std::string("the settings of the file cannot be read: ") + problem.what());
  }
  check(result);
  return result;
}

stored_run run_of(sigmax::io::safetensors_file const& file) {
  auto const& from = file.metadata();
  if (!from.contains("settings") || !from.contains("vocabulary")) {
    throw sigmax::format_error("the file was not written by sigmax-transformer");
  }
  stored_run result{.settings = settings_from(from.at("settings")),
                    .vocabulary = from_hexadecimal(from.at("vocabulary")),
                    .step = number_in<std::int64_t>(from, "step"),
                    .text = {},
                    .caps = {}};
  if (from.contains("device")) result.device = from.at("device");
  if (from.contains("text")) {
    result.text = from.at("text");
    result.digest = number_in<std::uint64_t>(from, "digest");
    for_each_count(result.caps, [&](char const* name, auto& count) {
      count = number_in<std::remove_reference_t<decltype(count)>>(from, name);
    });
  }
  return result;
}

void save_model(std::filesystem::path const& path, trainer const& of) {
  std::vector<sigmax::io::named_tensor> tensors;
  for_each_weight(of.weights(), [&](std::string const& name, weight_role, sigmax::matrix<float> const& each) {
    tensors.emplace_back(name, each);
  });
  sigmax::io::save_safetensors(path, tensors, metadata_of(of));
}

void save_checkpoint(std::filesystem::path const& path, trainer const& of, std::string const& text) {
  sigmax::io::optimizer_state_writer state;
  of.add_to(state);
  auto about = metadata_of(of);
  about["text"] = text;
  about["device"] = of.device();
  about["digest"] = std::to_string(of.text().digest);
  for_each_count(of.caps(), [&](char const* name, auto const& count) { about[name] = std::to_string(count); });
  state.save(path, about);
}

parameters<float> weights_of(sigmax::io::safetensors_file const& file, model_shape const& shape) {
  parameters<float> result(shape);
  for_each_weight(
      result, [&](std::string const& name, weight_role, sigmax::matrix<float>& each) { file.read_into(name, each); });
  return result;
}

stored_model load_model(std::filesystem::path path) {
  if (std::filesystem::is_directory(path)) {
    bool const is_done = std::filesystem::exists(path / "model.safetensors");
    path /= is_done ? "model.safetensors" : "checkpoint.safetensors";
  }
  auto const file = sigmax::io::load_safetensors(path);
  auto const stored = run_of(file);
  return {stored.settings, weights_of(file, stored.settings.shape), tokenizer(stored.vocabulary), stored.step};
}

}  // namespace transformer
