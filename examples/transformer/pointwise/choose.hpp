// SPDX-License-Identifier: MIT
/// @file
/// Which of the tables this processor executes.
#pragma once

#include "table.hpp"

namespace transformer::pointwise_kernels {

/// The table of the level that sigmax::kernels has chosen, or the last one below it.
table const& best();

}  // namespace transformer::pointwise_kernels
