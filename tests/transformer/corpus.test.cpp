// SPDX-License-Identifier: MIT
#include <algorithm>
#include <set>
#include <string>

#include <doctest/doctest.h>

#include <sigmax/backend/simd.hpp>
#include <sigmax/core/error.hpp>

#include "small_models.hpp"
#include "transformer/batches.hpp"
#include "transformer/corpus.hpp"
#include "transformer/evaluate.hpp"
#include "transformer/initialize.hpp"

using namespace transformer;
using namespace transformer::test;

TEST_CASE("text is encoded by the bytes that occur, in ascending order, and decoded again") {
  std::string text = "hello\nworld \xff";
  text += '\0';
  auto const vocabulary = tokenizer::of_text(text);
  CHECK(vocabulary.size() == 11);
  CHECK(std::is_sorted(vocabulary.bytes().begin(), vocabulary.bytes().end(),
                       [](unsigned char a, unsigned char b) { return a < b; }));
  std::string back;
  for (token const each : vocabulary.encode(text)) back += vocabulary.decode(each);
  CHECK(back == text);
  CHECK_THROWS_AS(vocabulary.encode("x"), sigmax::domain_error);
  CHECK_THROWS_AS(tokenizer("aa"), sigmax::domain_error);
}

TEST_CASE("the last tenth of a text is for validation, and a text must be long enough") {
  auto const text = make_corpus(std::string(500, 'a') + std::string(500, 'b'), 10);
  CHECK(text.training().size() == 900);
  CHECK(text.validation().size() == 100);
  CHECK(text.training()[0] == 0);
  CHECK(text.validation()[0] == 1);
  CHECK_THROWS_AS(make_corpus(std::string(100, 'a'), 10), sigmax::domain_error);
}

TEST_CASE("batches are windows of the text with targets one further, the same for the same seed and step only") {
  std::vector<token> text;
  for (int i = 0; i < 1000; ++i) text.push_back(i);
  batch_sampler batches(text, 4, 16, 7);
  batches.draw(3);
  std::vector<token> const first(batches.inputs().begin(), batches.inputs().end());
  for (std::size_t i = 0; i < first.size(); ++i) {
    CHECK(batches.targets()[i] == first[i] + 1);
    if (i % 16 != 0) CHECK(first[i] == first[i - 1] + 1);
  }
  batches.draw(4);
  CHECK_FALSE(std::equal(first.begin(), first.end(), batches.inputs().begin()));
  batch_sampler again(text, 4, 16, 7);
  again.draw(3);
  CHECK(std::equal(first.begin(), first.end(), again.inputs().begin()));

  // Every start is drawn, the last included.
  std::vector<token> const small{0, 1, 2, 3, 4, 5};
  batch_sampler all(small, 50, 3, 1);
  all.draw(0);
  std::set<token> starts;
  for (std::size_t i = 0; i < all.inputs().size(); i += 3) starts.insert(all.inputs()[i]);
  CHECK(starts == std::set<token>{0, 1, 2});
}

TEST_CASE("evaluation predicts every token but the first exactly once, whatever fits a batch") {
  sigmax::cpu::simd<> const on;
  auto const shape = tiny_shape();
  model<double> const of(shape, {});
  auto const w = random_parameters<double>(shape, 3);
  for (index_t size : {6, 7, 11, 16, 26, 41}) {
    CAPTURE(size);
    auto const text = random_tokens(shape, 1, size, 9).inputs;
    double expected = 0;
    // Windows by hand: [0, 5), [5, 10), ..., of which the last is moved back and counts what is new.
    for (index_t start = 0; start < size - 1; start += 5) {
      index_t const moved = std::min(start, size - 1 - 5);
      activations<double> one(shape, 1, 5);
      forward(on, of, w, std::span(text).subspan(static_cast<std::size_t>(moved), 5), one);
      cross_entropy_loss(on, std::span(text).subspan(static_cast<std::size_t>(moved + 1), 5), 1.0, one);
      for (index_t t = start - moved; t < 5; ++t) expected += one.losses[t];
    }
    for (index_t sequences : {1, 2, 3, 10}) {
      activations<double> kept(shape, sequences, 5);
      auto const found = evaluate(on, of, w, text, kept);
      CHECK(found.tokens == size - 1);
      CHECK(found.loss == doctest::Approx(expected).epsilon(1e-13));
    }
  }
}

TEST_CASE("rows of the embedding are capped at RMS 1, and shorter ones keep their bits") {
  sigmax::matrix<float> e(40, 33);
  fill(e, 1.0, 1);
  for (index_t j = 0; j < 33; ++j) e(0, j) = 0, e(1, j) *= 0.1f, e(2, j) *= 1e6f;
  auto const before = e;
  cap_rows(e);
  int moved = 0;
  for (index_t i = 0; i < 40; ++i) {
    long double was = 0;
    long double is = 0;
    for (index_t j = 0; j < 33; ++j) {
      was += static_cast<long double>(before(i, j)) * before(i, j);
      is += static_cast<long double>(e(i, j)) * e(i, j);
    }
    CHECK(is <= 33);
    if (was < 32.999L) CHECK(std::equal(&e(i, 0), &e(i, 0) + 33, &before(i, 0)));
    if (was <= 33) continue;
    CHECK(is > 32.999L);
    ++moved;
  }
  CHECK(moved > 5);
  CHECK(moved < 35);
}
