// SPDX-License-Identifier: MIT
/// @file
/// P: what the processor could do at best, measured beside everything that is compared with it.
#pragma once

namespace bench {

/// Independent fused multiply-adds on registers alone, on `threads` threads at once, for some milliseconds. Returns the
/// FLOPs done, two a multiply-add.
template <class T>
double run_multiply_adds(int threads);

extern template double run_multiply_adds<float>(int threads);
extern template double run_multiply_adds<double>(int threads);

}  // namespace bench
