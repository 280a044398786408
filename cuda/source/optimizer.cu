// SPDX-License-Identifier: MIT
// The elementwise work of optimizers.
#include <sigmax/cuda/kernels/launch.cuh>
#include <sigmax/cuda/kernels/optimizer.cuh>
#include <sigmax/cuda/kernels/tile_schedule.hpp>
#include <sigmax/cuda/library/optimizer.hpp>

namespace sigmax::SIGMAX_CUDA_LIBRARY {

namespace {

dim3 blocks_for(index size) {
  index const blocks = divided_up(size, 1024);
  return dim3(grid_size(blocks < 4096 ? blocks : 4096));
}

}  // namespace

template <class T>
status average_gradient(stream on, T decay, T rest, bool moving_average, bool nesterov, index size, T const* momentum,
                        T* gradient, T* next) {
  return start("average_gradient", average_gradient_kernel<T>, blocks_for(size), dim3(256), on, decay, rest,
               moving_average, nesterov, size, momentum, gradient, next);
}

template <class T>
status normalize_rows(stream on, T floor, strided<T> d) {
  if (d.empty()) return {};
  return start("normalize_rows", normalize_rows_kernel<T>, dim3(grid_size(d.rows < 65535 ? d.rows : 65535)), dim3(256),
               on, floor, d);
}

template <class T>
status adam_update(stream on, adam_numbers<T> numbers, index size, T const* first, T const* second, T* gradient,
                   T* next_first, T* next_second) {
  return start("adam_update", adam_update_kernel<T>, blocks_for(size), dim3(256), on, numbers, size, first, second,
               gradient, next_first, next_second);
}

#define SIGMAX_INSTANTIATE(T)                                                                                          \
  template status average_gradient<T>(stream, T, T, bool, bool, index, T const*, T*, T*);                              \
  template status normalize_rows<T>(stream, T, strided<T>);                                                            \
  template status adam_update<T>(stream, adam_numbers<T>, index, T const*, T const*, T*, T*, T*);
SIGMAX_INSTANTIATE(float)
SIGMAX_INSTANTIATE(double)
#undef SIGMAX_INSTANTIATE

}  // namespace sigmax::SIGMAX_CUDA_LIBRARY
