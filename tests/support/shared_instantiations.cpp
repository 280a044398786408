// SPDX-License-Identifier: MIT
// The definitions of what shared_instantiations.hpp declares.
#include "support/shared_instantiations.hpp"

namespace sigmax::inline SIGMAX_ABI {

template log_upper_bound<norm::spectral> certified_operator_norm<norm::l2_t>(matrix_view<double const> const&,
                                                                             certified_options const&);
template log_upper_bound<norm::spectral> certified_operator_norm<norm::l2_t>(matrix_view<float const> const&,
                                                                             certified_options const&);
template log_upper_bound<norm::spectral> certified_operator_norm<norm::l2_t>(matrix_view<bf16 const> const&,
                                                                             certified_options const&);
template log_upper_bound<norm::spectral> certified_operator_norm<norm::l2_t>(matrix_view<f16 const> const&,
                                                                             certified_options const&);

namespace lipschitz {

template certificate certify<network, default_backend<double>>(network const&, certify_options const&);
template lower_bound falsify<network>(network const&, norm::any, attack_options const&, input_domain const&);
template std::span<rules::activation_entry const> rules::activation_table<void>();

}  // namespace lipschitz

}  // namespace sigmax::inline SIGMAX_ABI
