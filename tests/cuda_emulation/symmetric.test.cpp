// SPDX-License-Identifier: MIT
// The kernels of symmetric products, on the host. SIGMAX_EMULATION_SEEDS: how many times as many orders of
// events are tried.
#include <cstdint>
#include <cstdlib>
#include <string>

#include <doctest/doctest.h>

#include "cuda_emulation/machine.hpp"
#include "cuda_emulation/problem.hpp"

namespace {

using namespace sigmax;
using gpu::operand_kind;
using gpu::tensor_kernel;
using test::problem;
using test::problem_shape;

int seeds(int usual) {
  char const* const text = std::getenv("SIGMAX_EMULATION_SEEDS");
  return text == nullptr ? usual : usual * std::atoi(text);
}

/// Carries the product out; what is wrong with it, if anything is.
std::string run(problem& p, tensor_kernel kernel, int processors, std::uint64_t seed) {
  p.restart();
  auto const product = p.product(kernel, processors);
  try {
    kernel == tensor_kernel::any_shape ? test::run_ampere(product, seed) : test::run_hopper(product, seed);
  } catch (test::emulation::failure const& failed) {
    return failed.what();
  }
  return p.difference(kernel != tensor_kernel::any_shape);
}

constexpr tensor_kernel hopper_kernels[] = {tensor_kernel::hopper_128, tensor_kernel::hopper_128x2,
                                            tensor_kernel::hopper_256, tensor_kernel::hopper_256x2};

struct size {
  index_t m, inner;
  int count, processors;
};

TEST_CASE("sm_90a kernels write every element of a symmetric product once, and it is right to the last bit") {
  size const sizes[] = {{1, 1, 1, 132},  {7, 70, 2, 132},  {65, 64, 1, 132}, {129, 200, 1, 132},
                        {136, 40, 3, 2}, {257, 130, 1, 2}, {520, 32, 1, 132}};
  for (auto const kind : {operand_kind::bf16, operand_kind::tf32}) {
    for (auto const& s : sizes) {
      for (bool const adds : {false, true}) {
        problem p(
            {.kind = kind, .m = s.m, .inner = s.inner, .count = s.count, .has_addend = adds, .each = s.count > 1});
        for (auto const kernel : hopper_kernels) {
          INFO("operands of kind ", static_cast<int>(kind), ", m = ", s.m, ", inner = ", s.inner, ", C: ", adds,
               ", kernel ", static_cast<int>(kernel));
          CHECK(run(p, kernel, s.processors, static_cast<std::uint64_t>(s.m)) == "");
        }
      }
    }
  }
}

TEST_CASE("blocks of sm_90a go on after the tiles that were worked out in advance") {
  problem p({.count = 52});
  for (auto const kernel : {tensor_kernel::hopper_128, tensor_kernel::hopper_256x2}) {
    CHECK(run(p, kernel, 2, 1) == "");
  }
}

TEST_CASE("sm_90a kernels come to the same end whichever warp or copy is late") {
  for (auto const kind : {operand_kind::bf16, operand_kind::tf32}) {
    for (int const adds : {0, 1, 2}) {
      problem p({.kind = kind,
                 .m = 257,
                 .inner = 3 * (128 / gpu::size_of(kind)),
                 .has_addend = adds > 0,
                 .in_place = adds == 2});
      for (auto const kernel : hopper_kernels) {
        for (int seed = 0; seed < seeds(3); ++seed) {
          INFO("operands of kind ", static_cast<int>(kind), ", C: ", adds, ", kernel ", static_cast<int>(kernel),
               ", seed ", seed);
          CHECK(run(p, kernel, 2, static_cast<std::uint64_t>(seed)) == "");
        }
      }
    }
  }
}

TEST_CASE("sm_90a kernels split the inner dimension into parts of which each is right") {
  for (auto const kind : {operand_kind::bf16, operand_kind::tf32}) {
    index_t const piece = 128 / gpu::size_of(kind);
    for (int const splits : {2, 3}) {
      problem p({.kind = kind, .m = 200, .inner = 5 * piece + 3, .count = 2, .in_parts = true}, splits);
      for (int seed = 0; seed < seeds(2); ++seed) {
        INFO("operands of kind ", static_cast<int>(kind), ", parts: ", splits, ", seed ", seed);
        CHECK(run(p, tensor_kernel::automatic, 2, static_cast<std::uint64_t>(seed)) == "");
      }
    }
  }
}

TEST_CASE("the kernel for sm_80 takes products of any shape, right to the last bit") {
  // The last ones use every stage more than once.
  size const sizes[] = {{1, 1, 1, 0}, {7, 70, 2, 0}, {129, 40, 1, 0}, {136, 68, 2, 0}, {20, 300, 1, 0}};
  for (auto const kind : {operand_kind::bf16, operand_kind::f16, operand_kind::tf32}) {
    for (auto const& s : sizes) {
      for (bool const adds : {false, true}) {
        index_t const padding =
            adds == (s.count > 1) ? 1 : 0;  // with one element more, no piece of 16 bytes is aligned
        problem p({.kind = kind,
                   .m = s.m,
                   .inner = s.inner,
                   .count = s.count,
                   .has_addend = adds,
                   .each = s.count > 1,
                   .padding = padding});
        INFO("operands of kind ", static_cast<int>(kind), ", m = ", s.m, ", inner = ", s.inner, ", C: ", adds,
             ", padding ", padding);
        CHECK(run(p, tensor_kernel::any_shape, 0, static_cast<std::uint64_t>(s.m)) == "");
      }
    }
  }
}

TEST_CASE("sm_90a cuts off what tf32 has no bits for, and the kernel for sm_80 rounds it") {
  for (bool const left : {false, true}) {
    for (auto const kernel : {tensor_kernel::hopper_128x2, tensor_kernel::hopper_256x2, tensor_kernel::any_shape}) {
      problem_shape shape{.kind = operand_kind::tf32, .m = 70, .inner = 40};
      shape.fine_left = left;
      shape.fine_right = !left;
      shape.rounds = kernel == tensor_kernel::any_shape;
      problem p(shape);
      INFO("kernel ", static_cast<int>(kernel), ", of A: ", left);
      CHECK(run(p, kernel, 132, 1) == "");
    }
  }
}

}  // namespace
