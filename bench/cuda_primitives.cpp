// SPDX-License-Identifier: MIT
// The primitives of gpu::cuda in IEEE arithmetic, and cuBLAS and cuSOLVER beside them, on the same matrices.
// Usage: bench_cuda_primitives [--json FILE]
#include <cstdint>
#include <cstdio>
#include <string>
#include <type_traits>
#include <utility>

#include <cublas_v2.h>
#include <cusolverDn.h>

#include <sigmax/core/matrix.hpp>
#include <sigmax/core/random.hpp>
#include <sigmax/core/workspace.hpp>
#include <sigmax/cuda/backend.hpp>
#include <sigmax/cuda/device_matrix.hpp>
#include <sigmax/cuda/tf32_backend.hpp>

#include "cuda/measure.hpp"
#include "cuda/program.hpp"
#include "cuda/random_matrix.hpp"

using sigmax::index_t;
namespace gpu = sigmax::gpu;
namespace bench = sigmax::bench;
using sigmax::test::random_on_device;

namespace {

void check(cublasStatus_t code) {
  if (code != CUBLAS_STATUS_SUCCESS) throw std::runtime_error("cuBLAS: status " + std::to_string(code));
}
void check(cusolverStatus_t code) {
  if (code != CUSOLVER_STATUS_SUCCESS) throw std::runtime_error("cuSOLVER: status " + std::to_string(code));
}

/// Peers in float and double by one name. Row-major X of m x n is cuBLAS's X^T, n x m.
template <class T>
struct peer {
  cublasHandle_t blas;
  cusolverDnHandle_t solver;
  static constexpr cudaDataType type = std::is_same_v<T, float> ? CUDA_R_32F : CUDA_R_64F;

