// SPDX-License-Identifier: MIT
/// @file
/// Matrices of the tests of tensor-core kernels: numbers of the host, rounded to what the device stores.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <sigmax/core/random.hpp>
#include <sigmax/core/scalar.hpp>
#include <sigmax/cuda/error.hpp>
#include <sigmax/cuda/library/memory.hpp>
#include <sigmax/cuda/operand.hpp>
#include <sigmax/cuda/stream.hpp>

namespace sigmax::test {

inline float rounded(gpu::operand_kind kind, float x) {
  switch (kind) {
    case gpu::operand_kind::bf16:
      return static_cast<float>(bf16(x));
    case gpu::operand_kind::f16:
      return static_cast<float>(f16(x));
    default:  // with the 10 fraction bits that products see: rounding of operands is not what is tested
      return std::bit_cast<float>(std::bit_cast<std::uint32_t>(x) & 0xffffe000u);
  }
}

/// `count` row-major matrices with padding, on the device and as floats on the host.
class device_operand {
 public:
  device_operand(gpu::stream const& on, gpu::operand_kind kind, index_t rows, index_t cols, index_t row_stride,
                 int count)
      : on_(on),
        kind_(kind),
        view_{nullptr, rows, cols, row_stride, rows * row_stride, count},
        numbers_(static_cast<std::size_t>(rows * row_stride * count)) {
    gpu::detail::check(gpu::library::take_memory(on, bytes(), &view_.data), "device_operand");
    gpu::detail::check(gpu::library::fill_with_byte(on, view_.data, 0xff, bytes()), "device_operand");  // NaN
  }
  device_operand(device_operand const&) = delete;
  device_operand& operator=(device_operand const&) = delete;
  ~device_operand() { (void)gpu::library::give_back_memory(on_, view_.data); }

  gpu::device_batch const& view() const { return view_; }
  float operator()(int b, index_t i, index_t j) const { return numbers_[place(b, i, j)]; }

  /// Element (i, j) of matrix b is value(b, i, j), rounded.
  template <class Value>
  device_operand& set(Value const& value) {
    for (int b = 0; b < view_.count; ++b) {
      for (index_t i = 0; i < view_.rows; ++i) {
        for (index_t j = 0; j < view_.cols; ++j) numbers_[place(b, i, j)] = rounded(kind_, value(b, i, j));
      }
    }
    if (kind_ == gpu::operand_kind::tf32) {
      put(numbers_.data());
    } else {
      std::vector<std::uint16_t> bits;
      for (float const x : numbers_) bits.push_back(kind_ == gpu::operand_kind::bf16 ? bf16(x).bits : f16(x).bits);
      put(bits.data());
    }
    return *this;
  }

  /// What is on the device now.
  device_operand& fetch() {
    if (kind_ == gpu::operand_kind::tf32) {
      get(numbers_.data());
    } else {
      std::vector<std::uint16_t> bits(numbers_.size());
      get(bits.data());
      for (std::size_t i = 0; i < bits.size(); ++i) {
        numbers_[i] = kind_ == gpu::operand_kind::bf16 ? static_cast<float>(bf16::from_bits(bits[i]))
                                                       : static_cast<float>(f16::from_bits(bits[i]));
      }
    }
    return *this;
  }

 private:
  std::size_t place(int b, index_t i, index_t j) const {
    return static_cast<std::size_t>(b * view_.stride + i * view_.row_stride + j);
  }
  std::size_t bytes() const { return numbers_.size() * static_cast<std::size_t>(gpu::size_of(kind_)); }
  void put(void const* from) {
    gpu::detail::check(gpu::library::copy_to_device(on_, view_.data, from, bytes()), "device_operand");
    on_.wait();
  }
  void get(void* to) {
    gpu::detail::check(gpu::library::copy_to_host(on_, to, view_.data, bytes()), "device_operand");
    on_.wait();
  }

  gpu::stream const& on_;
  gpu::operand_kind kind_;
  gpu::device_batch view_;
  std::vector<float> numbers_;
};

/// Numbers in [-1, 1], other ones for other seeds.
inline auto noise(unsigned seed) {
  return [seed](int b, index_t i, index_t j) {
    auto x =
        static_cast<std::uint32_t>(seed * 2654435761u + static_cast<unsigned>(b) * 40503u +
                                   static_cast<unsigned>(i) * 2246822519u + static_cast<unsigned>(j) * 3266489917u);
    x = (x ^ (x >> 15)) * 2246822519u;
    x = (x ^ (x >> 13)) * 3266489917u;
    return static_cast<float>(x ^ (x >> 16)) * 0x1p-31f - 1.0f;
  };
}

}  // namespace sigmax::test
