// SPDX-License-Identifier: MIT
/// @file
/// Any rule as a value.
#pragma once

#include <concepts>
#include <memory>
#include <span>
#include <string>
#include <type_traits>
#include <utility>

#include <sigmax/bound/interval.hpp>
#include <sigmax/bound/norm.hpp>
#include <sigmax/config.hpp>
#include <sigmax/lipschitz/dual.hpp>
#include <sigmax/lipschitz/rule.hpp>
#include <sigmax/lipschitz/rules/rms_conversion.hpp>
#include <sigmax/lipschitz/tensor_shape.hpp>

namespace sigmax::inline SIGMAX_ABI::lipschitz {

namespace detail {

/// Its address stands for the type R, so that asking for a type does not compile its operations.
template <class R>
inline constexpr char type_of_rule = 0;

/// What any_rule calls, for one type of rule: the members of the concept as plain functions.
struct rule_operations {
  template <class T>
  using evaluator = void (*)(void const*, std::span<std::span<T const> const>, std::span<tensor_shape const>,
                             std::span<T>);
  template <norm_tag N>
  using bounder = sensitivities<N> (*)(void const*, std::span<tensor_shape const>, rule_context const&);

  char const* type;
  std::string (*operator_name)(void const*);
  std::string (*rule_name)(void const*, norm::any);
  std::string (*refusal)(void const*, norm::any);
  tensor_shape (*output_shape)(void const*, std::span<tensor_shape const>);
  double (*multiply_adds)(void const*, std::span<tensor_shape const>);
  bool (*uses_ranges)(void const*);
  bool (*bounds_values)(void const*);
  linearity (*difference)(void const*);
  joining (*joins)(void const*, norm::any, std::span<tensor_shape const>);
  void (*refine)(void const*, std::span<tensor_shape const>, rule_context const&, value_range&);
  bounder<norm::l2_t> bound_l2;
  bounder<norm::linf_t> bound_linf;
  bounder<norm::rms_t> bound_rms;
  evaluator<double> evaluate_double;
  evaluator<dual> evaluate_dual;
  evaluator<interval> evaluate_interval;
  void (*pull_back)(void const*, std::span<std::span<double const> const>, std::span<tensor_shape const>,
                    std::span<double const>, std::span<std::span<double> const>);
};

template <class R>
std::string refusal_of(R const& rule, norm::any asked) {
  if constexpr (requires { rule.refusal(asked); }) {
    return rule.refusal(asked);
  } else {
    return "no finite bound could be proved (" + std::string(rule.rule_name(asked)) + ")";
  }
}

template <class R>
double multiply_adds_of(R const& rule, std::span<tensor_shape const> shapes) {
  if constexpr (requires { rule.multiply_adds(shapes); }) {
    return rule.multiply_adds(shapes);
  } else {
    return 0;
  }
}

template <class R, norm_tag N>
sensitivities<N> bound_by(void const* rule, std::span<tensor_shape const> shapes, rule_context const& context) {
  R const& r = *static_cast<R const*>(rule);
  if constexpr (requires { r.template bound<N>(shapes, context); }) {
    return r.template bound<N>(shapes, context);
  } else {
    static_assert(std::same_as<N, norm::rms_t>, "sigmax: a rule must have a bound in l2 and in linf");
    return rms_from_others(r.template bound<norm::l2_t>(shapes, context),
                           r.template bound<norm::linf_t>(shapes, context), shapes, r.output_shape(shapes));
  }
}

template <class R>
void refine_by(void const* rule, std::span<tensor_shape const> shapes, rule_context const& context,
               value_range& output) {
  if constexpr (requires(R const& r) { r.refine(shapes, context, output); }) {
    static_cast<R const*>(rule)->refine(shapes, context, output);
  }
}

template <class R>
constexpr bool uses_ranges_of(R const& rule) {
  if constexpr (requires { rule.uses_ranges(); }) {
    return rule.uses_ranges();
  } else {
    return false;
  }
}

template <class R>
constexpr bool bounds_values_of(R const& rule) {
  if constexpr (requires { rule.bounds_values(); }) {
    return rule.bounds_values();
  } else {
    return false;
  }
}

template <class R>
constexpr linearity difference_of(R const& rule) {
  if constexpr (requires { rule.difference(); }) {
    return rule.difference();
  } else {
    return linearity::none;
  }
}

template <class R>
joining joins_of(R const& rule, norm::any asked, std::span<tensor_shape const> shapes) {
  if constexpr (requires { rule.joins(asked, shapes); }) {
    return rule.joins(asked, shapes);
  } else {
    return joining::sum;
  }
}

template <class R, class T>
void evaluate_by(void const* rule, std::span<std::span<T const> const> inputs, std::span<tensor_shape const> shapes,
                 std::span<T> output) {
  static_cast<R const*>(rule)->evaluate(inputs, shapes, output);
}

/// The operations of R. A function, so that `extern template` may stand for the compilation of all of them.
template <class R>
rule_operations const* operations_of() {
  static constexpr rule_operations table{
      .type = &type_of_rule<R>,
      .operator_name = [](void const* r) -> std::string { return static_cast<R const*>(r)->operator_name(); },
      .rule_name = [](void const* r, norm::any n) -> std::string { return static_cast<R const*>(r)->rule_name(n); },
      .refusal = [](void const* r, norm::any n) { return refusal_of(*static_cast<R const*>(r), n); },
      .output_shape = [](void const* r,
                         std::span<tensor_shape const> s) { return static_cast<R const*>(r)->output_shape(s); },
      .multiply_adds = [](void const* r,
                          std::span<tensor_shape const> s) { return multiply_adds_of(*static_cast<R const*>(r), s); },
      .uses_ranges = [](void const* r) { return uses_ranges_of(*static_cast<R const*>(r)); },
      .bounds_values = [](void const* r) { return bounds_values_of(*static_cast<R const*>(r)); },
      .difference = [](void const* r) { return difference_of(*static_cast<R const*>(r)); },
      .joins = [](void const* r, norm::any n,
                  std::span<tensor_shape const> s) { return joins_of(*static_cast<R const*>(r), n, s); },
      .refine = refine_by<R>,
      .bound_l2 = bound_by<R, norm::l2_t>,
      .bound_linf = bound_by<R, norm::linf_t>,
      .bound_rms = bound_by<R, norm::rms_t>,
      .evaluate_double = evaluate_by<R, double>,
      .evaluate_dual = evaluate_by<R, dual>,
      .evaluate_interval = evaluate_by<R, interval>,
      .pull_back =
          [](void const* r, std::span<std::span<double const> const> inputs, std::span<tensor_shape const> shapes,
             std::span<double const> output_gradient, std::span<std::span<double> const> input_gradients) {
            static_cast<R const*>(r)->pull_back(inputs, shapes, output_gradient, input_gradients);
          }};
  return &table;
}

}  // namespace detail

/// One rule of any type that models `rule`, and a rule itself. Copies share the rule, which never changes. The set of
/// rules is open: a network takes a type of yours as it takes those of this folder, and what it proves is as true as
/// that type's `bound`.
class any_rule {
 public:
  template <class R>
    requires(!std::same_as<std::remove_cvref_t<R>, any_rule> && rule<std::remove_cvref_t<R>>)
  any_rule(R&& rule)
      : rule_(std::make_shared<std::remove_cvref_t<R> const>(std::forward<R>(rule))),
        operations_(detail::operations_of<std::remove_cvref_t<R>>()) {}

