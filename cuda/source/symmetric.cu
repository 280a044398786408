// SPDX-License-Identifier: MIT
#include <cstdint>

#include <cuda_runtime.h>

#include <sigmax/cuda/kernels/ampere_symmetric.cuh>
#include <sigmax/cuda/kernels/hopper_declare.cuh>
#include <sigmax/cuda/kernels/status.cuh>
#include <sigmax/cuda/kernels/tensor_map.cuh>
#include <sigmax/cuda/library/tensor_cores.hpp>

namespace sigmax::inline SIGMAX_ABI::gpu::detail {

namespace {

using SIGMAX_CUDA_LIBRARY::must;

struct device_facts {
  int processors = 0;
  int major = 0;
};

device_facts current_device() {
  int device = 0;
  device_facts facts;
  must(cudaGetDevice(&device), "cudaGetDevice");
  must(cudaDeviceGetAttribute(&facts.processors, cudaDevAttrMultiProcessorCount, device), "cudaDeviceGetAttribute");
  must(cudaDeviceGetAttribute(&facts.major, cudaDevAttrComputeCapabilityMajor, device), "cudaDeviceGetAttribute");
  return facts;
}

template <operand_kind Kind>
void run_ampere(cudaStream_t stream, symmetric_call const& o) {
  using T = typename operand<Kind>::storage;
  auto const arguments = ampere_arguments_of<Kind>(o);
  constexpr auto size = static_cast<index_t>(sizeof(T));
  bool const aligned = has_tensor_map(o.left, size, true) && has_tensor_map(o.right, size, true);
  auto const kernel = aligned ? ampere_symmetric<operand<Kind>, T, true> : ampere_symmetric<operand<Kind>, T, false>;
  must(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, ampere_shared_bytes),
       "cudaFuncSetAttribute");
  int const tiles = static_cast<int>((o.result.rows + ampere_tile - 1) / ampere_tile);
  kernel<<<dim3(static_cast<unsigned>(triangle_size(tiles)), static_cast<unsigned>(o.result.count)), 256,
           ampere_shared_bytes, stream>>>(arguments);
  must(cudaGetLastError(), "ampere_symmetric");
}

template <operand_kind Kind>
void run(cudaStream_t stream, symmetric_call const& o) {
  constexpr index_t size = size_of(Kind);
  auto const facts = current_device();
  bool const hopper = facts.major == 9 && has_tensor_map(o.left, size, o.owns_padding) &&
                      has_tensor_map(o.right, size, o.owns_padding) && has_tensor_map(o.result, size, o.owns_padding) &&
                      (!(o.addend.data != nullptr) || has_tensor_map(o.addend, size, o.owns_padding)) &&
                      o.left.cols > 0;
  auto kernel = o.kernel;
  if (kernel == tensor_kernel::automatic) {
    index_t const pieces = pieces_of(o.left.cols * size);
    kernel = !hopper ? tensor_kernel::any_shape
             : wide_tiles_are_faster(facts.processors, o.result.rows, pieces, o.result.count)
                 ? tensor_kernel::hopper_256x2
                 : tensor_kernel::hopper_128x2;
  }
  if (kernel == tensor_kernel::any_shape) return run_ampere<Kind>(stream, o);
  if (!hopper) {
    throw SIGMAX_CUDA_LIBRARY::failure{{SIGMAX_CUDA_LIBRARY::origin::sigmax,
                                        SIGMAX_CUDA_LIBRARY::no_kernel_for_this_device, "symmetric_on_tensor_cores"}};
  }
  run_hopper<Kind>(kernel, stream, o, facts.processors);
}

}  // namespace

}  // namespace sigmax::inline SIGMAX_ABI::gpu::detail

namespace sigmax::SIGMAX_CUDA_LIBRARY {

status symmetric_on_tensor_cores(stream on, symmetric_call const& call) {
  if (call.result.rows == 0 || call.result.count == 0) return {};
  return guarded([&] {
    switch (call.kind) {
      case operand_kind::bf16:
        return gpu::detail::run<operand_kind::bf16>(on, call);
      case operand_kind::f16:
        return gpu::detail::run<operand_kind::f16>(on, call);
      default:
        return gpu::detail::run<operand_kind::tf32>(on, call);
    }
  });
}

status symmetric_scratch_bytes(operand_kind kind, index m, index inner, int count, std::size_t* bytes) {
  return guarded([&] {
    int const processors = gpu::detail::current_device().processors;
    int const splits = gpu::detail::wanted_splits(processors, m, inner, count, size_of(kind));
    *bytes = splits == 1 ? 0
                         : static_cast<std::size_t>(m * gpu::detail::part_row_of(m) * count) * sizeof(float) *
                               static_cast<std::size_t>(splits);
  });
}

}  // namespace sigmax::SIGMAX_CUDA_LIBRARY
