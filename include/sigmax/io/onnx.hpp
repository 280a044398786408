// SPDX-License-Identifier: MIT
/// @file
/// Networks from and to ONNX files. Opt-in: needs ONNX's protobuf schema (link sigmax::onnx).
#pragma once

#include <sigmax/io/onnx/load.hpp>
#include <sigmax/io/onnx/save.hpp>
