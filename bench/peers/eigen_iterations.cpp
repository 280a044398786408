// SPDX-License-Identifier: MIT
#include <Eigen/Dense>

#include "peers/eigen_iterations.hpp"

namespace bench::peers {

namespace {

template <class T>
using row_major = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

template <class T>
Eigen::Map<row_major<T> const> map(sigmax::matrix_view<T const> a) {
  return {a.data(), a.rows(), a.cols()};
}

template <class T>
Eigen::Map<row_major<T>> map(sigmax::matrix_view<T> a) {
  return {a.data(), a.rows(), a.cols()};
}

}  // namespace

void set_eigen_threads(int threads) { Eigen::setNbThreads(threads); }

template <class T>
void eigen_product(sigmax::matrix_view<T const> a, sigmax::matrix_view<T const> b, sigmax::matrix_view<T> c) {
  map(c).noalias() = map(a) * map(b);
}

template <class T>
void eigen_gram(sigmax::matrix_view<T const> a, sigmax::matrix_view<T> c) {
  map(c).noalias() = map(a) * map(a).transpose();
}

template <class T>
void eigen_newton_schulz(T a, T b, T c, int steps, sigmax::matrix_view<T const> w, sigmax::matrix_view<T> result) {
  row_major<T> X = map(w) / map(w).norm();
  for (int step = 0; step < steps; ++step) {
    row_major<T> const A = X * X.transpose();
    row_major<T> const B = b * A + c * (A * A);
    X = a * X + B * X;
  }
  map(result) = X;
}

template <class T>
void eigen_soft_cap(T alpha, sigmax::matrix_view<T const> w, sigmax::matrix_view<T> result) {
  row_major<T> X = map(w);
  X = X - alpha * ((X * X.transpose()) * X);
  X = X + alpha * ((X * X.transpose()) * X);
  map(result) = X;
}

#define SIGMAX_BENCH_INSTANTIATE(T)                                                                                    \
  template void eigen_product<T>(sigmax::matrix_view<T const>, sigmax::matrix_view<T const>, sigmax::matrix_view<T>);  \
  template void eigen_gram<T>(sigmax::matrix_view<T const>, sigmax::matrix_view<T>);                                   \
  template void eigen_newton_schulz<T>(T, T, T, int, sigmax::matrix_view<T const>, sigmax::matrix_view<T>);            \
  template void eigen_soft_cap<T>(T, sigmax::matrix_view<T const>, sigmax::matrix_view<T>);
SIGMAX_BENCH_INSTANTIATE(float)
SIGMAX_BENCH_INSTANTIATE(double)
#undef SIGMAX_BENCH_INSTANTIATE

}  // namespace bench::peers
