// SPDX-License-Identifier: MIT
/// @file
/// The transformer as a network that sigmax certifies.
#pragma once

#include <sigmax/lipschitz/network.hpp>
#include <sigmax/lipschitz/rules/rotary_embedding.hpp>

#include "../model.hpp"

namespace transformer {

/// What lies behind the embedding: vectors of tokens (T, d) -> logits (T, V) as softmax takes them, the sequence as long as
/// the model's. In real arithmetic with the stored weights, factors, cosines and sines; GELU is the form with erf. Views the
/// weights, which must outlive it. T: float or double.
template <class T>
sigmax::lipschitz::network network_of_model(model<T> const& of, parameters<T> const& w);

/// What attention rotates queries and keys by, as stored.
template <class T>
sigmax::lipschitz::rules::rotary_embedding rotation_of(rotary_table<T> const& table);

}  // namespace transformer
