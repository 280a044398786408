// SPDX-License-Identifier: MIT
/// @file
/// What nearly every test of networks instantiates, compiled once (shared_instantiations.cpp) instead of in every file.
/// Part of the precompiled header: tests with flags of their own do not see it.
#pragma once

#include <sigmax/lipschitz/certify.hpp>
#include <sigmax/lipschitz/rules/activation.hpp>

namespace sigmax::inline SIGMAX_ABI {

extern template log_upper_bound<norm::spectral> certified_operator_norm<norm::l2_t>(matrix_view<double const> const&,
                                                                                    certified_options const&);
extern template log_upper_bound<norm::spectral> certified_operator_norm<norm::l2_t>(matrix_view<float const> const&,
                                                                                    certified_options const&);
extern template log_upper_bound<norm::spectral> certified_operator_norm<norm::l2_t>(matrix_view<bf16 const> const&,
                                                                                    certified_options const&);
extern template log_upper_bound<norm::spectral> certified_operator_norm<norm::l2_t>(matrix_view<f16 const> const&,
                                                                                    certified_options const&);

namespace lipschitz {

extern template certificate certify<network, default_backend<double>>(network const&, certify_options const&);
extern template lower_bound falsify<network>(network const&, norm::any, attack_options const&, input_domain const&);
extern template std::span<rules::activation_entry const> rules::activation_table<void>();

}  // namespace lipschitz

}  // namespace sigmax::inline SIGMAX_ABI
