// SPDX-License-Identifier: MIT
// The rules that shared_instantiations.hpp declares.
#include "support/shared_instantiations.hpp"

namespace sigmax::inline SIGMAX_ABI::lipschitz::detail {

template rule_operations const* operations_of<rules::activation>();
template rule_operations const* operations_of<rules::add_constant>();
template rule_operations const* operations_of<rules::along_axes>();
template rule_operations const* operations_of<rules::attention>();
template rule_operations const* operations_of<rules::ball_projection>();
template rule_operations const* operations_of<rules::bounded>();
template rule_operations const* operations_of<rules::centering>();
template rule_operations const* operations_of<rules::channel>();
template rule_operations const* operations_of<rules::concatenate>();
template rule_operations const* operations_of<rules::constant>();
template rule_operations const* operations_of<rules::convolution>();
template rule_operations const* operations_of<rules::transposed_convolution>();
template rule_operations const* operations_of<rules::extremum>();
template rule_operations const* operations_of<rules::hadamard>();
template rule_operations const* operations_of<rules::identity>();
template rule_operations const* operations_of<rules::linear>();
template rule_operations const* operations_of<rules::log_softmax>();
template rule_operations const* operations_of<rules::log_sum_exp>();
template rule_operations const* operations_of<rules::masked>();
template rule_operations const* operations_of<rules::matrix_product>();
template rule_operations const* operations_of<rules::normalization>();
template rule_operations const* operations_of<rules::rearrange>();
template rule_operations const* operations_of<rules::rotary_embedding>();
template rule_operations const* operations_of<rules::scale>();
template rule_operations const* operations_of<rules::self_attention>();
template rule_operations const* operations_of<rules::softmax>();
template rule_operations const* operations_of<rules::weighted_sum>();
template rule_operations const* operations_of<rules::window_pool>();

}  // namespace sigmax::inline SIGMAX_ABI::lipschitz::detail
