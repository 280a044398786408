// SPDX-License-Identifier: MIT
/// @file
/// What the rules share: checks of shapes, trailing broadcast, the maker of their bounds.
#pragma once

#include <charconv>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include <sigmax/bound/assumptions.hpp>
#include <sigmax/bound/extended.hpp>
#include <sigmax/bound/interval.hpp>
#include <sigmax/bound/log_upper_bound.hpp>
#include <sigmax/bound/norm.hpp>
#include <sigmax/config.hpp>
#include <sigmax/core/error.hpp>
#include <sigmax/lipschitz/tensor_shape.hpp>

namespace sigmax::inline SIGMAX_ABI::lipschitz::rules::detail {

/// The bound of a rule. Its caller states the proof. Stops the compilation under -ffast-math.
template <norm_tag N>
log_upper_bound<op<N, N>> proven(extended const& value, assumptions rests_on = {}) {
  SIGMAX_DETAIL_REQUIRE_STRICT_ARITHMETIC(N);
  return sigmax::detail::proof::log_upper<op<N, N>>(value, std::move(rests_on));
}

/// "1.1289931": for messages, independent of the locale.
inline std::string short_number(double value) {
  char text[32];
  auto const printed = std::to_chars(text, text + sizeof text, value, std::chars_format::general, 10);
  return {text, printed.ptr};
}

inline void require_inputs(std::string_view name, std::span<tensor_shape const> shapes, std::size_t count) {
  if (shapes.size() != count) {
    sigmax::detail::raise<shape_error>({name, ": ", shapes.size(), " inputs; it takes ", count});
  }
}

/// `size` values repeat along the leading axes of `shape`: they fill it, its last axes, or hold one value. No values
/// at all always fit.
inline void require_trailing(std::string_view name, tensor_shape const& shape, std::size_t size) {
  if (size <= 1) return;
  index_t trailing = 1;
  for (std::size_t axis = shape.size(); axis > 0 && trailing < static_cast<index_t>(size);) trailing *= shape[--axis];
  if (trailing != static_cast<index_t>(size)) {
    sigmax::detail::raise<shape_error>({name, ": ", size, " values for an input of shape ", shape_text(shape),
                                        "; they must be one, or fill its last axes"});
  }
}

inline void require_finite(std::string_view name, std::span<double const> values) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (!is_finite(values[i])) {
      sigmax::detail::raise<numeric_error>(
          {name, ": value ", i, " is ", short_number(values[i]), "; stored values must be finite"});
    }
  }
}

/// A stored interval in the scalar an evaluation runs in: itself, or its middle.
template <class T>
T as_scalar(interval value) {
  if constexpr (std::is_same_v<T, interval>) {
    return value;
  } else {
    return T(value.middle());
  }
}

}  // namespace sigmax::inline SIGMAX_ABI::lipschitz::rules::detail
