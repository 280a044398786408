// SPDX-License-Identifier: MIT
#include <filesystem>
#include <string>

#include <doctest/doctest.h>

#include <sigmax/lipschitz/certify.hpp>
#include <sigmax/lipschitz/propose.hpp>
#include <sigmax/lipschitz/verify.hpp>

#include "model_builder.hpp"

using namespace sigmax;
using namespace sigmax::lipschitz;

TEST_CASE("ACAS Xu 1-1: the best multipliers prove a bound 300 times below the product") {
  std::string const path = std::string(SIGMAX_DATA_DIR) + "/onnx/ACASXU_run2a_1_1_batch_2000.onnx";
  if (!std::filesystem::exists(path)) {
    MESSAGE("skipped: ", path, " is absent");
    return;
  }
  auto const net = test::load(path);
  auto const made = propose(net);
  for (auto const& tried : made.proved.tried()) MESSAGE(tried.name, ": ", tried.upper.to_double_up());
  CHECK(made.proved.upper() <= 9e4);
  CHECK(made.proved.upper() >= made.proved.lower()->value);
  CHECK(made.proved.method() == "lipsdp");
  CHECK(verify(net, made.proof).upper_extended() == made.proved.upper_extended());
}
