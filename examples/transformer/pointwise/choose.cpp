// SPDX-License-Identifier: MIT
#include <sigmax/kernels/table.hpp>

#include "choose.hpp"

namespace transformer::pointwise_kernels {

table const& best() {
#if defined(TRANSFORMER_X86_64)
  using sigmax::kernels::level;
  level const chosen = sigmax::kernels::best().compiled_for;
  if (chosen == level::x86_64_v4) return x86_64_v4();
  if (chosen == level::x86_64_v3) return x86_64_v3();
#endif
  return generic();
}

}  // namespace transformer::pointwise_kernels
