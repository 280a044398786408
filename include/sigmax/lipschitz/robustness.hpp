// SPDX-License-Identifier: MIT
/// @file
/// Certified robustness of classifiers: from Lipschitz bounds to radii within which the class cannot change.
#pragma once

#include <sigmax/lipschitz/robustness/certified_accuracy.hpp>
#include <sigmax/lipschitz/robustness/certified_radius.hpp>
#include <sigmax/lipschitz/robustness/pairwise_constants.hpp>
#include <sigmax/lipschitz/robustness/prove_pairs.hpp>
