// SPDX-License-Identifier: MIT
/// @file
/// The backend of programs that are compiled for every processor and run on one. Opt-in: link sigmax::kernels.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include <sigmax/backend/concept.hpp>
#include <sigmax/backend/scalar.hpp>
#include <sigmax/config.hpp>
#include <sigmax/core/error.hpp>
#include <sigmax/core/matrix_view.hpp>
#include <sigmax/core/parallel.hpp>
#include <sigmax/core/scalar.hpp>
#include <sigmax/core/workspace.hpp>
#include <sigmax/kernels/table.hpp>

namespace sigmax::inline SIGMAX_ABI::cpu {

namespace detail {

template <class T>
kernels::vector<T> without_abi(vector_view<T> v) {
  return {v.data(), v.size(), v.stride()};
}

template <class T>
kernels::matrix<T> without_abi(matrix_view<T> x) {
  return {x.data(), x.rows(), x.cols(), x.row_stride(), x.col_stride()};
}

/// 16-bit storage as its bits.
template <class S>
  requires sixteen_bit_storage<std::remove_const_t<S>>
auto without_abi(matrix_view<S> x) {
  using bits = std::conditional_t<std::is_const_v<S>, std::uint16_t const, std::uint16_t>;
  return kernels::matrix<bits>{reinterpret_cast<bits*>(x.data()), x.rows(), x.cols(), x.row_stride(), x.col_stride()};
}

/// @throws unsupported_error if the library does not hold the level, or the processor cannot execute it.
inline kernels::table const& table_of(kernels::level wanted) {
  auto const* const found = kernels::compiled(wanted);
  if (found == nullptr) {
    sigmax::detail::raise<unsupported_error>(
        {"cpu::native: level is ", kernels::name(wanted), "; it is not among those sigmax::kernels was built with"});
  }
  if (!kernels::is_executable(wanted)) {
    sigmax::detail::raise<unsupported_error>({"cpu::native: level is ", kernels::name(wanted),
                                              "; this processor executes at most ",
                                              kernels::name(kernels::best().compiled_for)});
  }
  return *found;
}

/// The threads of this file, for kernels that were compiled without OpenMP.
inline void run_on_own_threads(void*, int parts, executor::body_function body, void const* data) {
  parallel_for(parts, executor(parts), [&](index_t part) { body(data, static_cast<int>(part)); });
}

}  // namespace detail

/// `cpu::simd` compiled for several levels of processors, of which one is chosen when the program runs; formulas, shapes
/// and guarantees are stated at `cpu::scalar`. What a program is compiled for then no longer matters: the default of a
/// compiler, SSE2, leaves two thirds of a processor with AVX2 unused, and more of one with AVX-512.
///
/// float and double; the reference for every other scalar. Threads and scratch memory as for `cpu::simd`; threads of
/// OpenMP are those of the program, if it is compiled with OpenMP. Copies, and all objects of one level, give the
/// same bits for the same input; other levels give others, within the same bounds.
struct native : scalar {
  static constexpr char const* name = "cpu::native";
  static constexpr bool standard_rounding = true;
  static constexpr bool fast_symmetric_eigen = true;

  /// The best level this processor executes.
  native() : table_(&kernels::best()) {}
  /// The level named. @throws unsupported_error if this processor lacks it, or the library was built without it.
  explicit native(kernels::level wanted) : table_(&detail::table_of(wanted)) {}

  /// The best level, on these threads.
  explicit native(executor const& workers) : workers_(workers), table_(&kernels::best()) {}

  /// The same backend, packing into `memory` from now on. It must outlive the result, and belongs to one call at a time.
  native using_scratch(workspace& memory) const {
    native result = *this;
    result.scratch_ = &memory;
    return result;
  }
  /// The same backend with other threads.
  native using_workers(executor const& workers) const {
    native result = *this;
    result.workers_ = workers;
    return result;
  }
  int threads() const { return workers_.threads(); }
  executor const& workers() const { return workers_; }

  kernels::level level() const { return table_->compiled_for; }
  /// "x86-64-v4"
  char const* architecture() const { return kernels::name(level()); }

