// SPDX-License-Identifier: MIT
/// @file
/// The counter of support/allocation_counter.hpp, which one file of an executable owns, for the others.
#pragma once

namespace transformer::test {

long allocations_so_far();

}  // namespace transformer::test
