// SPDX-License-Identifier: MIT
/// @file
/// Where products put their packed operands.
#pragma once

#include <sigmax/config.hpp>
#include <sigmax/core/matrix_view.hpp>
#include <sigmax/core/scalar.hpp>
#include <sigmax/core/workspace.hpp>

namespace sigmax::inline SIGMAX_ABI::cpu::detail {

/// `size` elements as long as this object lives: on the stack while they fit into a first-level cache (the operands of
/// small matrices, which should not leave it), else from the workspace given, else allocated.
template <class T>
class packing_memory {
 public:
  packing_memory(index_t size, workspace* scratch)
      : memory_(scratch), frame_(memory_.get()), data_(size <= stack_size ? stack_ : frame_.vector<T>(size).data()) {}
  packing_memory(packing_memory const&) = delete;
  packing_memory& operator=(packing_memory const&) = delete;

  T* data() { return data_; }

 private:
  static constexpr index_t stack_size = 32768 / static_cast<index_t>(sizeof(T));

  sigmax::detail::scratch memory_;
  workspace::frame frame_;
  T* data_;
  alignas(64) T stack_[stack_size];
};

}  // namespace sigmax::inline SIGMAX_ABI::cpu::detail
