// SPDX-License-Identifier: MIT
/// @file
/// Three ways to min(S, cap): by polynomials, by eigenvectors of X X^T, by taking out the few singular values above.
#pragma once

#include <cmath>

#include <sigmax/backend/concept.hpp>
#include <sigmax/backend/host_access.hpp>
#include <sigmax/config.hpp>
#include <sigmax/core/matrix_view.hpp>
#include <sigmax/core/workspace.hpp>
#include <sigmax/estimate/lanczos.hpp>
#include <sigmax/spectral/engine.hpp>
#include <sigmax/spectral/polar_decomposition.hpp>
#include <sigmax/spectral/sign_steps.hpp>

namespace sigmax::inline SIGMAX_ABI::detail {

/// z <- relu(Z) = (Z + Z sign(Z)) / 2 for Z = H - cap I, H symmetric positive semidefinite with ||H|| <= bound, by a
/// sign polynomial: z holds H on entry. `s` is scratch; everything in b is overwritten.
///
/// Error: with w >= ||Z|| and a polynomial that is within l of 1 on [l, 1] and in [0, 1 + l] below, relu errs by
/// l w (1 + l) / 2 at the most. l = tolerance cap / (2 w) makes that 0.26 tolerance cap.
template <class B, real T>
void relu_above(B const& on, T cap, T bound, double tolerance, matrix_view_on<B, T> z, matrix_view_on<B, T> s,
                gram_buffers_on<B, T>& b) {
  odd_polynomial<T> steps[polynomial_schedule::capacity];
  on.add_to_diagonal(T(-cap), z);
  double const reach = 1.02 * std::fmax(1.0, static_cast<double>(T(bound / cap)) - 1);  // above ||Z|| / cap
  double const error = tolerance / (2 * reach);
  int const count = sign_steps(error, error, T(T(reach) * cap), steps);
  on.combine(T(1), z, T(0), s);
  apply_to_symmetric(on, steps, count, b, s);
  on.symmetric_product(T(0.5), z, s, T(0.5), z, b.q);
  on.combine(T(1), b.q, T(0), z);
}

/// Largest ||X|| / cap for which `cap_by_gram` errs by less than a quarter of the tolerance: rounding in products of
/// m x m matrices that no longer quite commute adds 3 to 5 u (||X|| / cap)^4, as measured.
template <real T>
double largest_ratio_of_gram_form(double tolerance) {
  return std::sqrt(std::sqrt(tolerance / (32 * static_cast<double>(unit_roundoff<T>()))));
}

/// X <- U g(S) V^T with |g(s) - min(s, cap)| <= tolerance cap for s in [0, bound], in exact arithmetic; bound > cap.
/// b.r = X X^T on entry.
///
/// X - relu(H - cap I) O, where O = Q X is the polar factor and H = O X^T = R Q. Proof of the error, with r = bound /
/// cap: o(s), the polynomial for O, has |1 - o| <= e = tolerance / (16 r) for s >= cap / 2 and lies in [0, 1 + e]
/// below, so h = s o(s) errs by e s at the most, is below cap (1 + e) / 2 for s < cap / 2, and with an exact relu the
/// result is within 3 e bound = 0.2 tolerance cap of min(s, cap). `relu_above` adds 0.26 (1 + e).
/// Cost: 3 a + 4 T_o + 3 T_s units for T_o and T_s quintics, T_o about 5 and T_s about 12 for r = 2, 1e-5.
template <class B, real T>
void cap_by_gram(B const& on, T cap, T bound, double tolerance, gram_buffers_on<B, T>& b, matrix_view_on<B, T>& x,
                 matrix_view_on<B, T>& y, workspace& memory) {
  workspace::frame frame(memory);
  index_t const m = x.rows();
  odd_polynomial<T> steps[polynomial_schedule::capacity];
  double const ratio = static_cast<double>(T(bound / cap));
  double const polar_error = tolerance / (16 * ratio);
  int const count = sign_steps(0.5 / ratio, polar_error, bound, steps);
  auto const r = frame.template matrix<T, typename B::space>(m, m);
  auto const q = frame.template matrix<T, typename B::space>(m, m);
  auto const z = frame.template matrix<T, typename B::space>(m, m);
  on.combine(T(1), b.r, T(0), r);
  gram_segment(on, steps, count, false, b);
  on.combine(T(1), b.q, T(0), q);
  on.symmetric_product(T(1), r, q, T(0), r, z);
  relu_above(on, cap, T(bound * T(1 + polar_error)), tolerance, z, r, b);
  on.symmetric_product(T(1), z, q, T(0), z, b.next);
  on.multiply(T(-1), b.next, x, T(1), x, y);
  std::swap(x, y);
}

/// The same with O by polar iteration: the rounding error is about u ||X|| for any ratio, at 3 a + 4/3 units a step of
/// it.
template <class B, real T>
void cap_by_polar_factor(B const& on, T cap, T bound, double tolerance, gram_buffers_on<B, T>& b,
                         matrix_view_on<B, T>& x, matrix_view_on<B, T>& y, workspace& memory) {
  workspace::frame frame(memory);
  index_t const m = x.rows();
  auto const original = frame.template matrix<T, typename B::space>(m, x.cols());
  auto const z = frame.template matrix<T, typename B::space>(m, m);
  auto const s = frame.template matrix<T, typename B::space>(m, m);
  on.combine(T(1), x, T(0), original);
  polar_decompose(on, 0.25 * static_cast<double>(T(cap / bound)), b, x, y, z, memory);
  relu_above(on, cap, bound, tolerance, z, s, b);
  on.multiply(T(-1), z, x, T(1), original, y);
  std::swap(x, y);
}

/// X <- min(S, cap) through the eigenvectors v_i of R = X X^T, b.r on entry: X - K^T K X, where K has the rows
/// sqrt(1 - cap / s_i) v_i of the singular values s_i > cap. Error about u (||X|| / cap)^2, relative to cap.
/// Cost: one symmetric eigendecomposition and 4 k a units / m for k singular values above.
/// @return k.
template <class B, real T>
index_t cap_by_eigenvectors(B const& on, T cap, gram_buffers_on<B, T>& b, matrix_view_on<B, T>& x,
                            matrix_view_on<B, T>& y, workspace& memory) {
  using std::sqrt;
  workspace::frame frame(memory);
  index_t const m = x.rows();
  auto const values = frame.template vector<T, typename B::space>(m);
  index_t const found = on.symmetric_eigen_above(T(cap * cap), b.r, values, b.q);
  auto const squares = on_host(on, values, frame);
  index_t above = 0;
  for (index_t i = 0; i < found; ++i) {
    T const sigma = squares[i] > T(0) ? T(sqrt(squares[i])) : T(0);
    if (!(sigma > cap)) continue;
    on.combine(T(sqrt(T(T(1) - cap / sigma))), as_row(b.q.row(i)), T(0), as_row(b.z.row(above)));
    ++above;
  }
  if (above == 0) return 0;
  auto const k = b.z.block(0, 0, above, m);
  auto const kx = y.block(0, 0, above, x.cols());
  on.multiply(T(1), k, x, T(0), x.block(0, 0, above, x.cols()), kx);
  on.multiply(T(-1), k.transposed(), kx, T(1), x, x);
  return above;
}

/// Lowers the leading singular values of X to cap one by one, at most `limit` of them, by triplets of Lanczos.
/// @return how many, or -1 if more may be above: some triplet did not converge, or the limit was reached.
/// Cost: a Lanczos run each, about 2 sqrt(m) + 60 sweeps over X at the most.
template <class B, real T>
index_t cap_by_deflation(B const& on, T cap, T tolerance, index_t limit, matrix_view_on<B, T> x, workspace& memory) {
  workspace::frame frame(memory);
  auto const u = frame.template vector<T, typename B::space>(x.rows());
  auto const v = frame.template vector<T, typename B::space>(x.cols());
  for (index_t done = 0; done <= limit; ++done) {
    auto const top = lanczos(
        on, x, {.tolerance = tolerance, .seed = static_cast<std::uint64_t>(done), .u = u, .v = v, .scratch = &memory});
    if (!(top.sigma > cap)) return top.converged ? done : -1;
    if (done == limit || !top.converged) return -1;
    auto const column = matrix_view_on<B, T>::unchecked(u.data(), u.size(), 1, 1, 1);
    on.multiply(T(cap - top.sigma), column, as_row(v), T(1), x, x);
  }
  return -1;
}

}  // namespace sigmax::inline SIGMAX_ABI::detail
