// SPDX-License-Identifier: MIT
/// @file
/// What a step of weights owns: the groups of equal shape, device memory, plans, the graph.
#pragma once

#include <vector>

#include <cuda_runtime.h>

#include <sigmax/cuda/library/weight_step.hpp>

#include "first_step.cuh"
#include "inspect.cuh"
#include "passage.cuh"
#include "status.cuh"

namespace sigmax::SIGMAX_CUDA_LIBRARY {

inline constexpr std::size_t product_workspace_bytes = std::size_t{32} << 20;
inline constexpr index inspected_elements = 1 << 16;  ///< by one block, about

/// Weights whose operands have one shape, and that go through the same steps.
struct step_group {
  index rows, cols;  ///< the short and the long side
  index row, size;   ///< elements of an operand's row and matrix
  index square_row, square_size;
  bool has_direction;
  bool starts_segment[most_steps];
  std::vector<group_member> members;
  group_member const* on_device = nullptr;

  int count() const { return static_cast<int>(members.size()); }
};

/// Places in one piece of memory. Without memory it only counts.
class arena {
 public:
  explicit arena(unsigned char* memory) : memory_(memory) {}
  template <class T>
  T* take(index count) {
    auto* const place = reinterpret_cast<T*>(memory_ == nullptr ? nullptr : memory_ + used_);
    used_ += (static_cast<std::size_t>(count) * sizeof(T) + 255) / 256 * 256;
    return place;
  }
  std::size_t used() const { return used_; }

 private:
  unsigned char* memory_;
  std::size_t used_ = 0;
};

/// What all groups share, on the device.
struct step_memory {
  step_numbers* numbers;
  step_flags* flags;
  inspected_rows* inspected;
  double* sums;
  int* first_part;
  float* target;
  float* scale;
  void* operands[2];
  void* squares[5];
  moments* parts;
  first_step* firsts;
  coefficients* square_factors;
  coefficients* conjugates;
  coefficients* lasts;
  float4* combinations;
  coefficients* cap_products;
  float* split;
  void* workspace;
};

inline void started(char const* kernel) { must(cudaGetLastError(), kernel); }

inline dim3 grid_of(index x, index y = 1) { return dim3(static_cast<unsigned>(x), static_cast<unsigned>(y)); }

struct step_state {
  step_settings settings;
  int count = 0;
  std::vector<step_group> groups;
  std::vector<inspected_rows> inspected;
  std::vector<int> first_part;
  std::vector<float> target;
  std::size_t split_bytes = 0;

  unsigned char* memory = nullptr;
  std::size_t bytes = 0;
  step_memory at{};
  product_state* products = nullptr;
  cudaGraphExec_t ready = nullptr;

  step_state() = default;
  step_state(step_state const&) = delete;
  step_state& operator=(step_state const&) = delete;
  ~step_state() {
    if (ready != nullptr) cudaGraphExecDestroy(ready);
    destroy_product_state(products);
    if (memory != nullptr) cudaFree(memory);
  }

  void sort_into_groups(step_weight const* weights);
  void list_inspected(step_weight const* weights);
  void place(arena& from);
  void upload();
  void make_graph();
  template <operand_kind Kind>
  void record(cudaStream_t on);
};

}  // namespace sigmax::SIGMAX_CUDA_LIBRARY
