// SPDX-License-Identifier: MIT
/// @file
/// Tensors from and to safetensors files. Opt-in by inclusion (link sigmax::safetensors).
#pragma once

#include <sigmax/io/safetensors/load.hpp>
#include <sigmax/io/safetensors/optimizer_state.hpp>
#include <sigmax/io/safetensors/save.hpp>
