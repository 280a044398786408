// SPDX-License-Identifier: MIT
/// @file
/// The rules of convolutions and transposed convolutions.
#pragma once

#include <atomic>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <sigmax/bound/extended.hpp>
#include <sigmax/bound/interval.hpp>
#include <sigmax/bound/norm.hpp>
#include <sigmax/bound/rounding.hpp>
#include <sigmax/config.hpp>
#include <sigmax/core/error.hpp>
#include <sigmax/core/matrix.hpp>
#include <sigmax/lipschitz/norm_prover.hpp>
#include <sigmax/lipschitz/rule.hpp>
#include <sigmax/lipschitz/rules/convolution_geometry.hpp>
#include <sigmax/lipschitz/rules/convolution_loops.hpp>
#include <sigmax/lipschitz/rules/convolution_norm.hpp>
#include <sigmax/lipschitz/rules/convolution_rows.hpp>
#include <sigmax/lipschitz/rules/rms_conversion.hpp>
#include <sigmax/lipschitz/rules/scaled_kernel.hpp>
#include <sigmax/lipschitz/rules/support.hpp>
#include <sigmax/lipschitz/value_range.hpp>
#include <sigmax/lipschitz/weight.hpp>

namespace sigmax::inline SIGMAX_ABI::lipschitz::rules {

namespace detail {

/// What a convolution has proved in l2, so that bounds, ranges and names need not prove it again.
struct convolution_memory {
  std::mutex lock;
  tensor_shape small;
  double relative_gap = 0;
  std::shared_ptr<void const> session;
  extended proved;
  std::atomic<convolution_method> method{convolution_method::unknown};
};

}  // namespace detail

/// y = gain * (K * x) over images (..., channels, extents) with any number of leading axes and of spatial axes (one for
/// signals, none for a matrix): the convolution of ONNX and of frameworks (a correlation), or its adjoint, the transposed
/// convolution. Position o of the output reads input o stride + tap dilation - pad, outside of which are zeros.
///
/// K is stored as a matrix of c_out rows and (c_in / groups) * taps columns, taps row-major; of a transposed convolution
/// c_in rows and (c_out / groups) * taps columns: the layouts of ONNX. `gains`, one an output channel or none, are
/// factors of which intervals are known (normalisation that follows).
///
/// l2: the spectral norm of the explicit matrix where that is small (6e9 FLOPs), else the largest norm of the symbol over
/// the frequencies of a torus that holds the image and its padding, else over a grid of frequencies times
/// prod 1 / cos(pi degree / (2 points)), else the norm of the kernel as a matrix times the root of how often windows
/// overlap; never more than the norm of the magnitudes. Groups: the largest. Strides: polyphase form.
/// linf: the largest sum of magnitudes that meet in an output. rms: rows along the last axis, sums of the norms of
/// their one-dimensional convolutions, or what follows from l2 and linf.
/// Cost in l2: at most about 1.5e11 FLOPs.
/// Sources: Sedghi, Gupta, Long 2019 (frequencies); proofs stand in convolution_norm.hpp and convolution_rows.hpp.
template <bool Transposed>
class convolution_rule {
 public:
  /// `kernel`: the spatial extents of K. @throws domain_error if options are out of range, shape_error if the matrix,
  /// the kernel's extents and the groups do not fit, numeric_error for gains that are not finite.
  template <class = void>
  explicit convolution_rule(weight k, tensor_shape kernel, convolution_options const& options = {},
                            std::vector<interval> gains = {})
      : weight_(std::move(k)),
        kernel_(std::move(kernel)),
        options_(options),
        geometry_(detail::convolution_geometry::of(kernel_, options, name())),
        gains_(std::move(gains)),
        memory_(std::make_shared<detail::convolution_memory>()) {
    index_t const taps = geometry_.taps();
    if (taps > weight_.cols() || weight_.cols() % taps != 0 || weight_.rows() < 1 ||
        weight_.rows() % geometry_.groups != 0) {
      sigmax::detail::raise<shape_error>(
          {name(), ": the kernel is a matrix ", shape_text({weight_.rows(), weight_.cols()}), " for ", taps,
           " taps and ", geometry_.groups, " groups; the taps must divide its columns, the groups its rows"});
    }
    if (!gains_.empty() && static_cast<index_t>(gains_.size()) != out_channels()) {
      sigmax::detail::raise<shape_error>(
          {name(), ": ", gains_.size(), " gains for ", out_channels(), " output channels; the numbers must be equal"});
    }
    for (interval const s : gains_) {
      if (!s.is_bounded()) {
        sigmax::detail::raise<numeric_error>({name(), ": a gain is not finite; gains must be"});
      }
    }
  }

