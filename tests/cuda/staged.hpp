// SPDX-License-Identifier: MIT
/// @file
/// gpu::cuda for matrices of the host: each primitive copies its arguments to the device, works there and copies the
/// results back, so that the tests of all backends run on a device as they are.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>
#include <vector>

#include <sigmax/backend/concept.hpp>
#include <sigmax/core/device_matrix.hpp>
#include <sigmax/core/matrix_view.hpp>
#include <sigmax/cuda/backend.hpp>
#include <sigmax/cuda/device_memory.hpp>
#include <sigmax/cuda/stream.hpp>

namespace sigmax::test {

/// Device memory, eight bytes an element.
using device_bytes = sigmax::detail::device_matrix<double>;

/// The memory that views span, from their lowest to their highest element, gaps included; spans that overlap are one.
class staging {
 public:
  template <class V>
  void add(V const& view) {
    if (view.empty()) return;
    using element = std::remove_pointer_t<decltype(view.data())>;
    auto const [low, high] = span_of(view);
    add_span({low, high + sizeof(element), 0, !std::is_const_v<element>});
  }

  void copy_to_device(gpu::stream_handle on, device_bytes& memory) {
    index_t total = 0;
    for (auto& each : spans_) {
      each.offset = total;
      total += (static_cast<index_t>(each.high - each.low) + 255) / 256 * 256;
    }
    if (memory.cols() * 8 < total) memory = device_bytes(gpu::memory_of(on), 1, total / 4);
    memory_ = reinterpret_cast<std::byte*>(memory.data());
    for (auto const& each : spans_) {
      gpu::detail::check(gpu::library::copy_to_device(on, memory_ + each.offset, host(each), each.high - each.low),
                         "staging");
    }
  }

  void copy_to_host(gpu::stream_handle on) const {
    for (auto const& each : spans_) {
      if (!each.is_written) continue;
      gpu::detail::check(gpu::library::copy_to_host(on, host(each), memory_ + each.offset, each.high - each.low),
                         "staging");
    }
  }

  template <class T>
  matrix_view<T, device_space> operator()(matrix_view<T> x) const {
    return matrix_view<T, device_space>::unchecked(on_device(x), x.rows(), x.cols(), x.row_stride(), x.col_stride());
  }
  template <class T>
  vector_view<T, device_space> operator()(vector_view<T> x) const {
    return vector_view<T, device_space>::unchecked(on_device(x), x.size(), x.stride());
  }

 private:
  struct span {
    std::uintptr_t low;
    std::uintptr_t high;
    index_t offset;
    bool is_written;
  };

  static void* host(span const& each) { return reinterpret_cast<void*>(each.low); }

  template <class T>
  static std::pair<std::uintptr_t, std::uintptr_t> span_of(matrix_view<T> x) {
    auto const far = (x.rows() - 1) * x.row_stride();
    auto const across = (x.cols() - 1) * x.col_stride();
    auto const* const low = x.data() + std::min<index_t>(far, 0) + std::min<index_t>(across, 0);
    auto const* const high = x.data() + std::max<index_t>(far, 0) + std::max<index_t>(across, 0);
    return {reinterpret_cast<std::uintptr_t>(low), reinterpret_cast<std::uintptr_t>(high)};
  }
  template <class T>
  static std::pair<std::uintptr_t, std::uintptr_t> span_of(vector_view<T> x) {
    return span_of(as_row(x));
  }

  void add_span(span added) {
    // Erasing while walking draws a false warning from g++ 13.
    for (bool grown = true; grown;) {
      grown = false;
      std::vector<span> apart;
      for (span const& other : spans_) {
        if (other.high <= added.low || added.high <= other.low) {
          apart.push_back(other);
          continue;
        }
        added = {std::min(added.low, other.low), std::max(added.high, other.high), 0,
                 added.is_written || other.is_written};
        grown = true;
      }
      spans_ = std::move(apart);
    }
    spans_.push_back(added);
  }

