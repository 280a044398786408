// SPDX-License-Identifier: MIT
/// @file
/// The backend of matrices in device memory.
#pragma once

#include <cstddef>
#include <limits>
#include <memory>
#include <type_traits>

#include <sigmax/backend/concept.hpp>
#include <sigmax/backend/default_backend.hpp>
#include <sigmax/config.hpp>
#include <sigmax/core/device_memory.hpp>
#include <sigmax/core/matrix_view.hpp>
#include <sigmax/core/scalar.hpp>
#include <sigmax/core/workspace.hpp>
#include <sigmax/cuda/context.hpp>
#include <sigmax/cuda/copies.hpp>
#include <sigmax/cuda/device_memory.hpp>
#include <sigmax/cuda/error.hpp>
#include <sigmax/cuda/library/elementwise.hpp>
#include <sigmax/cuda/library/factorizations.hpp>
#include <sigmax/cuda/library/optimizer.hpp>
#include <sigmax/cuda/library/products.hpp>
#include <sigmax/cuda/stream.hpp>
#include <sigmax/cuda/views.hpp>
#include <sigmax/optimizer/elementwise.hpp>

namespace sigmax::inline SIGMAX_ABI::gpu {

/// The primitives of `cpu::scalar` (formulas, shapes and guarantees are stated there) for float and double in the memory of
/// a device, in IEEE arithmetic by kernels of our own: proofs may use it.
///
/// Work is given to one stream and done in its order; what returns a number waits for it. Copies share the stream, 64 KiB of
/// device memory and a handle of cuSOLVER, the last two made when first needed; making a backend itself costs a question to
/// the device. The stream must outlive all copies and all workspaces they were lent, and one thread uses them at a time.
/// Temporary memory comes from the workspace of `using_scratch`, else from the device's pool in stream order.
/// The order of every sum is fixed by shapes and strides alone: the same input gives the same bits, on every device of one
/// kind. (Eigenvectors: as far as cuSOLVER keeps its word that its results are deterministic.)
/// @throws cuda_error and what derives from it.
class cuda {
 public:
  using space = device_space;
  /// Does the small work of algorithms.
  using host_backend = default_backend<double>;
  static constexpr char const* name = "gpu::cuda";
  static constexpr bool standard_rounding = true;
  static constexpr bool standard_cholesky = true;
  static constexpr bool fast_symmetric_eigen = false;

  /// Null is the default stream. @throws no_device_error, architecture_error.
  explicit cuda(stream_handle on) : context_(std::make_shared<detail::context>(on)) {}

  stream_handle stream() const { return context_->on(); }
  /// Returns when all work given to the stream is done. @throws cuda_error if some of it failed.
  void wait() const { detail::check(library::wait_for(stream()), "gpu::cuda::wait"); }

  sigmax::device_memory device_memory() const { return memory_of(stream()); }
  /// The same backend with temporary memory of `memory`, which must outlive the result and belongs to one call at a time.
  cuda using_scratch(workspace& memory) const {
    if (!memory.has_device_memory()) memory.set_device_memory(device_memory());
    cuda result = *this;
    result.scratch_ = &memory;
    return result;
  }
  /// The same backend, which asks of every argument whether it lies in device memory before it is used: some microseconds
  /// a primitive. @throws domain_error then.
  cuda checking_pointers() const {
    cuda result = *this;
    result.is_checking_ = true;
    return result;
  }

  template <device_real T>
  void gram(std::type_identity_t<T> alpha, matrix_in<T, space> x, std::type_identity_t<T> beta, matrix_in<T, space> c,
            matrix_view<T, space> g) const {
    see("gram", beta != T(0), c, x, g);
    run("gram",
        [&](auto scratch) { return library::gram<T>(stream(), scratch, alpha, plain(x), beta, plain(c), plain(g)); });
  }

  template <device_real T>
  void symmetric_product(std::type_identity_t<T> alpha, matrix_in<T, space> p, matrix_in<T, space> q,
                         std::type_identity_t<T> beta, matrix_in<T, space> c, matrix_view<T, space> r) const {
    see("symmetric_product", beta != T(0), c, p, q, r);
    run("symmetric_product", [&](auto scratch) {
      return library::symmetric_product<T>(stream(), scratch, alpha, plain(p), plain(q), beta, plain(c), plain(r));
    });
  }

