// SPDX-License-Identifier: MIT
// Training that was saved and loaded goes on bit for bit.

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <limits>
#include <map>
#include <new>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <sigmax/constraint/soft_cap.hpp>
#include <sigmax/core/random.hpp>
#include <sigmax/io/safetensors.hpp>
#include <sigmax/optimizer/adamw.hpp>
#include <sigmax/optimizer/muon.hpp>

#include "support/emulated_device.hpp"

namespace {

using sigmax::index_t;
namespace io = sigmax::io;
using sigmax::device_space;
using sigmax::test::emulated_device;
using sigmax::test::emulated_memory;
using sigmax::test::on_device;
using sigmax::test::on_host;
using sigmax::test::products_on_host;

template <class T>
sigmax::matrix<T> normal(index_t m, index_t n, std::uint64_t seed) {
  sigmax::matrix<T> result(m, n);
  sigmax::fill_normal(result.view(), seed);
  return result;
}

template <class T>
bool same_bits(sigmax::matrix<T> const& a, sigmax::matrix<T> const& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), static_cast<std::size_t>(a.size()) * sizeof(T)) == 0;
}

/// The bytes of a file with the state of one optimizer under "w".
template <class O>
std::string saved(O const& opt) {
  io::optimizer_state_writer writer;
  writer.add("w", opt);
  return io::safetensors_bytes(writer.tensors());
}
template <class O>
std::string saved(emulated_device<> const& on, O const& opt) {
  io::optimizer_state_writer writer;
  writer.add(on, "w", opt);
  return io::safetensors_bytes(writer.tensors());
}

/// The same without the tensor of this name.
template <class O>
std::string saved_without(std::string const& name, O const& opt) {
  io::optimizer_state_writer writer;
  writer.add("w", opt);
  std::vector<io::named_tensor> tensors;
  for (auto const& tensor : writer.tensors()) {
    if (tensor.name() != name) tensors.push_back(tensor);
  }
  CHECK(tensors.size() + 1 == writer.tensors().size());
  return io::safetensors_bytes(tensors);
}

io::safetensors_file parsed(std::string const& bytes) {
  return io::parse_safetensors(std::as_bytes(std::span(bytes.data(), bytes.size())));
}

sigmax::constraint::soft_cap const cap{.sigma_max = 1, .norm = sigmax::norm::rms, .certified = true};

/// Three steps, saved; three more in the original and in one that was made with another learning rate and loaded.
template <class T, class O>
void continues(O opt, O fresh, index_t m, index_t n) {
  auto w = normal<T>(m, n, 1);
  for (int t = 0; t < 3; ++t) opt.step(w, normal<T>(m, n, 10 + static_cast<std::uint64_t>(t)), cap);
  opt.set_learning_rate(0.1 / 3);
  auto const bytes = saved(opt);
  io::restore_optimizer(parsed(bytes), "w", fresh);
  CHECK(fresh.steps() == 3);
  CHECK(fresh.learning_rate() == 0.1 / 3);
  CHECK(saved(fresh) == bytes);
  auto other = w;
  for (int t = 0; t < 3; ++t) {
    auto const g = normal<T>(m, n, 20 + static_cast<std::uint64_t>(t));
    auto const expected = opt.step(w, g, cap);
    CHECK(fresh.step(other, g, cap) == expected);
    CHECK(same_bits(w, other));
  }
}

/// A batch of two.
template <class S>
std::vector<sigmax::matrix<S>> normals(std::uint64_t seed) {
  std::vector<sigmax::matrix<S>> result;
  result.push_back(normal<S>(12, 7, seed));
  result.push_back(normal<S>(12, 12, seed + 100));
  return result;
}
template <class S>
std::vector<sigmax::test::device_matrix<S>> on_device(emulated_memory& device,
                                                      std::vector<sigmax::matrix<S>> const& batch) {
  std::vector<sigmax::test::device_matrix<S>> result;
  for (auto const& each : batch) result.push_back(on_device(device, each));
  return result;
}

