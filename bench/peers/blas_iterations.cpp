// SPDX-License-Identifier: MIT
#include <algorithm>
#include <utility>

#include "peers/blas_iterations.hpp"

namespace bench::peers {

namespace {

template <class T>
matrix_view<T const> constant(sigmax::matrix<T> const& a) {
  return a.view();
}

/// C = alpha A A^T + beta C for a symmetric C.
template <class T>
void multiply_by_transposed(symmetric_products how, T alpha, matrix_view<T const> a, T beta, matrix_view<T> c) {
  if (how == symmetric_products::by_gemm) {
    gemm(transpose::no, transpose::yes, alpha, a, a, beta, c);
  } else {
    syrk(alpha, a, beta, c);
    mirror(c);
  }
}

/// X <- a X + P X
template <class T>
void apply(T a, sigmax::matrix<T> const& p, iteration_memory<T>& memory) {
  std::copy_n(memory.x.data(), memory.x.size(), memory.y.data());
  gemm(transpose::no, transpose::no, T(1), constant(p), constant(memory.x), a, memory.y.view());
  std::swap(memory.x, memory.y);
}

}  // namespace

template <class T>
void newton_schulz(symmetric_products how, T a, T b, T c, int steps, matrix_view<T const> w,
                   iteration_memory<T>& memory) {
  T const scale = T(1) / frobenius_norm(w);
  std::transform(w.data(), w.data() + w.size(), memory.x.data(), [=](T element) { return scale * element; });
  for (int step = 0; step < steps; ++step) {
    multiply_by_transposed(how, T(1), constant(memory.x), T(0), memory.gram.view());
    std::copy_n(memory.gram.data(), memory.gram.size(), memory.polynomial.data());
    multiply_by_transposed(how, c, constant(memory.gram), b, memory.polynomial.view());
    apply(a, memory.polynomial, memory);
  }
}

template <class T>
void soft_cap(symmetric_products how, T alpha, matrix_view<T const> w, iteration_memory<T>& memory) {
  std::copy_n(w.data(), w.size(), memory.x.data());
  for (T const factor : {-alpha, alpha}) {
    multiply_by_transposed(how, factor, constant(memory.x), T(0), memory.gram.view());
    apply(T(1), memory.gram, memory);
  }
}

template void newton_schulz<float>(symmetric_products, float, float, float, int, matrix_view<float const>,
                                   iteration_memory<float>&);
template void newton_schulz<double>(symmetric_products, double, double, double, int, matrix_view<double const>,
                                    iteration_memory<double>&);
template void soft_cap<float>(symmetric_products, float, matrix_view<float const>, iteration_memory<float>&);
template void soft_cap<double>(symmetric_products, double, matrix_view<double const>, iteration_memory<double>&);

}  // namespace bench::peers
