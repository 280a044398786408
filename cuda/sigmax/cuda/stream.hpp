// SPDX-License-Identifier: MIT
/// @file
/// Streams: work given to one of them runs in its order.
#pragma once

#include <utility>

#include <sigmax/config.hpp>
#include <sigmax/cuda/error.hpp>
#include <sigmax/cuda/library/memory.hpp>

namespace sigmax::inline SIGMAX_ABI::gpu {

/// `cudaStream_t`, the same type without its header. Null is the default stream.
using stream_handle = library::stream;

/// A stream that lives as long as this object, for programs that have none of their own. It does not wait for the default
/// stream nor the other way round.
class stream {
 public:
  /// @throws no_device_error, architecture_error, cuda_error.
  stream() {
    detail::check(library::check_device(), "gpu::stream");
    detail::check(library::create_stream(&handle_), "gpu::stream");
  }
  stream(stream const&) = delete;
  stream(stream&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  stream& operator=(stream other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }
  ~stream() {
    if (handle_ != nullptr) (void)library::destroy_stream(handle_);
  }

  operator stream_handle() const { return handle_; }
  /// Returns when all work given to the stream is done. @throws cuda_error if some of it failed.
  void wait() const { detail::check(library::wait_for(handle_), "gpu::stream::wait"); }

 private:
  stream_handle handle_ = nullptr;
};

}  // namespace sigmax::inline SIGMAX_ABI::gpu
