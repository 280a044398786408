// SPDX-License-Identifier: MIT
// What an ordinary product reaches: C = A B, square.
#include <memory>
#include <string>
#include <utility>

#include <sigmax/backend/simd.hpp>
#include <sigmax/core/matrix.hpp>

#include "data/accuracy.hpp"
#include "data/shared_input.hpp"
#include "harness/backend_for.hpp"
#include "harness/contest.hpp"
#include "peers/eigen_iterations.hpp"
#include "peers/openblas.hpp"

namespace bench {

namespace {

template <class T>
void enter_square(options const& given, std::string const& scalar, index_t m) {
  task const what{.work = "multiply", .scalar = scalar, .rows = m, .cols = m};
  auto const a = gaussian_input<T>(m, m, 1);
  auto const b = gaussian_input<T>(m, m, 2);
  auto const contender_of = [&](std::string name, auto product) {
    return contender{std::move(name), 2 * what.unit(), [=] {
                       auto result = std::make_shared<sigmax::matrix<T>>(m, m);
                       auto const left = a.get().view();
                       auto const right = b.get().view();
                       return prepared{[=] { product(left, right, result->view()); },
                                       [=] { return verdict{.error = product_error<T>(left, right, result->view())}; }};
                     }};
  };
  using in = sigmax::matrix_view<T const>;
  using out = sigmax::matrix_view<T>;
  auto const memory = std::make_shared<sigmax::workspace>();
  auto const on = warmed(backend_for(given.threads), *memory);
  enter(given, what,
        contender_of("sigmax", [on, memory](in x, in y, out c) { on.template multiply<T>(T(1), x, y, T(0), c, c); }));
  if constexpr (peers::has_openblas) {
    enter(given, what, contender_of("openblas-gemm", [](in x, in y, out c) {
            peers::gemm<T>(peers::transpose::no, peers::transpose::no, T(1), x, y, T(0), c);
          }));
  }
  if constexpr (peers::has_eigen) {
    enter(given, what, contender_of("eigen", [](in x, in y, out c) { peers::eigen_product<T>(x, y, c); }));
  }
}

}  // namespace

void enter_contests(options const& given) {
  peers::set_eigen_threads(given.threads);
  for (index_t const m : given.sizes()) {
    enter_square<float>(given, "f32", m);
    enter_square<double>(given, "f64", m);
  }
}

}  // namespace bench
