// SPDX-License-Identifier: MIT
/// @file
/// Runs as a table for a README.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "run_record.hpp"

namespace transformer {

/// A table in Markdown, a line a run, in the order given: what it was, its last validation, the proven bound of its logits, the
/// attack's lower bound and the published formula beside it, the largest activation of all lines, medians of tokens a
/// second and of the optimizer's share of a step (constraint and proofs included), checks of caps and violations.
std::string table_of_runs(std::vector<run_record> const& runs);

/// Of the run of a folder, or of the runs in it.
std::string table_of_runs_in(std::filesystem::path const& folder);

}  // namespace transformer
