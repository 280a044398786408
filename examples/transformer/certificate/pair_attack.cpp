// SPDX-License-Identifier: MIT
#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include <sigmax/core/random.hpp>

#include "pair_attack.hpp"

namespace transformer {

namespace {

/// All pairs of the attack: tokens and derivatives, sequence after sequence.
struct pairs {
  std::vector<token> from, to;
  /// Of each sequence.
  std::vector<double> quotients;
  /// N x V: how much the distance grows with a step from the vector of X towards each token, and from that of Y.
  sigmax::matrix<double> growth_x, growth_y;
};

class ascent {
 public:
  ascent(sigmax::cpu::native const& on, model<double> const& of, parameters<double> const& w,
         pair_attack_options const& options)
      : on_(on),
        of_(&of),
        w_(&w),
        options_(&options),
        length_(static_cast<std::size_t>(of.attention.length)),
        numbers_(options.seed ^ 0x7061697273u),
        at_x_(of.shape, options.sequences, of.attention.length),
        at_y_(of.shape, options.sequences, of.attention.length),
        difference_(at_x_.tokens(), of.shape.vocabulary),
        ignored_(of.shape) {
    for (index_t b = 0; b < options.sequences; ++b) {
      shares_.push_back(share_choices[static_cast<std::size_t>(b) % share_choices.size()]);
    }
    for (auto* each : {&best_, &trial_}) {
      each->growth_x = sigmax::matrix<double>(at_x_.tokens(), of.shape.vocabulary);
      each->growth_y = sigmax::matrix<double>(at_x_.tokens(), of.shape.vocabulary);
    }
    begin();
  }

  token_pair run() {
    measure(best_);
    for (int round = 0; round < options_->rounds; ++round) {
      propose(round);
      measure(trial_);
      for (std::size_t b = 0; b < shares_.size(); ++b) {
        if (trial_.quotients[b] > best_.quotients[b]) keep(b);
      }
    }
    std::size_t winner = 0;
    for (std::size_t b = 1; b < shares_.size(); ++b) {
      if (best_.quotients[b] > best_.quotients[winner]) winner = b;
    }
    auto const part = [&](std::vector<token> const& all) {
      auto const first = all.begin() + static_cast<std::ptrdiff_t>(winner * length_);
      return std::vector<token>(first, first + static_cast<std::ptrdiff_t>(length_));
    };
    return {part(best_.from), part(best_.to), shares_[winner], best_.quotients[winner]};
  }

 private:
  /// A whole token, and steps small enough for the slope there.
  static constexpr std::array<double, 4> share_choices{1.0, 0.03125, 0.25, 0.00390625};

  std::size_t below(std::size_t count) {
    return static_cast<std::size_t>(numbers_.bits(next_++) % static_cast<std::uint64_t>(count));
  }
  token any_token() { return static_cast<token>(below(static_cast<std::size_t>(of_->shape.vocabulary))); }

  void begin() {
    bool const has_text = options_->text.size() > length_;
    for (std::size_t b = 0; b < shares_.size(); ++b) {
      std::size_t const start = has_text ? below(options_->text.size() - length_) : 0;
      bool const drawn = !has_text || b / 2 % 2 == 1;
      for (std::size_t t = 0; t < length_; ++t) {
        best_.from.push_back(drawn ? any_token() : options_->text[start + t]);
        best_.to.push_back(any_token());
      }
    }
    trial_.from = best_.from;
    trial_.to = best_.to;
  }

