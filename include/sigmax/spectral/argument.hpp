// SPDX-License-Identifier: MIT
/// @file
/// What all spectral functions share: the arguments they take, the copy they compute in, and the moment they write.
#pragma once

#include <cmath>
#include <concepts>
#include <exception>
#include <limits>
#include <type_traits>

#include <sigmax/backend/concept.hpp>
#include <sigmax/backend/power_of_two.hpp>
#include <sigmax/config.hpp>
#include <sigmax/core/error.hpp>
#include <sigmax/core/matrix.hpp>
#include <sigmax/core/matrix_batch.hpp>
#include <sigmax/core/matrix_like.hpp>
#include <sigmax/core/parallel.hpp>
#include <sigmax/core/workspace.hpp>

namespace sigmax::inline SIGMAX_ABI {

/// A writable matrix, or a batch of them, in the memory of backend B, which offers every primitive in their compute
/// scalar.
template <class A, class B>
concept writable_on = writable_argument<A> && matrix_on<argument_matrix_t<A>, B>;

/// An option that has no default: leaving it out does not compile.
template <class T>
class required {
 public:
  required() = delete;
  constexpr required(T value) : value_(value) {}
  constexpr operator T() const { return value_; }

 private:
  T value_;
};

namespace detail {

/// The storage scalar of a matrix or of the matrices of a batch.
template <class A>
using argument_value_t = value_t<argument_matrix_t<A>>;

/// The memory they live in.
template <class A>
using argument_space_t = space_t<argument_matrix_t<A>>;

/// The least k with x < 2^k; x > 0, finite.
template <real T>
int exponent_above(T x) {
  int k = 0;
  if constexpr (std::floating_point<T>) {
    (void)std::frexp(x, &k);
  } else {
    T power(1);
    for (; !(x < power); power = T(power * T(2))) ++k;
    for (; x < T(power / T(2)); power = T(power / T(2))) --k;
  }
  return k;
}

/// y = 2^-exponent W (transposed where W is tall) for storage and compute scalars of any kind.
template <class B, class S, real T>
void load(B const& on, matrix_view_on<B, S> w, int exponent, matrix_view_on<B, T> y) {
  if (w.rows() != y.rows()) w = w.transposed();
  if constexpr (std::same_as<std::remove_const_t<S>, T>) {
    scale_by_power_of_two<B, T>(on, w, -exponent, y);
  } else {
    on.convert(w, y);
    if (exponent != 0) scale_by_power_of_two<B, T>(on, y, -exponent, y);
  }
}

/// Unit roundoff of a storage scalar.
template <class S>
constexpr double storage_roundoff() {
  if constexpr (std::same_as<S, bf16>) return 0x1p-8;
  if constexpr (std::same_as<S, f16>) return 0x1p-11;
  if constexpr (std::floating_point<S>) return static_cast<double>(std::numeric_limits<S>::epsilon()) / 2;
  return 0;
}

[[noreturn, gnu::cold, gnu::noinline]] inline void raise_overflow(char const* function) {
  raise<numeric_error>({function, ": the result overflows its storage scalar; nothing was written"});
}

/// W = scale 2^exponent X, rounded once to the storage scalar. @throws numeric_error before anything is written if an
/// element of X is not finite or the result overflows.
template <class B, class S, real T>
void store(B const& on, matrix_view_on<B, T> x, T scale, int exponent, matrix_view_on<B, S> w, char const* function) {
  if (w.rows() != x.rows()) w = w.transposed();
  if constexpr (std::same_as<S, T> && std::floating_point<T>) {
    if (exponent > -100 && exponent < 100) {
      T const factor = scale * power_of_two<T>(exponent);
      if (!(on.max_abs(x) * std::fabs(factor) <= std::numeric_limits<T>::max())) raise_overflow(function);
      on.combine(factor, matrix_view_on<B, T const>(x), T(0), w);
      return;
    }
  }
  if (scale != T(1)) on.combine(scale, matrix_view_on<B, T const>(x), T(0), x);
  if (exponent != 0) scale_by_power_of_two<B, T>(on, x, exponent, x);
  T const largest = on.max_abs(x);
  T limit = std::numeric_limits<T>::max();
  if constexpr (!std::same_as<S, T>) {
    if (static_cast<T>(S(static_cast<T>(largest))) > std::numeric_limits<T>::max()) limit = T(0);
  }
  if (!(largest <= limit)) raise_overflow(function);
  if constexpr (std::same_as<S, T>) {
    on.combine(T(1), matrix_view_on<B, T const>(x), T(0), w);
  } else {
    on.convert(x, w);
  }
}

[[noreturn, gnu::cold, gnu::noinline]] inline void raise_not_finite(char const* function) {
  raise<numeric_error>(
      {function, ": W has an element that is NaN or infinite; all must be finite, and nothing was written"});
}

/// Calls change(view, largest magnitude) for the matrix, or for every matrix of the batch in turn. All elements of all
/// matrices are looked at first. Matrices that are zero or without elements have no singular vectors and are left
/// alone. If `change` throws for a matrix of a batch, those before it are changed already.
/// @throws numeric_error if an element is NaN or infinite; nothing was written then.
template <class B, class A, class F>
void for_each_matrix(B const& on, A& argument, char const* function, F const& change) {
  using T = compute_t<argument_value_t<A>>;
  auto const finite_largest = [&](auto w) {
    T const largest = w.empty() ? T(0) : on.max_abs(w);
    if (!(largest <= std::numeric_limits<T>::max())) raise_not_finite(function);
    return largest;
  };
  if constexpr (matrix_like<A>) {
    auto const w = view_of(argument);
    T const largest = finite_largest(w);
    if (largest > T(0)) change(w, largest);
  } else {
    auto const size = static_cast<std::size_t>(argument.size());
    for (std::size_t b = 0; b < size; ++b) {
      auto&& element = argument[b];
      finite_largest(view_of(element));
    }
    for (std::size_t b = 0; b < size; ++b) {
      auto&& element = argument[b];
      auto const w = view_of(element);
      T const largest = finite_largest(w);
      if (largest > T(0)) change(w, largest);
    }
  }
}

/// m^2 n: what work on a matrix is proportional to.
template <class T, class Space>
double work_on(matrix_view<T, Space> w) {
  auto const rows = static_cast<double>(w.rows());
  auto const cols = static_cast<double>(w.cols());
  return rows * cols * (rows < cols ? rows : cols);
}

/// The matrices of a batch on the threads of a backend: those that are at least half a thread's share of all the work one
/// after the other with all threads, the others side by side with one thread each, in contiguous runs of equal work.
/// `change(on, w, memory)` is called for each with the backend and the workspace it is to use. An exception ends the run
/// it is thrown in, and the first of them is thrown again when all have ended.
template <class B, class A, class F>
void share_batch(B const& on, workspace& memory, A& batch, F const& change) {
  auto const size = static_cast<std::size_t>(batch.size());
  int const threads = on.threads();
  double total = 0;
  for (std::size_t b = 0; b < size; ++b) {
    auto&& element = batch[b];
    total += work_on(view_of(element));
  }
  auto const is_large = [&](double work) { return work * 2 * threads >= total; };
  double small = 0;
  for (std::size_t b = 0; b < size; ++b) {
    auto&& element = batch[b];
    double const work = work_on(view_of(element));
    if (is_large(work)) {
      change(on, view_of(element), memory);
    } else {
      small += work;
    }
  }
  if (!(small > 0)) return;

  workspace::frame frame(memory);
  auto const failures = frame.template vector<std::exception_ptr>(threads);
  memory.of_thread(threads - 1);
  parallel_for(threads, on.workers(), [&](index_t part) {
    try {
      auto& own = memory.of_thread(static_cast<int>(part));
      auto const alone = on.using_workers(executor()).using_scratch(own);
      double before = 0;
      for (std::size_t b = 0; b < size; ++b) {
        auto&& element = batch[b];
        auto const w = view_of(element);
        double const work = work_on(w);
        if (is_large(work)) continue;
        // A matrix belongs to the part in which its middle lies.
        auto const owner = static_cast<index_t>((before + work / 2) / small * threads);
        if (owner == part) change(alone, w, own);
        before += work;
      }
    } catch (...) {
      failures[part] = std::current_exception();
    }
  });
  for (index_t part = 0; part < threads; ++part) {
    if (failures[part]) std::rethrow_exception(failures[part]);
  }
}

/// As `for_each_matrix`, for changes that know nothing of each other: change(on, view, largest magnitude, memory) is
/// called with the backend and the workspace to use, on the threads of the backend where the argument is a batch.
template <class B, class A, class F>
void for_every_matrix(B const& on, workspace& memory, A& argument, char const* function, F const& change) {
  using T = compute_t<argument_value_t<A>>;
  if constexpr (!matrix_like<A> && requires { on.using_workers(executor()); }) {
    if (on.threads() > 1 && argument.size() > 1) {
      for_each_matrix(on, argument, function, [](auto, T) {});  // looks at all elements first
      share_batch(on, memory, argument, [&](B const& backend, auto w, workspace& own) {
        T const largest = w.empty() ? T(0) : backend.max_abs(w);
        if (largest > T(0)) change(backend, w, largest, own);
      });
      return;
    }
  }
  for_each_matrix(on, argument, function, [&](auto w, T largest) { change(on, w, largest, memory); });
}

}  // namespace detail

}  // namespace sigmax::inline SIGMAX_ABI
