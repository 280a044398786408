// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include "lipschitz/random_graphs.hpp"

TEST_CASE(
    "group 28: 3,000 random networks of all operators, on all inputs, balls and boxes: no bound is below an attack") {
  auto const found = random_graphs::run(0, 3000, {.points = 3, .iterations = 6, .seed = 3, .work = 1e6});
  MESSAGE(random_graphs::text(found));
  CHECK(found.unsound == 0);
  CHECK(found.compared > 1500);
}
