// SPDX-License-Identifier: MIT
// Does a product with a symmetric result cost half? gram: X X^T. symmetric_product: P Q for symmetric P, Q that commute;
// here Q is a copy of P, so that OpenBLAS's syrk does the same work.
#include <memory>
#include <string>
#include <utility>

#include <sigmax/backend/simd.hpp>
#include <sigmax/core/matrix.hpp>
#include <sigmax/core/random.hpp>

#include "data/accuracy.hpp"
#include "data/shared_input.hpp"
#include "harness/backend_for.hpp"
#include "harness/contest.hpp"
#include "peers/eigen_iterations.hpp"
#include "peers/openblas.hpp"

namespace bench {

namespace {

/// A contender that writes C, judged against A B.
template <class T, class F>
contender product_of(std::string name, double flops, shared_input<T> a, bool transposed_b, F multiply) {
  return {std::move(name), flops, [=] {
            auto result = std::make_shared<sigmax::matrix<T>>(a.get().rows(), a.get().rows());
            auto const left = a.get().view();
            auto const copy = std::make_shared<sigmax::matrix<T>>(a.get());
            auto const run = [=] { multiply(left, sigmax::matrix_view<T const>(copy->view()), result->view()); };
            auto const judge = [=] {
              auto const right = transposed_b ? left.transposed() : left;
              return verdict{.error = product_error<T>(left, right, result->view())};
            };
            return prepared{run, judge};
          }};
}

template <class T>
void enter_gram(options const& given, std::string const& scalar, index_t m, index_t n) {
  task const what{.work = "gram", .scalar = scalar, .rows = m, .cols = n};
  auto const x = gaussian_input<T>(m, n, 1);
  auto const memory = std::make_shared<sigmax::workspace>();
  auto const on = warmed(backend_for(given.threads), *memory);
  double const half = what.aspect() * what.unit();
  using in = sigmax::matrix_view<T const>;
  using out = sigmax::matrix_view<T>;
  enter(given, what, product_of<T>("sigmax", half, x, true, [on, memory](in a, in, out c) {
          on.template gram<T>(T(1), a, T(0), c, c);
        }));
  if constexpr (peers::has_openblas) {
    enter(given, what, product_of<T>("openblas-syrk", half, x, true, [](in a, in, out c) {
            peers::syrk<T>(T(1), a, T(0), c);
            peers::mirror<T>(c);
          }));
    enter(given, what, product_of<T>("openblas-gemm", 2 * half, x, true, [](in a, in, out c) {
            peers::gemm<T>(peers::transpose::no, peers::transpose::yes, T(1), a, a, T(0), c);
          }));
  }
  if constexpr (peers::has_eigen) {
    enter(given, what, product_of<T>("eigen", 2 * half, x, true, [](in a, in, out c) { peers::eigen_gram<T>(a, c); }));
  }
}

/// P = G G^T / m, about of norm 4.
template <class T>
sigmax::matrix<T> symmetric_matrix(index_t m) {
  sigmax::matrix<T> g(m, m), p(m, m);
  sigmax::fill_normal(g.view(), 3);
  sigmax::cpu::simd<>().gram<T>(T(1) / static_cast<T>(m), g.view(), T(0), p.view(), p.view());
  return p;
}

template <class T>
void enter_symmetric_product(options const& given, std::string const& scalar, index_t m) {
  task const what{.work = "symmetric_product", .scalar = scalar, .rows = m, .cols = m};
  shared_input<T> const p([=] { return symmetric_matrix<T>(m); });
  auto const memory = std::make_shared<sigmax::workspace>();
  auto const on = warmed(backend_for(given.threads), *memory);
  using in = sigmax::matrix_view<T const>;
  using out = sigmax::matrix_view<T>;
  enter(given, what, product_of<T>("sigmax", what.unit(), p, false, [on, memory](in a, in b, out c) {
          on.template symmetric_product<T>(T(1), a, b, T(0), c, c);
        }));
  if constexpr (peers::has_openblas) {
    enter(given, what, product_of<T>("openblas-syrk", what.unit(), p, false, [](in a, in, out c) {
            peers::syrk<T>(T(1), a, T(0), c);
            peers::mirror<T>(c);
          }));
    enter(given, what, product_of<T>("openblas-gemm", 2 * what.unit(), p, false, [](in a, in b, out c) {
            peers::gemm<T>(peers::transpose::no, peers::transpose::no, T(1), a, b, T(0), c);
          }));
  }
  if constexpr (peers::has_eigen) {
    enter(given, what, product_of<T>("eigen", 2 * what.unit(), p, false, [](in a, in b, out c) {
            peers::eigen_product<T>(a, b, c);
          }));
  }
}

template <class T>
void enter_shapes(options const& given, std::string const& scalar) {
  for (index_t const m : given.sizes()) {
    enter_gram<T>(given, scalar, m, m);
    if (m == 1024) enter_gram<T>(given, scalar, m, 4 * m);
    enter_symmetric_product<T>(given, scalar, m);
  }
}

}  // namespace

void enter_contests(options const& given) {
  peers::set_eigen_threads(given.threads);
  enter_shapes<float>(given, "f32");
  enter_shapes<double>(given, "f64");
}

}  // namespace bench
