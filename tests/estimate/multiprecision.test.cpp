// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#if __has_include(<boost/multiprecision/cpp_bin_float.hpp>)
#include <boost/multiprecision/cpp_bin_float.hpp>

#include <sigmax/core/matrix.hpp>
#include <sigmax/estimate/lanczos.hpp>
#include <sigmax/estimate/power_iteration.hpp>

using sigmax::index_t;
using sigmax::matrix;

namespace {

struct power {
  template <class... A>
  static auto run(A const&... a) {
    return sigmax::power_iteration(a...);
  }
};
struct krylov {
  template <class... A>
  static auto run(A const&... a) {
    return sigmax::lanczos(a...);
  }
};

}  // namespace

// H D G with Householder reflections H and G: the singular values 3, 2, 1 are known to all digits. A residual of
// sqrt(u) = 1e-25 squares in the value, so anything above 1e-45 would betray a step in double.
TEST_CASE_TEMPLATE("fifty digits", Method, power, krylov) {
  namespace multiprecision = boost::multiprecision;
  auto const check = [](auto zero) {
    using scalar = decltype(zero);
    using std::abs;
    index_t const rows = 4;
    index_t const cols = 3;
    matrix<scalar> w(rows, cols);
    for (index_t i = 0; i < rows; ++i) {
      for (index_t j = 0; j < cols; ++j) {
        scalar sum(0);
        for (index_t k = 0; k < cols; ++k) {
          // a = (1, 1, 1, 1), b = (1, 2, 2): H = I - a a^T / 2, G = I - 2 b b^T / 9.
          scalar const h = scalar((i == k ? 1 : 0)) - scalar(1) / scalar(2);
          scalar const b = scalar((k == 0 ? 1 : 2) * (j == 0 ? 1 : 2));
          scalar const g = scalar((k == j ? 1 : 0)) - scalar(2) * b / scalar(9);
          sum = scalar(sum + h * scalar(static_cast<int>(3 - k)) * g);
        }
        w(i, j) = sum;
      }
    }
    auto const estimate = Method::run(sigmax::cpu::scalar{}, w);
    CHECK(estimate.converged);
    CHECK(estimate.residual < scalar("1e-24"));
    CHECK(scalar(abs(scalar(estimate.sigma - 3))) < scalar("1e-45"));
    CHECK(Method::run(w).iterations == estimate.iterations);
  };
  check(multiprecision::number<multiprecision::cpp_bin_float<50>, multiprecision::et_off>(0));
  check(multiprecision::number<multiprecision::cpp_bin_float<50>, multiprecision::et_on>(0));
}
#endif
