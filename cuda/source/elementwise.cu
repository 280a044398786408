// SPDX-License-Identifier: MIT
// combine, convert, add_to_diagonal and the reductions.
#include <sigmax/cuda/kernels/elementwise.cuh>
#include <sigmax/cuda/kernels/launch.cuh>
#include <sigmax/cuda/kernels/tile_schedule.hpp>
#include <sigmax/cuda/library/elementwise.hpp>

namespace sigmax::SIGMAX_CUDA_LIBRARY {

namespace {

template <class T>
bool is_dense(strided<T> const& x) {
  return x.col_stride == 1 && (x.row_stride == x.cols || x.rows == 1);
}

/// Turned so that neighbours in a row of `leading` are close in memory, and to a single row where both are dense.
template <class S, class T>
void arrange(strided<S>& other, strided<T>& leading) {
  if (magnitude(leading.row_stride) < magnitude(leading.col_stride) || leading.cols == 1) {
    leading = leading.transposed();
    other = other.transposed();
  }
  if (is_dense(leading) && is_dense(other)) {
    index const size = leading.rows * leading.cols;
    leading = {leading.data, 1, size, size, 1};
    other = {other.data, 1, size, size, 1};
  }
}

index at_most(index a, index b) { return a < b ? a : b; }

template <class Map, class S, class T>
status map_elements(char const* name, stream on, Map map, strided<S const> x, strided<T> y) {
  if (y.empty()) return {};
  arrange(x, y);
  dim3 const grid(grid_size(at_most(divided_up(y.cols, 1024), 2048)), grid_size(at_most(y.rows, 4096)));
  return start(name, map_kernel<Map, S, T>, grid, dim3(256), on, map, x, y);
}

template <class Term, class T>
status reduce_elements(char const* name, stream on, reduction_memory memory, strided<T const> x, strided<T const> y,
                       typename Term::value* result) {
  using value = typename Term::value;
  *result = value(0);
  if (x.empty()) return {};
  arrange(y, x);
  auto* const partials = static_cast<value*>(memory.partials);
  // At most 4096 partial results: 32 KiB of double.
  index const across = at_most(divided_up(x.cols, 2048), x.rows == 1 ? 1024 : 64);
  dim3 const grid(grid_size(across), grid_size(at_most(x.rows, 64)));
  auto failed = start(name, reduce_elements_kernel<Term, T>, grid, dim3(256), on, x, y, partials);
  if (failed.failed()) return failed;
  int const count = static_cast<int>(grid.x * grid.y);
  if (count > 1) {
    failed =
        start(name, reduce_partials_kernel<typename Term::operation, value>, dim3(1), dim3(256), on, partials, count);
    if (failed.failed()) return failed;
  }
  failed = runtime_status(cudaMemcpyAsync(result, partials, sizeof(value), cudaMemcpyDeviceToHost, on), name);
  if (failed.failed()) return failed;
  return runtime_status(cudaStreamSynchronize(on), name);
}

template <class T, class S>
strided<T> as(strided<S> x) {
  return {static_cast<T*>(x.data), x.rows, x.cols, x.row_stride, x.col_stride};
}

/// f(S{}) for the scalar S that `type` names.
template <class F>
status with_scalar(scalar_type type, F const& f) {
  switch (type) {
    case scalar_type::float32:
      return f(float{});
    case scalar_type::float64:
      return f(double{});
    case scalar_type::bfloat16:
      return f(bf16{});
    case scalar_type::float16:
      return f(f16{});
  }
  return {origin::runtime, static_cast<int>(cudaErrorInvalidValue), "scalar_type"};
}

}  // namespace

template <class T>
status combine(stream on, T alpha, strided<T const> x, T beta, strided<T> y) {
  return map_elements("combine", on, combination<T>{alpha, beta}, x, y);
}

template <class T>
status combine_stored(stream on, T alpha, scalar_type of_x, strided<void const> x, T beta, scalar_type of_y,
                      strided<void> y) {
  return with_scalar(of_x, [&](auto from) {
    return with_scalar(of_y, [&](auto to) {
      return map_elements("combine_stored", on, stored_combination<T>{alpha, beta}, as<decltype(from) const>(x),
                          as<decltype(to)>(y));
    });
  });
}

template <class T>
status divide(stream on, T divisor, strided<T> y) {
  return map_elements<division<T>, T, T>("divide", on, {divisor}, {y.data, y.rows, y.cols, y.row_stride, y.col_stride},
                                         y);
}

status convert(stream on, scalar_type of_x, strided<void const> x, scalar_type of_y, strided<void> y) {
  return with_scalar(of_x, [&](auto from) {
    return with_scalar(of_y, [&](auto to) {
      return map_elements("convert", on, conversion(), as<decltype(from) const>(x), as<decltype(to)>(y));
    });
  });
}

template <class T>
status clear_above_diagonal(stream on, strided<T> y) {
  if (y.empty()) return {};
  dim3 const grid(grid_size(divided_up(y.cols, 256)), grid_size(at_most(y.rows, 4096)));
  return start("clear_above_diagonal", clear_above_diagonal_kernel<T>, grid, dim3(256), on, y);
}

template <class T>
status add_to_diagonal(stream on, T shift, strided<T> y) {
  return start("add_to_diagonal", add_to_diagonal_kernel<T>, dim3(grid_size(divided_up(y.rows, 256))), dim3(256), on,
               shift, y);
}

template <class T>
status dot(stream on, reduction_memory memory, strided_vector<T const> u, strided_vector<T const> v, T* result) {
  return reduce_elements<product_of_elements<T>, T>("dot", on, memory, {u.data, 1, u.size, u.size * u.stride, u.stride},
                                                    {v.data, 1, v.size, v.size * v.stride, v.stride}, result);
}

template <class T>
status sum_squares(stream on, reduction_memory memory, strided<T const> x, T* result) {
  return reduce_elements<square_of_element<T>, T>("sum_squares", on, memory, x, x, result);
}

status max_abs(stream on, reduction_memory memory, scalar_type of_x, strided<void const> x, double* result) {
  return with_scalar(of_x, [&](auto element) {
    using stored = decltype(element);
    typename magnitude_of_element<stored>::value largest;
    auto const elements = as<stored const>(x);
    auto const failed =
        reduce_elements<magnitude_of_element<stored>, stored>("max_abs", on, memory, elements, elements, &largest);
    *result = static_cast<double>(largest);
    return failed;
  });
}

#define SIGMAX_INSTANTIATE(T)                                                                                          \
  template status combine<T>(stream, T, strided<T const>, T, strided<T>);                                              \
  template status combine_stored<T>(stream, T, scalar_type, strided<void const>, T, scalar_type, strided<void>);       \
  template status divide<T>(stream, T, strided<T>);                                                                    \
  template status clear_above_diagonal<T>(stream, strided<T>);                                                         \
  template status add_to_diagonal<T>(stream, T, strided<T>);                                                           \
  template status dot<T>(stream, reduction_memory, strided_vector<T const>, strided_vector<T const>, T*);              \
  template status sum_squares<T>(stream, reduction_memory, strided<T const>, T*);
SIGMAX_INSTANTIATE(float)
SIGMAX_INSTANTIATE(double)
#undef SIGMAX_INSTANTIATE

}  // namespace sigmax::SIGMAX_CUDA_LIBRARY