  template <device_real T>
  void multiply(std::type_identity_t<T> alpha, matrix_in<T, space> a, matrix_in<T, space> b,
                std::type_identity_t<T> beta, matrix_in<T, space> c, matrix_view<T, space> r) const {
    see("multiply", beta != T(0), c, a, b, r);
    run("multiply", [&](auto scratch) {
      // One row or column is read at the speed of memory.
      if (r.cols() == 1) {
        return library::times_vector<T>(stream(), scratch, alpha, plain(a), plain(b.col(0)), beta, column(c),
                                        plain(r.col(0)));
      }
      if (r.rows() == 1) {
        return library::times_vector<T>(stream(), scratch, alpha, plain(b.transposed()), plain(a.row(0)), beta,
                                        column(c.transposed()), plain(r.row(0)));
      }
      return library::multiply<T>(stream(), scratch, alpha, plain(a), plain(b), beta, plain(c), plain(r));
    });
  }

  template <device_real T>
  void times_vector(std::type_identity_t<T> alpha, matrix_in<T, space> a, vector_in<T, space> x,
                    std::type_identity_t<T> beta, vector_view<T, space> y) const {
    see("times_vector", true, a, x, y);
    run("times_vector", [&](auto scratch) {
      return library::times_vector<T>(stream(), scratch, alpha, plain(a), plain(x), beta, plain(vector_in<T, space>(y)),
                                      plain(y));
    });
  }

  /// Two sweeps, of which the second finds x in the cache of the device if it fits (50 MB on an H100).
  template <device_real T>
  void gram_times_vector(matrix_in<T, space> x, vector_in<T, space> v, vector_view<T, space> y) const {
    see("gram_times_vector", true, x, v, y);
    run("gram_times_vector",
        [&](auto scratch) { return library::gram_times_vector<T>(stream(), scratch, plain(x), plain(v), plain(y)); });
  }

  template <class S, device_storage T>
  void convert(matrix_view<S, space> x, matrix_view<T, space> y) const {
    see("convert", true, x, y);
    detail::convert_on_device(stream(), x, y, "convert");
  }

  template <device_real T>
  void combine(std::type_identity_t<T> alpha, matrix_in<T, space> x, std::type_identity_t<T> beta,
               matrix_view<T, space> y) const {
    see("combine", true, x, y);
    detail::check(library::combine<T>(stream(), alpha, plain(x), beta, plain(y)), "combine");
  }

  template <device_real T, class U, device_storage S>
  void combine_stored(T alpha, matrix_view<U, space> x, std::type_identity_t<T> beta, matrix_view<S, space> y) const {
    see("combine_stored", true, x, y);
    auto const constant = detail::untyped(matrix_view<std::remove_const_t<U> const, space>(x));
    detail::check(library::combine_stored<T>(stream(), alpha, detail::stored_as<std::remove_const_t<U>>, constant, beta,
                                             detail::stored_as<S>, detail::untyped(y)),
                  "combine_stored");
  }

  template <device_real T>
  void divide(std::type_identity_t<T> divisor, matrix_view<T, space> y) const {
    see("divide", true, y);
    detail::check(library::divide<T>(stream(), divisor, plain(y)), "divide");
  }

  template <device_real T>
  void clear_above_diagonal(matrix_view<T, space> y) const {
    see("clear_above_diagonal", true, y);
    detail::check(library::clear_above_diagonal<T>(stream(), plain(y)), "clear_above_diagonal");
  }

  template <device_real T>
  void add_to_diagonal(std::type_identity_t<T> shift, matrix_view<T, space> y) const {
    see("add_to_diagonal", true, y);
    detail::check(library::add_to_diagonal<T>(stream(), shift, plain(y)), "add_to_diagonal");
  }

  template <class S, device_storage T>
  void copy_to_host(matrix_view<S, space> x, matrix_view<T> y) const {
    see("copy_to_host", true, x);
    with_memory([&](workspace::frame& frame) {
      detail::copy_to_host<std::remove_const_t<S>, T>(
          stream(), x, y, [&](index_t rows, index_t cols) { return frame.matrix<T, space>(rows, cols); });
    });
  }

  template <class S, device_storage T>
  void copy_from_host(matrix_view<S> x, matrix_view<T, space> y) const {
    using source = std::remove_const_t<S>;
    see("copy_from_host", true, y);
    with_memory([&](workspace::frame& frame) {
      detail::copy_from_host<source, T>(
          stream(), x, y, [&](index_t rows, index_t cols) { return frame.matrix<source, space>(rows, cols); });
    });
  }

