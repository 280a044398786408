// SPDX-License-Identifier: MIT
/// @file
/// The kernels of a step for one group of weights, put on a stream (that is being captured) in their order.
#pragma once

#include <cmath>
#include <utility>
#include <vector>

#include <cuda_runtime.h>

#include "step_state.cuh"

namespace sigmax::SIGMAX_CUDA_LIBRARY {

/// Records the products and passes of one group.
template <operand_kind Kind>
class group_recorder {
 public:
  using T = typename device::operand<Kind>::storage;

  group_recorder(step_state const& state, step_group const& group, cudaStream_t on)
      : state_(state), group_(group), on_(on) {
    for (int i = 0; i < 2; ++i) operand_[i] = static_cast<T*>(state.at.operands[i]);
    for (void* const square : state.at.squares) free_.push_back(static_cast<T*>(square));
  }

  void record() {
    for (T* const data : operand_) clear_padding(operand(data));
    for (T* const data : free_) clear_padding(square(data));
    if (group_.has_direction) {
      pass_elements<passage::pack>(nullptr, operand_[0], true);
      orthogonalize();
      pass_elements<passage::update>(operand_[0], operand_[1], state_.settings.cap);
      std::swap(operand_[0], operand_[1]);
    } else {
      pass_elements<passage::load>(nullptr, operand_[0], true);
    }
    if (state_.settings.cap) cap();
  }

 private:
  T* take() {
    T* const square = free_.back();
    free_.pop_back();
    return square;
  }
  void give(T* square) { free_.push_back(square); }

  device_batch operand(T* data) const {
    return {data, group_.rows, group_.cols, group_.row, group_.size, group_.count()};
  }
  device_batch square(T* data) const {
    return {data, group_.rows, group_.rows, group_.square_row, group_.square_size, group_.count()};
  }

  /// Other groups may have left numbers between the columns and the ends of the rows.
  void clear_padding(device_batch const& a) const {
    if (a.row_stride == a.cols) return;
    must(cudaMemset2DAsync(static_cast<T*>(a.data) + a.cols, static_cast<std::size_t>(a.row_stride) * sizeof(T), 0,
                           static_cast<std::size_t>(a.row_stride - a.cols) * sizeof(T),
                           static_cast<std::size_t>(a.rows * a.count), on_),
         "cudaMemset2DAsync");
  }

  /// result = alpha p q + beta c + diagonal I, of numbers for all matrices or one entry each.
  void symmetric(T* p, T* q, T* c, T* result, coefficients same, coefficients const* each = nullptr) const {
    symmetric_call call;
    call.kind = Kind;
    call.left = square(p);
    call.right = square(q);
    if (c != nullptr) call.addend = square(c);
    call.owns_padding = true;
    call.result = square(result);
    call.same = same;
    call.each = each;
    must(symmetric_on_tensor_cores(on_, call));
  }

  void gram(T* x, T* result) const {
    symmetric_call call;
    call.kind = Kind;
    call.left = call.right = operand(x);
    call.owns_padding = true;
    call.result = square(result);
    call.scratch = state_.at.split;
    call.scratch_bytes = state_.split_bytes;
    must(symmetric_on_tensor_cores(on_, call));
  }

  void multiply(T* q, T* x, T* result) const {
    product_call call;
    call.kind = Kind;
    call.left = square(q);
    call.right = operand(x);
    call.result = operand(result);
    must(multiply_on_tensor_cores(state_.products, on_, call));
  }

  template <passage Way>
  void pass_elements(T* y, T* x, bool keep_operand) const {
    index const squares = (group_.rows + 63) / 64 * ((group_.cols + 63) / 64);
    pass<T, Way><<<grid_of(squares, group_.count()), 256, 0, on_>>>(group_.on_device, group_.rows, group_.cols,
                                                                    group_.row, group_.size, y, x, state_.at.numbers,
                                                                    state_.at.scale, state_.at.flags, keep_operand);
    started("pass");
  }

  void moments_of(T* matrices) const {
    sum_moments<T><<<grid_of(moment_parts, group_.count()), 256, 0, on_>>>(matrices, group_.rows, group_.square_row,
                                                                           group_.square_size, state_.at.parts);
    started("sum_moments");
  }