  /// The rule as an R; nullptr if it is another type.
  template <rule R>
  R const* as() const {
    return operations_->type == &detail::type_of_rule<R> ? static_cast<R const*>(rule_.get()) : nullptr;
  }

  std::string operator_name() const { return operations_->operator_name(rule_.get()); }
  std::string rule_name(norm::any asked) const { return operations_->rule_name(rule_.get(), asked); }
  /// Why this rule has no finite bound, where it has none.
  std::string refusal(norm::any asked) const { return operations_->refusal(rule_.get(), asked); }
  tensor_shape output_shape(std::span<tensor_shape const> shapes) const {
    return operations_->output_shape(rule_.get(), shapes);
  }
  /// Multiply-adds of one evaluation beyond a few an element: what an attack budgets with.
  double multiply_adds(std::span<tensor_shape const> shapes) const {
    return operations_->multiply_adds(rule_.get(), shapes);
  }
  template <norm_tag N>
  sensitivities<N> bound(std::span<tensor_shape const> shapes, rule_context const& context) const {
    if constexpr (std::same_as<N, norm::l2_t>) {
      return operations_->bound_l2(rule_.get(), shapes, context);
    } else if constexpr (std::same_as<N, norm::linf_t>) {
      return operations_->bound_linf(rule_.get(), shapes, context);
    } else {
      return operations_->bound_rms(rule_.get(), shapes, context);
    }
  }
  bool uses_ranges() const { return operations_->uses_ranges(rule_.get()); }
  bool bounds_values() const { return operations_->bounds_values(rule_.get()); }
  linearity difference() const { return operations_->difference(rule_.get()); }
  joining joins(norm::any asked, std::span<tensor_shape const> shapes) const {
    return operations_->joins(rule_.get(), asked, shapes);
  }
  void refine(std::span<tensor_shape const> shapes, rule_context const& context, value_range& output) const {
    operations_->refine(rule_.get(), shapes, context, output);
  }
  template <class T>
  void evaluate(std::span<std::span<T const> const> inputs, std::span<tensor_shape const> shapes,
                std::span<T> output) const {
    if constexpr (std::same_as<T, double>) {
      operations_->evaluate_double(rule_.get(), inputs, shapes, output);
    } else if constexpr (std::same_as<T, dual>) {
      operations_->evaluate_dual(rule_.get(), inputs, shapes, output);
    } else {
      operations_->evaluate_interval(rule_.get(), inputs, shapes, output);
    }
  }
  void pull_back(std::span<std::span<double const> const> inputs, std::span<tensor_shape const> shapes,
                 std::span<double const> output_gradient, std::span<std::span<double> const> input_gradients) const {
    operations_->pull_back(rule_.get(), inputs, shapes, output_gradient, input_gradients);
  }

 private:
  std::shared_ptr<void const> rule_;
  detail::rule_operations const* operations_;
};

}  // namespace sigmax::inline SIGMAX_ABI::lipschitz
