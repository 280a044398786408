// SPDX-License-Identifier: MIT
/// @file
/// What is proven about one stored tensor.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <sigmax/bound/extended.hpp>
#include <sigmax/core/scalar.hpp>
#include <sigmax/io/safetensors.hpp>
#include <sigmax/kernels.hpp>

#include "heartbeat.hpp"

namespace certify_program {

/// How a tensor was taken.
enum class tensor_kind {
  /// Two extents: rows (outputs) x columns (inputs).
  matrix,
  /// More: the first extent x the product of the others. Not the operator of a convolution.
  flattened,
  /// One: its Euclidean length.
  vector,
  /// None: its absolute value.
  scalar,
  /// Integers have no norm.
  skipped,
  /// Nothing could be proved, for a reason.
  refused
};

char const* name_of(tensor_kind kind);

struct tensor_norm {
  std::string name;
  sigmax::io::element_type type = sigmax::io::element_type::f32;
  std::vector<sigmax::index_t> shape;
  tensor_kind kind = tensor_kind::refused;
  /// lower <= ||W||_2 <= upper, proven.
  double lower = 0;
  sigmax::extended upper = {};
  /// >= sqrt(columns / rows) ||W||_2, the norm from RMS to RMS; of matrices alone.
  std::optional<sigmax::extended> rms_upper = {};
  /// Why it was skipped or refused.
  std::string reason = {};
};

struct tensor_norm_options {
  double relative_gap = 1e-7;
  /// Bytes that scratch memory may take.
  std::uint64_t max_memory = 0;
};

/// The proven norms of all tensors of a file, in the order of their bytes. A tensor that is not finite, of a type that
/// cannot be read, or too large for max_memory is refused, with the reason; nothing is thrown for it.
std::vector<tensor_norm> tensor_norms(sigmax::cpu::native const& on, sigmax::io::safetensors_file const& file,
                                      tensor_norm_options const& options, progress& work);

}  // namespace certify_program
