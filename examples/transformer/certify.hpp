// SPDX-License-Identifier: MIT
/// @file
/// The certificate of a run, printed and stored beside its model.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>

#include <sigmax/kernels.hpp>

#include "arguments.hpp"
#include "certificate/certify_model.hpp"

namespace transformer {

/// Reads a model, prints what is proven of it and writes certificate.json to its folder. Returns the exit status.
int certify(sigmax::cpu::native const& on, certify_arguments const& options);

/// The same for a model at hand. `text` is where attacks may begin.
model_certificate write_certificate(sigmax::cpu::native const& on, run_settings const& settings,
                                    parameters<float> const& weights, std::int64_t step, std::span<token const> text,
                                    bool fast, std::filesystem::path const& path);

}  // namespace transformer
