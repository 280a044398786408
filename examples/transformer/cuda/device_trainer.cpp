// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cstddef>
#include <memory>
#include <vector>

#include <sigmax/cuda/stream.hpp>
#include <sigmax/kernels.hpp>

#include "../trainer_on.hpp"
#include "device_backend.hpp"
#include "device_trainer.hpp"

namespace transformer {

namespace {

/// A base, so that they outlive what works on them.
struct owned_streams {
  sigmax::gpu::stream stream;
  std::vector<sigmax::gpu::stream> of_lanes;

  explicit owned_streams(int lanes) : of_lanes(static_cast<std::size_t>(lanes)) {}

  std::vector<device_backend> lanes() const { return {of_lanes.begin(), of_lanes.end()}; }
};

class device_trainer final : owned_streams, public trainer_on<device_backend> {
 public:
  device_trainer(sigmax::cpu::native const& host, run_settings const& settings, corpus const& text)
      : owned_streams(std::min(host.threads(), most_lanes)),
        trainer_on<device_backend>(host, device_backend(stream), settings, text, lanes()) {}

 private:
  static constexpr int most_lanes = 16;
};

}  // namespace

std::unique_ptr<trainer> make_trainer_on_device(sigmax::cpu::native const& host, run_settings const& settings,
                                                corpus const& text) {
  return std::make_unique<device_trainer>(host, settings, text);
}

}  // namespace transformer