  template <real T>
  void gram(std::type_identity_t<T> alpha, matrix_in<T> x, std::type_identity_t<T> beta, matrix_in<T> c,
            matrix_view<T> g) const {
    if constexpr (in_table<T>) {
      run_packing(primitives<T>().gram, alpha, x, beta, c, g);
    } else {
      scalar::gram<T>(alpha, x, beta, c, g);
    }
  }

  template <real T>
  void symmetric_product(std::type_identity_t<T> alpha, matrix_in<T> p, matrix_in<T> q, std::type_identity_t<T> beta,
                         matrix_in<T> c, matrix_view<T> r) const {
    if constexpr (in_table<T>) {
      run_packing(primitives<T>().symmetric_product, alpha, p, q, beta, c, r);
    } else {
      scalar::symmetric_product<T>(alpha, p, q, beta, c, r);
    }
  }

  template <real T>
  void multiply(std::type_identity_t<T> alpha, matrix_in<T> a, matrix_in<T> b, std::type_identity_t<T> beta,
                matrix_in<T> c, matrix_view<T> r) const {
    if constexpr (in_table<T>) {
      run_packing(primitives<T>().multiply, alpha, a, b, beta, c, r);
    } else {
      scalar::multiply<T>(alpha, a, b, beta, c, r);
    }
  }

  template <real T>
  void times_vector(std::type_identity_t<T> alpha, matrix_in<T> a, vector_in<T> x, std::type_identity_t<T> beta,
                    vector_view<T> y) const {
    if constexpr (in_table<T>) {
      run(primitives<T>().times_vector, alpha, a, x, beta, y);
    } else {
      scalar::times_vector<T>(alpha, a, x, beta, y);
    }
  }

  template <real T>
  void gram_times_vector(matrix_in<T> x, vector_in<T> v, vector_view<T> y) const {
    if constexpr (in_table<T>) {
      run(primitives<T>().gram_times_vector, x, v, y);
    } else {
      scalar::gram_times_vector<T>(x, v, y);
    }
  }

  template <real T>
  void combine(std::type_identity_t<T> alpha, matrix_in<T> x, std::type_identity_t<T> beta, matrix_view<T> y) const {
    if constexpr (in_table<T>) {
      run(primitives<T>().combine, alpha, x, beta, y);
    } else {
      scalar::combine<T>(alpha, x, beta, y);
    }
  }

  template <class T, class U>
  std::remove_const_t<T> dot(vector_view<T> u, vector_view<U> v) const {
    using value = std::remove_const_t<T>;
    if constexpr (in_table<value> && std::same_as<value, std::remove_const_t<U>>) {
      return run(primitives<value>().dot, vector_in<value>(u), vector_in<value>(v));
    } else {
      return scalar::dot(u, v);
    }
  }

  template <class T>
  std::remove_const_t<T> sum_squares(matrix_view<T> x) const {
    using value = std::remove_const_t<T>;
    if constexpr (in_table<value>) {
      return run(primitives<value>().sum_squares, matrix_in<value>(x));
    } else {
      return scalar::sum_squares(x);
    }
  }

  template <class S, class T>
  void convert(matrix_view<S> x, matrix_view<T> y) const {
    using stored = std::remove_const_t<S>;
    if constexpr (sixteen_bit_storage<stored> && std::same_as<T, float>) {
      run(conversions<stored>().to_float, matrix_view<stored const>(x), y);
    } else if constexpr (std::same_as<stored, float> && sixteen_bit_storage<T>) {
      run(conversions<T>().from_float, matrix_view<float const>(x), y);
    } else {
      scalar::convert(x, y);
    }
  }

  template <class T>
  compute_t<std::remove_const_t<T>> max_abs(matrix_view<T> x) const {
    using value = std::remove_const_t<T>;
    if constexpr (in_table<value>) {
      return run(primitives<value>().max_abs, matrix_in<value>(x));
    } else if constexpr (sixteen_bit_storage<value>) {
      return run(conversions<value>().max_abs, matrix_view<value const>(x));
    } else {
      return scalar::max_abs(x);
    }
  }

