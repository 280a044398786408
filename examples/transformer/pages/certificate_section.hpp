// SPDX-License-Identifier: MIT
/// @file
/// certificate.json as a section of a page.
#pragma once

#include <string>

#include <nlohmann/json.hpp>

namespace transformer {

std::string certificate_section(nlohmann::json const& certificate);

/// The bound in "upper" as a decimal of ten digits, rounded upwards.
std::string upper_text(nlohmann::json const& upper);

/// "lipschitz_lower" of a certificate as a decimal of ten digits, rounded downwards; "-" if nothing is proven.
std::string lower_text(nlohmann::json const& certificate);

}  // namespace transformer