  weight const& matrix() const { return weight_; }
  tensor_shape const& kernel() const { return kernel_; }
  convolution_options const& options() const { return options_; }
  std::vector<interval> const& gains() const { return gains_; }
  index_t in_channels() const { return Transposed ? weight_.rows() : large_channels() * geometry_.groups; }
  index_t out_channels() const { return Transposed ? large_channels() * geometry_.groups : weight_.rows(); }

  /// The same followed by a factor for each output channel. @throws as the constructor.
  template <class = void>
  convolution_rule followed_by(std::span<interval const> factors) const {
    std::vector<interval> gains(factors.begin(), factors.end());
    for (std::size_t i = 0; i < gains_.size() && i < gains.size(); ++i) gains[i] = gains[i] * gains_[i];
    return convolution_rule(weight_, kernel_, options_, std::move(gains));
  }

  static constexpr char const* name() { return Transposed ? "transposed_convolution" : "convolution"; }
  std::string operator_name() const { return name(); }
  template <class = void>
  std::string rule_name(norm::any asked) const {
    using detail::convolution_method;
    if (asked == norm::linf) return "largest sum of magnitudes in an output";
    if (asked == norm::rms) return "sums of the norms of rows, or from l2 and linf";
    switch (memory_->method.load()) {
      case convolution_method::explicit_matrix:
        return "spectral norm of the explicit matrix, proven by Cholesky";
      case convolution_method::torus:
        return "largest norm over the frequencies of a torus, proven by Cholesky";
      case convolution_method::grid:
        return "largest norm over a grid of frequencies, and what lies between";
      case convolution_method::overlap:
        return "norm of the kernel as a matrix times the overlap of windows";
      case convolution_method::magnitudes:
        return "norm of the magnitudes of the kernel";
      default:
        return "largest norm over frequencies, proven by Cholesky";
    }
  }

  /// @throws shape_error if the input has another number of channels or no position fits the kernel.
  template <class = void>
  tensor_shape output_shape(std::span<tensor_shape const> shapes) const {
    detail::require_inputs(name(), shapes, 1);
    auto shape = shapes[0];
    std::size_t const rank = kernel_.size();
    if (shape.size() < rank + 1 || shape[shape.size() - rank - 1] != in_channels()) {
      sigmax::detail::raise<shape_error>({name(), ": input has shape ", shape_text(shape), "; it must end in ",
                                          in_channels(), " channels and ", rank, " spatial axes"});
    }
    std::size_t const first = shape.size() - rank;
    shape[first - 1] = out_channels();
    for (std::size_t axis = 0; axis < rank; ++axis) {
      auto const& own = geometry_.axes[axis];
      index_t& extent = shape[first + axis];
      if (extent > index_t{1} << 40) sigmax::detail::raise<shape_error>({name(), ": an extent is ", extent});
      index_t const result = Transposed ? own.large_extent(extent) : own.small_extent(extent);
      if (result < 1) {
        sigmax::detail::raise<shape_error>(
            {name(), ": an axis of extent ", extent, " leaves no position for a kernel of extent ", own.kernel});
      }
      extent = result;
    }
    return shape;
  }

  double multiply_adds(std::span<tensor_shape const> shapes) const {
    auto const positions = static_cast<double>(element_count(Transposed ? shapes[0] : output_shape(shapes)));
    return positions * static_cast<double>(weight_.cols());
  }

  template <norm_tag N>
  sensitivities<N> bound(std::span<tensor_shape const> shapes, rule_context const& context) const {
    if constexpr (std::same_as<N, norm::l2_t>) {
      // Proof: images of the leading axes are mapped apart; see convolution_norm for one.
      return {detail::proven<N>(spectral(shapes, context))};
    } else {
      auto const rows = row_bounds();
      if constexpr (std::same_as<N, norm::linf_t>) {
        return {detail::proven<N>(extended(rows.largest_sum, rows.exponent))};
      } else {
        auto const output = output_shape(shapes);
        auto const in = static_cast<double>(row_norm::row_width(shapes[0]));
        auto const out = static_cast<double>(row_norm::row_width(output));
        auto const converted = lipschitz::detail::rms_from_others(bound<norm::l2_t>(shapes, context),
                                                                  bound<norm::linf_t>(shapes, context), shapes, output);
        // Without spatial axes a row is what the matrix multiplies.
        extended const own = kernel_.empty() ? spectral(shapes, context) : extended(rows.longest_row, rows.exponent);
        extended const ratio(lipschitz::detail::sqrt_of_ratio_up(in, out));
        return {tighter(converted.front(), detail::proven<N>(own * ratio))};
      }
    }
  }

