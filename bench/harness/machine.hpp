// SPDX-License-Identifier: MIT
/// @file
/// Where a measurement runs.
#pragma once

#include <string>

namespace bench {

/// Starts the program again, once, pinned to the last `threads` processors it may use (the first ones serve
/// interrupts), with the thread counts of OpenBLAS, OpenMP and MKL set alike, and without the variables that hold
/// OpenBLAS back from the kernels of this processor: peers run at their best. Libraries read all of that when they are
/// loaded, hence the new start. Returns the processors' numbers.
/// @throws std::runtime_error if there are fewer processors.
std::string start_again_pinned(int threads, char** argv);

/// The processor's name as the kernel gives it.
std::string processor_name();

/// Bytes of the largest cache of a processor, 0 if the kernel does not say.
long last_level_cache();

}  // namespace bench
