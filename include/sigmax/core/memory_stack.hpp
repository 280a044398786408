// SPDX-License-Identifier: MIT
/// @file
/// Blocks of memory that are used as one stack: what a workspace has of the host, and of a device.
#pragma once

#include <cstddef>
#include <new>
#include <utility>

#include <sigmax/config.hpp>
#include <sigmax/core/device_memory.hpp>
#include <sigmax/core/error.hpp>

namespace sigmax::inline SIGMAX_ABI::detail {

/// Grows by blocks while it is in use; `merge` makes one block of them, as large as the most that was in use at once.
class memory_stack {
 public:
  static constexpr std::size_t host_alignment = 64;
  static constexpr std::size_t device_alignment = 256;

 private:
  /// Host memory is described by what stands one alignment before it. The memory of a device cannot be written by the
  /// host, so its descriptions are apart.
  struct block {
    block* next;
    std::size_t size;
    std::byte* data;
  };

 public:
  /// How far the stack is filled. No block is in use yet where `top` is null.
  struct mark {
    block* top = nullptr;
    std::size_t used = 0;
    std::size_t live = 0;
  };

  memory_stack() = default;
  memory_stack(memory_stack const&) = delete;
  memory_stack& operator=(memory_stack const&) = delete;
  ~memory_stack() { free_blocks(); }

  /// Host memory that is never given back. A null source is the heap, to which it is.
  void draw_from(void* context, void* (*take_block)(void*, std::size_t)) {
    source_.context = context;
    source_.take = take_block;
  }
  /// Device memory, from now on.
  void draw_from(device_memory const& source) {
    free_blocks();
    filled_ = {};
    source_ = source;
    is_device_ = true;
  }
  device_memory const& source() const { return source_; }
  bool is_device() const { return is_device_; }

  mark filled() const { return filled_; }
  void restore(mark const& to) { filled_ = to; }
  std::size_t peak() const { return peak_; }
  std::size_t capacity() const {
    std::size_t total = 0;
    for (block const* at = first_; at != nullptr; at = at->next) total += at->size;
    return total;
  }

  /// `bytes` > 0 bytes on top. @throws std::bad_alloc if that needs a block and the stack is frozen, and what the source
  /// throws.
  void* take(std::size_t bytes, bool frozen) {
    std::size_t const alignment = is_device_ ? device_alignment : host_alignment;
    std::size_t const rounded = (bytes + alignment - 1) & ~(alignment - 1);
    block* at = filled_.top != nullptr ? filled_.top : first_;
    std::size_t used = filled_.used;
    for (; at != nullptr && at->size - used < rounded; at = at->next) used = 0;
    if (at == nullptr) {
      if (frozen) throw std::bad_alloc();
      std::size_t const least = is_device_ ? 65536 : 4096;
      at = add_block(rounded > least ? rounded : least);
    }
    filled_ = {at, used + rounded, filled_.live + rounded};
    if (filled_.live > peak_) peak_ = filled_.live;
    return at->data + used;
  }

  /// One block in place of several. To be called when nothing is in use.
  void merge() {
    if (first_ == last_) return;
    free_blocks();
    try {
      add_block(peak_);
    } catch (...) {  // called from a destructor; the next take() allocates what it needs
    }
  }

  void swap(memory_stack& other) noexcept {
    std::swap(first_, other.first_);
    std::swap(last_, other.last_);
    std::swap(filled_, other.filled_);
    std::swap(peak_, other.peak_);
    std::swap(source_, other.source_);
    std::swap(is_device_, other.is_device_);
  }

 private:
  [[gnu::noinline]] void free_blocks() {
    while (first_ != nullptr) {
      auto* const freed = std::exchange(first_, first_->next);
      if (is_device_) {
        source_.give_back(source_.context, freed->data, freed->size);
        delete freed;
      } else if (source_.take == nullptr) {
        ::operator delete (freed, std::align_val_t{host_alignment});
      }
    }
    last_ = nullptr;
  }

  block* add_block(std::size_t size) {
    block* const added = is_device_ ? new_device_block(size) : new_host_block(size);
    (last_ != nullptr ? last_->next : first_) = added;
    return last_ = added;
  }

  block* new_host_block(std::size_t size) {
    void* const memory = source_.take != nullptr
                             ? source_.take(source_.context, host_alignment + size)
                             : ::operator new (host_alignment + size, std::align_val_t{host_alignment});
    return ::new (memory) block{nullptr, size, static_cast<std::byte*>(memory) + host_alignment};
  }

  block* new_device_block(std::size_t size) {
    auto* const added = new block{nullptr, size, nullptr};
    try {
      added->data = static_cast<std::byte*>(source_.take(source_.context, size));
      if (added->data == nullptr) throw std::bad_alloc();
    } catch (...) {
      delete added;
      throw;
    }
    return added;
  }

  block* first_ = nullptr;
  block* last_ = nullptr;
  mark filled_;
  std::size_t peak_ = 0;
  device_memory source_;
  bool is_device_ = false;
};

}  // namespace sigmax::inline SIGMAX_ABI::detail
