// SPDX-License-Identifier: MIT
#include <cstring>

#include <sigmax/cuda/kernels/hopper_symmetric.cuh>

#include "cuda_emulation/emulated_product.hpp"
#include "cuda_emulation/machine.hpp"

namespace sigmax::test {
namespace {

using gpu::operand_kind;
using gpu::tensor_kernel;
namespace detail = gpu::detail;

CUtensorMap map_of(gpu::device_batch const& a, int element_bytes, std::uint32_t* written) {
  long long const row_bytes = a.row_stride * element_bytes;
  emulation::mapped_matrices const matrices{static_cast<unsigned char*>(a.data),
                                            written,
                                            a.cols,
                                            a.rows,
                                            a.count,
                                            row_bytes,
                                            a.count == 1 ? a.rows * row_bytes : a.stride * element_bytes,
                                            element_bytes};
  CUtensorMap map{};
  std::memcpy(&map, &matrices, sizeof(matrices));
  return map;
}

template <operand_kind Kind, class Result, int TileCols, int Cluster>
void launch(emulated_product const& p, std::uint64_t seed) {
  using operand = detail::operand<Kind>;
  using shape = detail::hopper_shape<operand, Result, TileCols, Cluster>;
  constexpr int element = static_cast<int>(sizeof(typename operand::storage));
  constexpr int result_element = static_cast<int>(sizeof(Result));
  auto const& o = p.call;
  bool const has_addend = o.addend.data != nullptr;
  auto const left = map_of(o.left, element, nullptr);
  auto const right = map_of(o.right, element, nullptr);
  auto const result = map_of(p.to, result_element, p.written);
  auto const addend = has_addend ? map_of(o.addend, result_element, nullptr) : result;
  auto const arguments = detail::hopper_arguments_of<shape>(o, p.splits, has_addend, o.same, o.each);
  emulation::launch_shape grid;
  grid.blocks = detail::hopper_blocks<shape, Cluster>(arguments, p.processors);
  grid.threads = shape::threads;
  grid.cluster = Cluster;
  grid.shared_bytes = shape::shared_bytes;
  emulation::machine::run(grid, seed, detail::dynamic_memory, sizeof(detail::dynamic_memory), [&] {
    detail::hopper_symmetric<operand, Result, TileCols, Cluster>(arguments, left, right, addend, result);
  });
}

template <operand_kind Kind>
void choose(emulated_product const& p, std::uint64_t seed) {
  using storage = typename detail::operand<Kind>::storage;
  switch (p.kernel) {
    case tensor_kernel::hopper_128:
      return launch<Kind, storage, 128, 1>(p, seed);
    case tensor_kernel::hopper_128x2:
      return launch<Kind, storage, 128, 2>(p, seed);
    case tensor_kernel::hopper_256:
      return launch<Kind, storage, 256, 1>(p, seed);
    case tensor_kernel::hopper_256x2:
      return launch<Kind, storage, 256, 2>(p, seed);
    default:
      return launch<Kind, float, 128, 1>(p, seed);
  }
}

}  // namespace

void run_hopper(emulated_product const& p, std::uint64_t seed) {
  // binary16 differs from bf16 in how words are unpacked alone, which the sm_80 kernel shares.
  if (p.call.kind == operand_kind::f16) throw emulation::failure("f16 is not compiled for the kernels of sm_90a");
  p.call.kind == operand_kind::tf32 ? choose<operand_kind::tf32>(p, seed) : choose<operand_kind::bf16>(p, seed);
}

}  // namespace sigmax::test
