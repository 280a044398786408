// SPDX-License-Identifier: MIT
/// @file
/// A step of all weights as one graph, as plain functions of the compiled library.
#pragma once

#include <cstddef>
#include <cstdint>

#include <sigmax/cuda/library/tensor_cores.hpp>
#include <sigmax/cuda/library/types.hpp>

namespace sigmax::SIGMAX_CUDA_LIBRARY {

/// What weights and directions are stored in.
enum class element_kind : std::uint8_t { f32, bf16, f16 };

inline constexpr int most_steps = 32;

/// One weight W and the direction G (momentum or gradient) that is orthogonalized, both rows x cols, row-major, in device
/// memory. G null: W is only capped.
struct step_weight {
  void* weight = nullptr;
  void const* direction = nullptr;
  element_kind weight_kind = element_kind::f32;
  element_kind direction_kind = element_kind::f32;
  index rows = 0;
  index cols = 0;
  index weight_stride = 0;
  index direction_stride = 0;
  /// Where the steps of the schedule form X X^T anew.
  bool starts_segment[most_steps] = {};
};

/// What may change from launch to launch: W <- keep W + move O, then W <- W + cap_width z(X X^T) X for X = W / cap_width,
/// z(R) = cap[0] R^2 + cap[1] R^3 + cap[2] R^4.
struct step_numbers {
  float keep = 1;
  float move = 0;
  float cap_width = 1;
  float cap[3] = {};
};

/// What does not change.
struct step_settings {
  operand_kind kind = operand_kind::f16;
  int steps = 0;
  /// Step t: x -> (polynomial[t][0] + polynomial[t][1] x^2 + polynomial[t][2] x^4) x.
  float polynomial[most_steps][3] = {};
  /// Singular values are divided by `margin` times their bound.
  float margin = 1;
  bool normalize_by_frobenius = false;
  bool cap = false;
};

/// Memory, plans and the graph. Owns its device memory, on the device that is current when it is made.
struct step_state;
status create_step_state(step_weight const* weights, int count, step_settings const& settings, step_state** made);
void destroy_step_state(step_state* gone);
/// Puts new numbers, one entry a weight, in stream order.
status put_step_numbers(step_state* state, stream on, step_numbers const* numbers);
status launch_step(step_state* state, stream on);
/// Waits for the stream. `bad`: the first weight that had, or whose direction had, an element not finite, in any launch
/// since the last call; -1: none.
status check_step(step_state* state, stream on, int* bad);
std::size_t step_memory_bytes(step_state const* state);

}  // namespace sigmax::SIGMAX_CUDA_LIBRARY
