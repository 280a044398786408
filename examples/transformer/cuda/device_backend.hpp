// SPDX-License-Identifier: MIT
/// @file
/// The backend of a transformer in device memory.
#pragma once

#include <cstddef>
#include <span>
#include <type_traits>
#include <utility>

#include <sigmax/core/error.hpp>
#include <sigmax/core/matrix_view.hpp>
#include <sigmax/core/workspace.hpp>
#include <sigmax/cuda/backend.hpp>
#include <sigmax/cuda/error.hpp>
#include <sigmax/cuda/library/memory.hpp>
#include <sigmax/cuda/stream.hpp>
#include <sigmax/cuda/views.hpp>

#include "kernels.hpp"

namespace transformer {

/// `gpu::cuda` with what the layers of the transformer ask of a device beside products, for float and double; the
/// formulas are those of the layers (embedding.hpp, rotary.hpp, pointwise.hpp, ball.hpp, attention.hpp). The same input
/// gives the same bits, on every device of one kind.
///
/// Tokens are given on the host; they may be changed when a call returns, unless they lie in page-locked memory: such
/// memory is read in stream order. That they are in the vocabulary is not checked. Nothing else
/// waits for the stream, but `cross_entropy`.
/// @throws shape_error if shapes do not fit, and what gpu::cuda throws.
class device_backend : public sigmax::gpu::cuda {
 public:
  using index_t = sigmax::index_t;
  template <class T>
  using in = sigmax::matrix_view<std::type_identity_t<T> const, sigmax::device_space>;
  template <class T>
  using out = sigmax::matrix_view<T, sigmax::device_space>;

  static constexpr char const* name = "transformer::device_backend";

  /// Null is the default stream. @throws no_device_error, architecture_error.
  explicit device_backend(sigmax::gpu::stream_handle on) : cuda(on) {}

  device_backend using_scratch(sigmax::workspace& memory) const { return device_backend(cuda::using_scratch(memory)); }
  device_backend checking_pointers() const { return device_backend(cuda::checking_pointers()); }

  template <class T>
  void set_zero(out<T> x) const {
    see("set_zero", true, x);
    check(device_kernels::set_zero<T>(stream(), plain(x)), "set_zero");
  }

  /// x_n = E[token_n].
  template <class T>
  void embed(std::span<int const> tokens, in<T> embedding, out<T> x) const {
    require(count(tokens) == x.rows() && embedding.cols() == x.cols(), "embed");
    see("embed", true, embedding, x);
    if (x.empty()) return;
    with_tokens(tokens, [&](int const* list) {
      check(device_kernels::embed<T>(stream(), list, plain(embedding), plain(x)), "embed");
    });
  }

  /// x(n, j) = 1 where j is token_n, 0 elsewhere.
  template <class T>
  void one_hot(std::span<int const> tokens, out<T> x) const {
    require(count(tokens) == x.rows(), "one_hot");
    see("one_hot", true, x);
    if (x.empty()) return;
    with_tokens(tokens,
                [&](int const* list) { check(device_kernels::one_hot<T>(stream(), list, plain(x)), "one_hot"); });
  }

  /// Token n is at position n mod length.
  template <class T>
  void rotate(in<T> cosine, in<T> sine, index_t length, std::type_identity_t<T> direction, out<T> x) const {
    index_t const half = cosine.cols();
    require(length > 0 && cosine.rows() >= length && sine.rows() >= length && sine.cols() == half &&
                (half > 0 ? x.cols() % (2 * half) == 0 : x.empty()),
            "rotate");
    see("rotate", true, cosine, sine, x);
    if (x.empty()) return;
    check(device_kernels::rotate<T>(stream(), plain(cosine), plain(sine), length, direction, plain(x)), "rotate");
  }

