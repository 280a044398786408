// SPDX-License-Identifier: MIT
#include <sigmax/cuda/kernels/ampere_symmetric.cuh>

#include "cuda_emulation/emulated_product.hpp"
#include "cuda_emulation/machine.hpp"

namespace sigmax::test {
namespace {

using gpu::operand_kind;
namespace detail = gpu::detail;

template <operand_kind Kind, bool Aligned>
void launch(emulated_product const& p, std::uint64_t seed) {
  using operand = detail::operand<Kind>;
  auto const arguments = detail::ampere_arguments_of<Kind>(p.call);
  emulation::launch_shape grid;
  auto const tiles = static_cast<int>((p.call.result.rows + detail::ampere_tile - 1) / detail::ampere_tile);
  grid.blocks = static_cast<unsigned>(detail::triangle_size(tiles));
  grid.batches = static_cast<unsigned>(p.call.result.count);
  grid.threads = 256;
  grid.shared_bytes = detail::ampere_shared_bytes;
  emulation::machine::run(grid, seed, detail::dynamic_memory, sizeof(detail::dynamic_memory),
                          [&] { detail::ampere_symmetric<operand, typename operand::storage, Aligned>(arguments); });
}

template <operand_kind Kind>
void choose(emulated_product const& p, std::uint64_t seed) {
  p.aligned ? launch<Kind, true>(p, seed) : launch<Kind, false>(p, seed);
}

}  // namespace

void run_ampere(emulated_product const& p, std::uint64_t seed) {
  switch (p.call.kind) {
    case operand_kind::bf16:
      return choose<operand_kind::bf16>(p, seed);
    case operand_kind::f16:
      return choose<operand_kind::f16>(p, seed);
    default:
      return choose<operand_kind::tf32>(p, seed);
  }
}

}  // namespace sigmax::test
