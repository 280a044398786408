// SPDX-License-Identifier: MIT
/// @file
/// What is added to the scores of attention, and which keys are left out.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include <sigmax/bound/rounding.hpp>
#include <sigmax/config.hpp>
#include <sigmax/core/error.hpp>
#include <sigmax/lipschitz/rules/support.hpp>
#include <sigmax/lipschitz/tensor_shape.hpp>

namespace sigmax::inline SIGMAX_ABI::lipschitz::rules {

/// A constant mask: causal, padding, ALiBi, relative positions. Finite numbers, however large, are what they are: -1e4
/// makes a key unlikely, -infinity leaves it out. Copies share the numbers.
class attention_mask {
 public:
  /// No mask.
  attention_mask() = default;

  /// `addends` are added to the scores (..., n, m), repeated along the leading axes. Where `replaces` (as long, or
  /// empty) is not zero the addend stands in place of the score. @throws numeric_error for NaN and +infinity,
  /// shape_error if both are given with different lengths.
  template <class = void>
  explicit attention_mask(std::vector<double> addends, std::vector<char> replaces = {}, bool causal = false)
      : causal_(causal) {
    if (!replaces.empty() && replaces.size() != addends.size()) {
      sigmax::detail::raise<shape_error>(
          {"attention_mask: ", addends.size(), " addends and ", replaces.size(), " marks; the numbers must be equal"});
    }
    for (std::size_t i = 0; i < addends.size(); ++i) {
      if (is_nan(addends[i]) || addends[i] == infinity) {
        sigmax::detail::raise<numeric_error>({"attention_mask: addend ", i, " is ", detail::short_number(addends[i]),
                                              "; it must be finite or -infinity"});
      }
    }
    if (!addends.empty()) addends_ = std::make_shared<std::vector<double> const>(std::move(addends));
    if (!replaces.empty()) replaces_ = std::make_shared<std::vector<char> const>(std::move(replaces));
  }

  /// Row i sees keys 0 to i.
  static attention_mask causal() {
    attention_mask result;
    result.causal_ = true;
    return result;
  }

  bool is_causal() const { return causal_; }
  std::size_t size() const { return addends_ ? addends_->size() : 0; }
  bool replaces_scores() const { return replaces_ != nullptr; }
  std::span<double const> addends() const {
    return addends_ ? std::span<double const>(*addends_) : std::span<double const>();
  }
  std::span<char const> replaces() const {
    return replaces_ ? std::span<char const>(*replaces_) : std::span<char const>();
  }

  /// One row of scores: number `row` of all rows of the tensor, number i of its matrix, m keys.
  class row_view {
   public:
    /// -infinity for a key that is left out.
    double operator[](std::size_t j) const {
      if (j >= visible_) return -infinity;
      return mask_->addends_ ? (*mask_->addends_)[at(j)] : 0.0;
    }
    bool replaces(std::size_t j) const { return mask_->replaces_ && (*mask_->replaces_)[at(j)] != 0; }

   private:
    friend class attention_mask;
    row_view(attention_mask const& mask, std::size_t row, std::size_t i, std::size_t m)
        : mask_(&mask), first_(mask.size() == 0 ? 0 : row * m % mask.size()), visible_(mask.causal_ ? i + 1 : m) {}
    std::size_t at(std::size_t j) const { return mask_->size() == 1 ? 0 : first_ + j; }
    attention_mask const* mask_;
    std::size_t first_;
    std::size_t visible_;
  };
  row_view row(std::size_t row, std::size_t i, std::size_t m) const { return {*this, row, i, m}; }

  /// @throws shape_error if the addends do not fill the last axes of `scores`, domain_error if a row leaves out every
  /// key: softmax of nothing is undefined.
  template <class = void>
  void require_fit(tensor_shape const& scores) const {
    detail::require_trailing("attention_mask", scores, size());
    auto const m = static_cast<std::size_t>(scores.back());
    auto const n = static_cast<std::size_t>(scores[scores.size() - 2]);
    auto const rows = m == 0 ? 0 : static_cast<std::size_t>(element_count(scores)) / m;
    for (std::size_t r = 0; r < rows && (size() > 0 || m == 0); ++r) {
      auto const mask = row(r, r % n, m);
      bool sees = false;
      for (std::size_t j = 0; j < m && !sees; ++j) sees = mask[j] != -infinity;
      if (!sees) {
        sigmax::detail::raise<domain_error>(
            {"attention: the mask leaves out every key of row ", r, "; each row must see one"});
      }
    }
  }

 private:
  bool causal_ = false;
  std::shared_ptr<std::vector<double> const> addends_;
  std::shared_ptr<std::vector<char> const> replaces_;
};

}  // namespace sigmax::inline SIGMAX_ABI::lipschitz::rules
