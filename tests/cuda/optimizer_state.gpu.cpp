// SPDX-License-Identifier: MIT
// State of optimizers on the device, through files: back to the device, and to the host and back.
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include <doctest/doctest.h>

#include <sigmax/constraint/soft_cap.hpp>
#include <sigmax/cuda/backend.hpp>
#include <sigmax/cuda/device_matrix.hpp>
#include <sigmax/io/safetensors.hpp>
#include <sigmax/optimizer/adamw.hpp>
#include <sigmax/optimizer/muon.hpp>

#include "constraint/weights.hpp"

using namespace sigmax::test;
namespace gpu = sigmax::gpu;
namespace io = sigmax::io;

namespace {

std::string bytes_of(io::optimizer_state_writer const& writer) { return io::safetensors_bytes(writer.tensors()); }

template <class O>
std::string saved(gpu::cuda const& on, O const& opt) {
  io::optimizer_state_writer writer;
  writer.add(on, "w", opt);
  return bytes_of(writer);
}

io::safetensors_file parsed(std::string const& bytes) {
  return io::parse_safetensors(std::as_bytes(std::span(bytes.data(), bytes.size())));
}

/// Three steps, saved; three more in the original and in one whose state went to the host and back.
template <template <class, class> class O, class S, class Options>
void continues(Options const& options) {
  gpu::stream const stream;
  gpu::cuda const on(stream);
  sigmax::constraint::soft_cap const cap{.sigma_max = 1, .norm = sigmax::norm::rms, .certified = true};
  auto const start = random_weight<S>(40, 64, 1, 0.6);
  auto w = gpu::device_matrix<S>::copy_of(start, stream);
  auto const gradient = [&](std::uint64_t t) {
    return gpu::device_matrix<S>::copy_of(rounded<S>(gaussian(40, 64, t)), stream);
  };
  O<float, sigmax::device_space> opt(on, w, options);
  for (std::uint64_t t = 0; t < 3; ++t) opt.step(on, w, gradient(t), cap);
  opt.set_learning_rate(0.1 / 3);
  auto const bytes = saved(on, opt);

  O<float, sigmax::host_space> on_host(start, options);
  io::restore_optimizer(parsed(bytes), "w", on_host);
  io::optimizer_state_writer of_host;
  of_host.add("w", on_host);
  CHECK(bytes_of(of_host) == bytes);

  O<float, sigmax::device_space> again(on, w, options);
  io::restore_optimizer(on, parsed(bytes_of(of_host)), "w", again);
  CHECK(again.steps() == 3);
  CHECK(saved(on, again) == bytes);
  auto other = w;
  for (std::uint64_t t = 3; t < 6; ++t) {
    auto const g = gradient(t);
    auto const expected = opt.step(on, w, g, cap);
    CHECK(again.step(on, other, g, cap) == expected);
    CHECK(same_bits(other.to_host(), w.to_host()));
  }
  auto const after = saved(on, again);
  CHECK(after == saved(on, opt));

  auto const nothing = bytes_of({});
  CHECK_THROWS_AS(io::restore_optimizer(on, parsed(nothing), "w", again), sigmax::format_error);
  CHECK(saved(on, again) == after);
}

}  // namespace

TEST_CASE_TEMPLATE("state of optimizers on the device goes on bit for bit", S, float, sigmax::bf16) {
  continues<sigmax::muon, S>(sigmax::muon_options{.learning_rate = 0.02});
  continues<sigmax::adamw, S>(sigmax::adamw_options{.learning_rate = 0.02, .beta2 = 0.95});
}
