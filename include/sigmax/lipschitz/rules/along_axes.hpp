// SPDX-License-Identifier: MIT
/// @file
/// The rule of linear maps that act along each axis by itself: average pooling, interpolation, sums and means over axes.
#pragma once

#include <cmath>
#include <concepts>
#include <cstddef>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <sigmax/bound/interval.hpp>
#include <sigmax/bound/norm.hpp>
#include <sigmax/bound/rounding.hpp>
#include <sigmax/config.hpp>
#include <sigmax/core/error.hpp>
#include <sigmax/lipschitz/norm_prover.hpp>
#include <sigmax/lipschitz/row_norm.hpp>
#include <sigmax/lipschitz/rule.hpp>
#include <sigmax/lipschitz/rules/axis_matrix.hpp>
#include <sigmax/lipschitz/rules/rms_conversion.hpp>
#include <sigmax/lipschitz/rules/support.hpp>

namespace sigmax::inline SIGMAX_ABI::lipschitz::rules {

/// y = (M_1 (x) .. (x) M_d) x, M_a along axis a. l2: prod ||M_a||_2, linf: prod of the largest row sums, rms: the row
/// sums of all axes but the last and sqrt(in / out) ||M_d||_2 of the last. The matrices are explicit, so that borders,
/// ceilings and overlaps are counted as they are. Cost of a bound: one certified norm an axis. Copies share the matrices.
class along_axes {
 public:
  struct step {
    /// Counted from the last axis, which is 0, so that leading axes may be added.
    std::size_t axis_from_last;
    axis_matrix matrix;
  };

  /// One matrix an axis at most. @throws domain_error if there is none or two are for one axis.
  template <class = void>
  explicit along_axes(std::vector<step> steps, std::string operator_name) : name_(std::move(operator_name)) {
    if (steps.empty()) sigmax::detail::raise<domain_error>({name_, ": 0 matrices; there must be one or more"});
    for (std::size_t i = 0; i < steps.size(); ++i) {
      for (std::size_t k = 0; k < i; ++k) {
        if (steps[i].axis_from_last == steps[k].axis_from_last) {
          sigmax::detail::raise<domain_error>({name_, ": two matrices for one axis; one at most is allowed"});
        }
      }
    }
    shared_ = std::make_shared<contents>(std::move(steps));
  }

  std::vector<step> const& steps() const { return shared_->steps; }

  std::string operator_name() const { return name_; }
  std::string rule_name(norm::any asked) const {
    return asked == norm::linf ? "product over the axes of the largest row sums"
                               : "product over the axes of the norms of explicit matrices";
  }
  /// @throws shape_error if an axis does not exist or has another extent than its matrix has columns.
  template <class = void>
  tensor_shape output_shape(std::span<tensor_shape const> shapes) const {
    detail::require_inputs(name_, shapes, 1);
    auto shape = shapes[0];
    for (step const& s : steps()) {
      if (s.axis_from_last >= shape.size() || shape[shape.size() - 1 - s.axis_from_last] != s.matrix.cols()) {
        sigmax::detail::raise<shape_error>({name_, ": input has shape ", shape_text(shape), "; axis ", s.axis_from_last,
                                            " from the last must have ", s.matrix.cols(), " elements"});
      }
      shape[shape.size() - 1 - s.axis_from_last] = s.matrix.rows();
    }
    return shape;
  }

  double multiply_adds(std::span<tensor_shape const> shapes) const {
    double work = 0;
    auto shape = shapes[0];
    for (step const& s : steps()) {
      shape[shape.size() - 1 - s.axis_from_last] = 1;
      work += static_cast<double>(element_count(shape)) * static_cast<double>(s.matrix.size());
      shape[shape.size() - 1 - s.axis_from_last] = s.matrix.rows();
    }
    return work;
  }

  template <norm_tag N>
  sensitivities<N> bound([[maybe_unused]] std::span<tensor_shape const> shapes, rule_context const& context) const {
    // Proof: the norms in l2 and linf of a Kronecker product are the products of the norms. A row of the output is a
    // combination of images under M_d of rows of the input, with weights whose magnitudes sum to the product of the row
    // sums of the other axes at most.
    extended product(1.0);
    if constexpr (std::same_as<N, norm::linf_t>) {
      for (step const& s : steps()) product = product * extended(s.matrix.largest_row_sum());
    } else if constexpr (std::same_as<N, norm::l2_t>) {
      for (std::size_t i = 0; i < steps().size(); ++i) product = product * extended(spectral(i, context));
    } else {
      product = extended(growth_of_rows(context));
      auto const in = static_cast<double>(row_norm::row_width(shapes[0]));
      auto const out = static_cast<double>(row_norm::row_width(output_shape(shapes)));
      product = product * extended(lipschitz::detail::sqrt_of_ratio_up(in, out));
    }
    return {detail::proven<N>(product)};
  }

  linearity difference() const { return linearity::linear; }

  template <class = void>
  void refine(std::span<tensor_shape const>, rule_context const& context, value_range& output) const {
    auto const* const input = context.range(0);
    if (input == nullptr) return;
    double const growth = growth_of_rows(context);
    output.longest_row = min_up(output.longest_row, multiply_up(growth, input->longest_row));
    output.row_distance = min_up(output.row_distance, multiply_up(growth, input->row_distance));
  }