  template <class V>
  auto on_device(V const& view) const {
    using pointer = decltype(view.data());
    if (view.empty()) return pointer(nullptr);
    auto const at = reinterpret_cast<std::uintptr_t>(view.data());
    auto const found =
        std::find_if(spans_.begin(), spans_.end(), [at](span const& s) { return s.low <= at && at < s.high; });
    return reinterpret_cast<pointer>(memory_ + found->offset + (at - found->low));
  }

  std::vector<span> spans_;
  std::byte* memory_ = nullptr;
};

/// See above. All objects share one stream.
struct staged {
  using space = host_space;
  static constexpr char const* name = "gpu::cuda";
  static constexpr bool standard_rounding = gpu::cuda::standard_rounding;
  static constexpr bool standard_cholesky = gpu::cuda::standard_cholesky;
  static constexpr bool fast_symmetric_eigen = gpu::cuda::fast_symmetric_eigen;
  static constexpr bool prefers_products = true;

  template <real T>
  void gram(std::type_identity_t<T> alpha, matrix_in<T> x, std::type_identity_t<T> beta, matrix_in<T> c,
            matrix_view<T> g) const {
    run([&](auto const& on, auto xd, auto cd, auto gd) { on.gram(alpha, xd, beta, cd, gd); }, x, addend(beta, c, g), g);
  }
  template <real T>
  void symmetric_product(std::type_identity_t<T> alpha, matrix_in<T> p, matrix_in<T> q, std::type_identity_t<T> beta,
                         matrix_in<T> c, matrix_view<T> r) const {
    run([&](auto const& on, auto pd, auto qd, auto cd, auto rd) { on.symmetric_product(alpha, pd, qd, beta, cd, rd); },
        p, q, addend(beta, c, r), r);
  }
  template <real T>
  void multiply(std::type_identity_t<T> alpha, matrix_in<T> a, matrix_in<T> b, std::type_identity_t<T> beta,
                matrix_in<T> c, matrix_view<T> r) const {
    run([&](auto const& on, auto ad, auto bd, auto cd, auto rd) { on.multiply(alpha, ad, bd, beta, cd, rd); }, a, b,
        addend(beta, c, r), r);
  }
  template <real T>
  void times_vector(std::type_identity_t<T> alpha, matrix_in<T> a, vector_in<T> x, std::type_identity_t<T> beta,
                    vector_view<T> y) const {
    run([&](auto const& on, auto ad, auto xd, auto yd) { on.times_vector(alpha, ad, xd, beta, yd); }, a, x, y);
  }
  template <real T>
  void gram_times_vector(matrix_in<T> x, vector_in<T> v, vector_view<T> y) const {
    run([&](auto const& on, auto xd, auto vd, auto yd) { on.template gram_times_vector<T>(xd, vd, yd); }, x, v, y);
  }
  template <class S, class T>
  void convert(matrix_view<S> x, matrix_view<T> y) const {
    run([&](auto const& on, auto xd, auto yd) { on.convert(xd, yd); }, x, y);
  }
  template <real T>
  void combine(std::type_identity_t<T> alpha, matrix_in<T> x, std::type_identity_t<T> beta, matrix_view<T> y) const {
    run([&](auto const& on, auto xd, auto yd) { on.combine(alpha, xd, beta, yd); }, x, y);
  }
  template <real T, class U, class S>
  void combine_stored(T alpha, matrix_view<U> x, std::type_identity_t<T> beta, matrix_view<S> y) const {
    run([&](auto const& on, auto xd, auto yd) { on.combine_stored(alpha, xd, beta, yd); }, x, y);
  }
  template <real T>
  void divide(std::type_identity_t<T> divisor, matrix_view<T> y) const {
    run([&](auto const& on, auto yd) { on.divide(divisor, yd); }, y);
  }
  template <class S, class T>
  void copy_to_host(matrix_view<S> x, matrix_view<T> y) const {
    run([&](auto const& on, auto xd) { on.copy_to_host(xd, y); }, matrix_view<S const>(x));
  }
  template <class S, class T>
  void copy_from_host(matrix_view<S> x, matrix_view<T> y) const {
    run([&](auto const& on, auto yd) { on.copy_from_host(x, yd); }, y);
  }
  template <real T>
  void clear_above_diagonal(matrix_view<T> y) const {
    run([&](auto const& on, auto yd) { on.clear_above_diagonal(yd); }, y);
  }
  template <real T>
  void add_to_diagonal(std::type_identity_t<T> shift, matrix_view<T> y) const {
    run([&](auto const& on, auto yd) { on.add_to_diagonal(shift, yd); }, y);
  }
  template <class T, class U>
  std::remove_const_t<T> dot(vector_view<T> u, vector_view<U> v) const {
    return run([](auto const& on, auto ud, auto vd) { return on.dot(ud, vd); }, vector_view<T const>(u),
               vector_view<U const>(v));
  }
  template <class T>
  std::remove_const_t<T> sum_squares(matrix_view<T> x) const {
    return run([](auto const& on, auto xd) { return on.sum_squares(xd); }, constant(x));
  }
  template <class T>
  compute_t<std::remove_const_t<T>> max_abs(matrix_view<T> x) const {
    return run([](auto const& on, auto xd) { return on.max_abs(xd); }, constant(x));
  }
  template <real T>
  void row_abs_sums(matrix_in<T> x, vector_view<T> sums) const {
    run([](auto const& on, auto xd, auto sd) { on.template row_abs_sums<T>(xd, sd); }, x, sums);
  }
  template <real T>
  index_t cholesky(matrix_view<T> a) const {
    return run([](auto const& on, auto ad) { return on.cholesky(ad); }, a);
  }
  template <real T>
  void triangular_solve(matrix_in<T> l, matrix_view<T> b) const {
    run([](auto const& on, auto ld, auto bd) { on.template triangular_solve<T>(ld, bd); }, l, b);
  }
  template <real T>
  void triangular_solve_transposed(matrix_in<T> l, matrix_view<T> b) const {
    run([](auto const& on, auto ld, auto bd) { on.template triangular_solve_transposed<T>(ld, bd); }, l, b);
  }
  template <real T>
  void symmetric_eigen(matrix_view<T> a, vector_view<T> values, matrix_view<T> vectors) const {
    run([](auto const& on, auto ad, auto vd, auto wd) { on.symmetric_eigen(ad, vd, wd); }, a, values, vectors);
  }
  template <real T>
  index_t symmetric_eigen_above(std::type_identity_t<T> threshold, matrix_view<T> a, vector_view<T> values,
                                matrix_view<T> vectors) const {
    return run(
        [&](auto const& on, auto ad, auto vd, auto wd) { return on.symmetric_eigen_above(threshold, ad, vd, wd); }, a,
        values, vectors);
  }

