// SPDX-License-Identifier: MIT
#include <cstdint>

#include <cuda_runtime.h>

#include <sigmax/cuda/kernels/element.cuh>
#include <sigmax/cuda/kernels/ptx.cuh>
#include <sigmax/cuda/kernels/status.cuh>
#include <sigmax/cuda/kernels/wgmma.cuh>
#include <sigmax/cuda/schedule/shared_memory.hpp>

#include "device_reference.hpp"

namespace reference {

namespace {

namespace detail = sigmax::gpu::detail;

__device__ std::uint32_t mixed(std::uint64_t x) {
  x += 0x9e3779b97f4a7c15ull;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
  return static_cast<std::uint32_t>(x >> 32);
}

template <class T>
__global__ void fill(T* to, long long rows, long long cols, long long row_stride, long long stride, float scale,
                     unsigned seed) {
  for (long long i = blockIdx.x * 256LL + threadIdx.x; i < rows * cols; i += gridDim.x * 256LL) {
    std::uint64_t const key = (static_cast<std::uint64_t>(seed) << 40) +
                              (static_cast<std::uint64_t>(blockIdx.y) << 34) + static_cast<std::uint64_t>(i);
    float const u = (static_cast<float>(mixed(2 * key)) + 0.5f) * 0x1p-32f;
    float const v = (static_cast<float>(mixed(2 * key + 1)) + 0.5f) * 0x1p-32f;
    to[blockIdx.y * stride + i / cols * row_stride + i % cols] =
        detail::from_float<T>(scale * sqrtf(-2.0f * logf(u)) * cospif(2.0f * v));
  }
}

struct totals {
  unsigned long long error_bits, value_bits, unsymmetric, not_finite;
};

template <class T>
__global__ void compare_elements(T const* a, T const* b, T const* c, T const* d, int order, int inner, long long a_row,
                                 long long b_row, long long c_row, long long d_row, long long a_batch,
                                 long long b_batch, long long c_batch, long long d_batch, coefficients const k,
                                 totals* all) {
  int const row = static_cast<int>(blockIdx.y) * 16 + static_cast<int>(threadIdx.y);
  int const col = static_cast<int>(blockIdx.x) * 16 + static_cast<int>(threadIdx.x);
  if (row >= order || col > row) return;
  T const* const x = a + blockIdx.z * a_batch + row * a_row;
  T const* const y = b + blockIdx.z * b_batch + col * b_row;
  double sum = 0;
  for (int i = 0; i < inner; ++i) {
    sum += static_cast<double>(detail::to_float(x[i])) * static_cast<double>(detail::to_float(y[i]));
  }
  double exact = static_cast<double>(k.alpha) * sum;
  if (c != nullptr) {
    exact += static_cast<double>(k.beta) *
             static_cast<double>(detail::to_float(c[blockIdx.z * c_batch + row * c_row + col]));
  }
  if (row == col) exact += static_cast<double>(k.diagonal);
  T const* const result = d + blockIdx.z * d_batch;
  float const lower = detail::to_float(result[row * d_row + col]);
  float const upper = detail::to_float(result[col * d_row + row]);
  if (!isfinite(lower)) atomicAdd(&all->not_finite, 1ull);
  if (__float_as_uint(lower) != __float_as_uint(upper)) atomicAdd(&all->unsymmetric, 1ull);
  atomicMax(&all->error_bits, static_cast<unsigned long long>(__double_as_longlong(fabs(lower - exact))));
  atomicMax(&all->value_bits, static_cast<unsigned long long>(__double_as_longlong(fabs(exact))));
}

template <class Operand>
__global__ void __launch_bounds__(256, 1) multiply_only(int times, float* sink) {
#if defined(__CUDA_ARCH_FEAT_SM90_ALL)
  extern __shared__ unsigned char memory[];
  std::uint32_t const base = (detail::ptx::shared_address(memory) + 1023u) & ~1023u;
  auto* const numbers = reinterpret_cast<typename Operand::storage*>(memory);
  constexpr int count = 49152 / static_cast<int>(sizeof(typename Operand::storage));
  for (int i = static_cast<int>(threadIdx.x); i < count + 512; i += 256) {
    numbers[i] = detail::from_float<typename Operand::storage>(
        static_cast<float>(mixed(static_cast<std::uint64_t>(i))) * 0x1p-31f - 1.0f);
  }
  asm volatile("fence.proxy.async.shared::cta;" ::: "memory");
  __syncthreads();
  float d[128] = {};
  std::uint64_t const a = detail::operand_descriptor(base + threadIdx.x / 128 * 8192);
  std::uint64_t const b = detail::operand_descriptor(base + 16384);
  for (int t = 0; t < times; ++t) {
    detail::ptx::wgmma_fence();
#pragma unroll
    for (int slice = 0; slice < 4; ++slice) {
      detail::ptx::wgmma<Operand>(d, a + static_cast<std::uint64_t>(2 * slice),
                                  b + static_cast<std::uint64_t>(2 * slice), 1);
    }
    detail::ptx::wgmma_commit();
    detail::ptx::wgmma_wait<0>();
  }
  detail::ptx::keep_here(d);
  float sum = 0;
  for (float const x : d) sum += x;
  if (sum == 12345.0f) *sink = sum;
#endif
}

__global__ void gram_elements(float const* x, long long count, long long inner, long long row, long long step,
                              double* to) {
  long long const i = blockIdx.y * 16LL + threadIdx.y;
  long long const j = blockIdx.x * 16LL + threadIdx.x;
  if (i >= count || j >= count) return;
  double sum = 0;
  for (long long k = 0; k < inner; ++k) {
    sum += static_cast<double>(x[i * row + k * step]) * static_cast<double>(x[j * row + k * step]);
  }
  to[i * count + j] = sum;
}

__global__ void add_bits(std::uint32_t const* words, std::size_t count, unsigned long long* sum) {
  unsigned long long own = 0;
  for (std::size_t i = blockIdx.x * 256ull + threadIdx.x; i < count; i += gridDim.x * 256ull) {
    own += mixed((static_cast<std::uint64_t>(i) << 32) ^ words[i]);
  }
  atomicAdd(sum, own);
}

template <class Run>
void with_kind(operand_kind kind, Run const& run) {
  switch (kind) {
    case operand_kind::bf16:
      return run(detail::operand<operand_kind::bf16>{});
    case operand_kind::f16:
      return run(detail::operand<operand_kind::f16>{});
    default:
      return run(detail::operand<operand_kind::tf32>{});
  }
}

}  // namespace

void fill_normal(cudaStream_t stream, operand_kind kind, device_batch const& a, float scale, unsigned seed) {
  with_kind(kind, [&](auto operand) {
    using T = typename decltype(operand)::storage;
    fill<T><<<dim3(512, static_cast<unsigned>(a.count)), 256, 0, stream>>>(static_cast<T*>(a.data), a.rows, a.cols,
                                                                           a.row_stride, a.stride, scale, seed);
  });
  sigmax::SIGMAX_CUDA_LIBRARY::must(cudaGetLastError(), "fill");
}

difference compare(cudaStream_t stream, operand_kind kind, device_batch const& a, device_batch const& b,
                   device_batch const& c, device_batch const& d, coefficients const& k) {
  totals* all = nullptr;
  sigmax::SIGMAX_CUDA_LIBRARY::must(cudaMalloc(&all, sizeof(totals)), "cudaMalloc");
  sigmax::SIGMAX_CUDA_LIBRARY::must(cudaMemsetAsync(all, 0, sizeof(totals), stream), "cudaMemsetAsync");
  auto const blocks = static_cast<unsigned>((d.rows + 15) / 16);
  with_kind(kind, [&](auto operand) {
    using T = typename decltype(operand)::storage;
    compare_elements<T><<<dim3(blocks, blocks, static_cast<unsigned>(d.count)), dim3(16, 16), 0, stream>>>(
        static_cast<T const*>(a.data), static_cast<T const*>(b.data), static_cast<T const*>(c.data),
        static_cast<T const*>(d.data), static_cast<int>(d.rows), static_cast<int>(a.cols), a.row_stride, b.row_stride,
        c.row_stride, d.row_stride, a.stride, b.stride, c.stride, d.stride, k, all);
  });
  sigmax::SIGMAX_CUDA_LIBRARY::must(cudaGetLastError(), "compare_elements");
  totals host{};
  sigmax::SIGMAX_CUDA_LIBRARY::must(cudaMemcpyAsync(&host, all, sizeof(host), cudaMemcpyDeviceToHost, stream),
                                    "cudaMemcpyAsync");
  sigmax::SIGMAX_CUDA_LIBRARY::must(cudaStreamSynchronize(stream), "cudaStreamSynchronize");
  cudaFree(all);
  difference result;
  static_assert(sizeof(double) == sizeof(unsigned long long));
  __builtin_memcpy(&result.largest_error, &host.error_bits, sizeof(double));
  __builtin_memcpy(&result.largest_value, &host.value_bits, sizeof(double));
  result.unsymmetric = static_cast<long long>(host.unsymmetric);
  result.not_finite = static_cast<long long>(host.not_finite);
  return result;
}

void gram_in_double(cudaStream_t stream, float const* x, index_t rows, index_t cols, bool columns, double* to_host) {
  using sigmax::SIGMAX_CUDA_LIBRARY::must;
  index_t const count = columns ? cols : rows;
  auto const bytes = static_cast<std::size_t>(count * count) * sizeof(double);
  double* all = nullptr;
  must(cudaMalloc(&all, bytes), "cudaMalloc");
  auto const blocks = static_cast<unsigned>((count + 15) / 16);
  gram_elements<<<dim3(blocks, blocks), dim3(16, 16), 0, stream>>>(x, count, columns ? rows : cols, columns ? 1 : cols,
                                                                   columns ? cols : 1, all);
  must(cudaMemcpyAsync(to_host, all, bytes, cudaMemcpyDeviceToHost, stream), "cudaMemcpyAsync");
  must(cudaStreamSynchronize(stream), "cudaStreamSynchronize");
  cudaFree(all);
}

unsigned long long fingerprint(cudaStream_t stream, void const* data, std::size_t bytes) {
  using sigmax::SIGMAX_CUDA_LIBRARY::must;
  unsigned long long* sum = nullptr;
  unsigned long long host = 0;
  must(cudaMalloc(&sum, sizeof(host)), "cudaMalloc");
  must(cudaMemsetAsync(sum, 0, sizeof(host), stream), "cudaMemsetAsync");
  add_bits<<<1024, 256, 0, stream>>>(static_cast<std::uint32_t const*>(data), bytes / 4, sum);
  must(cudaMemcpyAsync(&host, sum, sizeof(host), cudaMemcpyDeviceToHost, stream), "cudaMemcpyAsync");
  must(cudaStreamSynchronize(stream), "cudaStreamSynchronize");
  cudaFree(sum);
  return host;
}

rate tensor_core_rate(cudaStream_t stream, operand_kind kind) {
  constexpr int times = 20000;
  constexpr int bytes = 49152 + 2048;
  int processors = 0;
  sigmax::SIGMAX_CUDA_LIBRARY::must(cudaDeviceGetAttribute(&processors, cudaDevAttrMultiProcessorCount, 0),
                                    "cudaDeviceGetAttribute");
  cudaEvent_t begin = nullptr;
  cudaEvent_t end = nullptr;
  sigmax::SIGMAX_CUDA_LIBRARY::must(cudaEventCreate(&begin), "cudaEventCreate");
  sigmax::SIGMAX_CUDA_LIBRARY::must(cudaEventCreate(&end), "cudaEventCreate");
  with_kind(kind, [&](auto operand) {
    auto const kernel = multiply_only<decltype(operand)>;
    sigmax::SIGMAX_CUDA_LIBRARY::must(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, bytes),
                                      "cudaFuncSetAttribute");
    kernel<<<processors, 256, bytes, stream>>>(200, nullptr);
    cudaEventRecord(begin, stream);
    kernel<<<processors, 256, bytes, stream>>>(times, nullptr);
    cudaEventRecord(end, stream);
  });
  sigmax::SIGMAX_CUDA_LIBRARY::must(cudaStreamSynchronize(stream), "multiply_only");
  float ms = 0;
  cudaEventElapsedTime(&ms, begin, end);
  cudaEventDestroy(begin);
  cudaEventDestroy(end);
  int const inner = kind == operand_kind::tf32 ? 32 : 64;
  return {static_cast<double>(ms), 2.0 * 128 * 256 * inner * static_cast<double>(times) * processors};
}

}  // namespace reference
