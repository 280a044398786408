// SPDX-License-Identifier: MIT
/// @file
/// The share of a data set that is classified correctly, and provably so under every perturbation of given size.
#pragma once

#include <concepts>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <sigmax/bound/interval.hpp>
#include <sigmax/bound/norm.hpp>
#include <sigmax/bound/rounding.hpp>
#include <sigmax/config.hpp>
#include <sigmax/core/error.hpp>
#include <sigmax/lipschitz/attack/evaluation.hpp>
#include <sigmax/lipschitz/certify.hpp>
#include <sigmax/lipschitz/network.hpp>
#include <sigmax/lipschitz/robustness/certified_radius.hpp>
#include <sigmax/lipschitz/robustness/pairwise_constants.hpp>
#include <sigmax/lipschitz/robustness/prove_pairs.hpp>

namespace sigmax::inline SIGMAX_ABI::lipschitz {

/// Perturbations of norm <= epsilon.
struct perturbation_budget {
  norm::any norm = sigmax::norm::l2;
  double epsilon = 0;
};

/// Counts over the samples seen so far.
struct robustness_counts {
  /// Of one budget: correct, and no perturbation within it changes the class.
  struct of_budget {
    perturbation_budget budget;
    std::size_t certified = 0;
  };
  /// Of one norm: the certified radii of the correct samples, 0 for all others.
  struct of_norm {
    norm::any norm = sigmax::norm::l2;
    double sum_of_radii = 0;
    /// Correct samples whose radius is infinite; not in the sum.
    std::size_t unlimited = 0;
  };

  std::size_t samples = 0;
  /// The largest logit, provably, is that of the label.
  std::size_t correct = 0;
  /// Samples that are none: another size, NaN, a label without a class, logits that are not finite. Counted as samples,
  /// never as correct.
  std::size_t odd = 0;
  /// What was odd about the first of them.
  std::string first_odd;
  std::vector<of_budget> budgets;
  std::vector<of_norm> norms;

  /// For reading. 0 without samples.
  double share(std::size_t count) const {
    return samples == 0 ? 0 : static_cast<double>(count) / static_cast<double>(samples);
  }
  double clean_accuracy() const { return share(correct); }
  double certified_accuracy(std::size_t budget) const { return share(budgets[budget].certified); }
  /// Over all samples but those of infinite radius.
  double mean_radius(std::size_t which) const {
    auto const finite = samples - norms[which].unlimited;
    return finite == 0 ? 0 : norms[which].sum_of_radii / static_cast<double>(finite);
  }
};

/// Counts sample by sample. Constants of pairs are proved by the caller once (prove_pairs.hpp) or by the constructor.
class robustness_evaluation {
 public:
  /// Proves the constants of every norm the budgets name, by pairs_by_last_layer. `net` must outlive this.
  /// @throws domain_error for a budget that is negative or NaN, else as certify.
  template <std::same_as<network> Network>
  robustness_evaluation(Network const& net, std::vector<perturbation_budget> budgets, certify_options options = {})
      : robustness_evaluation(net, proved(net, budgets, std::move(options)), budgets) {}

  /// With constants that are there, all of them of `net`; those of a norm that no budget names give a mean radius.
  /// A budget in a norm without constants is refused.
  template <std::same_as<network> Network>
  robustness_evaluation(Network const& net, std::vector<pairwise_constants> constants,
                        std::vector<perturbation_budget> const& budgets)
      : net_(&net), plan_(net), at_(plan_), constants_(std::move(constants)) {
    for (auto const& each : constants_) {
      if (each.classes() != element_count(net.output_shape())) {
        sigmax::detail::raise<domain_error>({"robustness_evaluation: constants of ", each.classes(),
                                             " classes; the network has ", element_count(net.output_shape())});
      }
      counts_.norms.push_back({each.norm()});
    }
    for (auto const& budget : budgets) {
      if (!(budget.epsilon >= 0)) {
        sigmax::detail::raise<domain_error>(
            {"robustness_evaluation: a budget is ", budget.epsilon, "; it must be a number >= 0"});
      }
      bool known = false;
      for (auto const& each : constants_) known = known || each.norm() == budget.norm;
      if (!known) {
        sigmax::detail::raise<domain_error>(
            {"robustness_evaluation: a budget in ", budget.norm.name(), "; there are no constants in that norm"});
      }
      counts_.budgets.push_back({budget});
    }
  }

