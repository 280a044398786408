// SPDX-License-Identifier: MIT
/// @file
/// Networks of layers and certificates of their Lipschitz constants. Needs no library but xsimd; networks in files are
/// opt-in: <sigmax/io/onnx.hpp>.
#pragma once

#include <sigmax/lipschitz/attention_layers.hpp>
#include <sigmax/lipschitz/certificate.hpp>
#include <sigmax/lipschitz/certify.hpp>
#include <sigmax/lipschitz/combinators.hpp>
#include <sigmax/lipschitz/convolution_layers.hpp>
#include <sigmax/lipschitz/domain.hpp>
#include <sigmax/lipschitz/falsify.hpp>
#include <sigmax/lipschitz/layers.hpp>
#include <sigmax/lipschitz/method.hpp>
#include <sigmax/lipschitz/network.hpp>
#include <sigmax/lipschitz/normalization_layers.hpp>
#include <sigmax/lipschitz/pooling_layers.hpp>
#include <sigmax/lipschitz/propose.hpp>
#include <sigmax/lipschitz/rewrite.hpp>
#include <sigmax/lipschitz/robustness.hpp>
#include <sigmax/lipschitz/rules.hpp>
#include <sigmax/lipschitz/rules/custom.hpp>
#include <sigmax/lipschitz/search_report.hpp>
#include <sigmax/lipschitz/verify.hpp>