  linearity difference() const { return linearity::linear; }

  /// Rows grow by the bound of rows. An element is a product of the kernel's elements with those of at most so many rows
  /// as the kernel has channels and outer taps, each within the rows' distance.
  template <class = void>
  void refine(std::span<tensor_shape const> shapes, rule_context const& context, value_range& output) const {
    auto const* const input = context.range(0);
    if (input == nullptr || !(is_finite(input->longest_row) || is_finite(input->row_distance)) || kernel_.empty())
      return;
    auto const rows = row_bounds();
    double const growth = scale_up(rows.longest_row, rows.exponent);
    output.longest_row = min_up(output.longest_row, multiply_up(growth, input->longest_row));
    output.row_distance = min_up(output.row_distance, multiply_up(growth, input->row_distance));
    if (output.box.empty()) return;
    auto const shape = output_shape(shapes);
    std::size_t plane = 1;
    for (std::size_t axis = shape.size() - kernel_.size(); axis < shape.size(); ++axis) {
      plane *= static_cast<std::size_t>(shape[axis]);
    }
    for (std::size_t i = 0; i < output.box.size(); ++i) {
      double const length = scale_up(rows.lengths[i / plane % rows.lengths.size()], rows.exponent);
      if (is_finite(input->longest_row)) {
        output.box[i] = lipschitz::detail::within(output.box[i], 0.0, multiply_up(length, input->longest_row));
      }
      if (is_finite(input->row_distance) && !output.centre.empty()) {
        output.box[i] =
            lipschitz::detail::within(output.box[i], output.centre[i], multiply_up(length, input->row_distance));
      }
    }
  }

  template <class T>
  void evaluate(std::span<std::span<T const> const> inputs, std::span<tensor_shape const> shapes,
                std::span<T> output) const {
    images const size(*this, shapes[0]);
    if constexpr (std::is_same_v<T, interval>) {
      double const terms = Transposed ? static_cast<double>(size.small_channels) * static_cast<double>(size.taps)
                                      : static_cast<double>(weight_.cols());
      detail::middle_and_reach const x(inputs[0], terms);
      std::vector<double> sum(output.size(), 0.0);
      std::vector<double> error(output.size(), 0.0);
      auto kernel = detail::kernel_doubles(weight_);
      run<Transposed>(size, kernel.data(), x.middle.data(), sum.data());
      for (double& k : kernel) k = std::fabs(k);
      run<Transposed>(size, kernel.data(), x.reach.data(), error.data());
      for (std::size_t i = 0; i < output.size(); ++i) output[i] = x.around(sum[i], error[i]);
    } else {
      for (T& y : output) y = T(0.0);
      run<Transposed>(size, stored_doubles().data, inputs[0].data(), output.data());
    }
    if (gains_.empty()) return;
    std::size_t const plane = Transposed ? size.large_plane : size.small_plane;
    for (std::size_t i = 0; i < output.size(); ++i) {
      output[i] = detail::as_scalar<T>(gains_[i / plane % gains_.size()]) * output[i];
    }
  }

  template <class = void>
  void pull_back(std::span<std::span<double const> const>, std::span<tensor_shape const> shapes,
                 std::span<double const> output_gradient, std::span<std::span<double> const> input_gradients) const {
    if (input_gradients[0].empty()) return;
    images const size(*this, shapes[0]);
    if (gains_.empty()) {
      run<!Transposed>(size, stored_doubles().data, output_gradient.data(), input_gradients[0].data());
      return;
    }
    std::size_t const plane = Transposed ? size.large_plane : size.small_plane;
    std::vector<double> scaled(output_gradient.begin(), output_gradient.end());
    for (std::size_t i = 0; i < scaled.size(); ++i) scaled[i] *= gains_[i / plane % gains_.size()].middle();
    run<!Transposed>(size, stored_doubles().data, scaled.data(), input_gradients[0].data());
  }

 private:
  index_t large_channels() const { return weight_.cols() / geometry_.taps(); }

  /// The sides of a convolution of one input: extents, and sizes a group.
  struct images {
    tensor_shape small;
    tensor_shape large;
    std::size_t count = 1;
    std::size_t small_channels;
    std::size_t large_channels;
    std::size_t small_plane = 1;
    std::size_t large_plane = 1;
    std::size_t taps;

