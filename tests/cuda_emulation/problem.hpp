// SPDX-License-Identifier: MIT
/// @file
/// Symmetric products of small whole numbers, for which sums in float are exact and the result is known to the last bit.
/// A B^T itself is not symmetric: what is computed has to come from the half on and below the diagonal.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include <sigmax/core/scalar.hpp>

#include "cuda_emulation/emulated_product.hpp"

namespace sigmax::test {

struct problem_shape {
  gpu::operand_kind kind = gpu::operand_kind::bf16;
  index_t m = 1, inner = 1;
  int count = 1;
  bool has_addend = false;
  bool in_place = false;  ///< D is C
  bool each = false;      ///< coefficients of every matrix
  bool in_parts = false;  ///< D in float, one for every part of the inner dimension, below the diagonal alone
  index_t padding = 0;    ///< elements between rows beyond what alignment asks for
  /// Operands of tf32 with bits below its last one: of A, of B.
  bool fine_left = false, fine_right = false;
  bool rounds = false;  ///< those bits are rounded away, not cut off
};

/// Matrices of a problem, stored as the device would.
class problem {
 public:
  explicit problem(problem_shape const& shape, int splits = 1) : shape_(shape), splits_(splits) {
    int const element = static_cast<int>(gpu::size_of(shape.kind));
    left_ = stored(shape.m, shape.inner, shape.count, element);
    right_ = stored(shape.m, shape.inner, shape.count, element);
    addend_ = stored(shape.m, shape.m, shape.count, element);
    result_ = stored(shape.m, shape.m, shape.count * splits, shape.in_parts ? 4 : element);
    written_.assign(result_.bytes.size() / static_cast<std::size_t>(result_.element), 0);
    for (int b = 0; b < shape.count; ++b) {
      for (index_t i = 0; i < shape.m; ++i) {
        for (index_t k = 0; k < shape.inner; ++k) {
          put(left_, b, i, k, left(b, i, k));
          put(right_, b, i, k, right(b, i, k));
        }
        for (index_t j = 0; j < shape.m; ++j) put(addend_, b, i, j, addend(b, i, j));
      }
      each_.push_back({0.5f, static_cast<float>(1 + b), static_cast<float>(3 - b)});
    }
    expect();
  }

  /// D is not written yet.
  void restart() {
    if (shape_.in_place) {
      result_ = addend_;
    } else {
      std::fill(result_.bytes.begin(), result_.bytes.end(), static_cast<unsigned char>(0xff));
    }
    std::fill(written_.begin(), written_.end(), 0u);
  }

  /// The call that computes D.
  emulated_product product(gpu::tensor_kernel kernel, int processors) {
    emulated_product p;
    p.kernel = kernel;
    p.splits = splits_;
    p.aligned = left_.row * left_.element % 16 == 0;
    p.processors = processors;
    p.call.kind = shape_.kind;
    p.call.left = left_.batch();
    p.call.right = right_.batch();
    p.call.result = result_.batch();
    p.call.result.count = shape_.count;
    p.to = result_.batch();
    if (shape_.has_addend) p.call.addend = shape_.in_place ? p.call.result : addend_.batch();
    p.call.same = same_;
    if (shape_.each) p.call.each = each_.data();
    p.written = written_.data();
    return p;
  }

  /// What is wrong with D; empty if nothing is. `counted`: that every element was written once is looked at too.
  std::string difference(bool counted) const {
    for (std::size_t row = 0; row < static_cast<std::size_t>(shape_.m * shape_.count * splits_); ++row) {
      auto const* const at = result_.bytes.data() + row * static_cast<std::size_t>(result_.row * result_.element);
      auto const* const padding = at + shape_.m * result_.element;
      auto const* const end = at + result_.row * result_.element;
      if (std::any_of(padding, end, [](unsigned char byte) { return byte != 0xff; })) {
        return "row " + std::to_string(row) + " goes on beyond the matrix";
      }
    }
    auto expected = expected_.begin();
    for (int b = 0; b < shape_.count * splits_; ++b) {
      for (index_t i = 0; i < shape_.m; ++i) {
        for (index_t j = 0; j < shape_.m; ++j, ++expected) {
          // Parts are added up from what lies on and below the diagonal, in boxes of 64.
          if (shape_.in_parts && j / 64 > i / 64) continue;
          auto const at = result_.place(b, i, j);
          float const found = get(result_, at);
          if (found == *expected && (!counted || written_[at] == 1)) continue;
          return std::to_string(found) + " for " + std::to_string(*expected) +
                 (counted ? ", written " + std::to_string(written_[at]) + " times, at (" : ", at (") +
                 std::to_string(i) + ", " + std::to_string(j) + ") of matrix " + std::to_string(b);
        }
      }
    }
    return {};
  }

