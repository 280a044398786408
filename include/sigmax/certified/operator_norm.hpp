// SPDX-License-Identifier: MIT
/// @file
/// The operator norm of a weight in a norm given as a tag, with an exponent of its own: what the rules of linear layers
/// multiply.
#pragma once

#include <sigmax/backend/concept.hpp>
#include <sigmax/backend/default_backend.hpp>
#include <sigmax/bound/extended.hpp>
#include <sigmax/bound/log_upper_bound.hpp>
#include <sigmax/bound/norm.hpp>
#include <sigmax/certified/cheap.hpp>
#include <sigmax/certified/spectral_norm.hpp>
#include <sigmax/config.hpp>

namespace sigmax::inline SIGMAX_ABI {

/// Proven upper bound of the operator norm of x -> W x from N to N, for N = norm::l2_t (the upper end of
/// certified_spectral_norm) or norm::linf_t (row_sum_norm). Norms beyond the range of double stay finite in l2.
/// Cost, scratch and errors: those of the function that does the work.
template <norm_tag N, certifying_backend<double> B, provable_matrix_on<B> M>
log_upper_bound<op<N, N>> certified_operator_norm(B const& given, M const& w, certified_options const& options = {}) {
  SIGMAX_DETAIL_REQUIRE_STRICT_ARITHMETIC(M);
  static_assert(std::same_as<N, norm::l2_t> || std::same_as<N, norm::linf_t>,
                "sigmax: the operator norm of a matrix is available in l2 and linf");
  if constexpr (std::same_as<N, norm::linf_t>) {
    return row_sum_norm(given, w, options.scratch);
  } else {
    detail::check_certified_options("certified_operator_norm", options.relative_gap);
    if (!arithmetic_environment_is_sound()) return detail::proof::log_upper<op<N, N>>(extended(infinity));
    detail::scratch memory(options.scratch);
    auto const on = detail::with_scratch(given, memory.get());
    workspace::frame frame(memory.get());
    auto const x = detail::scaled_copy<B, value_t<M>>(on, const_view(w), "certified_operator_norm", frame);
    if (x.is_zero) return detail::proof::log_upper<op<N, N>>(extended(0.0));
    auto const scaled = detail::enclose_scaled_norm(on, x.elements, options, memory.get());
    // ||W|| <= 2^exponent (||X|| + flush), the power of two kept apart.
    return detail::proof::log_upper<op<N, N>>(extended(add_up(scaled.upper, x.flush), x.exponent));
  }
}

/// The same on the default backend.
template <norm_tag N, provable_matrix M, class B = default_backend<double>>
log_upper_bound<op<N, N>> certified_operator_norm(M const& w, certified_options const& options = {}) {
  return certified_operator_norm<N>(B{}, w, options);
}

/// The same for a relative gap alone.
template <norm_tag N, provable_matrix M>
log_upper_bound<op<N, N>> certified_operator_norm(M const& w, double relative_gap) {
  return certified_operator_norm<N>(w, certified_options{.relative_gap = relative_gap});
}

}  // namespace sigmax::inline SIGMAX_ABI
