// SPDX-License-Identifier: MIT
/// @file
/// A backend of device memory without a device, and the backend of host memory whose every bit it must reproduce.
#pragma once

#include <utility>

#include <sigmax/backend/scalar.hpp>
#include <sigmax/core/matrix.hpp>
#include <sigmax/optimizer/elementwise.hpp>

#include "support/emulated_memory.hpp"

namespace sigmax::test {

/// cpu::scalar that takes the ways of algorithms on devices: products in place of numbers one by one.
struct products_on_host : cpu::scalar {
  static constexpr char const* name = "products on host";
  static constexpr bool prefers_products = true;
};

/// The same, and nothing is known of its factorisation but what is found.
struct distrusted_on_host : products_on_host {
  static constexpr bool standard_cholesky = false;
};

/// The primitives of Host on memory that only it may touch. Throws std::logic_error if given any other.
template <class Host = products_on_host>
struct emulated_device {
  using space = device_space;
  using host_backend = Host;
  static constexpr char const* name = "emulated device";
  static constexpr bool standard_rounding = true;
  static constexpr bool fast_symmetric_eigen = false;
  static constexpr bool standard_cholesky = detail::has_standard_cholesky<Host>();
  template <class T>
  using matrix_in = matrix_view<std::type_identity_t<T> const, space>;
  template <class T>
  using vector_in = vector_view<std::type_identity_t<T> const, space>;
  template <class T>
  using given = std::type_identity_t<T>;

  explicit emulated_device(emulated_memory& memory) : memory_(&memory) {}

  sigmax::device_memory device_memory() const { return memory_->source(); }

  template <real T>
  void gram(given<T> alpha, matrix_in<T> x, given<T> beta, matrix_in<T> c, matrix_view<T, space> g) const {
    host_.template gram<T>(alpha, at(x), beta, at(c), at(g));
  }
  template <real T>
  void symmetric_product(given<T> alpha, matrix_in<T> p, matrix_in<T> q, given<T> beta, matrix_in<T> c,
                         matrix_view<T, space> r) const {
    host_.template symmetric_product<T>(alpha, at(p), at(q), beta, at(c), at(r));
  }
  template <real T>
  void multiply(given<T> alpha, matrix_in<T> a, matrix_in<T> b, given<T> beta, matrix_in<T> c,
                matrix_view<T, space> r) const {
    host_.template multiply<T>(alpha, at(a), at(b), beta, at(c), at(r));
  }
  template <real T>
  void times_vector(given<T> alpha, matrix_in<T> a, vector_in<T> x, given<T> beta, vector_view<T, space> y) const {
    host_.template times_vector<T>(alpha, at(a), at(x), beta, at(y));
  }
  template <real T>
  void gram_times_vector(matrix_in<T> x, vector_in<T> v, vector_view<T, space> y) const {
    host_.template gram_times_vector<T>(at(x), at(v), at(y));
  }
  template <real T>
  void combine(given<T> alpha, matrix_in<T> x, given<T> beta, matrix_view<T, space> y) const {
    host_.template combine<T>(alpha, at(x), beta, at(y));
  }
  template <real T, class U, class S>
  void combine_stored(T alpha, matrix_view<U, space> x, given<T> beta, matrix_view<S, space> y) const {
    host_.combine_stored(alpha, at(x), beta, at(y));
  }
  template <real T>
  void divide(given<T> divisor, matrix_view<T, space> y) const {
    host_.template divide<T>(divisor, at(y));
  }
  template <real T>
  void clear_above_diagonal(matrix_view<T, space> y) const {
    host_.clear_above_diagonal(at(y));
  }
  template <class S, class T>
  void convert(matrix_view<S, space> x, matrix_view<T, space> y) const {
    host_.convert(at(x), at(y));
  }
  template <class S, class T>
  void copy_to_host(matrix_view<S, space> x, matrix_view<T> y) const {
    memory_->require_of_host(y);
    host_.convert(at(x), y);
  }
  template <class S, class T>
  void copy_from_host(matrix_view<S> x, matrix_view<T, space> y) const {
    memory_->require_of_host(x);
    host_.convert(x, at(y));
  }
  template <real T>
  void add_to_diagonal(given<T> shift, matrix_view<T, space> y) const {
    host_.template add_to_diagonal<T>(shift, at(y));
  }
  template <class T, class U>
  auto dot(vector_view<T, space> u, vector_view<U, space> v) const {
    return host_.dot(at(u), at(v));
  }
  template <class T>
  auto sum_squares(matrix_view<T, space> x) const {
    return host_.sum_squares(at(x));
  }
  template <class T>
  auto max_abs(matrix_view<T, space> x) const {
    return host_.max_abs(at(x));
  }
  template <real T>
  void row_abs_sums(matrix_in<T> x, vector_view<T, space> sums) const {
    host_.template row_abs_sums<T>(at(x), at(sums));
  }
  template <real T>
  index_t cholesky(matrix_view<T, space> a) const {
    return host_.cholesky(at(a));
  }
  template <real T>
  void triangular_solve(matrix_in<T> l, matrix_view<T, space> b) const {
    host_.template triangular_solve<T>(at(l), at(b));
  }
  template <real T>
  void triangular_solve_transposed(matrix_in<T> l, matrix_view<T, space> b) const {
    host_.template triangular_solve_transposed<T>(at(l), at(b));
  }
  template <real T>
  void symmetric_eigen(matrix_view<T, space> a, vector_view<T, space> values, matrix_view<T, space> vectors) const {
    host_.symmetric_eigen(at(a), at(values), at(vectors));
  }
  template <real T>
  index_t symmetric_eigen_above(given<T> threshold, matrix_view<T, space> a, vector_view<T, space> values,
                                matrix_view<T, space> vectors) const {
    return host_.template symmetric_eigen_above<T>(threshold, at(a), at(values), at(vectors));
  }

