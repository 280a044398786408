// SPDX-License-Identifier: MIT
// Steps of optimizers whose weights, gradients and state are in device memory.
#include <cstdint>
#include <limits>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>

#include <sigmax/constraint/none.hpp>
#include <sigmax/constraint/soft_cap.hpp>
#include <sigmax/optimizer/adamw.hpp>
#include <sigmax/optimizer/muon.hpp>

#include "constraint/weights.hpp"
#include "support/emulated_device.hpp"

using namespace sigmax::test;
namespace constraint = sigmax::constraint;
using sigmax::device_space;
using sigmax::matrix;

namespace {

template <class S>
std::vector<device_matrix<S>> on_device(emulated_memory& device, std::vector<matrix<S>> const& batch) {
  std::vector<device_matrix<S>> result;
  for (auto const& each : batch) result.push_back(on_device(device, each));
  return result;
}

template <class S>
bool same_batch(emulated_memory const& device, std::vector<device_matrix<S>> const& there,
                std::vector<matrix<S>> const& here) {
  bool same = there.size() == here.size();
  for (std::size_t b = 0; b < here.size(); ++b) same = same && same_bits(on_host(device, there[b]), here[b]);
  return same;
}

template <class S>
std::vector<matrix<S>> gradients(std::uint64_t seed) {
  return {rounded<S>(gaussian(12, 7, seed)), rounded<S>(gaussian(12, 12, seed + 100))};
}

/// Three steps on the device and on the host, the third by a copy of the optimizer.
template <template <class, class> class O, class S, class Options, class C>
void same_steps(Options const& options, C const& c) {
  using T = sigmax::compute_t<S>;
  std::vector<matrix<S>> here = {random_weight<S>(12, 7, 1, 1), random_weight<S>(12, 12, 4, 0.6)};
  emulated_memory device;
  {
    emulated_device<> const on(device);
    auto there = on_device(device, here);
    O<T, device_space> opt(on, there, options);
    O<T, sigmax::host_space> expected(here, options);
    for (int t = 0; t < 2; ++t) {
      auto const g = gradients<S>(static_cast<std::uint64_t>(t));
      CHECK(opt.step(on, there, on_device(device, g), c) == expected.step(products_on_host{}, here, g, c));
      CHECK(same_batch(device, there, here));
      CHECK(opt.update_norm() == expected.update_norm());
    }
    auto copy = opt;
    auto const g = gradients<S>(9);
    CHECK(copy.step(on, there, on_device(device, g), c) == expected.step(products_on_host{}, here, g, c));
    CHECK(same_batch(device, there, here));
    std::vector<matrix<T>> state;
    expected.for_each_tensor([&](std::string_view, auto view) { state.push_back(matrix<T>::copy_of(view)); });
    std::size_t k = 0;
    copy.for_each_tensor([&](std::string_view, auto view) { CHECK(same_bits(on_host(device, view), state[k++])); });
    CHECK(k == state.size());
    CHECK(opt.steps() == 2);
  }
  CHECK(device.pieces() == 0);
}

}  // namespace

TEST_CASE_TEMPLATE("Muon on a device takes the steps of the host", S, float, sigmax::bf16) {
  constraint::soft_cap const capped{.sigma_max = 1.0, .certified = true};
  same_steps<sigmax::muon, S>(sigmax::muon_options{.learning_rate = 0.02}, capped);
  same_steps<sigmax::muon, S>(
      sigmax::muon_options{
          .form_of_momentum = sigmax::momentum_form::heavy_ball, .row_blocks = {4, 8}, .certified = true},
      capped);
  same_steps<sigmax::muon, S>(sigmax::muon_options{.dual_to = sigmax::duality::columns}, constraint::none{});
}

TEST_CASE_TEMPLATE("AdamW on a device takes the steps of the host", S, float, sigmax::bf16) {
  same_steps<sigmax::adamw, S>(sigmax::adamw_options{}, constraint::none{});
  same_steps<sigmax::adamw, S>(sigmax::adamw_options{.row_blocks = {4, 8}},
                               constraint::soft_cap{.sigma_max = 1.0, .certified = true});
}

TEST_CASE("a step that fails leaves weights and state on the device as they were") {
  emulated_memory device;
  emulated_device<> const on(device);
  auto const w = random_weight<float>(6, 9, 1, 1);
  auto there = on_device(device, w);
  sigmax::muon opt(on, there);
  static_assert(std::is_same_v<decltype(opt), sigmax::muon<float, device_space>>);
  static_assert(std::is_same_v<decltype(sigmax::adamw(on, there)), sigmax::adamw<float, device_space>>);
  auto g = rounded<float>(gaussian(6, 9, 2));
  g(1, 1) = std::numeric_limits<float>::quiet_NaN();
  CHECK_THROWS_AS(opt.step(on, there, on_device(device, g), constraint::none{}), sigmax::numeric_error);
  CHECK(same_bits(on_host(device, there), w));
  opt.for_each_tensor(
      [&](std::string_view, auto view) { CHECK(same_bits(on_host(device, view), matrix<float>(6, 9))); });
}
