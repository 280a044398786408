// SPDX-License-Identifier: MIT
/// @file
/// A device that trains transformers, without a device: its primitives are the loops of the host, on memory that only it
/// may touch.
#pragma once

#include <span>
#include <type_traits>

#include "support/emulated_device.hpp"
#include "transformer/attention.hpp"
#include "transformer/ball.hpp"
#include "transformer/embedding.hpp"
#include "transformer/mlp.hpp"
#include "transformer/model.hpp"
#include "transformer/rotary.hpp"

namespace transformer::test {

class emulated_device : public sigmax::test::emulated_device<> {
  using base = sigmax::test::emulated_device<>;

 public:
  template <class T>
  using in = sigmax::matrix_view<std::type_identity_t<T> const, sigmax::device_space>;
  template <class T>
  using out = sigmax::matrix_view<T, sigmax::device_space>;
  struct extents {
    index_t length, heads;
  };

  explicit emulated_device(sigmax::test::emulated_memory& memory) : base(memory), memory_(&memory) {}

  emulated_device using_scratch(sigmax::workspace& scratch) const {
    scratch.set_device_memory(memory_->source());
    return *this;
  }
  void wait() const {}

  template <class T>
  void set_zero(out<T> x) const {
    auto const to = at(x);
    for (index_t i = 0; i < to.rows(); ++i) {
      for (index_t j = 0; j < to.cols(); ++j) to(i, j) = T(0);
    }
  }
  template <class T>
  void embed(std::span<token const> tokens, in<T> embedding, out<T> x) const {
    embedding_forward(host, tokens, copy_of<T>(embedding), at(x));
  }
  template <class T>
  void one_hot(std::span<token const> tokens, out<T> x) const {
    set_zero(x);
    for (index_t n = 0; n < x.rows(); ++n) at(x)(n, tokens[static_cast<std::size_t>(n)]) = T(1);
  }
  template <class T>
  void rotate(in<T> cosine, in<T> sine, index_t length, std::type_identity_t<T> direction, out<T> x) const {
    rotary_table<T> table(length, 2 * cosine.cols());
    table.cosine = copy_of<T>(cosine);
    table.sine = copy_of<T>(sine);
    transformer::rotate(host, table, length, direction, at(x));
  }
  template <class T>
  void gelu_forward(std::type_identity_t<T> divisor, out<T> x, out<T> slope) const {
    transformer::gelu_forward(at(x).data(), at(x).data(), at(slope).data(), x.rows() * x.cols(), divisor);
  }
  template <class T>
  void multiply_elements(in<T> slope, out<T> dy) const {
    gelu_backward(at(slope).data(), at(dy).data(), dy.rows() * dy.cols());
  }
  template <class T>
  void ball_forward(std::type_identity_t<T> radius, out<T> x,
                    sigmax::vector_view<T, sigmax::device_space> factors) const {
    transformer::ball_forward(host, radius, at(x), at(factors));
  }
  template <class T>
  void ball_backward(in<T> y, sigmax::vector_view<std::type_identity_t<T> const, sigmax::device_space> factors,
                     out<T> dy) const {
    transformer::ball_backward(host, at(y), at(factors), at(dy));
  }
  template <class T>
  void cross_entropy(std::span<token const> targets, std::type_identity_t<T> weight, out<T> logits,
                     sigmax::vector_view<T> losses, sigmax::vector_view<T> correct) const {
    for (index_t n = 0; n < logits.rows(); ++n) {
      bool hit = false;
      losses[n] = transformer::cross_entropy(&at(logits)(n, 0), logits.cols(), targets[static_cast<std::size_t>(n)],
                                             weight, hit);
      correct[n] = T(hit ? 1 : 0);
    }
  }
  template <class T>
  void mix_values(extents how, std::type_identity_t<T> scale, in<T> query, in<T> key, in<T> value, in<T> position,
                  out<T> weights, out<T> mixed) const {
    auto kept = activations_of<T>(how, query);
    kept.query = copy_of<T>(query);
    kept.key = copy_of<T>(key);
    kept.value = copy_of<T>(value);
    sigmax::workspace memory;
    transformer::mix_values(host, setting_of<T>(how, scale, query), copy_of<T>(position), kept, memory);
    put(kept.weights, weights);
    put(kept.mixed, mixed);
  }
  template <class T>
  void mix_values_backward(extents how, std::type_identity_t<T> scale, in<T> query, in<T> key, in<T> value,
                           in<T> weights, in<T> d_mixed, out<T>, out<T> d_query, out<T> d_key, out<T> d_value,
                           out<T> d_position) const {
    auto kept = activations_of<T>(how, query);
    kept.query = copy_of<T>(query);
    kept.key = copy_of<T>(key);
    kept.value = copy_of<T>(value);
    kept.weights = copy_of<T>(weights);
    auto d = activations_of<T>(how, query);
    d.mixed = copy_of<T>(d_mixed);
    if (d_position.cols() > 0) d.position = sigmax::matrix<T>(query.rows() / how.length * how.heads, how.length);
    auto positions = copy_of<T>(d_position);
    sigmax::workspace memory;
    transformer::mix_values_backward(host, setting_of<T>(how, scale, query), kept, d, memory, positions);
    put(d.query, d_query);
    put(d.key, d_key);
    put(d.value, d_value);
    put(positions, d_position);
  }

 private:
  template <class View>
  auto at(View x) const {
    return memory_->seen_by_host(x);
  }
  template <class T>
  sigmax::matrix<T> copy_of(in<T> x) const {
    return sigmax::matrix<T>::copy_of(at(x));
  }
  template <class T>
  void put(sigmax::matrix<T> const& from, out<T> to) const {
    auto const place = at(to);
    for (index_t i = 0; i < from.rows(); ++i) {
      for (index_t j = 0; j < from.cols(); ++j) place(i, j) = from(i, j);
    }
  }
  template <class T>
  static attention_activations<T> activations_of(extents how, in<T> query) {
    return {query.rows() / how.length, how.length,
            model_shape{.heads = how.heads, .key_width = query.cols() / how.heads, .context = how.length}};
  }
  template <class T>
  static attention_setting<T> setting_of(extents how, T scale, in<T> query) {
    return {.length = how.length,
            .heads = how.heads,
            .scale = scale,
            .gain = T(1),
            .alpha = T(1),
            .rotation = {how.length, query.cols() / how.heads}};
  }

  sigmax::test::emulated_memory* memory_;
  static constexpr sigmax::cpu::scalar host{};
};

}  // namespace transformer::test
