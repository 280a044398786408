// SPDX-License-Identifier: MIT
// Proofs of matrices in device memory, and proofs that do not trust the factorisation.
#include <cmath>
#include <limits>

#include <doctest/doctest.h>

#include <sigmax/certified/gram.hpp>
#include <sigmax/certified/operator_norm.hpp>
#include <sigmax/certified/scale_to.hpp>
#include <sigmax/certified/spectral_norm.hpp>

#include "support/adversarial_matrices.hpp"
#include "support/emulated_device.hpp"

using namespace sigmax::test;
using sigmax::index_t;
using sigmax::matrix;

namespace {

template <class S>
matrix<S> stored(matrix<double> const& a, double scale) {
  matrix<S> result(a.rows(), a.cols());
  for (index_t i = 0; i < a.size(); ++i) result.data()[i] = static_cast<S>(scale * a.data()[i]);
  return result;
}

/// Every proof on a device, beside the same on the host.
template <class Host, class S>
void same_proofs(matrix<S> const& w) {
  emulated_memory device;
  emulated_device<Host> const on(device);
  auto there = on_device(device, w);
  auto const expected = sigmax::certified_spectral_norm(Host{}, w);
  auto const found = sigmax::certified_spectral_norm(on, there);
  CHECK(found.lower() == expected.lower());
  CHECK(found.upper() == expected.upper());
  CHECK(found.upper() <= found.lower() * (1 + 1e-7));
  // Sums of the host stand in another order there.
  CHECK(sigmax::gram_bound(on, there).value() == doctest::Approx(sigmax::gram_bound(Host{}, w).value()).epsilon(1e-13));
  CHECK(sigmax::gram_bound(on, there).value() >= expected.lower());
  using linf = sigmax::norm::linf_t;
  CHECK(sigmax::certified_operator_norm<linf>(on, there).value() ==
        doctest::Approx(sigmax::certified_operator_norm<linf>(Host{}, w).value()).epsilon(1e-13));
  for (double const c : {expected.lower() * 0.99, expected.lower() * (1 - 1e-8), expected.upper() * (1 + 1e-8),
                         expected.upper() * 1.01, expected.upper() * 3}) {
    CHECK(sigmax::prove_norm_at_most(on, there, c) == sigmax::prove_norm_at_most(Host{}, w, c));
    CHECK(sigmax::prove_norm_at_most(on, there, c) == (c > expected.upper()));
  }
  auto here = w;
  double const cap = 0.7 * expected.upper();
  CHECK(sigmax::scale_to(on, there, cap).factor == sigmax::scale_to(Host{}, here, cap).factor);
  auto const scaled = on_host(device, there);
  for (index_t i = 0; i < w.size(); ++i) CHECK(scaled.data()[i] == here.data()[i]);
  CHECK(sigmax::prove_norm_at_most(scaled, cap));
  CHECK(device.pieces() == 1);
}

/// Reports success for a factor that is a little, or entirely, wrong.
struct wrong_factor : distrusted_on_host {
  double disturbance = 0;
  template <sigmax::real T>
  index_t cholesky(sigmax::matrix_view<T> a) const {
    (void)cpu_scalar_.cholesky(a);
    a(a.rows() - 1, 0) = T(a(a.rows() - 1, 0) + disturbance);
    return a.rows();
  }

 private:
  sigmax::cpu::scalar cpu_scalar_;
};

}  // namespace

TEST_CASE_TEMPLATE("proofs on a device are those of the host", Host, products_on_host, distrusted_on_host) {
  same_proofs<Host>(stored<float>(adversarial::gaussian(12, 20, 1), 1));
  same_proofs<Host>(stored<sigmax::bf16>(adversarial::gaussian(30, 11, 2), 1e-30));
  same_proofs<Host>(stored<double>(adversarial::gaussian(12, 12, 3), 0x1p-40));
  same_proofs<Host>(stored<double>(adversarial::gaussian(5, 8, 3), 0x1p-1012));  // scaled by two factors
}

TEST_CASE("digits that a device may have lost in scaling are accounted for") {
  emulated_memory device;
  emulated_device<> const on(device);
  for (double const scale : {1.0, 0x1p500, 0x1p1018}) {
    auto w = stored<double>(adversarial::gaussian(9, 15, 4), scale);
    w(0, 0) = std::numeric_limits<double>::denorm_min();
    auto const expected = sigmax::certified_spectral_norm(w);
    auto const found = sigmax::certified_spectral_norm(on, on_device(device, w));
    CHECK(found.lower() <= expected.upper());
    CHECK(expected.lower() <= found.upper());
    CHECK(found.upper() <= found.lower() * (1 + 1e-7));

    sigmax::workspace memory;
    memory.set_device_memory(device.source());
    sigmax::workspace::frame frame(memory);
    auto const doubles = on_device(device, w);
    CHECK(sigmax::detail::scaled_copy<emulated_device<>, double>(on, doubles.view(), "test", frame).flush ==
          sigmax::detail::flush_up(9, 15));
    auto const floats = on_device(device, stored<float>(adversarial::gaussian(9, 15, 4), 0x1p120));
    CHECK(sigmax::detail::scaled_copy<emulated_device<>, float>(on, floats.view(), "test", frame).flush == 0);
  }
}

TEST_CASE("matrices that are zero or not finite") {
  emulated_memory device;
  emulated_device<> const on(device);
  auto const zero = on_device(device, matrix<float>(3, 4));
  CHECK(sigmax::certified_spectral_norm(on, zero).upper() == 0);
  CHECK(sigmax::prove_norm_at_most(on, zero, 0));
  matrix<float> w(3, 4);
  w(2, 1) = std::numeric_limits<float>::quiet_NaN();
  auto const there = on_device(device, w);
  CHECK_THROWS_AS(sigmax::certified_spectral_norm(on, there), sigmax::numeric_error);
  CHECK_THROWS_AS(sigmax::certified_operator_norm<sigmax::norm::linf_t>(on, there), sigmax::numeric_error);
  CHECK(!sigmax::prove_norm_at_most(on, there, 1e30));
}

TEST_CASE("a factorisation that is not trusted proves only what its residual allows") {
  auto const w = adversarial::gaussian(12, 12, 9);
  auto const found = sigmax::certified_spectral_norm(w);
  double const norm = found.upper();
  wrong_factor on;
  // As it should be: nearly as much is proved as of a factorisation that is.
  CHECK(sigmax::prove_norm_at_most(on, w, norm * (1 + 1e-9)));
  CHECK(!sigmax::prove_norm_at_most(on, w, found.lower() * (1 - 1e-9)));
  // A wrong element; what no level can excuse.
  for (double const disturbance : {1e-9, 1e-3, 1e300, std::numeric_limits<double>::quiet_NaN()}) {
    on.disturbance = disturbance;
    CHECK(!sigmax::prove_norm_at_most(on, w, norm * (1 + 1e-9)));
    CHECK(!sigmax::prove_norm_at_most(on, w, norm * 1.01));
  }
}
