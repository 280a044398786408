// SPDX-License-Identifier: MIT
// Training that was saved and loaded goes on bit for bit.

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <limits>
#include <map>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include <doctest/doctest.h>

#include <sigmax/constraint/soft_cap.hpp>
#include <sigmax/core/random.hpp>
#include <sigmax/io/safetensors.hpp>
#include <sigmax/optimizer/adamw.hpp>
#include <sigmax/optimizer/muon.hpp>

namespace {

using sigmax::index_t;
namespace io = sigmax::io;

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
