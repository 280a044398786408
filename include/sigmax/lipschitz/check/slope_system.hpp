// SPDX-License-Identifier: MIT
/// @file
/// The form in which methods see a piece of a network: linear maps and elementwise functions with bounded slopes.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include <sigmax/bound/interval.hpp>
#include <sigmax/bound/rounding.hpp>
#include <sigmax/config.hpp>
#include <sigmax/lipschitz/check/dense_map.hpp>

namespace sigmax::inline SIGMAX_ABI::lipschitz::check {

/// What is known of differences of two evaluations of a piece of a network without anything but linear maps,
/// translations and elementwise functions. Source 0 is the input of the piece, source k = 1 .. blocks() the output of
/// block k, a tensor of elementwise functions; target j the argument of block j, target blocks() + 1 the output:
///
///     z_j = sum over i < j of A_ij x_i,      x_k = diag(s) z_k with s_n in slopes(k)[n].
///
/// A chain has the maps A_{j-1,j} only; branches that skip blocks have others. Every member is a proven statement: the
/// maps carry their errors, the slopes hold for every pair of points the piece is asked about.
class slope_system {
 public:
  explicit slope_system(index_t inputs) : inputs_(inputs) {}

  index_t inputs() const { return inputs_; }
  std::size_t blocks() const { return slopes_.size(); }
  std::span<interval const> slopes(std::size_t block) const { return slopes_[block - 1]; }
  /// The size of source or target `at`.
  index_t width(std::size_t source) const {
    return source == 0 ? inputs_ : static_cast<index_t>(slopes_[source - 1].size());
  }
  index_t outputs() const { return outputs_; }

  /// A_ij; nullptr where it is zero.
  dense_map const* map(std::size_t source, std::size_t target) const {
    if (target >= maps_.size() || source >= maps_[target].size() || !maps_[target][source]) return nullptr;
    return &*maps_[target][source];
  }

  /// Adds the next block; `from[i]` is A_ij, empty optionals and missing ones being zero. @return its number.
  std::size_t add_block(std::vector<std::optional<dense_map>> from, std::vector<interval> slopes) {
    slopes_.push_back(std::move(slopes));
    set_target(slopes_.size(), std::move(from));
    return slopes_.size();
  }
  /// Ends the system.
  void set_output(std::vector<std::optional<dense_map>> from, index_t outputs) {
    outputs_ = outputs;
    set_target(slopes_.size() + 1, std::move(from));
  }

  /// True if no map skips a block.
  bool is_chain() const {
    for (std::size_t j = 1; j < maps_.size(); ++j) {
      for (std::size_t i = 0; i + 1 < j; ++i) {
        if (map(i, j) != nullptr) return false;
      }
    }
    return true;
  }
  /// True if every map and slope is finite: else nothing can be proved.
  bool is_known() const {
    for (std::size_t j = 1; j < maps_.size(); ++j) {
      for (std::size_t i = 0; i < j; ++i) {
        if (map(i, j) != nullptr && !map(i, j)->is_known()) return false;
      }
    }
    for (auto const& block : slopes_) {
      for (interval const s : block) {
        if (!s.is_bounded()) return false;
      }
    }
    return true;
  }

 private:
  void set_target(std::size_t target, std::vector<std::optional<dense_map>> from) {
    maps_.resize(target + 1);
    maps_[target] = std::move(from);
  }

  index_t inputs_;
  index_t outputs_ = 0;
  std::vector<std::vector<interval>> slopes_;
  std::vector<std::vector<std::optional<dense_map>>> maps_;
};

/// A slope interval as {c - r <= s <= c + r}.
struct centred_slope {
  double centre = 0;
  double radius = 0;
};

namespace detail {

/// >= a - b, and a - b itself where that is a double: the error of the subtraction is one (TwoSum, Knuth 1969).
inline double difference_up(double a, double b) {
  double const result = a - b;
  double const back = result - a;
  double const error = (a - (result - back)) + (-b - back);
  return error == 0 && is_finite(result) ? result : next_up(result);
}

}  // namespace detail

/// Proof: the radius is rounded up against the stored centre; [0, 1] becomes 1/2 +- 1/2 exactly.
inline centred_slope centred(interval s) {
  double const centre = s.middle();
  return {centre, max_up(detail::difference_up(s.upper, centre), detail::difference_up(centre, s.lower))};
}

}  // namespace sigmax::inline SIGMAX_ABI::lipschitz::check
