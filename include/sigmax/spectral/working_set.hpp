// SPDX-License-Identifier: MIT
/// @file
/// The memory a spectral function computes in.
#pragma once

#include <cmath>

#include <sigmax/backend/concept.hpp>
#include <sigmax/config.hpp>
#include <sigmax/core/matrix_view.hpp>
#include <sigmax/core/workspace.hpp>
#include <sigmax/spectral/argument.hpp>
#include <sigmax/spectral/engine.hpp>

namespace sigmax::inline SIGMAX_ABI::detail {

/// X = 2^-exponent W in scalar T, short side first (rows <= cols), row-major, with ||X||_F in [1/2, 1): no power of X
/// that the engine forms overflows, and none of a singular value that matters underflows. `y` has the shape of `x`.
template <real T, class Space = host_space>
struct working_set {
  workspace::frame frame;
  matrix_view<T, Space> x, y;
  gram_buffers<T, Space> gram;
  int exponent;

  /// @param largest largest magnitude in W, above 0.
  template <class B, class S, real L>
  working_set(B const& on, matrix_view<S, Space> w, L largest, workspace& memory)
      : frame(memory),
        x(frame.template matrix<T, Space>(short_side(w), long_side(w))),
        y(frame.template matrix<T, Space>(short_side(w), long_side(w))),
        gram(short_side(w), frame),
        exponent(exponent_above(largest)) {
    using std::sqrt;
    load(on, w, exponent, x);
    int const more = exponent_above(T(sqrt(on.sum_squares(x))));
    scale_by_power_of_two<B, T>(on, x, -more, x);
    exponent += more;
  }

  /// The same W by another exponent, now that ||X||_2 <= bound: back to a scale where eighth powers do not underflow.
  template <class B>
  void rescale(B const& on, T bound) {
    int const more = exponent_above(bound);
    scale_by_power_of_two<B, T>(on, x, -more, x);
    exponent += more;
  }

  /// 2^exponent as a T: 0 or infinity where it has none.
  T unit() const { return T(power_of_two<T>(exponent / 2) * power_of_two<T>(exponent - exponent / 2)); }

  /// level / 2^exponent as a T: a level of W in the scale of X. 0 or infinity where that has no T.
  T scaled(double level) const {
    int const half = -exponent / 2;
    return T(T(T(level) * power_of_two<T>(half)) * power_of_two<T>(-exponent - half));
  }

 private:
  template <class S>
  static index_t short_side(matrix_view<S, Space> w) {
    return w.rows() < w.cols() ? w.rows() : w.cols();
  }
  template <class S>
  static index_t long_side(matrix_view<S, Space> w) {
    return w.rows() < w.cols() ? w.cols() : w.rows();
  }
};

/// Those of a backend.
template <class B, class T>
using working_set_on = working_set<T, typename B::space>;

}  // namespace sigmax::inline SIGMAX_ABI::detail
