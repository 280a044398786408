// SPDX-License-Identifier: MIT
/// @file
/// What certificates tell of their progress, for the heartbeat.
#pragma once

#include <cstddef>

#include <sigmax/lipschitz/certificate_maker.hpp>

#include "heartbeat.hpp"

namespace certify_program {

/// The listener that writes to `work`, which must outlive it.
inline sigmax::lipschitz::progress_listener listen_to(progress& work) {
  return {&work, [](void* self, char const* stage, std::size_t done, std::size_t all) {
            auto& heard = *static_cast<progress*>(self);
            heard.unit = stage;
            heard.all = all;
            heard.done = done;
          }};
}

}  // namespace certify_program
