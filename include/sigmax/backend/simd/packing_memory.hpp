// SPDX-License-Identifier: MIT
/// @file
/// Where products put their packed operands.
#pragma once

#include <sigmax/config.hpp>
#include <sigmax/core/matrix_view.hpp>
#include <sigmax/core/scalar.hpp>
#include <sigmax/core/workspace.hpp>

namespace sigmax::inline SIGMAX_ABI::cpu::detail {

/// Elements of packed operands that lie on the stack: those of small matrices, which should not leave the first-level
/// cache.
template <class T>
inline constexpr index_t stack_packing = 32768 / static_cast<index_t>(sizeof(T));

/// `size` elements as long as this object lives: from the workspace given, else allocated.
template <class T>
class packing_memory {
 public:
  packing_memory(index_t size, workspace* scratch)
      : memory_(scratch), frame_(memory_.get()), data_(frame_.vector<T>(size).data()) {}
  packing_memory(packing_memory const&) = delete;
  packing_memory& operator=(packing_memory const&) = delete;

  T* data() { return data_; }

 private:
  sigmax::detail::scratch memory_;
  workspace::frame frame_;
  T* data_;
};

}  // namespace sigmax::inline SIGMAX_ABI::cpu::detail
