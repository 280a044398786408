// SPDX-License-Identifier: MIT
/// @file
/// The matrix that all contenders of a row work on, made when the first of them needs it.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include <sigmax/core/matrix.hpp>
#include <sigmax/core/random.hpp>

#include "data/test_matrix.hpp"

namespace bench {

template <class T>
class shared_input {
 public:
  explicit shared_input(std::function<sigmax::matrix<T>()> make)
      : state_(std::make_shared<state>(state{std::move(make), {}})) {}
  explicit shared_input(std::shared_ptr<test_matrix const> source)
      : shared_input([source] { return source->as<T>(); }) {}

  sigmax::matrix<T> const& get() const {
    if (!state_->made) state_->made.emplace(state_->make());
    return *state_->made;
  }

 private:
  struct state {
    std::function<sigmax::matrix<T>()> make;
    std::optional<sigmax::matrix<T>> made;
  };
  std::shared_ptr<state> state_;
};

/// Standard normal numbers.
template <class T>
shared_input<T> gaussian_input(index_t m, index_t n, std::uint64_t seed) {
  return shared_input<T>([=] {
    sigmax::matrix<T> w(m, n);
    sigmax::fill_normal(w.view(), seed);
    return w;
  });
}

}  // namespace bench