  template <class T>
  void evaluate(std::span<std::span<T const> const> inputs, std::span<tensor_shape const> shapes,
                std::span<T> output) const {
    std::vector<T> before(inputs[0].begin(), inputs[0].end());
    auto shape = shapes[0];
    for (step const& s : steps()) {
      std::size_t const axis = shape.size() - 1 - s.axis_from_last;
      auto const [outer, inner] = around(shape, axis);
      auto const rows = static_cast<std::size_t>(s.matrix.rows());
      auto const cols = static_cast<std::size_t>(s.matrix.cols());
      std::vector<T> after(outer * rows * inner, T(0.0));
      for (std::size_t o = 0; o < outer; ++o) {
        for (std::size_t row = 0; row < rows; ++row) {
          T* const to = after.data() + (o * rows + row) * inner;
          for (std::size_t k = s.matrix.first(static_cast<index_t>(row));
               k < s.matrix.first(static_cast<index_t>(row) + 1); ++k) {
            T const* const from = before.data() + (o * cols + static_cast<std::size_t>(s.matrix[k].col)) * inner;
            T const value = detail::as_scalar<T>(s.matrix[k].value);
            for (std::size_t i = 0; i < inner; ++i) to[i] += value * from[i];
          }
        }
      }
      shape[axis] = s.matrix.rows();
      before = std::move(after);
    }
    for (std::size_t i = 0; i < output.size(); ++i) output[i] = before[i];
  }

  template <class = void>
  void pull_back(std::span<std::span<double const> const>, std::span<tensor_shape const> shapes,
                 std::span<double const> output_gradient, std::span<std::span<double> const> input_gradients) const {
    if (input_gradients[0].empty()) return;
    std::vector<double> after(output_gradient.begin(), output_gradient.end());
    auto shape = output_shape(shapes);
    for (std::size_t number = steps().size(); number-- > 0;) {
      step const& s = steps()[number];
      std::size_t const axis = shape.size() - 1 - s.axis_from_last;
      auto const [outer, inner] = around(shape, axis);
      auto const rows = static_cast<std::size_t>(s.matrix.rows());
      auto const cols = static_cast<std::size_t>(s.matrix.cols());
      std::vector<double> before(outer * cols * inner, 0.0);
      for (std::size_t o = 0; o < outer; ++o) {
        for (std::size_t row = 0; row < rows; ++row) {
          double const* const from = after.data() + (o * rows + row) * inner;
          for (std::size_t k = s.matrix.first(static_cast<index_t>(row));
               k < s.matrix.first(static_cast<index_t>(row) + 1); ++k) {
            double* const to = before.data() + (o * cols + static_cast<std::size_t>(s.matrix[k].col)) * inner;
            double const value = s.matrix[k].value.middle();
            for (std::size_t i = 0; i < inner; ++i) to[i] += value * from[i];
          }
        }
      }
      shape[axis] = s.matrix.cols();
      after = std::move(before);
    }
    for (std::size_t i = 0; i < after.size(); ++i) input_gradients[0][i] += after[i];
  }

 private:
  struct contents {
    explicit contents(std::vector<step> given) : steps(std::move(given)), norms(steps.size(), infinity) {}
    std::vector<step> const steps;
    /// Spectral norms as far as they are proved.
    std::mutex lock;
    std::vector<double> norms;
    double relative_gap = 0;
    std::shared_ptr<void const> session;
  };

  /// Elements before and behind an axis.
  static std::pair<std::size_t, std::size_t> around(tensor_shape const& shape, std::size_t axis) {
    std::size_t outer = 1;
    std::size_t inner = 1;
    for (std::size_t k = 0; k < axis; ++k) outer *= static_cast<std::size_t>(shape[k]);
    for (std::size_t k = axis + 1; k < shape.size(); ++k) inner *= static_cast<std::size_t>(shape[k]);
    return {outer, inner};
  }

  template <class = void>
  double spectral(std::size_t number, rule_context const& context) const {
    std::scoped_lock const guard(shared_->lock);
    bool const remembered = shared_->relative_gap == context.relative_gap && shared_->session == session_of(context);
    if (!remembered) shared_->norms.assign(shared_->steps.size(), infinity);
    shared_->relative_gap = context.relative_gap;
    shared_->session = session_of(context);
    double& known = shared_->norms[number];
    if (!is_finite(known)) known = shared_->steps[number].matrix.spectral_norm(context);
    return known;
  }

  /// >= the Euclidean growth of rows along the last axis.
  template <class = void>
  double growth_of_rows(rule_context const& context) const {
    double growth = 1;
    for (std::size_t i = 0; i < steps().size(); ++i) {
      bool const last = steps()[i].axis_from_last == 0;
      double const factor = last ? spectral(i, context) : steps()[i].matrix.largest_row_sum();
      growth = growth == 1 ? factor : factor == 1 ? growth : multiply_up(growth, factor);
    }
    return growth;
  }

  std::string name_;
  std::shared_ptr<contents> shared_;
};
static_assert(rule<along_axes>);

}  // namespace sigmax::inline SIGMAX_ABI::lipschitz::rules