  /// Evaluates all pairs, and the derivatives of their distances.
  void measure(pairs& at) {
    auto const& e = w_->embedding;
    index_t const d = e.cols();
    for (std::size_t n = 0; n < at.from.size(); ++n) {
      double const share = shares_[n / length_];
      auto const row = static_cast<index_t>(n);
      for (index_t j = 0; j < d; ++j) {
        at_x_.stream[0](row, j) = e(at.from[n], j);
        at_y_.stream[0](row, j) = (1 - share) * e(at.from[n], j) + share * e(at.to[n], j);
      }
    }
    forward_from_vectors(on_, *of_, *w_, at_x_);
    forward_from_vectors(on_, *of_, *w_, at_y_);
    index_t const v = of_->shape.vocabulary;
    for (index_t i = 0; i < difference_.size(); ++i) {
      difference_.data()[i] = at_x_.logits.data()[i] - at_y_.logits.data()[i];
      at_x_.logits.data()[i] = at_y_.logits.data()[i] = 0;
    }
    at.quotients.assign(shares_.size(), 0.0);
    for (std::size_t b = 0; b < shares_.size(); ++b) {
      index_t longest = 0;
      double largest = -1;
      bool differs = false;
      for (std::size_t t = 0; t < length_; ++t) {
        auto const n = static_cast<index_t>(b * length_ + t);
        auto const row = difference_.view().row(n);
        double const squares = on_.dot(row, row);
        if (squares > largest) {
          largest = squares;
          longest = n;
        }
        differs = differs || at.from[b * length_ + t] != at.to[b * length_ + t];
      }
      if (!differs) continue;
      at.quotients[b] = std::sqrt(largest / static_cast<double>(v)) / (2 * shares_[b]);
      if (options_->seen) options_->seen(at.quotients[b]);
      double const length = std::sqrt(largest);
      for (index_t j = 0; j < v && length > 0; ++j) {
        at_x_.logits(longest, j) = difference_(longest, j) / length;
        at_y_.logits(longest, j) = difference_(longest, j) / -length;
      }
    }
    set_zero(on_, ignored_);
    auto const growth = [&](activations<double>& kept, sigmax::matrix<double>& to) {
      auto const by_vectors = backward_to_vectors(on_, *of_, *w_, kept, ignored_);
      on_.multiply(1.0, by_vectors, e.view().transposed(), 0.0, {}, to.view());
    };
    growth(at_x_, at.growth_x);
    growth(at_y_, at.growth_y);
  }

  token best_of(sigmax::matrix<double> const& growth, std::size_t n) const {
    auto const* const row = &growth(static_cast<index_t>(n), 0);
    return static_cast<token>(std::max_element(row, row + growth.cols()) - row);
  }

  /// In turn: the direction of steepest ascent; tokens to start from, some of them; some others at random.
  void propose(int round) {
    for (std::size_t n = 0; n < best_.from.size(); ++n) {
      trial_.from[n] = best_.from[n];
      trial_.to[n] = best_.to[n];
      int const kind = round % 4;
      if (kind == 0 || kind == 2) trial_.to[n] = best_of(best_.growth_y, n);
      if (kind == 1 && below(2) == 0) {
        trial_.from[n] = best_of(best_.growth_x, n);
        trial_.to[n] = best_of(best_.growth_y, n);
      }
      if (kind == 3 && below(16) == 0) trial_.from[n] = any_token();
    }
  }

  /// The trial of sequence b becomes its best pair.
  void keep(std::size_t b) {
    best_.quotients[b] = trial_.quotients[b];
    for (std::size_t n = b * length_; n < (b + 1) * length_; ++n) {
      best_.from[n] = trial_.from[n];
      best_.to[n] = trial_.to[n];
      for (index_t j = 0; j < of_->shape.vocabulary; ++j) {
        best_.growth_x(static_cast<index_t>(n), j) = trial_.growth_x(static_cast<index_t>(n), j);
        best_.growth_y(static_cast<index_t>(n), j) = trial_.growth_y(static_cast<index_t>(n), j);
      }
    }
  }

  sigmax::cpu::native on_;
  model<double> const* of_;
  parameters<double> const* w_;
  pair_attack_options const* options_;
  std::size_t length_;
  sigmax::random_sequence numbers_;
  std::uint64_t next_ = 0;
  std::vector<double> shares_;
  activations<double> at_x_, at_y_;
  sigmax::matrix<double> difference_;
  parameters<double> ignored_;
  pairs best_, trial_;
};

}  // namespace

token_pair attack_pairs(sigmax::cpu::native const& on, model<double> const& of, parameters<double> const& w,
                        pair_attack_options const& options) {
  return ascent(on, of, w, options).run();
}

parameters<double> in_double(model_shape const& shape, parameters<float> const& w) {
  parameters<double> result(shape);
  std::vector<sigmax::matrix<float> const*> from;
  for_each_weight(w, [&](auto const&, weight_role, sigmax::matrix<float> const& each) { from.push_back(&each); });
  std::size_t i = 0;
  for_each_weight(result, [&](auto const&, weight_role, sigmax::matrix<double>& each) {
    auto const& source = *from[i++];
    for (index_t k = 0; k < each.size(); ++k) each.data()[k] = static_cast<double>(source.data()[k]);
  });
  return result;
}

}  // namespace transformer