  template <class T>
  void gelu_forward(std::type_identity_t<T> divisor, out<T> x, out<T> slope) const {
    require(have_one_shape(x, slope), "gelu_forward");
    see("gelu_forward", true, x, slope);
    if (x.empty()) return;
    check(device_kernels::gelu_forward<T>(stream(), divisor, plain(x), plain(slope)), "gelu_forward");
  }

  /// dy <- slope dy, element by element.
  template <class T>
  void multiply_elements(in<T> slope, out<T> dy) const {
    require(have_one_shape(slope, dy), "multiply_elements");
    see("multiply_elements", true, slope, dy);
    if (dy.empty()) return;
    check(device_kernels::multiply_elements<T>(stream(), plain(slope), plain(dy)), "multiply_elements");
  }

  template <class T>
  void ball_forward(std::type_identity_t<T> radius, out<T> x,
                    sigmax::vector_view<T, sigmax::device_space> factors) const {
    require(factors.size() == x.rows(), "ball_forward");
    see("ball_forward", true, x, factors);
    if (x.empty()) return;
    check(device_kernels::ball_forward<T>(stream(), radius, plain(x), plain(factors)), "ball_forward");
  }

  template <class T>
  void ball_backward(in<T> y, sigmax::vector_view<std::type_identity_t<T> const, sigmax::device_space> factors,
                     out<T> dy) const {
    require(have_one_shape(y, dy) && factors.size() == dy.rows(), "ball_backward");
    see("ball_backward", true, y, factors, dy);
    if (dy.empty()) return;
    check(device_kernels::ball_backward<T>(stream(), plain(y), plain(factors), plain(dy)), "ball_backward");
  }

  /// losses_n = -log softmax(logits_n)_target, on the host, correct_n = 1 where the first of the largest logits is that
  /// of the target, else 0; logits become weight times the derivative. Waits for the stream.
  template <class T>
  void cross_entropy(std::span<int const> targets, std::type_identity_t<T> weight, out<T> logits,
                     sigmax::vector_view<T> losses, sigmax::vector_view<T> correct) const {
    index_t const n = logits.rows();
    require(count(targets) == n && losses.size() == n && correct.size() == n, "cross_entropy");
    see("cross_entropy", true, logits);
    if (logits.empty()) return;
    with_memory([&](sigmax::workspace::frame& frame) {
      auto const list = on_device(frame, targets);
      auto const results = frame.template vector<T, space>(2 * n);
      auto const here = frame.template vector<T>(2 * n);
      check(device_kernels::cross_entropy<T>(stream(), list, weight, plain(logits), results.data(), results.data() + n),
            "cross_entropy");
      check(sigmax::gpu::library::copy_to_host(stream(), here.data(), results.data(),
                                               static_cast<std::size_t>(2 * n) * sizeof(T)),
            "cross_entropy");
      for (index_t i = 0; i < n; ++i) {
        losses[i] = here[i];
        correct[i] = here[n + i];
      }
    });
  }

  /// mixed = the weighted values, what the output is applied to. B sequences of `how.length` tokens: query, key, value
  /// and mixed have a row for each token and the columns of head after head; weights are (B heads length) x length,
  /// zero right of the diagonal as far as mix_values_backward reads; position is heads x context, its last column that
  /// of distance 0, or empty. Rows are contiguous.
  template <class T>
  void mix_values(attention_extents how, std::type_identity_t<T> scale, in<T> query, in<T> key, in<T> value,
                  in<T> position, out<T> weights, out<T> mixed) const {
    require(fits(how, query, weights) && have_one_shape(query, key) && have_one_shape(query, value) &&
                have_one_shape(query, mixed) && fits_positions(how, position) &&
                have_contiguous_rows(query, key, value, position, weights, mixed),
            "mix_values");
    see("mix_values", true, query, key, value, position, weights, mixed);
    if (query.empty()) return;
    check(device_kernels::mix_values<T>(stream(), how, scale, plain(query), plain(key), plain(value), plain(position),
                                        plain(weights), plain(mixed)),
          "mix_values");
  }

