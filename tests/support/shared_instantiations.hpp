// SPDX-License-Identifier: MIT
/// @file
/// What nearly every test of networks instantiates, compiled once (shared_instantiations.cpp) instead of in every file.
/// Part of the precompiled header: tests with flags of their own do not see it.
#pragma once

#include <sigmax/lipschitz/certify.hpp>
#include <sigmax/lipschitz/rules.hpp>
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

namespace detail {

extern template rule_operations const* operations_of<rules::activation>();
extern template rule_operations const* operations_of<rules::add_constant>();
extern template rule_operations const* operations_of<rules::along_axes>();
extern template rule_operations const* operations_of<rules::attention>();
extern template rule_operations const* operations_of<rules::ball_projection>();
extern template rule_operations const* operations_of<rules::bounded>();
extern template rule_operations const* operations_of<rules::centering>();
extern template rule_operations const* operations_of<rules::channel>();
extern template rule_operations const* operations_of<rules::concatenate>();
extern template rule_operations const* operations_of<rules::constant>();
extern template rule_operations const* operations_of<rules::convolution>();
extern template rule_operations const* operations_of<rules::transposed_convolution>();
extern template rule_operations const* operations_of<rules::extremum>();
extern template rule_operations const* operations_of<rules::hadamard>();
extern template rule_operations const* operations_of<rules::identity>();
extern template rule_operations const* operations_of<rules::linear>();
extern template rule_operations const* operations_of<rules::log_softmax>();
extern template rule_operations const* operations_of<rules::log_sum_exp>();
extern template rule_operations const* operations_of<rules::masked>();
extern template rule_operations const* operations_of<rules::matrix_product>();
extern template rule_operations const* operations_of<rules::normalization>();
extern template rule_operations const* operations_of<rules::rearrange>();
extern template rule_operations const* operations_of<rules::rotary_embedding>();
extern template rule_operations const* operations_of<rules::scale>();
extern template rule_operations const* operations_of<rules::self_attention>();
extern template rule_operations const* operations_of<rules::softmax>();
extern template rule_operations const* operations_of<rules::weighted_sum>();
extern template rule_operations const* operations_of<rules::window_pool>();

}  // namespace detail

}  // namespace lipschitz

}  // namespace sigmax::inline SIGMAX_ABI
