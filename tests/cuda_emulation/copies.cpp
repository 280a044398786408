// SPDX-License-Identifier: MIT
// Shared memory of the machine, and the copies from and to it.
#include <algorithm>

#include "machine.hpp"

namespace sigmax::test::emulation {
namespace {

constexpr int box_rows = 64;
constexpr int box_row_bytes = 128;

}  // namespace

std::uint32_t machine::address_of(void const* pointer) const {
  return static_cast<std::uint32_t>(static_cast<unsigned char const*>(pointer) - blocks_[0].memory) + shared_start;
}

unsigned char* machine::bytes_at(int block, std::uint32_t address, std::size_t bytes) {
  if (address < shared_start || address - shared_start + bytes > shape_.shared_bytes) {
    fail("address " + std::to_string(address) + " is outside of shared memory");
  }
  return blocks_[static_cast<std::size_t>(block)].memory + (address - shared_start);
}

void machine::load(void* to, std::uint32_t from, std::size_t bytes) {
  if (from % bytes != 0) fail("reads from an address that is no multiple of the size");
  std::memcpy(to, bytes_at(self().block, from, bytes), bytes);
}

void machine::store_of(std::size_t lane, std::uint32_t to, void const* from, std::size_t bytes) {
  auto& writer = threads_[static_cast<std::size_t>(self().number / 32 * 32) + lane];
  if (to % bytes != 0) fail("writes to an address that is no multiple of the size");
  std::memcpy(bytes_at(writer.block, to, bytes), from, bytes);
  auto& block = blocks_[static_cast<std::size_t>(writer.block)];
  for (auto at = to / 8; at <= (to + static_cast<std::uint32_t>(bytes) - 1) / 8; ++at) {
    if (block.barriers[at].made) fail("writes over a barrier");
  }
  auto& unfenced = block.unfenced;
  for (std::uint32_t word = to / 4; word <= (to + static_cast<std::uint32_t>(bytes) - 1) / 4; ++word) {
    unfenced[word] = static_cast<std::uint16_t>(writer.in_block + 1);
    writer.unfenced.push_back(word);
  }
}

void machine::fence_for_copies() {
  pass();
  auto& unfenced = blocks_[static_cast<std::size_t>(self().block)].unfenced;
  for (auto const word : self().unfenced) {
    if (unfenced[word] == self().in_block + 1) unfenced[word] = 0;
  }
  self().unfenced.clear();
}

void machine::check_fenced(int block, std::uint32_t address, std::size_t bytes, char const* who) {
  auto const& unfenced = blocks_[static_cast<std::size_t>(block)].unfenced;
  for (std::uint32_t word = address / 4; word < (address + bytes) / 4; ++word) {
    if (unfenced[word] != 0) {
      fail(std::string(who) + " meets what thread " + std::to_string(unfenced[word] - 1) + " wrote without a fence");
    }
  }
}

void machine::load_box(mapped_matrices const& from, std::uint32_t to, std::uint32_t barrier, int x, int y, int z,
                       unsigned blocks) {
  pass();
  if (!self().touches_memory) fail("global memory is read before the kernels before have ended");
  if (to % 1024 != 0) fail("a box whose address is no multiple of 1024");
  for (unsigned b = 0; b < 32; ++b) {
    if ((blocks >> b & 1u) == 0) continue;
    bytes_at(static_cast<int>(b), to, box_rows * box_row_bytes);
    // One a block: they arrive at different times.
    copies_.push_back({from, false, to, barrier, x, y, z, static_cast<int>(b), self().number, 0, draw()});
  }
}

void machine::store_box(mapped_matrices const& to, std::uint32_t from, int x, int y, int z) {
  pass();
  auto& t = self();
  if (!t.touches_memory) fail("global memory is written before the kernels before have ended");
  if (from % 1024 != 0) fail("a box whose address is no multiple of 1024");
  if (to.written == nullptr) fail("writes what is only read");
  bytes_at(t.block, from, box_rows * box_row_bytes);
  check_fenced(t.block, from, box_rows * box_row_bytes, "a copy");
  auto const group = t.unread_stores.size() - 1;
  ++t.unread_stores[group];
  copies_.push_back({to, true, from, 0, x, y, z, t.block, t.number, group, draw()});
}

void machine::stores_commit() { self().unread_stores.push_back(0); }

void machine::stores_read(int pending) {
  pass();
  self().on = {waits_for::stores, static_cast<std::uint32_t>(pending), 0};
  if (!ready(self())) {
    leave();
  } else {
    self().on = {};
  }
}

void machine::carry_out(bulk_copy const& copy) {
  auto const& m = copy.matrices;
  if (copy.z < 0 || copy.z >= m.count) fail("a box of a matrix that is not there");
  auto& owner = threads_[static_cast<std::size_t>(copy.owner)];
  if (blocks_[static_cast<std::size_t>(copy.block)].living == 0) fail("a copy to or from a block that has ended");
  auto* const shared = bytes_at(copy.block, copy.shared, box_rows * box_row_bytes);
  check_fenced(copy.block, copy.shared, box_rows * box_row_bytes, "a copy");
  int const per_row = box_row_bytes / m.element_bytes;
  auto const size = static_cast<std::size_t>(m.element_bytes);
  for (int r = 0; r < box_rows; ++r) {
    for (int c = 0; c < per_row; ++c) {
      auto const offset = static_cast<std::uint32_t>(r * box_row_bytes + c * m.element_bytes);
      unsigned char* const here = shared + (with_swizzle(copy.shared + offset) - copy.shared);
      long long const row = copy.y + r;
      long long const col = copy.x + c;
      bool const inside = row >= 0 && row < m.rows && col >= 0 && col < m.cols;
      long long const at = copy.z * m.matrix_bytes + row * m.row_bytes + col * m.element_bytes;
      if (!copy.stores) {
        if (inside) {
          std::memcpy(here, m.data + at, size);
        } else {
          std::memset(here, 0, size);
        }
      } else if (inside) {
        std::memcpy(m.data + at, here, size);
        ++m.written[at / m.element_bytes];
      }
    }
  }
  if (copy.stores) {
    --owner.unread_stores[copy.group];
    return;
  }
  auto& b = barrier_at(copy.block, copy.barrier);
  if (owner.block != copy.block && !b.visible) fail("a copy that tells a barrier which only its block knows of");
  b.bytes -= box_rows * box_row_bytes;
  settle(b, copy.barrier);
}

void machine::copy_16_bytes(std::uint32_t to, void const* from, std::uint32_t bytes) {
  pass();
  if (to % 16 != 0 || reinterpret_cast<std::uintptr_t>(from) % 16 != 0) {
    fail("copies 16 bytes from or to an address that is no multiple of 16");
  }
  self().copies.push_back({to, from, bytes});
  if (one_in(4)) {
    carry_out(self().copies.back());
    self().copies.pop_back();
  }
}

void machine::carry_out(small_copy const& copy) {
  auto* const to = bytes_at(self().block, copy.to, 16);
  std::memset(to, 0, 16);
  if (copy.bytes != 0) std::memcpy(to, copy.from, copy.bytes);
}

void machine::copies_commit() { self().copy_groups.push_back(self().copies.size()); }

void machine::copies_wait(int pending) {
  pass();
  auto& t = self();
  if (t.copy_groups.size() <= static_cast<std::size_t>(pending)) return;
  auto const groups = t.copy_groups.size() - static_cast<std::size_t>(pending);
  auto const end = t.copy_groups[groups - 1];
  for (std::size_t i = 0; i < end; ++i) carry_out(t.copies[i]);
  t.copies.erase(t.copies.begin(), t.copies.begin() + static_cast<std::ptrdiff_t>(end));
  t.copy_groups.erase(t.copy_groups.begin(), t.copy_groups.begin() + static_cast<std::ptrdiff_t>(groups));
  for (auto& group : t.copy_groups) group -= end;
}

}  // namespace sigmax::test::emulation