 private:
  struct device {
    gpu::stream stream;
    gpu::cuda backend{stream};
    workspace memory;
    device_bytes arguments;
  };
  /// Never destroyed: CUDA may be gone when the program's last objects are.
  static device& shared() {
    static device* const one = new device;
    return *one;
  }

  template <class T>
  static matrix_view<std::remove_const_t<T> const> constant(matrix_view<T> x) {
    return x;
  }
  /// What is not read need not be memory.
  template <class T>
  static matrix_view<T const> addend(T beta, matrix_view<T const> c, matrix_view<T> r) {
    return beta == T(0) ? matrix_view<T const>(r) : c;
  }

  template <class F, class... Views>
  static auto run(F const& call, Views const&... views) {
    auto& at = shared();
    auto const on = at.backend.using_scratch(at.memory);
    staging arguments;
    (arguments.add(views), ...);
    arguments.copy_to_device(at.stream, at.arguments);
    if constexpr (std::is_void_v<decltype(call(on, arguments(views)...))>) {
      call(on, arguments(views)...);
      at.backend.wait();
      arguments.copy_to_host(at.stream);
    } else {
      auto const result = call(on, arguments(views)...);
      arguments.copy_to_host(at.stream);
      return result;
    }
  }
};

static_assert(certifying_backend<staged, float> && certifying_backend<staged, double>);

}  // namespace sigmax::test