/// Three steps on a device, saved; three more in the original and in those loaded on the device and on
/// the host.
template <template <class, class> class O, class S, class Options>
void moves(Options const& options) {
  using T = sigmax::compute_t<S>;
  emulated_memory device;
  {
    emulated_device<> const on(device);
    auto here = normals<S>(1);
    auto there = on_device(device, here);
    O<T, device_space> opt(on, there, options);
    O<T, sigmax::host_space> expected(here, options);
    for (std::uint64_t t = 0; t < 3; ++t) {
      auto const g = normals<S>(10 + t);
      opt.step(on, there, on_device(device, g), cap);
      expected.step(products_on_host{}, here, g, cap);
    }
    opt.set_learning_rate(0.1 / 3);
    expected.set_learning_rate(0.1 / 3);
    auto const bytes = saved(on, opt);
    CHECK(bytes == saved(expected));
    CHECK(saved(on, expected) == bytes);

    auto changed = options;
    changed.learning_rate = 0.5;
    O<T, device_space> again(on, there, changed);
    io::restore_optimizer(on, parsed(bytes), "w", again);
    CHECK(saved(on, again) == bytes);
    O<T, sigmax::host_space> moved(here, changed);
    io::restore_optimizer(parsed(bytes), "w", moved);
    CHECK(saved(moved) == bytes);
    O<T, sigmax::host_space> not_moved(here, changed);
    io::restore_optimizer(on, parsed(bytes), "w", not_moved);
    CHECK(saved(not_moved) == bytes);

    auto other = there;
    for (std::uint64_t t = 0; t < 3; ++t) {
      auto const g = normals<S>(20 + t);
      auto const g_there = on_device(device, g);
      auto const outcome = opt.step(on, there, g_there, cap);
      CHECK(again.step(on, other, g_there, cap) == outcome);
      CHECK(moved.step(products_on_host{}, here, g, cap) == outcome);
      for (std::size_t b = 0; b < here.size(); ++b) {
        CHECK(same_bits(on_host(device, there[b]), here[b]));
        CHECK(same_bits(on_host(device, other[b]), here[b]));
      }
    }
    CHECK(saved(on, again) == saved(moved));
  }
  CHECK(device.pieces() == 0);
}

/// State in 16 bits on a device, as optimizers may have it that sigmax does not have.
struct sixteen_bits {
  sigmax::test::device_matrix<sigmax::bf16> first;
  sigmax::test::device_matrix<sigmax::f16> second;
  double number = 0.1;

  template <class F>
  void for_each_tensor(F const& f) {
    f("first", first.view());
    f("second", second.view());
  }
  template <class F>
  void for_each_tensor(F const& f) const {
    f("first", first.view());
    f("second", second.view());
  }
  template <class F>
  void for_each_number(F const& f) {
    f("number", number);
  }
  template <class F>
  void for_each_number(F const& f) const {
    double copy = number;
    f("number", copy);
  }
};

}  // namespace

TEST_CASE_TEMPLATE("a loaded optimizer continues bit for bit", T, float, double) {
  sigmax::matrix<T> const w(12, 7);
  using muon = sigmax::muon<T>;
  using adamw = sigmax::adamw<T>;
  continues<T>(muon(w, {.learning_rate = 0.02, .momentum = 0.9}), muon(w), 12, 7);
  continues<T>(muon(w, {.row_blocks = {4, 8}}), muon(w, {.learning_rate = 0.5, .row_blocks = {4, 8}}), 12, 7);
  continues<T>(adamw(w, {.learning_rate = 0.02, .beta2 = 0.95, .eps = 1e-6}), adamw(w), 12, 7);
}

