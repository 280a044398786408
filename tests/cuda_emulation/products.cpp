// SPDX-License-Identifier: MIT
// wgmma of the machine: the layouts of PTX ISA, "Asynchronous warpgroup level matrix multiply-accumulate".
#include "machine.hpp"

namespace sigmax::test::emulation {
namespace {

constexpr int slice_bytes = 32;
constexpr int most_elements = 16;
constexpr int most_columns = 256;

struct descriptor {
  std::uint32_t start;   ///< address of the first row
  std::uint32_t stride;  ///< bytes between groups of eight rows
  bool has_swizzle;      ///< of 128 bytes

  explicit descriptor(std::uint64_t bits)
      : start(static_cast<std::uint32_t>(bits & 0x3fffu) << 4),
        stride(static_cast<std::uint32_t>(bits >> 32 & 0x3fffu) << 4),
        has_swizzle(bits >> 62 == 1) {}

  std::uint32_t address(int row, int byte) const {
    auto const r = static_cast<std::uint32_t>(row);
    return with_swizzle(start + r / 8 * stride + r % 8 * 128 + static_cast<std::uint32_t>(byte));
  }
};

}  // namespace

void machine::multiply(matrix_product const& product) {
  if (!self().may_multiply) fail("wgmma without wgmma_fence since the last wait");
  self().products.push_back(product);
}

void machine::products_commit() {
  self().product_groups.push_back(self().products.size());
  thread* me = &self();
  together("wgmma_commit", me, [&](auto const& all) {
    if (one_in(2)) multiply_all(all, 0);  // at once, or when they are waited for
  });
}

void machine::products_wait(int pending) {
  self().may_multiply = false;
  thread* me = &self();
  together("wgmma_wait", me, [&](auto const& all) { multiply_all(all, pending); });
}

void machine::multiply_all(std::array<thread**, 32> const& all, int pending) {
  std::array<thread*, 32> lanes;
  for (std::size_t lane = 0; lane < 32; ++lane) lanes[lane] = *all[lane];
  auto const& first = *lanes[0];
  for (auto const* lane : lanes) {
    if (lane->product_groups != first.product_groups) fail("lanes of a warp have started different products");
  }
  if (first.product_groups.size() <= static_cast<std::size_t>(pending)) return;
  auto const groups = first.product_groups.size() - static_cast<std::size_t>(pending);
  auto const end = first.product_groups[groups - 1];
  for (std::size_t i = 0; i < end; ++i) multiply_now(lanes, i);
  for (auto* lane : lanes) {
    lane->products.erase(lane->products.begin(), lane->products.begin() + static_cast<std::ptrdiff_t>(end));
    lane->product_groups.erase(lane->product_groups.begin(),
                               lane->product_groups.begin() + static_cast<std::ptrdiff_t>(groups));
    for (auto& group : lane->product_groups) group -= end;
  }
}

void machine::multiply_now(std::array<thread*, 32> const& lanes, std::size_t which) {
  auto const& product = lanes[0]->products[which];
  for (auto const* lane : lanes) {
    auto const& other = lane->products[which];
    if (other.a != product.a || other.b != product.b || other.accumulate != product.accumulate) {
      fail("wgmma with other operands in other lanes");
    }
  }
  descriptor const a(product.a);
  descriptor const b(product.b);
  if (!a.has_swizzle || !b.has_swizzle) fail("wgmma with another layout than the 128-byte swizzle");
  int const depth = slice_bytes / product.element_bytes;
  int const first_row = lanes[0]->in_block / 32 % 4 * 16;
  int const block = lanes[0]->block;
  auto const size = static_cast<std::size_t>(product.element_bytes);
  auto const element = [&](descriptor const& from, int row, int k) {
    auto const at = from.address(row, k * product.element_bytes);
    check_fenced(block, at, size < 4 ? 4 : size, "wgmma");
    return product.element(bytes_at(block, at, size));
  };
  float right[most_elements][most_columns];
  for (int k = 0; k < depth; ++k) {
    for (int col = 0; col < product.columns; ++col) right[k][col] = element(b, col, k);
  }
  for (int r = 0; r < 16; ++r) {
    float sums[most_columns] = {};
    for (int k = 0; k < depth; ++k) {
      float const left = element(a, first_row + r, k);
      for (int col = 0; col < product.columns; ++col) sums[col] += left * right[k][col];
    }
    // Lane 4 (r % 8) + c holds columns 2 c and 2 c + 1 of every eight, of rows r and r + 8.
    for (int col = 0; col < product.columns; ++col) {
      auto const lane = static_cast<std::size_t>(4 * (r % 8)) + static_cast<std::size_t>(col % 8 / 2);
      float& d = lanes[lane]->products[which].accumulators[col / 8 * 4 + r / 8 * 2 + col % 2];
      d = product.accumulate ? d + sums[col] : sums[col];
    }
  }
}

}  // namespace sigmax::test::emulation