    template <class = void>
    images(convolution_rule const& rule, tensor_shape const& input) {
      std::size_t const rank = rule.kernel_.size();
      for (std::size_t axis = 0; axis + rank + 1 < input.size(); ++axis) count *= static_cast<std::size_t>(input[axis]);
      small_channels = static_cast<std::size_t>(rule.weight_.rows() / rule.geometry_.groups);
      large_channels = static_cast<std::size_t>(rule.large_channels());
      taps = static_cast<std::size_t>(rule.geometry_.taps());
      for (std::size_t axis = 0; axis < rank; ++axis) {
        index_t const extent = input[input.size() - rank + axis];
        auto const& own = rule.geometry_.axes[axis];
        small.push_back(Transposed ? extent : own.small_extent(extent));
        large.push_back(Transposed ? own.large_extent(extent) : extent);
        small_plane *= static_cast<std::size_t>(small.back());
        large_plane *= static_cast<std::size_t>(large.back());
      }
    }
  };

  template <class = void>
  detail::scaled_kernel scaled() const {
    auto const taps = static_cast<std::size_t>(geometry_.taps());
    auto const cols = static_cast<std::size_t>(weight_.cols());
    return detail::scale_kernel(detail::kernel_doubles(weight_), gains_,
                                {cols, taps, static_cast<std::size_t>(large_channels()),
                                 static_cast<std::size_t>(weight_.rows() / geometry_.groups), Transposed});
  }

  template <class = void>
  detail::convolution_rows row_bounds() const {
    return detail::convolution_rows(geometry_, scaled(), weight_.rows() / geometry_.groups, large_channels(),
                                    Transposed);
  }

  /// >= the norm in l2, proved once for each size of image.
  template <class = void>
  extended spectral(std::span<tensor_shape const> shapes, rule_context const& context) const {
    images size(*this, shapes[0]);
    std::scoped_lock const guard(memory_->lock);
    auto& memory = *memory_;
    bool const known = memory.method.load() != detail::convolution_method::unknown && memory.small == size.small &&
                       memory.relative_gap == context.relative_gap && memory.session == session_of(context);
    if (known) return memory.proved;
    auto const kernel = scaled();
    detail::convolution_norm const norm(geometry_, kernel, size.small, size.large,
                                        static_cast<index_t>(size.small_channels),
                                        static_cast<index_t>(size.large_channels));
    auto const found = norm.prove(context);
    memory.proved = extended(found.value, kernel.exponent);
    memory.small = std::move(size.small);
    memory.relative_gap = context.relative_gap;
    memory.session = session_of(context);
    memory.method.store(found.method);
    return memory.proved;
  }

  /// The kernel as dense doubles: where it is stored, or converted.
  struct doubles {
    std::vector<double> converted;
    double const* data;
  };
  template <class = void>
  doubles stored_doubles() const {
    return weight_.visit([&](auto const& w) -> doubles {
      if constexpr (std::same_as<std::remove_cvref_t<decltype(w)>, matrix_view<double const>>) {
        if (w.col_stride() == 1 && w.row_stride() == w.cols()) return {{}, w.data()};
      }
      doubles result{detail::kernel_doubles(weight_), nullptr};
      result.data = result.converted.data();
      return result;
    });
  }

  /// y += K x from the large side to the small one, or with `Scatter` from the small side to the large one.
  template <bool Scatter, class T>
  void run(images const& size, double const* kernel, T const* x, T* y) const {
    auto const segments = detail::convolution_segments(geometry_, size.small, size.large);
    std::size_t const small_size = size.small_channels * size.small_plane;
    std::size_t const large_size = size.large_channels * size.large_plane;
    auto const groups = static_cast<std::size_t>(geometry_.groups);
    detail::convolution_block block{
        .segments = segments,
        .small_channels = size.small_channels,
        .large_channels = size.large_channels,
        .taps = size.taps,
        .small_plane = size.small_plane,
        .large_plane = size.large_plane,
        .step = geometry_.axes.empty() ? 1 : static_cast<std::size_t>(geometry_.axes.back().stride)};
    for (std::size_t i = 0; i < size.count * groups; ++i) {
      block.kernel = kernel + i % groups * size.small_channels * size.large_channels * size.taps;
      if constexpr (Scatter) {
        detail::scatter_convolution(block, x + i * small_size, y + i * large_size);
      } else {
        detail::gather_convolution(block, x + i * large_size, y + i * small_size);
      }
    }
  }

  weight weight_;
  tensor_shape kernel_;
  convolution_options options_;
  detail::convolution_geometry geometry_;
  std::vector<interval> gains_;
  std::shared_ptr<detail::convolution_memory> memory_;
};

/// See convolution_rule.
using convolution = convolution_rule<false>;
/// See convolution_rule.
using transposed_convolution = convolution_rule<true>;

static_assert(rule<convolution>);
static_assert(rule<transposed_convolution>);

}  // namespace sigmax::inline SIGMAX_ABI::lipschitz::rules