  robustness_evaluation(robustness_evaluation const&) = delete;
  robustness_evaluation& operator=(robustness_evaluation const&) = delete;

  /// Counts one sample, evaluated in interval arithmetic. Never throws for what the sample is.
  template <class = void>
  void add(std::span<double const> x, index_t label) {
    last_.clear();
    if (x.size() != at_.input().size()) {
      return reject("has " + std::to_string(x.size()) + " elements, the network takes " +
                    std::to_string(at_.input().size()));
    }
    for (std::size_t i = 0; i < x.size(); ++i) {
      if (!is_finite(x[i])) return reject("is not finite at element " + std::to_string(i));
      at_.input()[i] = x[i];
    }
    if (label < 0 || label >= element_count(net_->output_shape())) {
      return reject("has the label " + std::to_string(label) + ", there are " +
                    std::to_string(element_count(net_->output_shape())) + " classes");
    }
    auto const logits = at_.run();
    for (auto const& each : constants_) {
      auto const in = row_norm::of(each.norm(), net_->input_shape());
      last_.push_back(certified_radius(logits, each, detail::room_inside(each.domain(), x, in)));
    }
    if (!last_.empty() && last_.front().found == robust_prediction::outcome::not_finite) {
      return reject("has logits that cannot be evaluated");
    }
    count(label);
  }

  robustness_counts const& counts() const { return counts_; }
  std::vector<pairwise_constants> const& constants() const { return constants_; }
  /// What was proven of the last sample, one a norm; empty if it was odd.
  std::span<robust_prediction const> last() const { return last_; }

 private:
  template <std::same_as<network> Network>
  static std::vector<pairwise_constants> proved(Network const& net, std::vector<perturbation_budget> const& budgets,
                                                certify_options options) {
    std::vector<pairwise_constants> result;
    for (auto const& budget : budgets) {
      bool known = false;
      for (auto const& each : result) known = known || each.norm() == budget.norm;
      if (known) continue;
      options.norm = budget.norm;
      result.push_back(pairs_by_last_layer(net, options));
    }
    return result;
  }

  template <class = void>
  void reject(std::string why) {
    if (counts_.odd++ == 0) counts_.first_odd = "sample " + std::to_string(counts_.samples) + " " + std::move(why);
    ++counts_.samples;
    last_.clear();
  }

  template <class = void>
  void count(index_t label) {
    ++counts_.samples;
    bool const correct = !last_.empty() && last_.front().predicted == label;
    if (!correct) return;
    ++counts_.correct;
    for (std::size_t k = 0; k < last_.size(); ++k) {
      if (is_finite(last_[k].radius)) {
        counts_.norms[k].sum_of_radii += last_[k].radius;
      } else {
        ++counts_.norms[k].unlimited;
      }
      for (auto& each : counts_.budgets) {
        if (each.budget.norm == constants_[k].norm() && last_[k].holds_for(each.budget.epsilon)) ++each.certified;
      }
    }
  }

  network const* net_;
  attack::evaluation_plan plan_;
  attack::evaluation<interval> at_;
  std::vector<pairwise_constants> constants_;
  std::vector<robust_prediction> last_;
  robustness_counts counts_;
};

/// A data set as it lies in memory: `inputs` holds one sample after another.
struct labelled_samples {
  std::span<double const> inputs;
  std::span<index_t const> labels;
};

/// Certified accuracy at every budget, from the labels and inputs of a data set: proves the constants once, then
/// evaluates each sample once in interval arithmetic. Tells options.progress of "samples".
/// A last sample that is not whole counts as odd. @throws as robustness_evaluation.
template <std::same_as<network> Network>
robustness_counts certified_accuracy(Network const& net, labelled_samples const& data,
                                     std::vector<perturbation_budget> const& budgets,
                                     certify_options const& options = {}) {
  robustness_evaluation evaluation(net, budgets, options);
  auto const size = static_cast<std::size_t>(element_count(net.input_shape()));
  for (std::size_t k = 0; k < data.labels.size(); ++k) {
    options.progress.tell("samples", k, data.labels.size());
    std::size_t const first = k * size < data.inputs.size() ? k * size : data.inputs.size();
    std::size_t const left = data.inputs.size() - first;
    evaluation.add(data.inputs.subspan(first, size < left ? size : left), data.labels[k]);
  }
  return evaluation.counts();
}

}  // namespace sigmax::inline SIGMAX_ABI::lipschitz
