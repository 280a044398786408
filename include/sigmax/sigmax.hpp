// SPDX-License-Identifier: MIT
/// @file
/// Everything that needs no library but xsimd. File formats are opt-in: <sigmax/io/...>; Eigen as a backend is
/// <sigmax/backend/eigen.hpp> (matrices of Eigen are accepted everywhere without it).
#pragma once

#include <sigmax/backend/concept.hpp>
#include <sigmax/backend/default_backend.hpp>
#include <sigmax/backend/scalar.hpp>
#include <sigmax/backend/simd.hpp>
#include <sigmax/bound/enclosure.hpp>
#include <sigmax/bound/interval.hpp>
#include <sigmax/bound/log_upper_bound.hpp>
#include <sigmax/bound/norm.hpp>
#include <sigmax/bound/rounding.hpp>
#include <sigmax/bound/upper_bound.hpp>
#include <sigmax/certified/cheap.hpp>
#include <sigmax/certified/cholesky.hpp>
#include <sigmax/certified/gram.hpp>
#include <sigmax/certified/operator_norm.hpp>
#include <sigmax/certified/scale_to.hpp>
#include <sigmax/certified/spectral_norm.hpp>
#include <sigmax/config.hpp>
#include <sigmax/core/error.hpp>
#include <sigmax/core/matrix.hpp>
#include <sigmax/core/matrix_like.hpp>
#include <sigmax/core/matrix_view.hpp>
#include <sigmax/core/parallel.hpp>
#include <sigmax/core/random.hpp>
#include <sigmax/core/scalar.hpp>
#include <sigmax/core/workspace.hpp>
#include <sigmax/estimate/lanczos.hpp>
#include <sigmax/estimate/power_iteration.hpp>
#include <sigmax/lipschitz/certificate.hpp>
#include <sigmax/lipschitz/certify.hpp>
#include <sigmax/lipschitz/combinators.hpp>
#include <sigmax/lipschitz/falsify.hpp>
#include <sigmax/lipschitz/layers.hpp>
#include <sigmax/lipschitz/network.hpp>
#include <sigmax/lipschitz/rules.hpp>
