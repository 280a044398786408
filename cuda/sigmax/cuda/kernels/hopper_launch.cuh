// SPDX-License-Identifier: MIT
/// @file
/// The definition of `run_hopper`, for the files that instantiate it.
#pragma once

#include <cuda_runtime.h>

#include <sigmax/config.hpp>

#include "hopper_declare.cuh"
#include "hopper_symmetric.cuh"
#include "split_sum.cuh"
#include "status.cuh"
#include "tensor_map.cuh"

namespace sigmax::inline SIGMAX_ABI::gpu::detail {

template <operand_kind Kind>
constexpr CUtensorMapDataType map_type() {
  return Kind == operand_kind::bf16  ? CU_TENSOR_MAP_DATA_TYPE_BFLOAT16
         : Kind == operand_kind::f16 ? CU_TENSOR_MAP_DATA_TYPE_FLOAT16
                                     : CU_TENSOR_MAP_DATA_TYPE_FLOAT32;
}

template <operand_kind Kind, class Result, int TileCols, int Cluster>
void launch_hopper(cudaStream_t stream, symmetric_call const& o, int splits, device_batch const& to, bool has_addend,
                   coefficients const& same, coefficients const* each, int processors) {
  using shape = hopper_shape<operand<Kind>, Result, TileCols, Cluster>;
  constexpr auto element = static_cast<index_t>(sizeof(typename operand<Kind>::storage));
  constexpr auto result_element = static_cast<index_t>(sizeof(Result));
  constexpr auto type = map_type<Kind>();
  constexpr auto result_type = sizeof(Result) == 4 ? CU_TENSOR_MAP_DATA_TYPE_FLOAT32 : type;
  auto const encode = find_encode_tiled();
  auto const left = tensor_map(encode, type, element, o.left);
  auto const right = tensor_map(encode, type, element, o.right);
  auto const result = tensor_map(encode, result_type, result_element, to);
  auto const addend = has_addend ? tensor_map(encode, result_type, result_element, o.addend) : result;

  auto const arguments = hopper_arguments_of<shape>(o, splits, has_addend, same, each);
  auto const kernel = hopper_symmetric<operand<Kind>, Result, TileCols, Cluster>;
  SIGMAX_CUDA_LIBRARY::must(
      cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, shape::shared_bytes),
      "cudaFuncSetAttribute");
  cudaLaunchConfig_t config{};
  config.gridDim = dim3(hopper_blocks<shape, Cluster>(arguments, processors));
  config.blockDim = dim3(shape::threads);
  config.dynamicSmemBytes = shape::shared_bytes;
  config.stream = stream;
  cudaLaunchAttribute attributes[2]{};
  attributes[0].id = cudaLaunchAttributeClusterDimension;
  attributes[0].val.clusterDim.x = Cluster;
  attributes[0].val.clusterDim.y = 1;
  attributes[0].val.clusterDim.z = 1;
  // Begins while the kernel before ends, and waits for it where it first touches memory.
  attributes[1].id = cudaLaunchAttributeProgrammaticStreamSerialization;
  attributes[1].val.programmaticStreamSerializationAllowed = 1;
  int driver = 0;
  SIGMAX_CUDA_LIBRARY::must(cudaDriverGetVersion(&driver), "cudaDriverGetVersion");
  config.attrs = attributes;
  config.numAttrs = driver >= 12030 ? 2 : 1;  // graphs take kernels that begin early from 12.3 on
  SIGMAX_CUDA_LIBRARY::must(cudaLaunchKernelEx(&config, kernel, arguments, left, right, addend, result),
                            "hopper_symmetric");
}

template <operand_kind Kind, class Result>
void choose_hopper(tensor_kernel kernel, cudaStream_t stream, symmetric_call const& o, int splits,
                   device_batch const& to, bool has_addend, coefficients const& same, coefficients const* each,
                   int processors) {
  switch (kernel) {
#if defined(SIGMAX_CUDA_ALL_VARIANTS)
    case tensor_kernel::hopper_128:
      return launch_hopper<Kind, Result, 128, 1>(stream, o, splits, to, has_addend, same, each, processors);
    case tensor_kernel::hopper_256:
      return launch_hopper<Kind, Result, 256, 1>(stream, o, splits, to, has_addend, same, each, processors);
#endif
    case tensor_kernel::hopper_128x2:
      return launch_hopper<Kind, Result, 128, 2>(stream, o, splits, to, has_addend, same, each, processors);
    default:
      return launch_hopper<Kind, Result, 256, 2>(stream, o, splits, to, has_addend, same, each, processors);
  }
}

template <operand_kind Kind>
void run_hopper(tensor_kernel kernel, cudaStream_t stream, symmetric_call const& o, int processors) {
  using T = typename operand<Kind>::storage;
  index_t const m = o.result.rows;
  int splits = o.scratch == nullptr
                   ? 1
                   : wanted_splits(processors, m, o.left.cols, o.result.count, static_cast<index_t>(sizeof(T)));
  auto const row = part_row_of(m);
  auto const part_bytes = static_cast<std::size_t>(m * row * o.result.count) * sizeof(float);
  while (splits > 1 && part_bytes * static_cast<std::size_t>(splits) > o.scratch_bytes) --splits;
  if (splits == 1) {
    choose_hopper<Kind, T>(kernel, stream, o, 1, o.result, (o.addend.data != nullptr), o.same, o.each, processors);
    return;
  }
  // As many parts as have something to add: the last of equal parts may be empty otherwise.
  index_t const blocks = pieces_of(o.left.cols * static_cast<index_t>(sizeof(T)));
  index_t const per_part = (blocks + splits - 1) / splits;
  splits = static_cast<int>((blocks + per_part - 1) / per_part);
  device_batch const parts{o.scratch, m, m, row, m * row, o.result.count * splits};
  launch_hopper<Kind, float, 128, 1>(stream, o, splits, parts, false, {}, nullptr, processors);
  int const boxes = static_cast<int>((m + 63) / 64);
  add_parts<T>
      <<<dim3(static_cast<unsigned>(triangle_size(boxes)), static_cast<unsigned>(o.result.count)), 256, 0, stream>>>(
          o.scratch, splits, static_cast<int>(m), row,
          (o.addend.data != nullptr) ? static_cast<T const*>(o.addend.data) : nullptr, o.addend.row_stride,
          o.addend.stride, static_cast<T*>(o.result.data), o.result.row_stride, o.result.stride, o.same, o.each);
  SIGMAX_CUDA_LIBRARY::must(cudaGetLastError(), "add_parts");
}

}  // namespace sigmax::inline SIGMAX_ABI::gpu::detail
