// SPDX-License-Identifier: MIT
#include <chrono>
#include <filesystem>
#include <string>

#include <doctest/doctest.h>

#include <sigmax/lipschitz/propose.hpp>
#include <sigmax/lipschitz/verify.hpp>

#include "model_builder.hpp"

using namespace sigmax;
using namespace sigmax::lipschitz;

TEST_CASE("mnist-net 256x2: a bound below 315, from multipliers that are checked in a moment") {
  std::string const path = std::string(SIGMAX_DATA_DIR) + "/onnx/mnist-net_256x2.onnx";
  if (!std::filesystem::exists(path)) {
    MESSAGE("skipped: ", path, " is absent");
    return;
  }
  auto const net = test::load(path);
  auto const made = propose(net);
  for (auto const& tried : made.proved.tried()) MESSAGE(tried.name, ": ", tried.upper.to_double_up());
  CHECK(made.proved.upper() <= 315);
  CHECK(made.proved.upper() >= made.proved.lower()->value);
  auto const begin = std::chrono::steady_clock::now();
  CHECK(verify(net, made.proof).upper_extended() == made.proved.upper_extended());
  MESSAGE("checked in ", std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count(), " s");
}
