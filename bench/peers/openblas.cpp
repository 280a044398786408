// SPDX-License-Identifier: MIT
#include <concepts>

#include <cblas.h>

#include "peers/openblas.hpp"

extern "C" {
char* openblas_get_config();
char* openblas_get_corename();
void spotrf_(char const* uplo, int const* n, float* a, int const* lda, int* info);
void dpotrf_(char const* uplo, int const* n, double* a, int const* lda, int* info);
}

namespace bench::peers {

namespace {

CBLAS_TRANSPOSE flag(transpose t) { return t == transpose::yes ? CblasTrans : CblasNoTrans; }

template <class T>
int stride(matrix_view<T> a) {
  return static_cast<int>(a.row_stride());
}

}  // namespace

std::string openblas_name() { return std::string(openblas_get_config()) + ", kernels " + openblas_get_corename(); }

template <class T>
void gemm(transpose of_a, transpose of_b, T alpha, matrix_view<T const> a, matrix_view<T const> b, T beta,
          matrix_view<T> c) {
  auto const m = static_cast<int>(c.rows());
  auto const n = static_cast<int>(c.cols());
  auto const k = static_cast<int>(of_a == transpose::yes ? a.rows() : a.cols());
  if constexpr (std::same_as<T, float>) {
    cblas_sgemm(CblasRowMajor, flag(of_a), flag(of_b), m, n, k, alpha, a.data(), stride(a), b.data(), stride(b), beta,
                c.data(), stride(c));
  } else {
    cblas_dgemm(CblasRowMajor, flag(of_a), flag(of_b), m, n, k, alpha, a.data(), stride(a), b.data(), stride(b), beta,
                c.data(), stride(c));
  }
}

template <class T>
void syrk(T alpha, matrix_view<T const> a, T beta, matrix_view<T> c) {
  auto const n = static_cast<int>(a.rows());
  auto const k = static_cast<int>(a.cols());
  if constexpr (std::same_as<T, float>) {
    cblas_ssyrk(CblasRowMajor, CblasLower, CblasNoTrans, n, k, alpha, a.data(), stride(a), beta, c.data(), stride(c));
  } else {
    cblas_dsyrk(CblasRowMajor, CblasLower, CblasNoTrans, n, k, alpha, a.data(), stride(a), beta, c.data(), stride(c));
  }
}

/// In tiles, so that the columns written to stay in the cache.
template <class T>
void mirror(matrix_view<T> c) {
  constexpr index_t tile = 32;
  for (index_t i0 = 0; i0 < c.rows(); i0 += tile) {
    for (index_t j0 = 0; j0 <= i0; j0 += tile) {
      for (index_t i = i0; i < i0 + tile && i < c.rows(); ++i) {
        for (index_t j = j0; j < j0 + tile && j < i; ++j) c(j, i) = c(i, j);
      }
    }
  }
}

template <class T>
void gemv(transpose of_a, T alpha, matrix_view<T const> a, T const* x, T beta, T* y) {
  auto const m = static_cast<int>(a.rows());
  auto const n = static_cast<int>(a.cols());
  if constexpr (std::same_as<T, float>) {
    cblas_sgemv(CblasRowMajor, flag(of_a), m, n, alpha, a.data(), stride(a), x, 1, beta, y, 1);
  } else {
    cblas_dgemv(CblasRowMajor, flag(of_a), m, n, alpha, a.data(), stride(a), x, 1, beta, y, 1);
  }
}

/// LAPACK stores by columns: the lower triangle of a row-major matrix is its upper one.
template <class T>
bool potrf(matrix_view<T> c) {
  auto const n = static_cast<int>(c.rows());
  int const lda = stride(c);
  int info = 0;
  if constexpr (std::same_as<T, float>) {
    spotrf_("U", &n, c.data(), &lda, &info);
  } else {
    dpotrf_("U", &n, c.data(), &lda, &info);
  }
  return info == 0;
}

template <class T>
T frobenius_norm(matrix_view<T const> a) {
  auto const size = static_cast<int>(a.size());
  if constexpr (std::same_as<T, float>) {
    return cblas_snrm2(size, a.data(), 1);
  } else {
    return cblas_dnrm2(size, a.data(), 1);
  }
}

#define SIGMAX_BENCH_INSTANTIATE(T)                                                                                    \
  template void gemm<T>(transpose, transpose, T, matrix_view<T const>, matrix_view<T const>, T, matrix_view<T>);       \
  template void syrk<T>(T, matrix_view<T const>, T, matrix_view<T>);                                                   \
  template void mirror<T>(matrix_view<T>);                                                                             \
  template void gemv<T>(transpose, T, matrix_view<T const>, T const*, T, T*);                                          \
  template bool potrf<T>(matrix_view<T>);                                                                              \
  template T frobenius_norm<T>(matrix_view<T const>);
SIGMAX_BENCH_INSTANTIATE(float)
SIGMAX_BENCH_INSTANTIATE(double)
#undef SIGMAX_BENCH_INSTANTIATE

}  // namespace bench::peers
