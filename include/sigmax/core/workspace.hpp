// SPDX-License-Identifier: MIT
/// @file
/// Scratch memory owned by the caller: it grows to what an algorithm needs once and is reused ever after.
#pragma once

#include <cstddef>
#include <cstdint>
#include <new>
#include <type_traits>
#include <utility>

#include <sigmax/config.hpp>
#include <sigmax/core/device_memory.hpp>
#include <sigmax/core/error.hpp>
#include <sigmax/core/matrix.hpp>
#include <sigmax/core/matrix_view.hpp>
#include <sigmax/core/memory_stack.hpp>

namespace sigmax::inline SIGMAX_ABI {

namespace detail {
class scratch;
}

/// A stack of scratch memory. Algorithms open a `frame`, take matrices from it, and the frame gives everything back
/// when it dies. The first call may allocate several blocks; when the outermost frame closes they are merged into one
/// of the largest size seen, so that later calls of the same size allocate nothing.
///
/// Beside host memory it hands out that of a device, from a stack of its own, once it was told where that comes from;
/// device backends see to that. Belongs to one thread, and one stream of a device, at a time. Elements are aligned to 64
/// bytes, on devices to 256, and not initialised.
class workspace {
 public:
  workspace() = default;
  /// Memory comes from source(context, bytes), aligned to 64 bytes, and is never given back: for a workspace that lives
  /// within one call, on memory of somebody else's. A null source is the heap.
  workspace(void* context, void* (*source)(void* context, std::size_t bytes)) : used_once_(true) {
    host_.draw_from(context, source);
  }
  workspace(workspace const&) = delete;
  workspace& operator=(workspace const&) = delete;
  workspace(workspace&& other) noexcept { swap(other); }
  workspace& operator=(workspace&& other) noexcept {
    workspace taken(std::move(other));
    swap(taken);
    return *this;
  }
  ~workspace() { delete next_; }

  /// Device memory comes from here from now on; what there was of another device is given back.
  /// @throws domain_error if a frame holds memory of another device.
  void set_device_memory(device_memory const& source) {
    if (device_.is_device() && device_.source() == source) return;
    if (device_.filled().live > 0) {
      detail::raise<domain_error>({"workspace: set_device_memory while memory of another device is in use"});
    }
    device_.draw_from(source);
    if (next_ != nullptr) next_->set_device_memory(source);
  }
  bool has_device_memory() const { return device_.is_device(); }

  /// Bytes held, those for threads included.
  std::size_t capacity() const { return host_.capacity() + (next_ != nullptr ? next_->capacity() : 0); }
  /// The most bytes that were in use at once, if all threads were at their peaks at the same time.
  std::size_t peak() const { return host_.peak() + (next_ != nullptr ? next_->peak() : 0); }
  /// The same of device memory.
  std::size_t device_capacity() const { return device_.capacity() + (next_ != nullptr ? next_->device_capacity() : 0); }
  std::size_t device_peak() const { return device_.peak() + (next_ != nullptr ? next_->device_peak() : 0); }

  /// From now on, growing is an error (std::bad_alloc): for code that must not allocate.
  void freeze() {
    frozen_ = true;
    if (next_ != nullptr) next_->freeze();
  }

  /// A workspace for thread `thread` >= 0 of a parallel algorithm, apart from this one, which keeps it: the next call
  /// finds its memory again. To be called before the threads start.
  workspace& of_thread(int thread) {
    workspace* at = this;
    for (int i = 0; i <= thread; ++i) {
      if (at->next_ == nullptr) {
        if (frozen_) throw std::bad_alloc();
        at->next_ = new workspace;
        if (has_device_memory()) at->next_->set_device_memory(device_.source());
      }
      at = at->next_;
    }
    return *at;
  }

 private:
  /// Multiprecision scalars own memory; they are destroyed before the frame gives theirs back.
  struct constructed_objects {
    void* data;
    index_t count;
    void (*destroy)(void*, index_t);
    constructed_objects* before;
  };

 public:
  /// Takes memory from the workspace and gives it back, last in first out, when it is destroyed.
  class frame {
   public:
    explicit frame(workspace& owner)
        : owner_(owner), host_(owner.host_.filled()), device_(owner.device_.filled()), depth_(++owner.depth_) {}
    frame(frame const&) = delete;
    frame& operator=(frame const&) = delete;
    [[gnu::noinline]] ~frame() {
      for (auto const* at = objects_; at != nullptr; at = at->before) at->destroy(at->data, at->count);
      owner_.host_.restore(host_);
      owner_.device_.restore(device_);
      if (--owner_.depth_ == 0) owner_.merge();
    }

