// SPDX-License-Identifier: MIT
/// @file
/// All rules, for those who build a network node by node.
#pragma once

#include <sigmax/lipschitz/rules/activation.hpp>
#include <sigmax/lipschitz/rules/add_constant.hpp>
#include <sigmax/lipschitz/rules/along_axes.hpp>
#include <sigmax/lipschitz/rules/any_rule.hpp>
#include <sigmax/lipschitz/rules/attention.hpp>
#include <sigmax/lipschitz/rules/attention_mask.hpp>
#include <sigmax/lipschitz/rules/average_matrix.hpp>
#include <sigmax/lipschitz/rules/ball_projection.hpp>
#include <sigmax/lipschitz/rules/bounded.hpp>
#include <sigmax/lipschitz/rules/centering.hpp>
#include <sigmax/lipschitz/rules/channel.hpp>
#include <sigmax/lipschitz/rules/concatenate.hpp>
#include <sigmax/lipschitz/rules/constant.hpp>
#include <sigmax/lipschitz/rules/convolution.hpp>
#include <sigmax/lipschitz/rules/extremum.hpp>
#include <sigmax/lipschitz/rules/hadamard.hpp>
#include <sigmax/lipschitz/rules/identity.hpp>
#include <sigmax/lipschitz/rules/linear.hpp>
#include <sigmax/lipschitz/rules/log_softmax.hpp>
#include <sigmax/lipschitz/rules/log_sum_exp.hpp>
#include <sigmax/lipschitz/rules/masked.hpp>
#include <sigmax/lipschitz/rules/matrix_product.hpp>
#include <sigmax/lipschitz/rules/normalization.hpp>
#include <sigmax/lipschitz/rules/rearrange.hpp>
#include <sigmax/lipschitz/rules/rotary_embedding.hpp>
#include <sigmax/lipschitz/rules/scale.hpp>
#include <sigmax/lipschitz/rules/self_attention.hpp>
#include <sigmax/lipschitz/rules/softmax.hpp>
#include <sigmax/lipschitz/rules/weighted_sum.hpp>
#include <sigmax/lipschitz/rules/window_pool.hpp>
