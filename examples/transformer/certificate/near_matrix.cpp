// SPDX-License-Identifier: MIT
#include <cmath>

#include <sigmax/bound/rounding.hpp>
#include <sigmax/certified/operator_norm.hpp>

#include "near_matrix.hpp"

namespace transformer {

namespace {

using sigmax::add_up;
using sigmax::gamma_up;
using sigmax::multiply_up;
using sigmax::sqrt_up;

double frobenius_of_elements(sigmax::matrix<double> const& m) {
  double sum = 0;
  for (index_t i = 0; i < m.size(); ++i) sum = add_up(sum, multiply_up(m.data()[i], m.data()[i]));
  return sqrt_up(sum);
}

/// What `count` products or sums lose by underflow, generously.
double underflow(index_t count) { return multiply_up(4.0 * static_cast<double>(count), sigmax::double_underflow); }

}  // namespace

near_matrix scaled(sigmax::interval factor, sigmax::matrix<float> const& w, bool transposed) {
  near_matrix result{transposed ? sigmax::matrix<double>(w.cols(), w.rows())
                                : sigmax::matrix<double>(w.rows(), w.cols())};
  double const middle = factor.middle();
  // |c w - fl(m w)| <= |c - m| |w| + u |m w|, both parts multiples of |w|.
  sigmax::interval const off =
      (factor - sigmax::interval(middle)) + sigmax::interval(0.0, multiply_up(std::fabs(middle), 0x1p-53));
  double squares = 0;
  bool rounds = !(factor == sigmax::interval(middle));
  for (index_t i = 0; i < w.rows(); ++i) {
    for (index_t j = 0; j < w.cols(); ++j) {
      double& element = transposed ? result.elements(j, i) : result.elements(i, j);
      double const exact = static_cast<double>(w(i, j));
      element = middle * exact;
      rounds = rounds || std::fma(middle, exact, -element) != 0;
      squares = add_up(squares, multiply_up(exact, exact));
    }
  }
  if (rounds) result.error = add_up(multiply_up(off.magnitude(), sqrt_up(squares)), underflow(w.size()));
  return result;
}

double frobenius_up(near_matrix const& m) { return add_up(frobenius_of_elements(m.elements), m.error); }

double norm_up(sigmax::cpu::native const& on, near_matrix const& m, index_t first, index_t count) {
  auto const part = m.elements.view().block(0, first, m.elements.rows(), count);
  auto const norm = sigmax::certified_operator_norm<sigmax::norm::l2_t>(on, part, {.relative_gap = 1e-4});
  return add_up(norm.value(), m.error);
}

near_matrix product_of(sigmax::cpu::native const& on, near_matrix const& a, near_matrix const& b) {
  near_matrix result{sigmax::matrix<double>(a.elements.rows(), b.elements.cols())};
  on.multiply(1.0, a.elements.view(), b.elements.view(), 0.0, {}, result.elements.view());
  double const size_of_a = frobenius_up(a);
  double const size_of_b = frobenius_up(b);
  double const gamma = gamma_up(static_cast<double>(a.elements.cols()) + 2);
  result.error = add_up(multiply_up(gamma, multiply_up(size_of_a, size_of_b)),
                        underflow(result.elements.size() * (a.elements.cols() + 1)));
  result.error = add_up(result.error, add_up(multiply_up(a.error, size_of_b), multiply_up(size_of_a, b.error)));
  return result;
}

near_matrix sum_of(double factor, near_matrix const& a, near_matrix const& b) {
  near_matrix result{sigmax::matrix<double>(a.elements.rows(), a.elements.cols())};
  for (index_t i = 0; i < a.elements.size(); ++i) {
    result.elements.data()[i] = factor * a.elements.data()[i] + b.elements.data()[i];
  }
  double const size = add_up(multiply_up(std::fabs(factor), frobenius_up(a)), frobenius_up(b));
  result.error = add_up(add_up(multiply_up(gamma_up(3), size), underflow(a.elements.size())),
                        add_up(multiply_up(std::fabs(factor), a.error), b.error));
  return result;
}

}  // namespace transformer
