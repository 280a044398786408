// SPDX-License-Identifier: MIT
/// @file
/// Pages about runs: one HTML file each, complete in itself.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "run_record.hpp"

namespace transformer {

/// Loss, spectra of the weights over time, largest activations beside 448 (the largest number of fp8 e4m3), and the
/// certificate.
std::string page_of(run_record const& run);

/// The losses of runs over their proven Lipschitz bounds, and which of them no other run beats in both.
std::string page_of(std::vector<run_record> const& runs, std::string const& title);

/// report.html of a run, or of a folder of runs and of each of them. Returns the path of the page.
/// @throws format_error if the folder is neither, or a file in it is not what it should be.
std::filesystem::path write_pages(std::filesystem::path const& folder);

}  // namespace transformer
