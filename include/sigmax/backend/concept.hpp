// SPDX-License-Identifier: MIT
/// @file
/// What a backend is: a small copyable object whose member functions are the primitives of all algorithms.
///
/// `cpu::scalar` defines each primitive by plain loops; other backends inherit from it and hide what they do faster.
/// A backend that packs operands offers `using_scratch(workspace&)`, which returns it with memory to pack into: algorithms
/// lend it theirs. Arguments are views, outputs last; the scalar type T is deduced from the output alone, so that mutable views and
/// plain numbers convert. Unless a primitive says otherwise its output must not overlap its inputs.
///
/// Algorithms are written once for all memory spaces. In `device_space` views cannot be read here: numbers that an
/// algorithm looks at come as results of reductions or by `copy_to_host`, both of which wait for the device; everything
/// else may run later, in the order of the calls. A backend of a device offers besides
/// - `sigmax::device_memory device_memory() const`: where its memory comes from, for the workspaces of those who call;
/// - `host_backend`: the type of the backend that does the small work of algorithms on the host (a tridiagonal or a
///   projected eigenproblem of order 100);
/// - `standard_cholesky`, false unless its `cholesky` is by substitutions as in Higham, 10.1 (inverted diagonal blocks
///   are not): proofs then compute the residual of the factor;
/// - `average_gradient`, `normalize_rows` and `adam_update` of optimizer/elementwise.hpp, if optimizers are to run on it.
///
/// For such a backend a product costs less than a few numbers one by one, for each of which the host would wait, and
/// algorithms choose accordingly. A host backend gets the same choices by `prefers_products`, true.
#pragma once

#include <concepts>
#include <type_traits>

#include <sigmax/config.hpp>
#include <sigmax/core/device_memory.hpp>
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

/// Views in the memory of backend B.
template <class B, class T>
using matrix_view_on = matrix_view<T, typename B::space>;
template <class B, class T>
using vector_view_on = vector_view<T, typename B::space>;

// clang-format off: version 14 breaks the lines of a concept where they are not to be broken.
/// B works on the host, or says how the host works for it.
template <class B>
concept knows_its_host = std::same_as<typename B::space, host_space> ||
    requires(B const& b, typename B::host_backend of_host) {
  { b.device_memory() } -> std::same_as<device_memory>;
};

/// B offers every primitive for scalars T in memory space S. A missing one is named by the compiler here.
template <class B, class T>
concept backend = std::copyable<B> && real<T> && knows_its_host<B> &&
    requires(B const& b, T s, matrix_view<T const, typename B::space> x, matrix_view<T, typename B::space> y,
             vector_view<T const, typename B::space> u, vector_view<T, typename B::space> v, matrix_view<T const> from,
             matrix_view<T> to) {
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
  b.combine_stored(s, x, s, y);             // the same for any storage, computed in T and rounded once
  b.divide(s, y);                           // Y = Y / s
  b.clear_above_diagonal(y);                // y_ij = 0 for j > i
  b.copy_to_host(x, to);                    // to = X, of any strides, and when it returns it is there
  b.copy_from_host(from, y);                // Y = from, which may be changed when it returns
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

/// The same in host memory: what functions that return a copy take.
template <class M, class B>
concept host_matrix_on = matrix_on<M, B> && host_matrix<M>;

/// A backend a proof may compute with. `standard_rounding` promises that T is IEEE arithmetic rounded to nearest and
/// that each entry of a product is a sum of its k products in some order, with or without fused multiply-add, so that
/// |fl(AB) - AB| <= gamma_k |A||B| + k eta holds (Higham, Accuracy and Stability, 3.5); that reductions are sums of their
/// terms likewise, and maxima exact; that elementwise work is IEEE arithmetic too, subnormal numbers included, so that
/// conversions to double are exact, and products with powers of two that do not underflow. Strassen-like algorithms, TF32
/// and split-integer emulations of double must not promise it.
template <class B, class T>
concept certifying_backend = backend<B, T> && B::standard_rounding;

/// A matrix of which B proves something: in its memory, and every stored scalar is exactly a double.
template <class M, class B>
concept provable_matrix_on =
    matrix_like<M> && exact_in_double<value_t<M>> && certifying_backend<B, double> && std::same_as < space_t<M>,
typename B::space > ;

namespace detail {

/// The backend works in memory that is read and written here.
template <class B>
inline constexpr bool works_on_host = std::is_same_v<typename B::space, host_space>;

/// Where the memory of the backend comes from; nothing for the host.
template <class B>
device_memory device_memory_of([[maybe_unused]] B const& on) {
  if constexpr (works_on_host<B>) {
    return {};
  } else {
    return on.device_memory();
  }
}

/// The workspace has memory of the backend's device from now on, if it had none.
template <class B>
void lend_device_memory([[maybe_unused]] B const& on, [[maybe_unused]] workspace& memory) {
  if constexpr (!works_on_host<B>) {
    if (!memory.has_device_memory()) memory.set_device_memory(on.device_memory());
  }
}

/// The backend as an algorithm uses it: with the algorithm's scratch memory, if the backend packs operands there, and the
/// workspace with memory of the backend's device.
template <class B>
B with_scratch(B const& on, [[maybe_unused]] workspace& memory) {
  lend_device_memory(on, memory);
  if constexpr (requires {
                  { on.using_scratch(memory) } -> std::same_as<B>;
                }) {
    return on.using_scratch(memory);
  } else {
    return on;
  }
}

/// A product costs less than a few numbers one by one.
template <class B>
constexpr bool prefers_products() {
  if constexpr (requires { B::prefers_products; }) return B::prefers_products;
  return !works_on_host<B>;
}

/// The factor is computed by substitutions: see the list above.
template <class B>
constexpr bool has_standard_cholesky() {
  if constexpr (requires { B::standard_cholesky; }) return B::standard_cholesky;
  return works_on_host<B>;
}

}  // namespace detail

}  // namespace sigmax::inline SIGMAX_ABI
