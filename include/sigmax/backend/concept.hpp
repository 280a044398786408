// SPDX-License-Identifier: MIT
/// @file
/// What a backend is: a small copyable object whose member functions are the primitives of all algorithms.
///
/// `cpu::scalar` defines each primitive by plain loops; other backends inherit from it and hide what they do faster.
/// A backend that packs operands offers `using_scratch(workspace&)`, which returns it with memory to pack into: algorithms
/// lend it theirs. Arguments are views, outputs last; the scalar type T is deduced from the output alone, so that mutable views and
/// plain numbers convert. Unless a primitive says otherwise its output must not overlap its inputs.
#pragma once

#include <concepts>
#include <type_traits>

#include <sigmax/config.hpp>
#include <sigmax/core/matrix_like.hpp>
#include <sigmax/core/matrix_view.hpp>
#include <sigmax/core/scalar.hpp>
#include <sigmax/core/workspace.hpp>

namespace sigmax::inline SIGMAX_ABI {

/// A matrix or vector argument whose type does not take part in deduction.
template <class T, class Space = host_space>
using matrix_in = matrix_view<std::type_identity_t<T> const, Space>;
template <class T, class Space = host_space>
using vector_in = vector_view<std::type_identity_t<T> const, Space>;

// clang-format off: version 14 breaks the lines of a concept where they are not to be broken.
/// B offers every primitive for scalars T in memory space S. A missing one is named by the compiler here.
template <class B, class T>
concept backend = std::copyable<B> && real<T> &&
    requires(B const& b, T s, matrix_view<T const, typename B::space> x, matrix_view<T, typename B::space> y,
             vector_view<T const, typename B::space> u, vector_view<T, typename B::space> v) {
  { B::name } -> std::convertible_to<char const*>;
  { B::fast_symmetric_eigen } -> std::convertible_to<bool>;  // of float and double: worth more than polynomials

  // Products. Every one is a sum of products in some order, with or without fused multiply-add.
  b.gram(s, x, s, x, y);                  // Y = s X X^T + s C; symmetric, one triangle computed and mirrored
  b.symmetric_product(s, x, x, s, x, y);  // Y = s P Q + s C for commuting symmetric P, Q
  b.multiply(s, x, x, s, x, y);           // Y = s A B + s C
  b.times_vector(s, x, u, s, v);          // v = s A u + s v
  b.gram_times_vector(x, u, v);           // v = X^T (X u) in one sweep over X

  // Elementwise and reductions.
  b.convert(x, y);                          // Y = X, rounded to the scalar of Y
  b.combine(s, x, s, y);                    // Y = s X + s Y
  b.add_to_diagonal(s, y);                  // Y = Y + s I
  { b.dot(u, u) } -> std::same_as<T>;       // sum of u_i u_i
  { b.sum_squares(x) } -> std::same_as<T>;  // sum of x_ij^2
  { b.max_abs(x) } -> std::same_as<T>;      // largest |x_ij|; +infinity if an element is not finite
  b.row_abs_sums(x, v);                     // v_i = sum_j |x_ij|

  // Factorisations.
  { b.cholesky(y) } -> std::same_as<index_t>;  // lower factor in place; columns completed before failure
  b.triangular_solve(x, y);                    // Y = L^-1 Y
  b.triangular_solve_transposed(x, y);         // Y = L^-T Y
  b.symmetric_eigen(y, v, y);                  // Y = V^T diag(v) V
  { b.symmetric_eigen_above(s, y, v, y) } -> std::same_as<index_t>;  // the pairs with v_i > s, first
};
// clang-format on

/// M lives in the memory of backend B, which offers every primitive in the scalar M is computed in.
template <class M, class B>
concept matrix_on = matrix_like<M> && backend<B, compute_t<value_t<M>>> && std::same_as < space_t<M>,
typename B::space > ;

/// A backend a proof may compute with. `standard_rounding` promises that T is IEEE arithmetic rounded to nearest and
/// that each entry of a product is a sum of its k products in some order, with or without fused multiply-add, so that
/// |fl(AB) - AB| <= gamma_k |A||B| + k eta holds (Higham, Accuracy and Stability, 3.5); that reductions are sums of their
/// terms likewise, and maxima exact. Strassen-like algorithms,
/// TF32 and split-integer emulations of double must not promise it.
template <class B, class T>
concept certifying_backend = backend<B, T> && B::standard_rounding;

namespace detail {

/// The backend as an algorithm uses it: with the algorithm's scratch memory, if the backend packs operands there.
template <class B>
B with_scratch(B const& on, [[maybe_unused]] workspace& memory) {
  if constexpr (requires {
                  { on.using_scratch(memory) } -> std::same_as<B>;
                }) {
    return on.using_scratch(memory);
  } else {
    return on;
  }
}

}  // namespace detail

}  // namespace sigmax::inline SIGMAX_ABI
