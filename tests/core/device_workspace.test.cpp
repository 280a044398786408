// SPDX-License-Identifier: MIT
// Workspaces with memory of a device beside that of the host.
#include <cstdint>
#include <new>
#include <utility>

#include <doctest/doctest.h>

#include <sigmax/core/device_matrix.hpp>
#include <sigmax/core/workspace.hpp>

#include "support/emulated_memory.hpp"

using sigmax::device_space;
using sigmax::index_t;
using sigmax::workspace;
using sigmax::test::emulated_memory;

namespace {

template <class T>
bool is_on(emulated_memory const& device, sigmax::vector_view<T, device_space> v) {
  return device.holds(v.data(), static_cast<std::size_t>(v.size()) * sizeof(T)) &&
         reinterpret_cast<std::uintptr_t>(v.data()) % 256 == 0;
}

}  // namespace

TEST_CASE("device memory is refused until it is known where it comes from") {
  emulated_memory device;
  workspace memory;
  workspace::frame frame(memory);
  CHECK(!memory.has_device_memory());
  CHECK_THROWS_WITH_AS((frame.vector<float, device_space>(3)),
                       "workspace: device memory was asked of it, and it has none; call set_device_memory first",
                       sigmax::domain_error);
  // A frame that is open already hands it out from then on.
  memory.set_device_memory(device.source());
  CHECK(memory.has_device_memory());
  CHECK(is_on(device, frame.vector<float, device_space>(3)));
}

TEST_CASE("frames hand out both memories, and give both back") {
  emulated_memory device;
  workspace memory;
  memory.set_device_memory(device.source());
  {
    workspace::frame outer(memory);
    auto const kept = outer.matrix<double, device_space>(3, 5);
    static_assert(std::is_same_v<decltype(kept), sigmax::matrix_view<double, device_space> const>);
    CHECK((kept.rows() == 3 && kept.cols() == 5 && kept.row_stride() == 5 && kept.col_stride() == 1));
    auto const on_host = outer.vector<double>(10);
    on_host[9] = 1;
    double const* first = nullptr;
    {
      workspace::frame inner(memory);
      auto const taken = inner.vector<double, device_space>(20);
      CHECK(is_on(device, taken));
      first = taken.data();
      CHECK(first > kept.data());
      CHECK_THROWS_AS((outer.vector<double, device_space>(1)), sigmax::domain_error);
    }
    CHECK(outer.vector<double, device_space>(5).data() == first);
    CHECK(outer.vector<float, device_space>(0).data() == nullptr);
    CHECK_THROWS_AS((outer.vector<float, device_space>(-1)), sigmax::shape_error);
  }
  // 15 and 20 doubles in pieces of 256 bytes.
  CHECK(memory.device_peak() == 256 + 256);
  CHECK(memory.peak() == 128);
  CHECK(memory.device_capacity() == device.bytes());
}

TEST_CASE("device memory grows, is merged to the peak, and is then asked for no more") {
  emulated_memory device;
  {
    workspace memory;
    memory.set_device_memory(device.source());
    for (int round = 0; round < 3; ++round) {
      workspace::frame frame(memory);
      for (int i = 0; i < 5; ++i) CHECK(is_on(device, frame.vector<double, device_space>(20000 + i)));
    }
    CHECK(device.taken() == 6);
    CHECK(device.pieces() == 1);
    CHECK(memory.device_capacity() == memory.device_peak());
    CHECK(memory.capacity() == 0);
    memory.freeze();
    workspace::frame frame(memory);
    CHECK_THROWS_AS((frame.vector<double, device_space>(200000)), std::bad_alloc);
  }
  CHECK(device.pieces() == 0);
}

TEST_CASE("an exhausted device throws and leaves the workspace as it was") {
  emulated_memory device;
  workspace memory;
  memory.set_device_memory(device.source());
  workspace::frame frame(memory);
  auto const before = frame.vector<float, device_space>(3);
  device.exhaust();
  CHECK_THROWS_AS((frame.vector<float, device_space>(1000000)), std::bad_alloc);
  CHECK(frame.vector<float, device_space>(3).data() == before.data() + 64);
}

TEST_CASE("the device can be changed while nothing of it is in use") {
  emulated_memory one;
  emulated_memory other;
  workspace memory;
  memory.set_device_memory(one.source());
  auto& thread = memory.of_thread(0);
  CHECK(thread.has_device_memory());
  {
    workspace::frame frame(memory);
    CHECK(is_on(one, frame.vector<float, device_space>(3)));
    CHECK_THROWS_AS(memory.set_device_memory(other.source()), sigmax::domain_error);
    CHECK_NOTHROW(memory.set_device_memory(one.source()));
    workspace::frame of_thread(thread);
    CHECK(is_on(one, of_thread.vector<float, device_space>(3)));
  }
  CHECK(one.pieces() == 2);
  memory.set_device_memory(other.source());
  CHECK(one.pieces() == 0);
  workspace moved(std::move(memory));
  workspace::frame frame(moved);
  CHECK(is_on(other, frame.vector<float, device_space>(3)));
  workspace::frame of_thread(moved.of_thread(0));
  CHECK(is_on(other, of_thread.vector<float, device_space>(3)));
}

TEST_CASE("device matrices own, move and copy their elements") {
  emulated_memory device;
  {
    sigmax::test::device_matrix<float> a(device.source(), 2, 3);
    CHECK((a.rows() == 2 && a.cols() == 3));
    auto const seen = device.seen_by_host(a.view());
    for (index_t i = 0; i < 6; ++i) seen.data()[i] = static_cast<float>(i);
    auto copy = a;
    CHECK(copy.data() != a.data());
    CHECK(device.seen_by_host(std::as_const(copy).view())(1, 2) == 5);
    auto const moved = std::move(copy);
    CHECK((copy.data() == nullptr && copy.rows() == 0));  // NOLINT(bugprone-use-after-move)
    CHECK(device.pieces() == 2);
    a = moved;
    CHECK(device.pieces() == 2);
    CHECK_THROWS_AS(sigmax::test::device_matrix<float>(device.source(), -1, 3), sigmax::shape_error);
    CHECK(sigmax::test::device_matrix<float>(device.source(), 0, 3).data() == nullptr);
    auto without_copy = device.source();
    without_copy.copy = nullptr;
    sigmax::test::device_matrix<float> const fixed(without_copy, 1, 1);
    CHECK_THROWS_AS(sigmax::test::device_matrix<float>{fixed}, sigmax::unsupported_error);
    CHECK(device.pieces() == 3);
  }
  CHECK(device.pieces() == 0);
}