  /// Derivatives by query, key and value from those by mixed, and those by position, which are added to d_position.
  /// weights are what mix_values left; d_weights is scratch of their shape; d_position is heads x context, or empty.
  template <class T>
  void mix_values_backward(attention_extents how, std::type_identity_t<T> scale, in<T> query, in<T> key, in<T> value,
                           in<T> weights, in<T> d_mixed, out<T> d_weights, out<T> d_query, out<T> d_key, out<T> d_value,
                           out<T> d_position) const {
    require(
        fits(how, query, weights) && have_one_shape(weights, d_weights) && have_one_shape(query, key) &&
            have_one_shape(query, value) && have_one_shape(query, d_mixed) && have_one_shape(query, d_query) &&
            have_one_shape(query, d_key) && have_one_shape(query, d_value) && fits_positions(how, d_position) &&
            have_contiguous_rows(query, key, value, weights, d_mixed, d_weights, d_query, d_key, d_value, d_position),
        "mix_values_backward");
    see("mix_values_backward", true, query, key, value, weights, d_mixed, d_weights, d_query, d_key, d_value,
        d_position);
    if (query.empty()) return;
    with_memory([&](sigmax::workspace::frame& frame) {
      auto const sums = frame.template vector<T, space>(d_position.empty() ? 0 : weights.rows());
      check(device_kernels::mix_values_backward<T>(stream(), how, scale, plain(query), plain(key), plain(value),
                                                   plain(weights), plain(d_mixed), plain(d_weights), plain(d_query),
                                                   plain(d_key), plain(d_value), sums.data(), plain(d_position)),
            "mix_values_backward");
    });
  }

 private:
  explicit device_backend(cuda other) : cuda(std::move(other)) {}

  static void check(device_kernels::status what, char const* where) { sigmax::gpu::detail::check(what, where); }

  template <class V>
  static constexpr auto plain(V view) {
    return sigmax::gpu::detail::plain(view);
  }

  static index_t count(std::span<int const> tokens) { return static_cast<index_t>(tokens.size()); }

  static void require(bool fits, char const* where) {
    if (fits) return;
    sigmax::detail::raise<sigmax::shape_error>(
        {"transformer::device_backend: the arguments of ", where, " do not fit each other; see its shapes"});
  }

  template <class A, class B>
  static bool have_one_shape(A const& a, B const& b) {
    return a.rows() == b.rows() && a.cols() == b.cols();
  }
  template <class... Views>
  static bool have_contiguous_rows(Views const&... views) {
    return ((views.cols() <= 1 || views.col_stride() == 1) && ...);
  }
  template <class Query, class Weights>
  static bool fits(attention_extents how, Query const& query, Weights const& weights) {
    return how.length > 0 && how.heads > 0 && query.rows() % how.length == 0 && query.cols() % how.heads == 0 &&
           weights.rows() == query.rows() * how.heads && weights.cols() == how.length;
  }
  template <class Position>
  static bool fits_positions(attention_extents how, Position const& position) {
    return position.empty() || (position.rows() == how.heads && position.cols() >= how.length);
  }

  /// The tokens in memory of the frame. What the frame gives back is reused by later work of the stream only, which the
  /// device does when it is done with the tokens.
  int const* on_device(sigmax::workspace::frame& frame, std::span<int const> tokens) const {
    auto const list = frame.template vector<int, space>(count(tokens));
    check(sigmax::gpu::library::copy_to_device(stream(), list.data(), tokens.data(), tokens.size_bytes()), "tokens");
    return list.data();
  }
  template <class F>
  void with_tokens(std::span<int const> tokens, F const& work) const {
    with_memory([&](sigmax::workspace::frame& frame) { work(on_device(frame, tokens)); });
  }
};

static_assert(sigmax::certifying_backend<device_backend, float> && sigmax::certifying_backend<device_backend, double>);

}  // namespace transformer
