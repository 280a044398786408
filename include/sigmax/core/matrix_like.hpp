// SPDX-License-Identifier: MIT
/// @file
/// What sigmax accepts as a matrix, recognised by its members: our own views and matrices, Eigen matrices, maps, refs
/// and blocks of both storage orders (no Eigen header is included), and mdspan of rank 2.
#pragma once

#include <concepts>
#include <type_traits>
#include <utility>

#include <sigmax/config.hpp>
#include <sigmax/core/matrix_view.hpp>
#include <sigmax/core/scalar.hpp>

namespace sigmax::inline SIGMAX_ABI {

namespace detail {

/// matrix_view, matrix<T> and whoever copies their six members.
template <class M>
concept strided_like = requires(M& m) {
  *m.data();
  { m.rows() } -> std::convertible_to<index_t>;
  { m.cols() } -> std::convertible_to<index_t>;
  { m.row_stride() } -> std::convertible_to<index_t>;
  { m.col_stride() } -> std::convertible_to<index_t>;
};

/// Eigen expressions with direct access to memory. A product or a sum has no data() and is not one.
template <class M>
concept eigen_like = requires(M& m) {
  *m.data();
  { m.rows() } -> std::convertible_to<index_t>;
  { m.cols() } -> std::convertible_to<index_t>;
  { m.rowStride() } -> std::convertible_to<index_t>;
  { m.colStride() } -> std::convertible_to<index_t>;
  typename std::remove_cvref_t<M>::PlainObject;
};

/// std::mdspan, Kokkos::mdspan and cuda::std::mdspan of rank 2 with a strided layout.
template <class M>
concept mdspan_like = requires(M& m) {
  *m.data_handle();
  { m.extent(0) } -> std::convertible_to<index_t>;
  { m.stride(1) } -> std::convertible_to<index_t>;
  requires(std::remove_cvref_t<M>::rank() == 2);
};

template <class M>
struct space_of {
  using type = host_space;
};
template <class M>
  requires requires { typename M::space; }
struct space_of<M> {
  using type = typename M::space;
};

/// A view of `m`; never copies an element.
template <class M>
constexpr auto view_of(M& m) {
  if constexpr (strided_like<M>) {
    using element = std::remove_reference_t<decltype(*m.data())>;
    return matrix_view<element, typename space_of<std::remove_cvref_t<M>>::type>(m.data(), m.rows(), m.cols(),
                                                                                 m.row_stride(), m.col_stride());
  } else if constexpr (eigen_like<M>) {
    using element = std::remove_reference_t<decltype(*m.data())>;
    return matrix_view<element>(m.data(), m.rows(), m.cols(), m.rowStride(), m.colStride());
  } else {
    using element = std::remove_reference_t<decltype(*m.data_handle())>;
    return matrix_view<element>(m.data_handle(), static_cast<index_t>(m.extent(0)), static_cast<index_t>(m.extent(1)),
                                static_cast<index_t>(m.stride(0)), static_cast<index_t>(m.stride(1)));
  }
}

/// True for types whose destruction frees the elements. Eigen tells by PlainObject, ours by a member of the type.
template <class M>
constexpr bool owns_elements() {
  if constexpr (requires { typename M::PlainObject; }) {
    return std::is_same_v<typename M::PlainObject, M>;
  } else {
    return requires { requires M::owns_elements; };
  }
}

}  // namespace detail

namespace detail {

template <class M>
concept viewable = strided_like<M> || eigen_like<M> || mdspan_like<M>;

/// The view type of a matrix type.
template <viewable M>
using view_of_t = decltype(view_of(std::declval<M&>()));

}  // namespace detail

/// A type with readable, strided elements of a storage scalar.
template <class M>
concept matrix_like = detail::viewable<std::remove_reference_t<M>> &&
    storage_scalar<typename detail::view_of_t<std::remove_reference_t<M>>::value_type>;

/// The scalar a matrix is stored in, without const.
template <matrix_like M>
using value_t = typename detail::view_of_t<std::remove_reference_t<M>>::value_type;

/// The memory space a matrix lives in.
template <matrix_like M>
using space_t = typename detail::view_of_t<std::remove_reference_t<M>>::space;

/// A matrix in host memory.
template <class M>
concept host_matrix = matrix_like<M> && std::same_as<space_t<M>, host_space>;

/// A matrix that proofs accept: host memory, and every stored scalar is exactly a double.
template <class M>
concept provable_matrix = matrix_like<M> && exact_in_double<value_t<M>> && std::same_as<space_t<M>, host_space>;

/// A matrix whose elements can be written through the given expression type (`M` as deduced by a forwarding reference).
template <class M>
concept writable_matrix = matrix_like<M> && !std::is_const_v<
    std::remove_pointer_t<decltype(std::declval<detail::view_of_t<std::remove_reference_t<M>>>().data())>>;

/// The view of a matrix: pointer, extents and strides, nothing copied. The view of a temporary that owns its elements
/// would dangle, so that does not compile.
template <class M>
  requires matrix_like<M>
constexpr auto view(M&& matrix) {
  static_assert(std::is_lvalue_reference_v<M> || !detail::owns_elements<std::remove_cvref_t<M>>(),
                "sigmax::view: this temporary owns its elements and dies at the end of the expression; give it a name");
  return detail::view_of(matrix);
}

/// The view of a matrix as constant elements.
template <class M>
  requires matrix_like<M>
constexpr matrix_view<value_t<M> const, space_t<M>> const_view(M&& matrix) {
  static_assert(
      std::is_lvalue_reference_v<M> || !detail::owns_elements<std::remove_cvref_t<M>>(),
      "sigmax::const_view: this temporary owns its elements and dies at the end of the expression; give it a name");
  return detail::view_of(matrix);
}

}  // namespace sigmax::inline SIGMAX_ABI
