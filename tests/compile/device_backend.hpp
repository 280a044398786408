// SPDX-License-Identifier: MIT
/// @file
/// A backend of device memory as far as the type system is concerned. control.cpp checks that it is one.
#pragma once

#include <sigmax/backend/concept.hpp>
#include <sigmax/backend/scalar.hpp>

/// All primitives for floats in device memory, without bodies.
struct device_backend {
  using space = sigmax::device_space;
  using host_backend = sigmax::cpu::scalar;
  static constexpr char const* name = "device";
  static constexpr bool fast_symmetric_eigen = false;
  using in = sigmax::matrix_view<float const, space>;
  using out = sigmax::matrix_view<float, space>;
  using vector_in = sigmax::vector_view<float const, space>;
  using vector_out = sigmax::vector_view<float, space>;

  sigmax::device_memory device_memory() const;
  void gram(float, in, float, in, out) const;
  void symmetric_product(float, in, in, float, in, out) const;
  void multiply(float, in, in, float, in, out) const;
  void times_vector(float, in, vector_in, float, vector_out) const;
  void gram_times_vector(in, vector_in, vector_out) const;
  void convert(in, out) const;
  void combine(float, in, float, out) const;
  void combine_stored(float, in, float, out) const;
  void divide(float, out) const;
  void clear_above_diagonal(out) const;
  void copy_to_host(in, sigmax::matrix_view<float>) const;
  void copy_from_host(sigmax::matrix_view<float const>, out) const;
  void add_to_diagonal(float, out) const;
  float dot(vector_in, vector_in) const;
  float sum_squares(in) const;
  float max_abs(in) const;
  void row_abs_sums(in, vector_out) const;
  sigmax::index_t cholesky(out) const;
  void triangular_solve(in, out) const;
  void triangular_solve_transposed(in, out) const;
  void symmetric_eigen(out, vector_out, out) const;
  sigmax::index_t symmetric_eigen_above(float, out, vector_out, out) const;
};