TEST_CASE("several optimizers, their weights and metadata share a file") {
  auto const path = std::filesystem::temp_directory_path() / "sigmax_optimizer_state.safetensors";
  std::vector<sigmax::matrix<float>> batch = {normal<float>(3, 4, 1), normal<float>(5, 2, 2)};
  auto w = normal<float>(4, 6, 3);
  sigmax::muon of_batch(batch);
  sigmax::adamw of_w(w);
  of_batch.step(batch, batch);
  of_w.step(w, normal<float>(4, 6, 5));
  {
    io::optimizer_state_writer writer;
    writer.add("experts", of_batch);
    writer.add("head", of_w);
    writer.add({"head.weight", w});
    writer.save(path, {{"step", "1"}});
  }
  auto const file = io::load_safetensors(path);
  CHECK(file.metadata().at("step") == "1");
  CHECK(file.find("experts.momentum.0") != nullptr);
  CHECK(file.find("experts.momentum.1") != nullptr);
  CHECK(file.find("head.second_moment") != nullptr);
  CHECK(file.matrix<float>("head.weight").rows() == 4);
  sigmax::muon batch_again(batch);
  sigmax::adamw w_again(w);
  io::restore_optimizer(file, "experts", batch_again);
  io::restore_optimizer(file, "head", w_again);
  CHECK(saved(batch_again) == saved(of_batch));
  CHECK(saved(w_again) == saved(of_w));
  std::filesystem::remove(path);
}

TEST_CASE("what does not fit is refused, and the optimizer stays as it was") {
  sigmax::matrix<float> const w(4, 3);
  sigmax::muon opt(w, {.learning_rate = 0.25, .row_blocks = {2, 2}});
  auto const before = saved(opt);
  auto const file = parsed(before);
  auto const refuses = [&](auto const& error, auto target, std::string const& prefix = "w") {
    using expected = std::remove_cvref_t<decltype(error)>;
    auto const state = saved(target);
    CHECK_THROWS_AS(io::restore_optimizer(file, prefix, target), expected);
    CHECK(saved(target) == state);
  };
  refuses(sigmax::format_error(""), sigmax::muon(w, {.row_blocks = {2, 2}}), "v");
  refuses(sigmax::format_error(""), sigmax::adamw(w));
  refuses(sigmax::domain_error(""), sigmax::muon(w));                          // no row blocks
  refuses(sigmax::domain_error(""), sigmax::muon(w, {.row_blocks = {1, 3}}));  // others
  refuses(sigmax::domain_error(""), sigmax::muon(w, {.nesterov = false, .row_blocks = {2, 2}}));
  refuses(sigmax::domain_error(""), sigmax::muon(w, {.schedule = sigmax::schedules::you, .row_blocks = {2, 2}}));
  refuses(sigmax::shape_error(""), sigmax::muon(sigmax::matrix<float>(4, 5), {.row_blocks = {2, 2}}));
  refuses(sigmax::unsupported_error(""), sigmax::muon(sigmax::matrix<double>(4, 3), {.row_blocks = {2, 2}}));

  // Numbers that no optimizer has.
  for (auto const& wrong : std::multimap<std::string, double>{{"w.steps", -1.0},
                                                              {"w.steps", 0.5},
                                                              {"w.steps", 1e300},
                                                              {"w.steps", std::numeric_limits<double>::quiet_NaN()},
                                                              {"w.learning_rate", -1.0},
                                                              {"w.momentum_factor", 1.0},
                                                              {"w.weight_decay", 1e9}}) {
    auto const& name = wrong.first;
    auto const& value = wrong.second;
    io::optimizer_state_writer writer;
    writer.add("w", opt);
    std::vector<io::named_tensor> tensors;
    for (auto const& tensor : writer.tensors()) {
      if (tensor.name() == name) {
        tensors.emplace_back(name, sigmax::vector_view<double const>(&value, 1));
      } else {
        tensors.push_back(tensor);
      }
    }
    auto const bytes = io::safetensors_bytes(tensors);
    CAPTURE(name);
    CHECK_THROWS_AS(io::restore_optimizer(parsed(bytes), "w", opt), sigmax::domain_error);
    CHECK(saved(opt) == before);
  }
}

