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
#include <sigmax/core/matrix.hpp>
#include <sigmax/core/matrix_view.hpp>

namespace sigmax::inline SIGMAX_ABI {

namespace detail {
class scratch;
}

/// A stack of scratch memory. Algorithms open a `frame`, take matrices from it, and the frame gives everything back
/// when it dies. The first call may allocate several blocks; when the outermost frame closes they are merged into one
/// of the largest size seen, so that later calls of the same size allocate nothing.
///
/// Belongs to one thread at a time. Elements are 64-byte aligned and not initialised.
class workspace {
 public:
  workspace() = default;
  /// Memory comes from take(context, bytes), aligned to 64 bytes, and is never given back: for a workspace that lives within
  /// one call, on memory of somebody else's.
  workspace(void* context, void* (*take)(void* context, std::size_t bytes))
      : context_(context), take_(take), used_once_(true) {}
  workspace(workspace const&) = delete;
  workspace& operator=(workspace const&) = delete;
  workspace(workspace&& other) noexcept { swap(other); }
  workspace& operator=(workspace&& other) noexcept {
    workspace taken(std::move(other));
    swap(taken);
    return *this;
  }
  ~workspace() {
    free_blocks();
    delete next_;
  }

  /// Bytes held, those for threads included.
  std::size_t capacity() const {
    std::size_t total = next_ != nullptr ? next_->capacity() : 0;
    for (block const* at = first_; at != nullptr; at = at->next) total += at->size;
    return total;
  }
  /// The most bytes that were in use at once, if all threads were at their peaks at the same time.
  std::size_t peak() const { return peak_ + (next_ != nullptr ? next_->peak() : 0); }

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
      }
      at = at->next_;
    }
    return *at;
  }

 private:
  /// Stands one alignment before the memory it describes.
  struct block {
    block* next;
    std::size_t size;
  };

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
        : owner_(owner), block_(owner.block_), used_(owner.used_), live_(owner.live_), depth_(++owner.depth_) {}
    frame(frame const&) = delete;
    frame& operator=(frame const&) = delete;
    [[gnu::noinline]] ~frame() {
      for (auto const* at = objects_; at != nullptr; at = at->before) at->destroy(at->data, at->count);
      owner_.block_ = block_;
      owner_.used_ = used_;
      owner_.live_ = live_;
      if (--owner_.depth_ == 0) owner_.merge();
    }

    /// `size` scalars: indeterminate where T is trivially copyable, else constructed as zero and destroyed with the
    /// frame (keeping account of them takes a little more memory). @throws shape_error if the size is negative or not
    /// addressable, domain_error if a frame that was opened later is still open, std::bad_alloc if memory is short or
    /// the workspace is frozen.
    template <class T>
    vector_view<T> vector(index_t size) {
      static_assert(alignof(T) <= alignment, "sigmax::workspace: memory is aligned to 64 bytes");
      auto* const data = static_cast<T*>(owner_.take(size, sizeof(T), depth_));
      if constexpr (!std::is_trivially_copyable_v<T>) {
        if (size == 0) return {};
        auto* const objects = static_cast<constructed_objects*>(owner_.take(1, sizeof(constructed_objects), depth_));
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
      return vector_view<T>::unchecked(data, size, 1);
    }

    /// A dense row-major rows x cols matrix with indeterminate elements. Throws as `vector`.
    template <class T>
    matrix_view<T> matrix(index_t rows, index_t cols) {
      auto const elements = vector<T>(detail::checked_area(rows, cols));
      return matrix_view<T>::unchecked(elements.data(), rows, cols, cols, 1);
    }

    /// The workspace behind the frame, for callees that open frames of their own.
    workspace& owner() { return owner_; }

   private:
    workspace& owner_;
    block* block_;
    std::size_t used_;
    std::size_t live_;
    int depth_;
    constructed_objects* objects_ = nullptr;
  };

 private:
  friend class detail::scratch;

  static constexpr std::size_t alignment = 64;

  void swap(workspace& other) noexcept {
    std::swap(first_, other.first_);
    std::swap(last_, other.last_);
    std::swap(block_, other.block_);
    std::swap(used_, other.used_);
    std::swap(live_, other.live_);
    std::swap(peak_, other.peak_);
    std::swap(frozen_, other.frozen_);
    std::swap(context_, other.context_);
    std::swap(take_, other.take_);
    std::swap(used_once_, other.used_once_);
    std::swap(next_, other.next_);
  }

  [[gnu::noinline]] void free_blocks() {
    while (first_ != nullptr) {
      auto* const freed = std::exchange(first_, first_->next);
      if (take_ == nullptr) ::operator delete (freed, std::align_val_t{alignment});
    }
    last_ = nullptr;
  }

  block* add_block(std::size_t size) {
    void* const memory = take_ != nullptr ? take_(context_, alignment + size)
                                          : ::operator new (alignment + size, std::align_val_t{alignment});
    auto* const added = ::new (memory) block{nullptr, size};
    (last_ != nullptr ? last_->next : first_) = added;
    return last_ = added;
  }

  /// `count` items of `size` bytes each for the frame at `depth`; null for none.
  [[gnu::noinline]] void* take(index_t count, std::size_t size, int depth) {
    if (count < 0 || static_cast<std::size_t>(count) > static_cast<std::size_t>(PTRDIFF_MAX) / size) {
      detail::raise<shape_error>({"workspace: ", count, " elements; this many cannot be addressed"});
    }
    if (depth != depth_) {
      detail::raise<domain_error>({"workspace: memory was asked of a frame while a later one is open"});
    }
    if (count == 0) return nullptr;
    std::size_t const rounded = (static_cast<std::size_t>(count) * size + alignment - 1) / alignment * alignment;
    // No block is in use yet where block_ is null.
    block* at = block_ != nullptr ? block_ : first_;
    std::size_t used = used_;
    for (; at != nullptr && at->size - used < rounded; at = at->next) used = 0;
    if (at == nullptr) {
      if (frozen_) throw std::bad_alloc();
      at = add_block(rounded > 4096 ? rounded : 4096);
    }
    block_ = at;
    used_ = used + rounded;
    live_ += rounded;
    if (live_ > peak_) peak_ = live_;
    return reinterpret_cast<std::byte*>(at) + alignment + used;
  }

  void merge() {
    if (first_ == last_ || frozen_ || used_once_) return;
    free_blocks();
    try {
      add_block(peak_);
    } catch (...) {  // called from a destructor; the next take() allocates what it needs
    }
  }

  block* first_ = nullptr;
  block* last_ = nullptr;
  block* block_ = nullptr;
  std::size_t used_ = 0;
  std::size_t live_ = 0;
  std::size_t peak_ = 0;
  workspace* next_ = nullptr;  // of the next thread
  void* context_ = nullptr;
  void* (*take_)(void*, std::size_t) = nullptr;
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