  template <class T, class U>
    requires device_real<std::remove_const_t<T>> && std::is_same_v<std::remove_const_t<T>, std::remove_const_t<U>>
        std::remove_const_t<T> dot(vector_view<T, space> u, vector_view<U, space> v)
  const {
    using value = std::remove_const_t<T>;
    see("dot", true, u, v);
    value result(0);
    detail::check(library::dot<value>(stream(), context_->reduction(), plain(vector_in<value, space>(u)),
                                      plain(vector_in<value, space>(v)), &result),
                  "dot");
    return result;
  }

  template <class T>
    requires device_real<std::remove_const_t<T>> std::remove_const_t<T> sum_squares(matrix_view<T, space> x)
  const {
    using value = std::remove_const_t<T>;
    see("sum_squares", true, x);
    value result(0);
    detail::check(
        library::sum_squares<value>(stream(), context_->reduction(), plain(matrix_in<value, space>(x)), &result),
        "sum_squares");
    return result;
  }

  template <class T>
    requires device_storage<std::remove_const_t<T>> compute_t<std::remove_const_t<T>> max_abs(matrix_view<T, space> x)
  const {
    using stored = std::remove_const_t<T>;
    see("max_abs", true, x);
    double result = 0;
    detail::check(library::max_abs(stream(), context_->reduction(), detail::stored_as<stored>,
                                   detail::untyped(matrix_view<stored const, space>(x)), &result),
                  "max_abs");
    return static_cast<compute_t<stored>>(result);
  }

  template <device_real T>
  void row_abs_sums(matrix_in<T, space> x, vector_view<T, space> sums) const {
    see("row_abs_sums", true, x, sums);
    run("row_abs_sums",
        [&](auto scratch) { return library::row_abs_sums<T>(stream(), scratch, plain(x), plain(sums)); });
  }

  template <device_real T>
  index_t cholesky(matrix_view<T, space> a) const {
    see("cholesky", true, a);
    index_t completed = 0;
    detail::check(library::cholesky<T>(stream(), context_->number(), plain(a), &completed), "cholesky");
    return completed;
  }

  template <device_real T>
  void triangular_solve(matrix_in<T, space> l, matrix_view<T, space> b) const {
    see("triangular_solve", true, l, b);
    detail::check(library::triangular_solve<T>(stream(), plain(l), plain(b)), "triangular_solve");
  }

  /// With the order of all rows and columns reversed, l^T is lower triangular: the same substitution solves it.
  template <device_real T>
  void triangular_solve_transposed(matrix_in<T, space> l, matrix_view<T, space> b) const {
    if (b.empty()) return;
    index_t const last = l.rows() - 1;
    triangular_solve<T>(matrix_in<T, space>::unchecked(l.data() + last * (l.row_stride() + l.col_stride()), l.rows(),
                                                       l.cols(), -l.col_stride(), -l.row_stride()),
                        matrix_view<T, space>::unchecked(b.data() + last * b.row_stride(), b.rows(), b.cols(),
                                                         -b.row_stride(), b.col_stride()));
  }

  /// By cuSOLVER's divide and conquer: eigenvalues far below the largest keep no relative accuracy. All results are NaN if
  /// an element of a is not finite.
  template <device_real T>
  void symmetric_eigen(matrix_view<T, space> a, vector_view<T, space> values, matrix_view<T, space> vectors) const {
    see("symmetric_eigen", true, a, values, vectors);
    index_t const n = a.rows();
    if (n == 0) return;
    if (!(max_abs(a) <= std::numeric_limits<T>::max())) {
      T const nan = std::numeric_limits<T>::quiet_NaN();
      combine<T>(nan, detail::row_of(a.diagonal()), T(0), detail::row_of(values));
      combine<T>(nan, a, T(0), vectors);
      return;
    }
    with_memory([&](workspace::frame& frame) {
      // cuSOLVER's columns are our rows; it overwrites the matrix with the vectors.
      bool const is_dense = vectors.col_stride() == 1 && vectors.row_stride() == n;
      auto const dense = is_dense ? vectors : frame.matrix<T, space>(n, n);
      auto const dense_values = values.stride() == 1 ? values : frame.vector<T, space>(n);
      combine<T>(T(1), a, T(0), dense);
      detail::check(
          library::symmetric_eigen<T>(context_->solver(), source(frame), n, dense.data(), dense_values.data()),
          "symmetric_eigen");
      if (!is_dense) combine<T>(T(1), dense, T(0), vectors);
      if (values.stride() != 1) combine<T>(T(1), detail::row_of(dense_values), T(0), detail::row_of(values));
    });
  }

