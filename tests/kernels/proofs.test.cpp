// SPDX-License-Identifier: MIT
// A proof written on one processor is checked on another, which rounds otherwise.
#include <cstdint>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <sigmax/core/matrix.hpp>
#include <sigmax/core/random.hpp>
#include <sigmax/kernels.hpp>
#include <sigmax/lipschitz/layers.hpp>
#include <sigmax/lipschitz/propose.hpp>
#include <sigmax/lipschitz/verify.hpp>

#include "kernels/levels.hpp"

using namespace sigmax;
using namespace sigmax::lipschitz;

namespace {

network perceptron(std::vector<index_t> const& widths, std::uint64_t seed) {
  network net({widths[0]});
  for (std::size_t k = 1; k < widths.size(); ++k) {
    if (k > 1) net.add(relu(), {net.output()});
    matrix<double> w(widths[k], widths[k - 1]);
    fill_normal(w.view(), seed + k);
    net.add(rules::linear(weight::owning(std::move(w))), {net.output()});
  }
  return net;
}

}  // namespace

TEST_CASE("native: a proof that one level wrote is checked on every other") {
  for (std::uint64_t seed = 1; seed <= 6; ++seed) {
    auto const net = perceptron({9, 14, 11, 5}, 10 * seed);
    for (method const how : {method::automatic, method::dynamic_program, method::eclipse, method::product}) {
      test::on_every_level([&](cpu::native const& writer) {
        auto const made = propose(writer, net, {.attack = false, .methods = {.which = how, .search_work = 1e8}});
        test::on_every_level([&](cpu::native const& reader) {
          auto const checked = verify(reader, net, made.proof);
          CHECK_FALSE(made.proof.upper < checked.upper_extended());
        });
      });
    }
  }
}
