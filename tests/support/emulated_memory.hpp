// SPDX-License-Identifier: MIT
/// @file
/// Device memory for tests without a device: heap memory that is filled with NaN and remembered, so that it is noticed if
/// memory of the host is given for it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <exception>
#include <map>
#include <new>
#include <stdexcept>

#include <sigmax/core/device_matrix.hpp>
#include <sigmax/core/device_memory.hpp>
#include <sigmax/core/matrix_view.hpp>

namespace sigmax::test {

/// Hands out memory, knows what it has handed out, and throws std::logic_error (which no test expects) on misuse.
class emulated_memory {
 public:
  emulated_memory() = default;
  emulated_memory(emulated_memory const&) = delete;
  emulated_memory& operator=(emulated_memory const&) = delete;
  ~emulated_memory() {
    for (auto const& [data, bytes] : pieces_) ::operator delete(data, alignment);
  }

  device_memory source() { return {this, take, give_back, copy}; }

  /// Pieces and bytes that are handed out now, and how often memory was asked for.
  std::size_t pieces() const { return pieces_.size(); }
  std::size_t bytes() const {
    std::size_t total = 0;
    for (auto const& piece : pieces_) total += piece.second;
    return total;
  }
  int taken() const { return taken_; }
  /// From now on there is no more.
  void exhaust() { exhausted_ = true; }

  /// Do all `bytes` bytes from `data` on lie in one living piece?
  bool holds(void const* data, std::size_t bytes) const {
    auto after = pieces_.upper_bound(const_cast<void*>(data));
    if (after == pieces_.begin()) return false;
    --after;
    auto const begin = reinterpret_cast<std::uintptr_t>(after->first);
    auto const first = reinterpret_cast<std::uintptr_t>(data);
    return first + bytes <= begin + after->second;
  }

  /// The same place, as the host sees it.
  template <class T>
  matrix_view<T> seen_by_host(matrix_view<T, device_space> x) const {
    if (!x.empty()) {
      index_t const rows = (x.rows() - 1) * x.row_stride();
      index_t const cols = (x.cols() - 1) * x.col_stride();
      T const* const first = x.data() + (rows < 0 ? rows : 0) + (cols < 0 ? cols : 0);
      index_t const span = (rows < 0 ? -rows : rows) + (cols < 0 ? -cols : cols) + 1;
      require(holds(first, static_cast<std::size_t>(span) * sizeof(T)));
    }
    return matrix_view<T>::unchecked(x.data(), x.rows(), x.cols(), x.row_stride(), x.col_stride());
  }
  template <class T>
  vector_view<T> seen_by_host(vector_view<T, device_space> v) const {
    (void)seen_by_host(as_row(v));
    return vector_view<T>::unchecked(v.data(), v.size(), v.stride());
  }

  /// Host memory must not be of the device.
  template <class T>
  void require_of_host(matrix_view<T> x) const {
    if (!x.empty() && holds(x.data(), sizeof(T)))
      throw std::logic_error("device memory was given as memory of the host");
  }

 private:
  static constexpr std::align_val_t alignment{256};

  static void require(bool is_ours) {
    if (!is_ours) throw std::logic_error("memory was given as a device's that is not the device's");
  }

  static void* take(void* context, std::size_t bytes) {
    auto& self = *static_cast<emulated_memory*>(context);
    ++self.taken_;
    if (self.exhausted_) throw std::bad_alloc();
    void* const data = ::operator new(bytes, alignment);
    std::memset(data, 0xff, bytes);  // NaN in every format
    self.pieces_.emplace(data, bytes);
    return data;
  }
  static void give_back(void* context, void* data, std::size_t bytes) noexcept {
    auto& self = *static_cast<emulated_memory*>(context);
    auto const found = self.pieces_.find(data);
    if (found == self.pieces_.end() || found->second != bytes) std::terminate();
    self.pieces_.erase(found);
    ::operator delete(data, alignment);
  }
  static void copy(void* context, void* to, void const* from, std::size_t bytes) {
    auto const& self = *static_cast<emulated_memory const*>(context);
    require(self.holds(to, bytes) && self.holds(from, bytes));
    std::memcpy(to, from, bytes);
  }

  std::map<void*, std::size_t> pieces_;
  int taken_ = 0;
  bool exhausted_ = false;
};

/// A matrix in that memory.
template <class T>
using device_matrix = sigmax::detail::device_matrix<T>;

}  // namespace sigmax::test