  template <real T>
  void row_abs_sums(matrix_in<T> x, vector_view<T> sums) const {
    if constexpr (in_table<T>) {
      run(primitives<T>().row_abs_sums, x, sums);
    } else {
      scalar::row_abs_sums<T>(x, sums);
    }
  }

  template <real T>
  index_t cholesky(matrix_view<T> a) const {
    if constexpr (in_table<T>) {
      return run_packing(primitives<T>().cholesky, a);
    } else {
      return scalar::cholesky(a);
    }
  }

  template <real T>
  void triangular_solve(matrix_in<T> l, matrix_view<T> b) const {
    if constexpr (in_table<T>) {
      run_packing(primitives<T>().triangular_solve, l, b);
    } else {
      scalar::triangular_solve<T>(l, b);
    }
  }

  template <real T>
  void triangular_solve_transposed(matrix_in<T> l, matrix_view<T> b) const {
    if constexpr (in_table<T>) {
      run_packing(primitives<T>().triangular_solve_transposed, l, b);
    } else {
      scalar::triangular_solve_transposed<T>(l, b);
    }
  }

  template <real T>
  void symmetric_eigen(matrix_view<T> a, vector_view<T> values, matrix_view<T> vectors) const {
    if constexpr (in_table<T>) {
      run_packing(primitives<T>().symmetric_eigen, a, values, vectors);
    } else {
      scalar::symmetric_eigen<T>(a, values, vectors);
    }
  }

  template <real T>
  index_t symmetric_eigen_above(std::type_identity_t<T> threshold, matrix_view<T> a, vector_view<T> values,
                                matrix_view<T> vectors) const {
    if constexpr (in_table<T>) {
      return run_packing(primitives<T>().symmetric_eigen_above, threshold, a, values, vectors);
    } else {
      return scalar::symmetric_eigen_above<T>(threshold, a, values, vectors);
    }
  }

 private:
  template <class T>
  static constexpr bool in_table = std::same_as<T, float> || std::same_as<T, double>;

  template <class T>
  kernels::primitives<T> const& primitives() const {
    if constexpr (std::same_as<T, float>) {
      return table_->of_float;
    } else {
      return table_->of_double;
    }
  }

  template <sixteen_bit_storage S>
  kernels::conversions const& conversions() const {
    if constexpr (std::same_as<S, bf16>) {
      return table_->of_bf16;
    } else {
      return table_->of_f16;
    }
  }

  /// Numbers cross as they are, views without their namespace.
  template <class T>
    requires std::floating_point<T>
  static T crossing(T number) { return number; }
  template <class View>
  static auto crossing(View view) {
    return detail::without_abi(view);
  }

  kernels::resources resources() const {
    auto const run_parts = workers_.run() != nullptr ? workers_.run() : detail::run_on_own_threads;
    return {
        .threads = workers_.threads(), .run = run_parts, .pool = workers_.pool(), .scratch = nullptr, .take = nullptr};
  }

  template <class Result, class... Parameters, class... Arguments>
  Result run(Result (*primitive)(kernels::resources const&, Parameters...), Arguments... arguments) const {
    return primitive(resources(), crossing(arguments)...);
  }

  /// The frame takes from the workspace what the call packs into, and gives it back when the call has returned.
  template <class Result, class... Parameters, class... Arguments>
  Result run_packing(Result (*primitive)(kernels::resources const&, Parameters...), Arguments... arguments) const {
    sigmax::detail::scratch memory(scratch_);
    workspace::frame frame(memory.get());
    auto with = resources();
    with.scratch = &frame;
    with.take = [](void* from, std::size_t bytes) -> void* {
      return static_cast<workspace::frame*>(from)->vector<std::byte>(static_cast<index_t>(bytes)).data();
    };
    return primitive(with, crossing(arguments)...);
  }

  executor workers_;
  workspace* scratch_ = nullptr;
  kernels::table const* table_;
};

static_assert(backend<native, float> && certifying_backend<native, double>);

}  // namespace sigmax::inline SIGMAX_ABI::cpu
