// SPDX-License-Identifier: MIT
/// @file
/// What crosses from code compiled with the program's flags to code compiled for one level of processors. Opt-in: link
/// sigmax::kernels.
///
/// The inline namespace of config.hpp names the flags of a file, so that no type in it is known on the other side. These
/// types stand outside of it: they are plain data and have no functions, of which the linker could keep the copy that
/// was compiled for another processor. They change with the version alone, which is part of their names.
#pragma once

#include <cstddef>
#include <cstdint>

#include <sigmax/config.hpp>

static_assert(SIGMAX_VERSION_MAJOR == 0 && SIGMAX_VERSION_MINOR == 1, "the namespace below carries the version");

namespace sigmax::kernels::inline v0_1 {

/// Sets of instructions the kernels are compiled for, where the platform has them: the levels of the x86-64 psABI, the
/// Advanced SIMD of 64-bit ARM, or whatever the compiler's default is.
enum class level { generic, x86_64, x86_64_v2, x86_64_v3, x86_64_v4, neon };

/// Element i is data[i * stride].
template <class T>
struct vector {
  T* data;
  std::ptrdiff_t size;
  std::ptrdiff_t stride;
};

/// Element (i, j) is data[i * row_stride + j * col_stride].
template <class T>
struct matrix {
  T* data;
  std::ptrdiff_t rows;
  std::ptrdiff_t cols;
  std::ptrdiff_t row_stride;
  std::ptrdiff_t col_stride;
};

/// With what a call computes, besides its operands: the executor of the backend, and where memory to pack into comes from,
/// take(scratch, bytes), aligned to 64 bytes, valid until the call returns; null allocates.
struct resources {
  int threads;
  void (*run)(void* pool, int parts, void (*body)(void const* data, int part), void const* data);
  void* pool;
  void* scratch;
  void* (*take)(void* scratch, std::size_t bytes);
};

/// The primitives of a backend in the scalar T, stated in backend/scalar.hpp. They throw nothing but std::bad_alloc.
template <class T>
struct primitives {
  void (*gram)(resources const&, T alpha, matrix<T const> x, T beta, matrix<T const> c, matrix<T> g);
  void (*symmetric_product)(resources const&, T alpha, matrix<T const> p, matrix<T const> q, T beta, matrix<T const> c,
                            matrix<T> r);
  void (*multiply)(resources const&, T alpha, matrix<T const> a, matrix<T const> b, T beta, matrix<T const> c,
                   matrix<T> r);
  void (*times_vector)(resources const&, T alpha, matrix<T const> a, vector<T const> x, T beta, vector<T> y);
  void (*gram_times_vector)(resources const&, matrix<T const> x, vector<T const> v, vector<T> y);
  void (*combine)(resources const&, T alpha, matrix<T const> x, T beta, matrix<T> y);
  T (*dot)(resources const&, vector<T const> u, vector<T const> v);
  T (*sum_squares)(resources const&, matrix<T const> x);
  T (*max_abs)(resources const&, matrix<T const> x);
  void (*row_abs_sums)(resources const&, matrix<T const> x, vector<T> sums);
  std::ptrdiff_t (*cholesky)(resources const&, matrix<T> a);
  void (*triangular_solve)(resources const&, matrix<T const> l, matrix<T> b);
  void (*triangular_solve_transposed)(resources const&, matrix<T const> l, matrix<T> b);
  void (*symmetric_eigen)(resources const&, matrix<T> a, vector<T> values, matrix<T> vectors);
  std::ptrdiff_t (*symmetric_eigen_above)(resources const&, T threshold, matrix<T> a, vector<T> values,
                                          matrix<T> vectors);
};

/// What there is to do with 16-bit storage, which crosses as its bits.
struct conversions {
  void (*to_float)(resources const&, matrix<std::uint16_t const> x, matrix<float> y);
  void (*from_float)(resources const&, matrix<float const> x, matrix<std::uint16_t> y);
  float (*max_abs)(resources const&, matrix<std::uint16_t const> x);
};

/// All that is compiled for one level.
struct table {
  level compiled_for;
  primitives<float> of_float;
  primitives<double> of_double;
  conversions of_bf16;
  conversions of_f16;
};

/// "x86-64-v4"
char const* name(level of) noexcept;

/// The table of a level; nullptr if it is not in this library.
table const* compiled(level wanted) noexcept;

/// True if this processor, and the operating system, can execute code of the level.
bool is_executable(level wanted) noexcept;

/// The last of the levels above that is in this library and that this processor executes; it is asked once.
table const& best() noexcept;

}  // namespace sigmax::kernels::inline v0_1