  // What optimizers ask for.

  template <real T>
  void average_gradient(momentum_factors<T> const& factors, matrix_in<T> momentum, matrix_view<T, space> g,
                        matrix_view<T, space> next) const {
    detail::average_gradient<T>(factors, at(momentum), at(g), at(next));
  }
  template <real T>
  void normalize_rows(given<T> floor, matrix_view<T, space> d) const {
    detail::normalize_rows<T>(floor, at(d));
  }
  template <real T>
  void adam_update(adam_factors<T> const& factors, matrix_in<T> m, matrix_in<T> v, matrix_view<T, space> g,
                   matrix_view<T, space> next_m, matrix_view<T, space> next_v) const {
    detail::adam_update<T>(factors, at(m), at(v), at(g), at(next_m), at(next_v));
  }

 private:
  template <class View>
  auto at(View x) const {
    return memory_->seen_by_host(x);
  }

  emulated_memory* memory_;
  static constexpr Host host_{};
};

static_assert(backend<emulated_device<>, float> && certifying_backend<emulated_device<>, double>);

/// A matrix of the host put on the device.
template <class T>
device_matrix<T> on_device(emulated_memory& memory, matrix<T> const& w) {
  device_matrix<T> result(memory.source(), w.rows(), w.cols());
  auto const place = memory.seen_by_host(result.view());
  for (index_t i = 0; i < w.rows(); ++i) {
    for (index_t j = 0; j < w.cols(); ++j) place(i, j) = w(i, j);
  }
  return result;
}

/// And back.
template <class T>
matrix<std::remove_const_t<T>> on_host(emulated_memory const& memory, matrix_view<T, device_space> x) {
  return matrix<std::remove_const_t<T>>::copy_of(memory.seen_by_host(x));
}
template <class T>
matrix<T> on_host(emulated_memory const& memory, device_matrix<T> const& w) {
  return on_host(memory, w.view());
}

}  // namespace sigmax::test
