// SPDX-License-Identifier: MIT
/// @file
/// What the processor says of itself.
#pragma once

#include <sigmax/kernels/table.hpp>

namespace sigmax::kernels::inline v0_1 {

/// The highest level of the x86-64 psABI whose instructions this processor has and whose registers the operating system
/// saves; x86_64 on other processors, where nobody asks.
level x86_64_level() noexcept;

}  // namespace sigmax::kernels::inline v0_1