  void gemm(index_t m, index_t n, index_t k, T const* a, T const* b, T* c) const {
    T const one(1), zero(0);
    auto const computed = std::is_same_v<T, float> ? CUBLAS_COMPUTE_32F_PEDANTIC : CUBLAS_COMPUTE_64F_PEDANTIC;
    check(cublasGemmEx(blas, CUBLAS_OP_N, CUBLAS_OP_N, static_cast<int>(n), static_cast<int>(m), static_cast<int>(k),
                       &one, b, type, static_cast<int>(n), a, type, static_cast<int>(k), &zero, c, type,
                       static_cast<int>(n), computed, CUBLAS_GEMM_DEFAULT));
  }
  void syrk(index_t m, index_t n, T const* x, T* g) const {
    T const one(1), zero(0);
    auto const order = static_cast<int>(m);
    auto const depth = static_cast<int>(n);
    if constexpr (std::is_same_v<T, float>) {
      check(cublasSsyrk(blas, CUBLAS_FILL_MODE_UPPER, CUBLAS_OP_T, order, depth, &one, x, depth, &zero, g, order));
    } else {
      check(cublasDsyrk(blas, CUBLAS_FILL_MODE_UPPER, CUBLAS_OP_T, order, depth, &one, x, depth, &zero, g, order));
    }
  }
  void gemv(index_t m, index_t n, T const* a, T const* x, T* y) const {
    T const one(1), zero(0);
    auto const rows = static_cast<int>(n);
    auto const cols = static_cast<int>(m);
    if constexpr (std::is_same_v<T, float>) {
      check(cublasSgemv(blas, CUBLAS_OP_T, rows, cols, &one, a, rows, x, 1, &zero, y, 1));
    } else {
      check(cublasDgemv(blas, CUBLAS_OP_T, rows, cols, &one, a, rows, x, 1, &zero, y, 1));
    }
  }
};

template <class T>
void measure(gpu::stream const& stream, peer<T> const& other, bench::rows& rows) {
  sigmax::workspace memory;
  gpu::cuda const on = gpu::cuda(stream).using_scratch(memory);
  std::string const suffix = std::is_same_v<T, float> ? ", fp32" : ", fp64";
  auto const time = [&](auto const& work) { return bench::median_milliseconds(stream, work); };
  auto const shape = [](index_t m, index_t n) { return std::to_string(m) + " x " + std::to_string(n); };
  auto const distance = [&](gpu::device_matrix<T>& a, gpu::device_matrix<T> const& b) {
    on.combine(T(-1), b.view(), T(1), a.view());
    return static_cast<double>(on.max_abs(a.view()) / on.max_abs(b.view()));
  };
  for (auto const& [m, n] :
       {std::pair<index_t, index_t>{768, 768}, {768, 3072}, {768, 50304}, {2048, 2048}, {4096, 4096}}) {
    auto const rows_of_x = m, cols_of_x = n;
    auto const x = random_on_device<T>(stream, m, n, 1);
    gpu::device_matrix<T> g(stream, m, m), h(stream, m, m);
    double const products = static_cast<double>(m) * static_cast<double>(m) * static_cast<double>(n);
    double ms = time([&] { on.gram(T(1), x.view(), T(0), g.view(), g.view()); });
    double const ms_gemm = time([&] { other.gemm(rows_of_x, rows_of_x, cols_of_x, x.data(), x.data(), h.data()); });
    // gemm with b = x read as n x m: other numbers, the same work.
    double const ms_syrk = time([&] { other.syrk(rows_of_x, cols_of_x, x.data(), h.data()); });
    rows.add({"gram" + suffix, shape(m, n), "sigmax", ms, products, 0, -1});
    rows.add({"gram" + suffix, shape(m, n), "cuBLAS syrk", ms_syrk, products, 0, -1});
    rows.add({"gram" + suffix, shape(m, n), "cuBLAS gemm", ms_gemm, 2 * products, 0, -1});
    gpu::device_matrix<T> y(stream, m, n), z(stream, m, n);
    ms = time([&] { on.multiply(T(1), g.view(), x.view(), T(0), y.view(), y.view()); });
    double const ms_other = time([&] { other.gemm(rows_of_x, cols_of_x, rows_of_x, g.data(), x.data(), z.data()); });
    double const error = distance(y, z);
    rows.add({"multiply" + suffix, shape(m, n), "sigmax", ms, 2 * products, 0, error});
    rows.add({"multiply" + suffix, shape(m, n), "cuBLAS gemm", ms_other, 2 * products, 0, -1});
    ms = time([&] { on.symmetric_product(T(1), g.view(), g.view(), T(0), h.view(), h.view()); });
    rows.add({"symmetric_product" + suffix, shape(m, m), "sigmax", ms,
              static_cast<double>(m) * static_cast<double>(m) * static_cast<double>(m), 0, -1});
    if constexpr (std::is_same_v<T, float>) {
      auto const fast = gpu::cuda_tf32(stream).using_scratch(memory);
      gpu::device_matrix<T> exact(stream, m, m);
      on.gram(T(1), x.view(), T(0), exact.view(), exact.view());
      ms = time([&] { fast.gram(T(1), x.view(), T(0), h.view(), h.view()); });
      rows.add({"gram" + suffix, shape(m, n), "sigmax, TF32", ms, products, 0, distance(h, exact)});
      on.multiply(T(1), g.view(), x.view(), T(0), z.view(), z.view());
      ms = time([&] { fast.multiply(T(1), g.view(), x.view(), T(0), y.view(), y.view()); });
      rows.add({"multiply" + suffix, shape(m, n), "sigmax, TF32 (cuBLASLt)", ms, 2 * products, 0, distance(y, z)});
    }
    auto const v = random_on_device<T>(stream, 1, n, 2);
    gpu::device_matrix<T> w(stream, 1, m), u(stream, 1, n);
    double const bytes = static_cast<double>(m) * static_cast<double>(n) * sizeof(T);
    ms = time([&] { on.times_vector(T(1), x.view(), v.view().row(0), T(0), w.view().row(0)); });
    rows.add({"times_vector" + suffix, shape(m, n), "sigmax", ms, 0, bytes, -1});
    ms = time([&] { other.gemv(rows_of_x, cols_of_x, x.data(), v.data(), w.data()); });
    rows.add({"times_vector" + suffix, shape(m, n), "cuBLAS gemv", ms, 0, bytes, -1});
    ms = time([&] { on.times_vector(T(1), x.view().transposed(), w.view().row(0), T(0), u.view().row(0)); });
    rows.add({"transposed times_vector" + suffix, shape(m, n), "sigmax", ms, 0, bytes, -1});
    ms = time([&] { on.gram_times_vector(x.view(), v.view().row(0), u.view().row(0)); });
    rows.add({"gram_times_vector" + suffix, shape(m, n), "sigmax", ms, 0, bytes, -1});
    ms = time([&] { (void)on.sum_squares(x.view()); });
    rows.add({"sum_squares" + suffix, shape(m, n), "sigmax", ms, 0, bytes, -1});
    ms = time([&] { on.combine(T(0.5), x.view(), T(0.5), y.view()); });
    rows.add({"combine" + suffix, shape(m, n), "sigmax", ms, 0, 3 * bytes, -1});
  }
  for (index_t const n : {768, 2048, 4096}) {
    auto const x = random_on_device<T>(stream, n, 2 * n, 3);
    gpu::device_matrix<T> a(stream, n, n);
    on.gram(T(1), x.view(), T(0), a.view(), a.view());
    gpu::device_matrix<T> factor(stream, n, n);
    double const copied = time([&] { on.combine(T(1), a.view(), T(0), factor.view()); });
    double const flops = static_cast<double>(n) * static_cast<double>(n) * static_cast<double>(n) / 3;
    double const ms = time([&] {
      on.combine(T(1), a.view(), T(0), factor.view());
      if (on.cholesky(factor.view()) != n) throw std::runtime_error("cholesky failed");
    });
    rows.add({"cholesky" + suffix, shape(n, n), "sigmax", ms - copied, flops, 0, -1});
    gpu::device_matrix<T> square(stream, n, n);
    on.combine(T(1), a.view(), T(0), square.view());
    double const solve = time([&] { on.triangular_solve(factor.view(), square.view()); });
    rows.add({"triangular_solve" + suffix, shape(n, n), "sigmax", solve, 3 * flops, 0, -1});
    int size = 0;
    auto const order = static_cast<int>(n);
    if constexpr (std::is_same_v<T, float>) {
      check(cusolverDnSpotrf_bufferSize(other.solver, CUBLAS_FILL_MODE_UPPER, order, factor.data(), order, &size));
    } else {
      check(cusolverDnDpotrf_bufferSize(other.solver, CUBLAS_FILL_MODE_UPPER, order, factor.data(), order, &size));
    }
    gpu::device_matrix<T> work(stream, 1, size + 1);
    double const theirs = time([&] {
      on.combine(T(1), a.view(), T(0), factor.view());
      auto* const info = reinterpret_cast<int*>(work.data() + size);
      if constexpr (std::is_same_v<T, float>) {
        check(cusolverDnSpotrf(other.solver, CUBLAS_FILL_MODE_UPPER, order, factor.data(), order, work.data(), size,
                               info));
      } else {
        check(cusolverDnDpotrf(other.solver, CUBLAS_FILL_MODE_UPPER, order, factor.data(), order, work.data(), size,
                               info));
      }
    });
    rows.add({"cholesky" + suffix, shape(n, n), "cuSOLVER potrf", theirs - copied, flops, 0, -1});
  }
  for (index_t const n : {128, 768, 2048}) {
    auto const x = random_on_device<T>(stream, n, 2 * n, 3);
    gpu::device_matrix<T> a(stream, n, n), vectors(stream, n, n), values(stream, 1, n);
    on.gram(T(1), x.view(), T(0), a.view(), a.view());
    double const ms = bench::median_milliseconds(
        stream, [&] { on.symmetric_eigen(a.view(), values.view().row(0), vectors.view()); }, 3);
    rows.add({"symmetric_eigen" + suffix, shape(n, n), "sigmax (cuSOLVER)", ms, 0, 0, -1});
  }
}

}  // namespace

int main(int count, char** arguments) {
  bench::rows rows;
  return bench::run_program("bench_cuda_primitives", count, arguments, rows, [&](std::vector<std::string> const&) {
    gpu::stream const stream;
    cublasHandle_t blas = nullptr;
    cusolverDnHandle_t solver = nullptr;
    check(cublasCreate(&blas));
    check(cublasSetStream(blas, stream));
    check(cusolverDnCreate(&solver));
    check(cusolverDnSetStream(solver, stream));
    cudaDeviceProp device;
    bench::check(cudaGetDeviceProperties(&device, 0), "cudaGetDeviceProperties");
    std::printf("%s, %d multiprocessors\n", device.name, device.multiProcessorCount);
    measure<float>(stream, {blas, solver}, rows);
    measure<double>(stream, {blas, solver}, rows);
    check(cusolverDnDestroy(solver));
    check(cublasDestroy(blas));
    return 0;
  });
}
