// SPDX-License-Identifier: MIT
/// @file
/// Measures how many bytes an executable holds at once. Replaces the global operator new, so exactly one file of an
/// executable includes it, and none that includes allocation_counter.hpp. The size of a block stands in front of it.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <new>

namespace {

std::atomic<std::size_t> live_bytes{0};
std::atomic<std::size_t> most_bytes{0};

void* measured(std::size_t size, std::size_t alignment) {
  std::size_t const front = std::max(alignment, alignof(std::max_align_t));
  auto* const memory = static_cast<std::byte*>(std::aligned_alloc(front, (size + front - 1) / front * front + front));
  if (memory == nullptr) throw std::bad_alloc();
  std::memcpy(memory, &size, sizeof size);
  std::size_t const now = live_bytes += size;
  for (std::size_t most = most_bytes; most < now && !most_bytes.compare_exchange_weak(most, now);) {
  }
  return memory + front;
}

void* measured_or_null(std::size_t size) {
  try {
    return measured(size, 1);
  } catch (std::bad_alloc const&) {
    return nullptr;
  }
}

void give_back(void* block, std::size_t alignment) {
  if (block == nullptr) return;
  auto* const memory = static_cast<std::byte*>(block) - std::max(alignment, alignof(std::max_align_t));
  std::size_t size = 0;
  std::memcpy(&size, memory, sizeof size);
  live_bytes -= size;
  std::free(memory);
}

/// The most bytes that `f()` held at once, beyond what there was before. One thread at a time.
template <class F>
std::size_t peak_bytes_of(F const& f) {
  std::size_t const before = live_bytes;
  most_bytes = before;
  f();
  return most_bytes - before;
}

}  // namespace

// All forms: a sanitizer brings its own of those that are not here.
[[gnu::noinline]] void* operator new(std::size_t size) { return measured(size, 1); }
[[gnu::noinline]] void* operator new[](std::size_t size) { return measured(size, 1); }
[[gnu::noinline]] void* operator new(std::size_t size, std::align_val_t alignment) {
  return measured(size, std::size_t(alignment));
}
[[gnu::noinline]] void* operator new[](std::size_t size, std::align_val_t alignment) {
  return measured(size, std::size_t(alignment));
}
[[gnu::noinline]] void* operator new(std::size_t size, std::nothrow_t const&) noexcept {
  return measured_or_null(size);
}
[[gnu::noinline]] void* operator new[](std::size_t size, std::nothrow_t const&) noexcept {
  return measured_or_null(size);
}
[[gnu::noinline]] void operator delete(void* block) noexcept { give_back(block, 1); }
[[gnu::noinline]] void operator delete[](void* block) noexcept { give_back(block, 1); }
[[gnu::noinline]] void operator delete(void* block, std::size_t) noexcept { give_back(block, 1); }
[[gnu::noinline]] void operator delete[](void* block, std::size_t) noexcept { give_back(block, 1); }
[[gnu::noinline]] void operator delete(void* block, std::nothrow_t const&) noexcept { give_back(block, 1); }
[[gnu::noinline]] void operator delete[](void* block, std::nothrow_t const&) noexcept { give_back(block, 1); }
[[gnu::noinline]] void operator delete(void* block, std::align_val_t alignment) noexcept {
  give_back(block, std::size_t(alignment));
}
[[gnu::noinline]] void operator delete[](void* block, std::align_val_t alignment) noexcept {
  give_back(block, std::size_t(alignment));
}
[[gnu::noinline]] void operator delete(void* block, std::size_t, std::align_val_t alignment) noexcept {
  give_back(block, std::size_t(alignment));
}
[[gnu::noinline]] void operator delete[](void* block, std::size_t, std::align_val_t alignment) noexcept {
  give_back(block, std::size_t(alignment));
}
