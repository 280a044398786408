// SPDX-License-Identifier: MIT
/// @file
/// Lets methods bound whole segments while a certificate walks through a network.
#pragma once

#include <concepts>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <sigmax/bound/extended.hpp>
#include <sigmax/bound/interval.hpp>
#include <sigmax/bound/norm.hpp>
#include <sigmax/bound/rounding.hpp>
#include <sigmax/config.hpp>
#include <sigmax/lipschitz/certificate.hpp>
#include <sigmax/lipschitz/check/segment.hpp>
#include <sigmax/lipschitz/check/segment_ranges.hpp>
#include <sigmax/lipschitz/facts.hpp>
#include <sigmax/lipschitz/method.hpp>
#include <sigmax/lipschitz/method_runner.hpp>
#include <sigmax/lipschitz/network.hpp>
#include <sigmax/lipschitz/range_pass.hpp>
#include <sigmax/lipschitz/rule.hpp>

namespace sigmax::inline SIGMAX_ABI::lipschitz::detail {

/// For each method by itself, and for all together, the bound of every value: that of the rule of its node, or the bound
/// of a segment times that of the segment's source where it is smaller.
template <norm_tag N>
class segment_pass {
 public:
  segment_pass(network const& net, std::vector<char> const& used, range_pass const& ranges,
               method_runner const& methods, method_options const& options)
      : net_(net), ranges_(ranges), methods_(methods), options_(options) {
    auto const count = static_cast<std::size_t>(net.size());
    totals_.assign(method_names.size(), std::vector<extended>(count));
    for (auto& total : totals_) total[0] = extended(1.0);
    proved_.assign(method_names.size(), 0);
    if (options.which == method::product) return;
    std::vector<char> varies(count);
    for (std::size_t i = 0; i < count; ++i) varies[i] = ranges.varies(i) ? 1 : 0;
    auto const largest = static_cast<index_t>(options.matrix_elements / 4);
    pieces_ = check::find_segments(net, used, varies, largest < 16384 ? largest : 16384);
    if (!pieces_.empty()) options_.search_work /= static_cast<double>(pieces_.size());
  }

  void constant(std::size_t node) {
    for (auto& total : totals_) total[node] = extended();
  }

  /// `known[i]` holds what the rule of node i says and is replaced where a segment says more.
  void advance(std::size_t i, sensitivities<N> const& own, joining how, std::vector<std::optional<facts<N>>>& known,
               auto const& progress) {
    auto const& inputs = net_.nodes()[i].inputs;
    std::vector<extended> terms(inputs.size());
    for (auto& total : totals_) {
      for (std::size_t k = 0; k < inputs.size(); ++k) {
        terms[k] =
            k < own.size() ? own[k].extended_value() * total[static_cast<std::size_t>(inputs[k])] : extended(infinity);
      }
      total[i] = joined(how, terms);
    }
    while (next_ < pieces_.size() && pieces_[next_].end < i) ++next_;
    if (next_ == pieces_.size() || pieces_[next_].end != i) return;
    auto const& piece = pieces_[next_];
    progress.tell("methods", next_, pieces_.size());
    check::segment_ranges where;
    where.box = [&](std::size_t node) { return std::span<interval const>(ranges_[node].box); };
    where.centre = [&](std::size_t node) { return std::span<interval const>(ranges_[node].centre); };
    if constexpr (std::same_as<N, norm::l2_t>) {
      // Proof: ||v_source(x) - v_source(centre)|| <= L_source ||x - centre|| <= L_source radius.
      where.source_distance = multiply_up(known[piece.source]->lipschitz.value(), ranges_.radius());
    }
    auto const results = methods_.template run<N>(net_, piece, where, options_);
    extended const before = totals_[0][i];
    for (auto const& result : results) {
      proved_[static_cast<std::size_t>(result.how)] = 1;
      use(result, result.how, piece);
      use(result, method::automatic, piece);
      // Proof: v_end depends on the input of the network through v_source alone, so
      // ||v_end(x) - v_end(y)|| <= upper ||v_source(x) - v_source(y)|| <= upper L_source ||x - y||.
      known[i] = facts<N>{tighter(known[i]->lipschitz, result.upper * known[piece.source]->lipschitz)};
    }
    if (!(totals_[0][i] < before)) return;
    for (auto const& result : results) {
      if (!(result.upper.extended_value() * totals_[0][piece.source] == totals_[0][i])) continue;
      std::string const name(name_of(result.how));
      if (winner_.empty()) winner_ = name;
      if (winner_.find(name) == std::string::npos) winner_ += ", " + name;
      break;
    }
  }

  /// The bound of the whole network by each method that proved anything, the product first.
  std::vector<tried_method> tried(node_id output) const {
    std::vector<tried_method> result;
    auto const at = static_cast<std::size_t>(output);
    result.push_back({std::string(name_of(method::product)), totals_[static_cast<std::size_t>(method::product)][at]});
    for (std::size_t m = static_cast<std::size_t>(method::dynamic_program); m < totals_.size(); ++m) {
      if (proved_[m] != 0) result.push_back({std::string(method_names[m]), totals_[m][at]});
    }
    return result;
  }

  /// The bound of every value by the rules of the layers alone.
  std::vector<extended> const& layer_by_layer() const { return totals_[static_cast<std::size_t>(method::product)]; }

  /// The methods the bound comes from.
  std::string winner() const { return winner_.empty() ? std::string(name_of(method::product)) : winner_; }

 private:
  void use(segment_result<N> const& result, method as, check::segment const& piece) {
    auto& total = totals_[static_cast<std::size_t>(as)];
    extended const bound = result.upper.extended_value() * total[piece.source];
    if (bound < total[piece.end]) total[piece.end] = bound;
  }

  network const& net_;
  range_pass const& ranges_;
  method_runner const& methods_;
  method_options options_;
  std::vector<check::segment> pieces_;
  std::size_t next_ = 0;
  std::vector<std::vector<extended>> totals_;
  std::vector<char> proved_;
  std::string winner_;
};

}  // namespace sigmax::inline SIGMAX_ABI::lipschitz::detail