 private:
  struct matrices {
    index_t rows = 0, cols = 0, row = 0;
    int count = 0, element = 2;
    std::vector<unsigned char> bytes;

    std::size_t place(int b, index_t i, index_t j) const { return static_cast<std::size_t>((b * rows + i) * row + j); }
    gpu::device_batch batch() { return {bytes.data(), rows, cols, row, rows * row, count}; }
  };

  matrices stored(index_t rows, index_t cols, int count, int element) const {
    matrices made{rows, cols, 0, count, element, {}};
    index_t const step = 16 / element;
    made.row = (cols + step - 1) / step * step + shape_.padding;
    made.bytes.assign(static_cast<std::size_t>(rows * made.row * count * element), 0xff);
    return made;
  }

  void put(matrices& to, int b, index_t i, index_t j, float v) const {
    auto* const at = to.bytes.data() + to.place(b, i, j) * static_cast<std::size_t>(to.element);
    if (to.element == 4) {
      std::memcpy(at, &v, 4);
    } else {
      auto const bits = as_bits(v);
      std::memcpy(at, &bits, 2);
    }
  }
  float get(matrices const& from, std::size_t place) const {
    auto const* const at = from.bytes.data() + place * static_cast<std::size_t>(from.element);
    if (from.element == 4) {
      float v = 0;
      std::memcpy(&v, at, 4);
      return v;
    }
    std::uint16_t bits = 0;
    std::memcpy(&bits, at, 2);
    return as_float(bits);
  }
  std::uint16_t as_bits(float v) const { return shape_.kind == gpu::operand_kind::bf16 ? bf16(v).bits : f16(v).bits; }
  float as_float(std::uint16_t bits) const {
    return shape_.kind == gpu::operand_kind::bf16 ? static_cast<float>(bf16::from_bits(bits))
                                                  : static_cast<float>(f16::from_bits(bits));
  }

  float left(int b, index_t i, index_t k) const {
    auto const whole = static_cast<float>((7 * i + 3 * k + i * k + b) % 5 - 2);
    return shape_.fine_left ? whole * fine : whole;
  }
  float right(int b, index_t i, index_t k) const {
    auto const whole = static_cast<float>((3 * i + 5 * k + 2 * i * k + b) % 7 - 3);
    return shape_.fine_right ? whole * fine : whole;
  }
  static float addend(int b, index_t i, index_t j) { return static_cast<float>((i + j + 3 * i * j + b) % 17 - 8); }

  /// Between two numbers of tf32, nearer to the upper one; so is twice as much.
  static constexpr float fine = 1 + 0x1p-11f + 0x1p-12f;

  /// What tensor cores make of an operand.
  float seen(float x) const {
    if (shape_.kind != gpu::operand_kind::tf32) return x;
    auto const bits = std::bit_cast<std::uint32_t>(x);
    return std::bit_cast<float>((shape_.rounds ? bits + 0x1000u : bits) & 0xffffe000u);
  }

  /// What D has to be, for every part of the inner dimension.
  void expect() {
    index_t const piece = 128 / gpu::size_of(shape_.kind);
    index_t const pieces = (shape_.inner + piece - 1) / piece;
    index_t const of_a_part = (pieces + splits_ - 1) / splits_ * piece;
    for (int b = 0; b < shape_.count * splits_; ++b) {
      int const matrix = b / splits_;
      index_t const first = b % splits_ * of_a_part;
      index_t const last = std::min(shape_.inner, first + of_a_part);
      auto const& c = shape_.each ? each_[static_cast<std::size_t>(matrix)] : same_;
      for (index_t i = 0; i < shape_.m; ++i) {
        for (index_t j = 0; j < shape_.m; ++j) {
          float sum = 0;
          auto const row = std::max(i, j);
          auto const col = std::min(i, j);
          for (index_t k = first; k < last; ++k) sum += seen(left(matrix, row, k)) * seen(right(matrix, col, k));
          float v = c.alpha * sum;
          if (shape_.has_addend) v += c.beta * addend(matrix, i, j);
          if (i == j) v += c.diagonal;
          expected_.push_back(result_.element == 4 ? v : as_float(as_bits(v)));
        }
      }
    }
  }

  problem_shape shape_;
  int splits_;
  gpu::coefficients same_{2.0f, -0.5f, 7.0f};
  std::vector<gpu::coefficients> each_;
  matrices left_, right_, addend_, result_;
  std::vector<std::uint32_t> written_;
  std::vector<float> expected_;
};

}  // namespace sigmax::test
