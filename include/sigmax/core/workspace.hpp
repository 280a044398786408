// SPDX-License-Identifier: MIT
/// @file
/// Scratch memory owned by the caller: it grows to what an algorithm needs once and is reused ever after.
#pragma once

#include <cstddef>
#include <new>
#include <type_traits>
#include <utility>
#include <vector>

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
  workspace(workspace const&) = delete;
  workspace& operator=(workspace const&) = delete;
  workspace(workspace&& other) noexcept
      : blocks_(std::move(other.blocks_)),
        block_(std::exchange(other.block_, 0)),
        used_(std::exchange(other.used_, 0)),
        live_(std::exchange(other.live_, 0)),
        peak_(std::exchange(other.peak_, 0)),
        frozen_(std::exchange(other.frozen_, false)) {
    other.blocks_.clear();
  }
  workspace& operator=(workspace&& other) noexcept {
    workspace taken(std::move(other));
    std::swap(blocks_, taken.blocks_);
    std::swap(block_, taken.block_);
    std::swap(used_, taken.used_);
    std::swap(live_, taken.live_);
    std::swap(peak_, taken.peak_);
    std::swap(frozen_, taken.frozen_);
    return *this;
  }
  ~workspace() {
    for (auto const& block : blocks_) free_block(block);
  }

  /// Bytes held.
  std::size_t capacity() const {
    std::size_t total = 0;
    for (auto const& block : blocks_) total += block.size;
    return total;
  }
  /// The most bytes that were in use at once.
  std::size_t peak() const { return peak_; }

  /// From now on, growing is an error (std::bad_alloc): for code that must not allocate.
  void freeze() { frozen_ = true; }

  /// Takes memory from the workspace and gives it back, last in first out, when it is destroyed.
  class frame {
   public:
    explicit frame(workspace& owner)
        : owner_(owner), block_(owner.block_), used_(owner.used_), live_(owner.live_), depth_(++owner.depth_) {}
    frame(frame const&) = delete;
    frame& operator=(frame const&) = delete;
    [[gnu::noinline]] ~frame() {
      for (auto const& object : objects_) object.destroy(object.data, object.count);
      owner_.block_ = block_;
      owner_.used_ = used_;
      owner_.live_ = live_;
      if (--owner_.depth_ == 0) owner_.merge();
    }

    /// `size` scalars: indeterminate where T is trivially copyable, else constructed as zero and destroyed with the
    /// frame (keeping account of them allocates). @throws shape_error if the size is negative or not addressable,
    /// domain_error if a frame that was opened later is still open, std::bad_alloc if memory is short or the workspace
    /// is frozen.
    template <class T>
    vector_view<T> vector(index_t size) {
      static_assert(alignof(T) <= alignment, "sigmax::workspace: memory is aligned to 64 bytes");
      if (size < 0 || static_cast<std::size_t>(size) > static_cast<std::size_t>(PTRDIFF_MAX) / sizeof(T)) {
        detail::raise<shape_error>({"workspace: ", size, " elements; this many cannot be addressed"});
      }
      if (owner_.depth_ != depth_) {
        detail::raise<domain_error>({"workspace: memory was asked of a frame while a later one is open"});
      }
      if (size == 0) return {};
      auto const bytes = static_cast<std::size_t>(size) * sizeof(T);
      auto* const data = static_cast<T*>(owner_.take(bytes));
      if constexpr (!std::is_trivially_copyable_v<T>) {
        objects_.push_back({data, 0, [](void* first, index_t count) {
                              for (index_t i = 0; i < count; ++i) static_cast<T*>(first)[i].~T();
                            }});
        for (auto& constructed = objects_.back().count; constructed < size; ++constructed) {
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
    /// Multiprecision scalars own memory; they are destroyed before the frame gives theirs back.
    struct constructed_objects {
      void* data;
      index_t count;
      void (*destroy)(void*, index_t);
    };

    workspace& owner_;
    std::size_t block_;
    std::size_t used_;
    std::size_t live_;
    int depth_;
    std::vector<constructed_objects> objects_;
  };

 private:
  friend class detail::scratch;

  struct memory_block {
    std::byte* data;
    std::size_t size;
  };
  static constexpr std::size_t alignment = 64;

  static void free_block(memory_block const& block) { ::operator delete (block.data, std::align_val_t{alignment}); }

  void add_block(std::size_t size) {
    blocks_.reserve(blocks_.size() + 1);
    blocks_.push_back({static_cast<std::byte*>(::operator new (size, std::align_val_t{alignment})), size});
  }

  [[gnu::noinline]] void* take(std::size_t bytes) {
    std::size_t const rounded = (bytes + alignment - 1) / alignment * alignment;
    while (block_ < blocks_.size() && blocks_[block_].size - used_ < rounded) {
      ++block_;
      used_ = 0;
    }
    if (block_ == blocks_.size()) {
      if (frozen_) throw std::bad_alloc();
      add_block(rounded > 4096 ? rounded : 4096);
    }
    void* const result = blocks_[block_].data + used_;
    used_ += rounded;
    live_ += rounded;
    if (live_ > peak_) peak_ = live_;
    return result;
  }

  void merge() {
    if (blocks_.size() <= 1 || frozen_ || used_once_) return;
    for (auto const& block : blocks_) free_block(block);
    blocks_.clear();
    try {
      add_block(peak_);
    } catch (...) {  // called from a destructor; the next take() allocates what it needs
    }
  }

  std::vector<memory_block> blocks_;
  std::size_t block_ = 0;
  std::size_t used_ = 0;
  std::size_t live_ = 0;
  std::size_t peak_ = 0;
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
