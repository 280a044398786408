// SPDX-License-Identifier: MIT
/// @file
/// Where the memory of a device comes from.
#pragma once

#include <cstddef>

#include <sigmax/config.hpp>

namespace sigmax::inline SIGMAX_ABI {

/// Memory that the processor can hand on but not read or write, by plain functions, so that who keeps some of it need
/// not know the device. `context` is what they are called with (a stream, say) and outlives all that came from it.
struct device_memory {
  void* context = nullptr;
  /// At least `bytes` bytes, on an address divisible by 256. Throws where there is no more; null means the same.
  void* (*take)(void* context, std::size_t bytes) = nullptr;
  /// Takes back what `take` returned for as many bytes; work that still uses them was given to the device before.
  void (*give_back)(void* context, void* data, std::size_t bytes) noexcept = nullptr;
  /// Copies bytes from one place of the device to another, which do not overlap, after all work given to it before.
  void (*copy)(void* context, void* to, void const* from, std::size_t bytes) = nullptr;

  friend bool operator==(device_memory const&, device_memory const&) = default;
};

}  // namespace sigmax::inline SIGMAX_ABI
