// SPDX-License-Identifier: MIT
// The table of one level: compiled once for each, with that level's -march. SIGMAX_KERNELS_TABLE is the name of the
// table, the only one that leaves the object file (see isolate.cmake), SIGMAX_KERNELS_LEVEL the level, and
// SIGMAX_KERNELS_ARCHITECTURE what config.hpp has to find in these flags.
#include <cstdint>
#include <string_view>

#include <sigmax/backend/simd.hpp>
#include <sigmax/config.hpp>
#include <sigmax/core/matrix_view.hpp>
#include <sigmax/core/parallel.hpp>
#include <sigmax/core/scalar.hpp>
#include <sigmax/core/workspace.hpp>
#include <sigmax/kernels/table.hpp>

#if defined(SIGMAX_KERNELS_ARCHITECTURE)
static_assert(sigmax::architecture == std::string_view(SIGMAX_KERNELS_ARCHITECTURE),
              "sigmax::kernels: flags such as -mavx2 reach past the -march of this level; give -march=... to the "
              "program instead, or switch SIGMAX_BUILD_KERNELS off");
#endif
static_assert(SIGMAX_STRICT_ARITHMETIC == 1, "sigmax::kernels: proofs rest on these; no part of -ffast-math may");

namespace {

using sigmax::index_t;
using sigmax::matrix_view;
using sigmax::vector_view;
using sigmax::kernels::matrix;
using sigmax::kernels::resources;
using sigmax::kernels::vector;

/// The backend of one call and the workspace it packs into, which stands on memory of the caller's.
class backend {
 public:
  explicit backend(resources const& with)
      : scratch_(with.scratch, with.take),
        on_(sigmax::cpu::simd<>(sigmax::executor(with.threads, with.run, with.pool))) {
    if (with.take != nullptr) on_ = on_.using_scratch(scratch_);
  }
  sigmax::cpu::simd<> const* operator->() const { return &on_; }

 private:
  sigmax::workspace scratch_;
  sigmax::cpu::simd<> on_;
};

template <class T>
vector_view<T> view(vector<T> v) {
  return vector_view<T>::unchecked(v.data, v.size, v.stride);
}

template <class T>
matrix_view<T> view(matrix<T> x) {
  return matrix_view<T>::unchecked(x.data, x.rows, x.cols, x.row_stride, x.col_stride);
}

template <class T>
void gram(resources const& with, T alpha, matrix<T const> x, T beta, matrix<T const> c, matrix<T> g) {
  backend(with)->gram(alpha, view(x), beta, view(c), view(g));
}

template <class T>
void symmetric_product(resources const& with, T alpha, matrix<T const> p, matrix<T const> q, T beta, matrix<T const> c,
                       matrix<T> r) {
  backend(with)->symmetric_product(alpha, view(p), view(q), beta, view(c), view(r));
}

template <class T>
void multiply(resources const& with, T alpha, matrix<T const> a, matrix<T const> b, T beta, matrix<T const> c,
              matrix<T> r) {
  backend(with)->multiply(alpha, view(a), view(b), beta, view(c), view(r));
}

template <class T>
void times_vector(resources const& with, T alpha, matrix<T const> a, vector<T const> x, T beta, vector<T> y) {
  backend(with)->times_vector(alpha, view(a), view(x), beta, view(y));
}

template <class T>
void gram_times_vector(resources const& with, matrix<T const> x, vector<T const> v, vector<T> y) {
  backend(with)->gram_times_vector(view(x), view(v), view(y));
}

template <class T>
void combine(resources const& with, T alpha, matrix<T const> x, T beta, matrix<T> y) {
  backend(with)->combine(alpha, view(x), beta, view(y));
}

template <class T>
T dot(resources const& with, vector<T const> u, vector<T const> v) {
  return backend(with)->dot(view(u), view(v));
}

template <class T>
T sum_squares(resources const& with, matrix<T const> x) {
  return backend(with)->sum_squares(view(x));
}

template <class T>
T max_abs(resources const& with, matrix<T const> x) {
  return backend(with)->max_abs(view(x));
}

template <class T>
void row_abs_sums(resources const& with, matrix<T const> x, vector<T> sums) {
  backend(with)->row_abs_sums(view(x), view(sums));
}

template <class T>
index_t cholesky(resources const& with, matrix<T> a) {
  return backend(with)->cholesky(view(a));
}

template <class T>
void triangular_solve(resources const& with, matrix<T const> l, matrix<T> b) {
  backend(with)->triangular_solve(view(l), view(b));
}

template <class T>
void triangular_solve_transposed(resources const& with, matrix<T const> l, matrix<T> b) {
  backend(with)->triangular_solve_transposed(view(l), view(b));
}

template <class T>
void symmetric_eigen(resources const& with, matrix<T> a, vector<T> values, matrix<T> vectors) {
  backend(with)->symmetric_eigen(view(a), view(values), view(vectors));
}

template <class T>
index_t symmetric_eigen_above(resources const& with, T threshold, matrix<T> a, vector<T> values, matrix<T> vectors) {
  return backend(with)->symmetric_eigen_above(threshold, view(a), view(values), view(vectors));
}

/// The view of 16-bit storage whose bits crossed.
template <class S, class Bits>
auto stored(matrix<Bits> x) {
  return view(matrix<S>{reinterpret_cast<S*>(x.data), x.rows, x.cols, x.row_stride, x.col_stride});
}

template <class S>
void to_float(resources const& with, matrix<std::uint16_t const> x, matrix<float> y) {
  backend(with)->convert(stored<S const>(x), view(y));
}

template <class S>
void from_float(resources const& with, matrix<float const> x, matrix<std::uint16_t> y) {
  backend(with)->convert(view(x), stored<S>(y));
}

template <class S>
float max_abs_of_stored(resources const& with, matrix<std::uint16_t const> x) {
  return backend(with)->max_abs(stored<S const>(x));
}

template <class S>
constexpr sigmax::kernels::conversions conversions{
    .to_float = to_float<S>, .from_float = from_float<S>, .max_abs = max_abs_of_stored<S>};

template <class T>
constexpr sigmax::kernels::primitives<T> primitives{.gram = gram<T>,
                                                    .symmetric_product = symmetric_product<T>,
                                                    .multiply = multiply<T>,
                                                    .times_vector = times_vector<T>,
                                                    .gram_times_vector = gram_times_vector<T>,
                                                    .combine = combine<T>,
                                                    .dot = dot<T>,
                                                    .sum_squares = sum_squares<T>,
                                                    .max_abs = max_abs<T>,
                                                    .row_abs_sums = row_abs_sums<T>,
                                                    .cholesky = cholesky<T>,
                                                    .triangular_solve = triangular_solve<T>,
                                                    .triangular_solve_transposed = triangular_solve_transposed<T>,
                                                    .symmetric_eigen = symmetric_eigen<T>,
                                                    .symmetric_eigen_above = symmetric_eigen_above<T>};

}  // namespace

extern "C" {
extern sigmax::kernels::table const SIGMAX_KERNELS_TABLE;
constinit sigmax::kernels::table const SIGMAX_KERNELS_TABLE{
    .compiled_for = sigmax::kernels::level::SIGMAX_KERNELS_LEVEL,
    .of_float = primitives<float>,
    .of_double = primitives<double>,
    .of_bf16 = conversions<sigmax::bf16>,
    .of_f16 = conversions<sigmax::f16>};
}