  /// All eigenpairs are computed, and sorted by descending values.
  template <device_real T>
  index_t symmetric_eigen_above(std::type_identity_t<T> threshold, matrix_view<T, space> a,
                                vector_view<T, space> values, matrix_view<T, space> vectors) const {
    symmetric_eigen<T>(a, values, vectors);
    if (a.empty()) return 0;
    detail::check(library::reverse_rows<T>(stream(), plain(vectors), plain(values)), "symmetric_eigen_above");
    index_t count = 0;
    detail::check(
        library::count_above<T>(stream(), context_->number(), threshold, plain(vector_in<T, space>(values)), &count),
        "symmetric_eigen_above");
    return count;
  }

  // The work of optimizers: optimizer/elementwise.hpp has the formulas. Matrices are dense.

  template <device_real T>
  void average_gradient(momentum_factors<T> const& factors, matrix_in<T, space> momentum, matrix_view<T, space> g,
                        matrix_view<T, space> next) const {
    see("average_gradient", true, momentum, g, next);
    detail::check(library::average_gradient<T>(stream(), factors.decay, factors.rest, factors.moving_average,
                                               factors.nesterov, g.size(), momentum.data(), g.data(), next.data()),
                  "average_gradient");
  }
  template <device_real T>
  void normalize_rows(std::type_identity_t<T> floor, matrix_view<T, space> d) const {
    see("normalize_rows", true, d);
    detail::check(library::normalize_rows<T>(stream(), floor, plain(d)), "normalize_rows");
  }
  template <device_real T>
  void adam_update(adam_factors<T> const& factors, matrix_in<T, space> m, matrix_in<T, space> v,
                   matrix_view<T, space> g, matrix_view<T, space> next_m, matrix_view<T, space> next_v) const {
    see("adam_update", true, m, v, g, next_m, next_v);
    auto const& [rest1, beta2, rest2, step_size, root_correction, eps] = factors;
    detail::check(library::adam_update<T>(stream(), {rest1, beta2, rest2, step_size, root_correction, eps}, g.size(),
                                          m.data(), v.data(), g.data(), next_m.data(), next_v.data()),
                  "adam_update");
  }

 protected:
  /// work(frame) with a frame of the workspace, or of one that lives as long as the work is queued.
  template <class F>
  void with_memory(F const& work) const {
    sigmax::detail::scratch memory(scratch_);
    if (!memory.get().has_device_memory()) memory.get().set_device_memory(device_memory());
    workspace::frame frame(memory.get());
    work(frame);
  }

  /// Of a backend that is checking pointers: refuses views of host memory. Backends derived from this one have primitives of
  /// their own to look at.
  template <class First, class... Views>
  void see(char const* where, bool is_first_read, First const& first, Views const&... views) const {
    if (!is_checking_) return;
    auto const look = [where](auto const& view) {
      if (!view.empty()) detail::require_device_pointer(view.data(), where, "a matrix or vector");
    };
    if (is_first_read) look(first);
    (look(views), ...);
  }

 private:
  template <class V>
  static constexpr auto plain(V view) {
    return detail::plain(view);
  }

  /// Column 0 of a matrix that need not have elements: c is not read where beta is 0.
  template <class T>
  static library::strided_vector<T> column(matrix_view<T, space> c) {
    return {c.data(), c.rows(), c.row_stride()};
  }

  /// Temporary memory of the library from the frame.
  static library::scratch_source source(workspace::frame& frame) {
    return {&frame, [](void* context, std::size_t bytes) -> void* {
              auto& from = *static_cast<workspace::frame*>(context);
              return from.vector<std::byte, space>(static_cast<index_t>(bytes)).data();
            }};
  }

  /// call(source of temporary memory), checked.
  template <class F>
  void run(char const* where, F const& call) const {
    if (scratch_ == nullptr) return detail::check(call(library::scratch_source{}), where);
    workspace::frame frame(*scratch_);
    detail::check(call(source(frame)), where);
  }

  std::shared_ptr<detail::context> context_;
  workspace* scratch_ = nullptr;
  bool is_checking_ = false;
};

static_assert(certifying_backend<cuda, float> && certifying_backend<cuda, double>);

}  // namespace sigmax::inline SIGMAX_ABI::gpu