TEST_CASE_TEMPLATE("state moves between a device and the host", S, float, sigmax::bf16) {
  moves<sigmax::muon, S>(sigmax::muon_options{.learning_rate = 0.02, .momentum = 0.9});
  moves<sigmax::muon, S>(sigmax::muon_options{.row_blocks = {4, 8}});
  moves<sigmax::adamw, S>(sigmax::adamw_options{.learning_rate = 0.02, .beta2 = 0.95, .eps = 1e-6});
}

TEST_CASE("state of 16 bits on a device keeps every bit") {
  emulated_memory device;
  emulated_device<> const on(device);
  sigmax::matrix<sigmax::bf16> first = normal<sigmax::bf16>(5, 3, 1);
  first(4, 2) = std::bit_cast<sigmax::bf16>(std::uint16_t{0xffc5});  // a NaN with a payload
  sixteen_bits const opt{on_device(device, first), on_device(device, normal<sigmax::f16>(0, 4, 2))};
  auto const bytes = saved(on, opt);
  auto const file = parsed(bytes);
  CHECK(file.at("w.first").type == io::element_type::bf16);
  CHECK(file.at("w.second").type == io::element_type::f16);
  sixteen_bits other{on_device(device, normal<sigmax::bf16>(5, 3, 7)), on_device(device, normal<sigmax::f16>(0, 4, 7)),
                     0.0};
  io::restore_optimizer(on, file, "w", other);
  CHECK(same_bits(on_host(device, other.first), first));
  CHECK(other.number == 0.1);
  CHECK(saved(on, other) == bytes);
}

TEST_CASE("a writer owns what it copies from a device, and moves with it") {
  emulated_memory device;
  emulated_device<> const on(device);
  std::string bytes;
  io::optimizer_state_writer copy;
  {
    auto w = on_device(device, normal<float>(4, 3, 1));
    sigmax::muon opt(on, w);
    opt.step(on, w, on_device(device, normal<float>(4, 3, 2)), cap);
    bytes = saved(on, opt);
    io::optimizer_state_writer writer;
    writer.add(on, "w", opt);
    opt.step(on, w, on_device(device, normal<float>(4, 3, 3)), cap);
    CHECK(saved(on, opt) != bytes);
    CHECK(io::safetensors_bytes(writer.tensors()) == bytes);
    auto moved = std::move(writer);
    copy = moved;
  }
  CHECK(device.pieces() == 0);
  CHECK(io::safetensors_bytes(copy.tensors()) == bytes);
}

TEST_CASE("what does not fit leaves an optimizer on a device as it was") {
  emulated_memory device;
  emulated_device<> const on(device);
  auto const w = normal<float>(4, 3, 1);
  auto there = on_device(device, w);
  auto const g = on_device(device, normal<float>(4, 3, 2));
  auto const refuses = [&](auto const& error, std::string const& bytes, auto& target) {
    using expected = std::remove_cvref_t<decltype(error)>;
    auto const state = saved(on, target);
    CHECK_THROWS_AS(io::restore_optimizer(on, parsed(bytes), "w", target), expected);
    CHECK(saved(on, target) == state);
  };
  sigmax::adamw adamw(on, there);
  sigmax::muon muon(on, there);
  adamw.step(on, there, g, cap);
  muon.step(on, there, g, cap);
  refuses(sigmax::format_error(""), saved_without("w.momentum", sigmax::muon(w)), muon);
  refuses(sigmax::format_error(""), saved_without("w.second_moment", sigmax::adamw(w)), adamw);
  refuses(sigmax::format_error(""), saved_without("w.eps", sigmax::adamw(w)), adamw);
  refuses(sigmax::shape_error(""), saved(sigmax::muon(sigmax::matrix<float>(4, 5))), muon);
  refuses(sigmax::unsupported_error(""), saved(sigmax::muon(sigmax::matrix<double>(4, 3))), muon);
  refuses(sigmax::domain_error(""), saved(sigmax::muon(w, {.row_blocks = {1, 3}})), muon);
  device.exhaust();
  refuses(std::bad_alloc(), saved(sigmax::muon(w)), muon);
}