    /// `size` scalars in memory of `Space`: indeterminate where T is trivially copyable, else (on the host) constructed
    /// as zero and destroyed with the frame, which takes a little more memory. @throws shape_error if the size is
    /// negative or not addressable, domain_error if a frame that was opened later is still open or device memory is
    /// asked for before set_device_memory, std::bad_alloc if memory is short or the workspace is frozen, and what the
    /// source of device memory throws.
    template <class T, class Space = host_space>
    vector_view<T, Space> vector(index_t size) {
      if constexpr (std::is_same_v<Space, host_space>) {
        static_assert(alignof(T) <= detail::memory_stack::host_alignment,
                      "sigmax::workspace: memory is aligned to 64 bytes");
        auto* const data = static_cast<T*>(owner_.take(owner_.host_, size, sizeof(T), depth_));
        if constexpr (!std::is_trivially_copyable_v<T>) {
          if (size == 0) return {};
          construct(data, size);
        }
        return vector_view<T>::unchecked(data, size, 1);
      } else {
        static_assert(std::is_trivially_copyable_v<T>,
                      "sigmax::workspace: the memory of a device holds plain numbers, no objects");
        auto* const data = static_cast<T*>(owner_.take(owner_.device_memory_stack(), size, sizeof(T), depth_));
        return vector_view<T, Space>::unchecked(data, size, 1);
      }
    }

    /// A dense row-major rows x cols matrix with indeterminate elements. Throws as `vector`.
    template <class T, class Space = host_space>
    matrix_view<T, Space> matrix(index_t rows, index_t cols) {
      auto const elements = vector<T, Space>(detail::checked_area(rows, cols));
      return matrix_view<T, Space>::unchecked(elements.data(), rows, cols, cols, 1);
    }

    /// The workspace behind the frame, for callees that open frames of their own.
    workspace& owner() { return owner_; }

   private:
    template <class T>
    void construct(T* data, index_t size) {
      auto* const objects =
          static_cast<constructed_objects*>(owner_.take(owner_.host_, 1, sizeof(constructed_objects), depth_));
      objects_ = ::new (objects) constructed_objects{data, 0,
                                                     [](void* first, index_t count) {
                                                       for (index_t i = 0; i < count; ++i)
                                                         static_cast<T*>(first)[i].~T();
                                                     },
                                                     objects_};
      for (auto& constructed = objects_->count; constructed < size; ++constructed) {
        ::new (static_cast<void*>(data + constructed)) T();
      }
    }

    workspace& owner_;
    detail::memory_stack::mark host_;
    detail::memory_stack::mark device_;
    int depth_;
    constructed_objects* objects_ = nullptr;
  };

 private:
  friend class detail::scratch;

  void swap(workspace& other) noexcept {
    host_.swap(other.host_);
    device_.swap(other.device_);
    std::swap(frozen_, other.frozen_);
    std::swap(used_once_, other.used_once_);
    std::swap(next_, other.next_);
  }

  detail::memory_stack& device_memory_stack() {
    if (!has_device_memory()) {
      detail::raise<domain_error>(
          {"workspace: device memory was asked of it, and it has none; call set_device_memory first"});
    }
    return device_;
  }

  /// `count` items of `size` bytes each for the frame at `depth`; null for none.
  [[gnu::noinline]] void* take(detail::memory_stack& from, index_t count, std::size_t size, int depth) {
    if (count < 0 || static_cast<std::size_t>(count) > static_cast<std::size_t>(PTRDIFF_MAX) / size) {
      detail::raise<shape_error>({"workspace: ", count, " elements; this many cannot be addressed"});
    }
    if (depth != depth_) {
      detail::raise<domain_error>({"workspace: memory was asked of a frame while a later one is open"});
    }
    return count == 0 ? nullptr : from.take(static_cast<std::size_t>(count) * size, frozen_);
  }

  void merge() {
    if (frozen_ || used_once_) return;
    host_.merge();
    device_.merge();
  }

  detail::memory_stack host_;
  detail::memory_stack device_;
  workspace* next_ = nullptr;  // of the next thread
  int depth_ = 0;
  bool frozen_ = false;
  bool used_once_ = false;
};

namespace detail {

/// The caller's workspace if there is one, else one that lives as long as this object.
class scratch {
 public:
  explicit scratch(workspace* given) : given_(given) { own_.used_once_ = true; }
  workspace& get() { return given_ != nullptr ? *given_ : own_; }

 private:
  workspace* given_;
  workspace own_;
};

}  // namespace detail

}  // namespace sigmax::inline SIGMAX_ABI
