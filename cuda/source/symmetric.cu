// SPDX-License-Identifier: MIT
#include <cstdint>

#include <cuda_runtime.h>

#include <sigmax/core/error.hpp>

#include <sigmax/cuda/check_status.hpp>
#include <sigmax/cuda/hopper_launch.hpp>
#include <sigmax/cuda/kernels/ampere_symmetric.cuh>
#include <sigmax/cuda/symmetric.hpp>
#include <sigmax/cuda/tensor_map.hpp>

namespace sigmax::inline SIGMAX_ABI::gpu {

namespace detail {

namespace {

struct device_facts {
  int processors = 0;
  int major = 0;
};

device_facts current_device() {
  int device = 0;
  device_facts facts;
  check_status(cudaGetDevice(&device), "cudaGetDevice");
  check_status(cudaDeviceGetAttribute(&facts.processors, cudaDevAttrMultiProcessorCount, device),
               "cudaDeviceGetAttribute");
  check_status(cudaDeviceGetAttribute(&facts.major, cudaDevAttrComputeCapabilityMajor, device),
               "cudaDeviceGetAttribute");
  return facts;
}

template <operand_kind Kind>
void run_ampere(cudaStream_t stream, operands const& o, symmetric_options const& options) {
  using T = typename operand<Kind>::storage;
  ampere_arguments<operand<Kind>, T> arguments{};
  arguments.left = static_cast<T const*>(o.left.data);
  arguments.right = static_cast<T const*>(o.right.data);
  arguments.addend = o.has_addend ? static_cast<T const*>(o.addend.data) : nullptr;
  arguments.result = static_cast<T*>(o.result.data);
  arguments.order = o.result.rows;
  arguments.inner = o.left.cols;
  arguments.left_row = o.left.row_stride;
  arguments.right_row = o.right.row_stride;
  arguments.addend_row = o.addend.row_stride;
  arguments.result_row = o.result.row_stride;
  arguments.left_col = arguments.right_col = arguments.addend_col = arguments.result_col = 1;
  arguments.left_batch = o.left.stride;
  arguments.right_batch = o.right.stride;
  arguments.addend_batch = o.addend.stride;
  arguments.result_batch = o.result.stride;
  arguments.same = options.same;
  arguments.each = options.each;
  constexpr auto size = static_cast<index_t>(sizeof(T));
  bool const aligned = has_tensor_map(o.left, size) && has_tensor_map(o.right, size);
  auto const kernel = aligned ? ampere_symmetric<operand<Kind>, T, true> : ampere_symmetric<operand<Kind>, T, false>;
  check_status(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, ampere_shared_bytes),
               "cudaFuncSetAttribute");
  int const tiles = static_cast<int>((o.result.rows + ampere_tile - 1) / ampere_tile);
  kernel<<<dim3(static_cast<unsigned>(triangle_size(tiles)), static_cast<unsigned>(o.result.count)), 256,
           ampere_shared_bytes, stream>>>(arguments);
  check_status(cudaGetLastError(), "ampere_symmetric");
}

template <operand_kind Kind>
void run(cudaStream_t stream, operands const& o, symmetric_options const& options) {
  constexpr index_t size = size_of(Kind);
  auto const facts = current_device();
  bool const hopper = facts.major == 9 && has_tensor_map(o.left, size) && has_tensor_map(o.right, size) &&
                      has_tensor_map(o.result, size) && (!o.has_addend || has_tensor_map(o.addend, size)) &&
                      o.left.cols > 0;
  auto kernel = options.kernel;
  if (kernel == tensor_kernel::automatic) {
    kernel = !hopper               ? tensor_kernel::any_shape
             : o.result.rows > 6144 ? tensor_kernel::hopper_256x2
                                    : tensor_kernel::hopper_128x2;
  }
  if (kernel == tensor_kernel::any_shape) return run_ampere<Kind>(stream, o, options);
  if (!hopper) {
    sigmax::detail::raise<domain_error>({"symmetric product: the kernel asked for needs a device of compute capability 9.0 and rows "
                         "that start at multiples of 16 bytes"});
  }
  run_hopper<Kind>(kernel, stream, o, options, facts.processors);
}

void check(char const* function, operands const& o) {
  auto const& d = o.result;
  auto const fits = [&](device_batch const& a, index_t rows, index_t cols) {
    return a.rows == rows && a.cols == cols && a.count == d.count && a.row_stride >= a.cols;
  };
  if (!fits(d, d.rows, d.rows) || !fits(o.left, d.rows, o.left.cols) || !fits(o.right, d.rows, o.left.cols) ||
      (o.has_addend && !fits(o.addend, d.rows, d.rows))) {
    sigmax::detail::raise<shape_error>({function, ": the operands are ", o.left.rows, " x ", o.left.cols, " and ", o.right.rows, " x ",
                        o.right.cols, ", the result ", d.rows, " x ", d.cols, ", in batches of ", o.left.count, ", ",
                        o.right.count, " and ", d.count, "; the result must be square with their rows"});
  }
  if (d.count > 65535) sigmax::detail::raise<shape_error>({function, ": ", d.count, " matrices; at most 65535 are supported"});
  if (o.left.data == nullptr || o.right.data == nullptr || d.data == nullptr) {
    sigmax::detail::raise<domain_error>({function, ": a null pointer was given"});
  }
}

void dispatch(char const* function, cudaStream_t stream, operand_kind kind, operands const& o,
              symmetric_options const& options) {
  if (o.result.rows == 0 || o.result.count == 0) return;
  check(function, o);
  switch (kind) {
    case operand_kind::bf16:
      return run<operand_kind::bf16>(stream, o, options);
    case operand_kind::f16:
      return run<operand_kind::f16>(stream, o, options);
    default:
      return run<operand_kind::tf32>(stream, o, options);
  }
}

}  // namespace

}  // namespace detail

void gram(cudaStream_t stream, operand_kind kind, device_batch const& x, device_batch const& c, device_batch const& d,
          symmetric_options const& options) {
  detail::dispatch("gram", stream, kind, {x, x, c, d, c.data != nullptr}, options);
}

void symmetric_product(cudaStream_t stream, operand_kind kind, device_batch const& p, device_batch const& q,
                       device_batch const& c, device_batch const& d, symmetric_options const& options) {
  detail::dispatch("symmetric_product", stream, kind, {p, q, c, d, c.data != nullptr}, options);
}

std::size_t symmetric_scratch_bytes(operand_kind kind, index_t m, index_t inner, int count) {
  auto const splits =
      detail::wanted_splits(detail::current_device().processors, m, inner, count, size_of(kind));
  return splits == 1 ? 0
                     : static_cast<std::size_t>(m * detail::part_row_of(m) * count) * sizeof(float) *
                           static_cast<std::size_t>(splits);
}

}  // namespace sigmax::inline SIGMAX_ABI::gpu