  void combine(T* r, T* p, T* h) const {
    combine_matrices<T><<<grid_of(group_.rows, group_.count()), 256, 0, on_>>>(
        r, p, h, group_.rows, group_.square_row, group_.square_size, state_.at.combinations);
    started("combine_matrices");
  }

  /// H of the first step from R, with the singular values scaled by what R tells.
  void first_polynomial(T* r, T* h, bool single) {
    auto const& settings = state_.settings;
    auto const& at = state_.at;
    unsigned const blocks = static_cast<unsigned>((group_.count() + 31) / 32);
    T* const p = take();
    moments_of(r);
    bound_gram<<<blocks, 32, 0, on_>>>(at.parts, group_.count(), group_.rows, target_of(group_),
                                       settings.normalize_by_frobenius, at.firsts, at.square_factors);
    started("bound_gram");
    symmetric(r, r, nullptr, p, {}, at.square_factors);
    moments_of(p);
    bound_square<<<blocks, 32, 0, on_>>>(at.parts, group_.count(), group_.rows, settings.normalize_by_frobenius, single,
                                         settings.polynomial[0][0], settings.polynomial[0][1],
                                         settings.polynomial[0][2], static_cast<double>(settings.margin), at.firsts,
                                         at.combinations, at.conjugates, at.lasts);
    started("bound_square");
    combine(r, p, h);
    give(p);
  }

  void polynomial(int step, T* r, T* h) const {
    auto const& p = state_.settings.polynomial[step];
    symmetric(r, r, r, h, {p[2], p[1], p[0]});
  }

  void orthogonalize() {
    int const steps = state_.settings.steps;
    for (int t = 0; t < steps;) {
      int end = t + 1;
      while (end < steps && !group_.starts_segment[end]) ++end;
      T* const r = take();
      T* h = take();
      gram(operand_[0], r);
      if (t == 0) {
        first_polynomial(r, h, end == 1);
      } else {
        polynomial(t, r, h);
      }
      T* q = h;
      for (int u = t + 1; u < end; ++u) {  // R <- H R H, Q <- Q H
        bool const scaled = t == 0;
        T* const w = take();
        symmetric(r, h, nullptr, w, {}, scaled && u == 1 ? state_.at.conjugates : nullptr);
        symmetric(h, w, nullptr, r, {});
        give(w);
        if (h != q) give(h);
        h = take();
        polynomial(u, r, h);
        T* const next = take();
        symmetric(q, h, nullptr, next, {}, scaled && u + 1 == end ? state_.at.lasts : nullptr);
        give(q);
        q = next;
      }
      multiply(q, operand_[0], operand_[1]);
      std::swap(operand_[0], operand_[1]);
      if (h != q) give(h);
      give(q);
      give(r);
      t = end;
    }
  }

  /// Z = c_0 P + P (c_1 R + c_2 P), P = R^2; W += cap_width Z X.
  void cap() {
    auto const& at = state_.at;
    spread_caps<<<static_cast<unsigned>((group_.count() + 31) / 32), 32, 0, on_>>>(
        group_.on_device, group_.count(), at.numbers, at.combinations, at.cap_products);
    started("spread_caps");
    T* const r = take();
    T* const p = take();
    T* const sum = take();
    T* const z = take();
    gram(operand_[0], r);
    symmetric(r, r, nullptr, p, {});
    combine(r, p, sum);
    symmetric(sum, p, p, z, {}, at.cap_products);
    multiply(z, operand_[0], operand_[1]);
    pass_elements<passage::cap>(operand_[1], nullptr, false);
  }

 public:
  /// ||X||_F of what is packed: sqrt(m) / 2 keeps 16-bit operands and their Gram matrix in range whatever the spectrum.
  static double target_of(step_group const& group) { return 0.5 * std::sqrt(static_cast<double>(group.rows)); }

 private:
  step_state const& state_;
  step_group const& group_;
  cudaStream_t on_;
  T* operand_[2];
  std::vector<T*> free_;
};

}  // namespace sigmax::SIGMAX_CUDA_LIBRARY
