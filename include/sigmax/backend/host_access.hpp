// SPDX-License-Identifier: MIT
/// @file
/// The few numbers an algorithm reads or writes itself, whatever memory its backend works in. On the host nothing is copied.
#pragma once

#include <type_traits>

#include <sigmax/backend/concept.hpp>
#include <sigmax/config.hpp>
#include <sigmax/core/matrix_view.hpp>
#include <sigmax/core/scalar.hpp>
#include <sigmax/core/workspace.hpp>

namespace sigmax::inline SIGMAX_ABI::detail {

/// v for reading: v itself, or a copy of it in the frame.
template <class B, class T>
vector_view<std::remove_const_t<T> const> on_host([[maybe_unused]] B const& on, vector_view_on<B, T> v,
                                                  [[maybe_unused]] workspace::frame& frame) {
  if constexpr (works_on_host<B>) {
    return v;
  } else {
    auto const copy = frame.template vector<std::remove_const_t<T>>(v.size());
    if (!v.empty()) on.copy_to_host(as_row(v), as_row(copy));
    return copy;
  }
}

/// A place to write what v is to hold, after which `deliver` puts it there: v itself, or a vector in the frame.
template <class B, class T>
vector_view<T> staging_for([[maybe_unused]] B const& on, vector_view_on<B, T> v,
                           [[maybe_unused]] workspace::frame& frame) {
  if constexpr (works_on_host<B>) {
    return v;
  } else {
    return frame.template vector<T>(v.size());
  }
}

template <class B, class T>
void deliver([[maybe_unused]] B const& on, [[maybe_unused]] vector_view<T> staged,
             [[maybe_unused]] vector_view_on<B, std::type_identity_t<T>> v) {
  if constexpr (!works_on_host<B>) {
    if (!v.empty()) on.copy_from_host(matrix_view<T const>(as_row(staged)), as_row(v));
  }
}

/// v_i = value.
template <class B, class T>
void set_element(B const& on, vector_view_on<B, T> v, index_t i, std::type_identity_t<T> value) {
  if constexpr (works_on_host<B>) {
    v[i] = value;
  } else {
    on.copy_from_host(matrix_view<T const>(&value, 1, 1), as_row(v.segment(i, 1)));
  }
}

/// `on` itself on the host, else its backend for the host.
template <class B>
auto host_backend([[maybe_unused]] B const& on) {
  if constexpr (works_on_host<B>) {
    return on;
  } else {
    return typename B::host_backend{};
  }
}

}  // namespace sigmax::inline SIGMAX_ABI::detail
