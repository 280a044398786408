// SPDX-License-Identifier: MIT
/// @file
/// The certificate of a transformer as text and as certificate.json.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include <nlohmann/json_fwd.hpp>

#include "certify_model.hpp"

namespace transformer {

/// One line each: bounds, published formula, attack.
std::string text_of(model_certificate const& certificate);

/// Bounds never shrink and lower bounds never grow on the way into text (io/json.hpp). `step`: of the training.
nlohmann::ordered_json json_of(model_certificate const& certificate, std::int64_t step,
                               std::string const& architecture);

/// Writes it, completely or not at all. @throws format_error if it cannot be written.
void save_certificate(std::filesystem::path const& path, model_certificate const& certificate, std::int64_t step,
                      std::string const& architecture);

}  // namespace transformer
