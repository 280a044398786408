// SPDX-License-Identifier: MIT
/// @file
/// Charts of what a run logged: sections of its page, empty where there is nothing to draw.
#pragma once

#include <string>

#include "../../report/line_panel.hpp"
#include "run_record.hpp"

namespace transformer {

std::string loss_section(run_record const& run);
/// Beside 448, the largest number of fp8 e4m3.
std::string activation_section(run_record const& run);
/// Quantiles of the singular values of each weight, beside its cap.
std::string spectrum_section(run_record const& run);

/// The cap that the constraint of a run proves of a weight, from RMS to RMS; 0 for none.
double cap_of(run_record const& run, std::string const& weight);

/// Ends of the vertical axis that hold all finite values, with a little room.
void fit(report::line_panel& panel);

/// NaN where there is no number.
double number_at(nlohmann::json const& object, char const* key);

}  // namespace transformer
