// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include "certificate.hpp"

using namespace transformer;
using namespace transformer::test;

TEST_CASE("10^5 random and attacked pairs never exceed the certificate") {
  double closest = 0;
  std::uint64_t seed = 100;
  int const models = 50;
  for (int i = 0; i < models; ++i, ++seed) {
    CAPTURE(seed);
    auto const all = certified_settings();
    auto const& settings = all[static_cast<std::size_t>(i) % all.size()];
    auto const w = certified_weights(settings.shape, seed);
    auto const certificate =
        certify_model({}, settings, w, {.search_work = 1e7, .attack_settings = {.sequences = 8, .rounds = 40}});
    closest = std::fmax(closest, try_to_break(certificate, w, 2048, seed));
  }
  MESSAGE("largest quotient over bound: ", closest);
  CHECK(closest > 0.1);
}
