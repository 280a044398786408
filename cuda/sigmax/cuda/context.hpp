// SPDX-License-Identifier: MIT
/// @file
/// What the copies of a device backend share: its stream, the memory of reductions, the handle of cuSOLVER.
#pragma once

#include <sigmax/config.hpp>
#include <sigmax/core/device_matrix.hpp>
#include <sigmax/cuda/device_memory.hpp>
#include <sigmax/cuda/error.hpp>
#include <sigmax/cuda/library/elementwise.hpp>
#include <sigmax/cuda/library/factorizations.hpp>
#include <sigmax/cuda/stream.hpp>

namespace sigmax::inline SIGMAX_ABI::gpu::detail {

/// Belongs to one stream, and like it to one thread at a time. What it owns is made when it is first needed: 64 KiB of
/// device memory for the first number that goes to the host, a handle of cuSOLVER for the first eigenvalues.
class context {
 public:
  /// @throws no_device_error, architecture_error, cuda_error.
  explicit context(stream_handle on) : on_(on) { check(library::check_device(), "gpu::cuda"); }
  context(context const&) = delete;
  context& operator=(context const&) = delete;
  ~context() { library::destroy_eigen_solver(solver_); }

  stream_handle on() const { return on_; }

  library::reduction_memory reduction() {
    if (memory_.rows() == 0) {
      constexpr auto doubles = static_cast<index_t>(library::reduction_bytes / sizeof(double));
      memory_ = sigmax::detail::device_matrix<double>(memory_of(on_), 1, doubles);
    }
    return {memory_.data()};
  }
  /// One number of the device. Not in use at the same time as `reduction()`.
  library::index* number() {
    void* const memory = reduction().partials;
    return static_cast<library::index*>(memory);
  }

  library::eigen_solver* solver() {
    if (solver_ == nullptr) check(library::create_eigen_solver(on_, &solver_), "symmetric_eigen");
    return solver_;
  }

 private:
  stream_handle on_;
  sigmax::detail::device_matrix<double> memory_;
  library::eigen_solver* solver_ = nullptr;
};

}  // namespace sigmax::inline SIGMAX_ABI::gpu::detail
