// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <Eigen/Dense>
#include <doctest/doctest.h>

#include <sigmax/core/error.hpp>
#include <sigmax/core/matrix.hpp>
#include <sigmax/core/random.hpp>
#include <sigmax/lipschitz/certify.hpp>
#include <sigmax/lipschitz/convolution_layers.hpp>
#include <sigmax/lipschitz/network.hpp>
#include <sigmax/lipschitz/rules/any_rule.hpp>
#include <sigmax/lipschitz/rules/convolution.hpp>

using namespace sigmax;
using namespace sigmax::lipschitz;
using rules::convolution_options;
using rules::detail::convolution_method;

namespace {

/// Whole numbers in [least, most], one after another.
class dice {
 public:
  explicit dice(std::uint64_t seed) : numbers_(seed) {}
  index_t roll(index_t least, index_t most) {
    double const x = std::fabs(numbers_.normal(next_++)) * 1e6;
    return least + static_cast<index_t>(x) % (most - least + 1);
  }
  double normal() { return numbers_.normal(next_++); }

 private:
  random_sequence numbers_;
  std::uint64_t next_ = 0;
};

weight weight_from(std::vector<double> const& values, index_t rows) {
  matrix<double> w(rows, static_cast<index_t>(values.size()) / rows);
  std::copy(values.begin(), values.end(), w.data());
  return weight::owning(std::move(w));
}

std::vector<double> normals(std::size_t count, std::uint64_t seed) {
  std::vector<double> result(count);
  random_sequence const numbers(seed);
  for (std::size_t i = 0; i < count; ++i) result[i] = numbers.normal(i);
  return result;
}

index_t entry(std::vector<index_t> const& list, std::size_t axis, index_t otherwise) {
  return list.empty() ? otherwise : list[axis];
}

/// The matrix of a convolution by its definition: for each output, tap and channel one element. Small side x large side.
Eigen::MatrixXd matrix_of(std::vector<double> const& kernel, tensor_shape const& extents, convolution_options const& o,
                          tensor_shape const& small, tensor_shape const& large, index_t small_channels,
                          index_t large_channels) {
  index_t const small_plane = element_count(small);
  index_t const large_plane = element_count(large);
  index_t const taps = element_count(extents);
  index_t const small_group = small_channels / o.groups;
  index_t const large_group = large_channels / o.groups;
  Eigen::MatrixXd result = Eigen::MatrixXd::Zero(small_channels * small_plane, large_channels * large_plane);
  for (index_t s = 0; s < small_channels; ++s) {
    for (index_t position = 0; position < small_plane; ++position) {
      for (index_t tap = 0; tap < taps; ++tap) {
        index_t at = 0;
        bool inside = true;
        index_t place = small_plane;
        index_t part = taps;
        for (std::size_t axis = 0; axis < extents.size(); ++axis) {
          place /= small[axis];
          part /= extents[axis];
          index_t const from = position / place % small[axis] * entry(o.strides, axis, 1) +
                               tap / part % extents[axis] * entry(o.dilations, axis, 1) - entry(o.pads_begin, axis, 0);
          inside = inside && from >= 0 && from < large[axis];
          at = at * large[axis] + from;
        }
        if (!inside) continue;
        for (index_t l = 0; l < large_group; ++l) {
          double const value = kernel[static_cast<std::size_t>((s * large_group + l) * taps + tap)];
          result(s * small_plane + position, (s / small_group * large_group + l) * large_plane + at) += value;
        }
      }
    }
  }
  return result;
}

double spectral_norm(Eigen::MatrixXd const& a) {
  if (a.size() == 0) return 0;
  Eigen::MatrixXd const gram =
      a.rows() < a.cols() ? Eigen::MatrixXd(a * a.transpose()) : Eigen::MatrixXd(a.transpose() * a);
  return std::sqrt(std::max(
      0.0, Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd>(gram, Eigen::EigenvaluesOnly).eigenvalues().maxCoeff()));
}

/// A convolution with all that is needed to build its matrix.
struct example {
  std::vector<double> kernel;
  tensor_shape extents;
  convolution_options options;
  tensor_shape small;
  tensor_shape large;
  index_t small_channels;
  index_t large_channels;

  Eigen::MatrixXd matrix() const {
    return matrix_of(kernel, extents, options, small, large, small_channels, large_channels);
  }
  template <bool Transposed>
  rules::convolution_rule<Transposed> rule(std::vector<interval> gains = {}) const {
    return rules::convolution_rule<Transposed>(weight_from(kernel, small_channels), extents, options, std::move(gains));
  }
  tensor_shape shape(bool of_large) const {
    tensor_shape result{of_large ? large_channels : small_channels};
    for (index_t const extent : of_large ? large : small) result.push_back(extent);
    return result;
  }
  /// The bound in l2 by one method.
  double by(convolution_method method) const {
    auto const geometry = rules::detail::convolution_geometry::of(extents, options, "test");
    auto const scaled = rules::detail::scale_kernel(kernel, {}, {1, 1, 1, 1, false});
    rules::detail::convolution_norm const norm(geometry, scaled, small, large, small_channels / options.groups,
                                               large_channels / options.groups, method);
    auto const found = norm.prove({});
    return extended(found.value, scaled.exponent).to_double_up();
  }
};

example convolved(std::vector<double> kernel, tensor_shape extents, tensor_shape large, index_t small_channels,
                  index_t large_channels, convolution_options const& options = {}) {
  example result{std::move(kernel), std::move(extents), options, {}, std::move(large), small_channels, large_channels};
  auto const geometry = rules::detail::convolution_geometry::of(result.extents, options, "test");
  for (std::size_t axis = 0; axis < result.large.size(); ++axis) {
    result.small.push_back(geometry.axes[axis].small_extent(result.large[axis]));
  }
  return result;
}

example random_example(dice& d) {
  std::size_t const rank = static_cast<std::size_t>(d.roll(0, 5) == 0 ? 3 : d.roll(1, 2));
  index_t const largest = rank == 1 ? 8 : rank == 2 ? 5 : 3;
  for (;;) {
    example e;
    e.options.groups = d.roll(0, 3) == 0 ? d.roll(2, 3) : 1;
    e.small_channels = e.options.groups * d.roll(1, 3);
    e.large_channels = e.options.groups * d.roll(1, 3);
    index_t count = e.small_channels * e.large_channels / e.options.groups;
    bool fits = true;
    for (std::size_t axis = 0; axis < rank; ++axis) {
      e.extents.push_back(d.roll(1, rank == 3 ? 2 : 4));
      count *= e.extents.back();
      e.options.strides.push_back(d.roll(1, 3));
      e.options.dilations.push_back(d.roll(1, 2));
      e.options.pads_begin.push_back(d.roll(0, 3));
      e.options.pads_end.push_back(d.roll(0, 3));
      e.large.push_back(d.roll(1, largest));
    }
    auto const geometry = rules::detail::convolution_geometry::of(e.extents, e.options, "test");
    for (std::size_t axis = 0; axis < rank; ++axis) {
      e.small.push_back(geometry.axes[axis].small_extent(e.large[axis]));
      fits = fits && e.small.back() >= 1;
    }
    if (!fits) continue;
    for (index_t i = 0; i < count; ++i) e.kernel.push_back(d.normal());
    return e;
  }
}

template <class T, class R>
std::vector<T> evaluate(R const& rule, tensor_shape const& shape, std::vector<T> const& x) {
  std::vector<tensor_shape> const shapes{shape};
  std::vector<std::span<T const>> const inputs{x};
  std::vector<T> y(static_cast<std::size_t>(element_count(rule.output_shape(shapes))));
  rule.evaluate(std::span<std::span<T const> const>(inputs), std::span<tensor_shape const>(shapes), std::span<T>(y));
  return y;
}

template <norm_tag N, class R>
double bound(R const& rule, tensor_shape const& shape) {
  std::vector<tensor_shape> const shapes{shape};
  if constexpr (std::same_as<N, norm::rms_t>) {
    return any_rule(rule).template bound<N>(shapes, {}).front().extended_value().to_double_up();
  } else {
    return rule.template bound<N>(shapes, {}).front().extended_value().to_double_up();
  }
}

Eigen::VectorXd as_vector(std::vector<double> const& v) {
  return Eigen::Map<Eigen::VectorXd const>(v.data(), static_cast<Eigen::Index>(v.size()));
}

/// Everything a rule owes, against its matrix, which maps its input to its output.
template <class R>
void check_rule(R const& rule, tensor_shape const& shape, Eigen::MatrixXd const& map, std::uint64_t seed) {
  auto const x = normals(static_cast<std::size_t>(map.cols()), seed);
  auto const y = evaluate<double>(rule, shape, x);
  REQUIRE(y.size() == static_cast<std::size_t>(map.rows()));
  Eigen::VectorXd const expected = map * as_vector(x);
  double const scale = map.cwiseAbs().rowwise().sum().maxCoeff() * 10 + 1e-300;
  CHECK((as_vector(y) - expected).cwiseAbs().maxCoeff() <= 1e-13 * scale);

  std::vector<interval> boxes;
  for (double const element : x) boxes.push_back(interval(element - 0.25, element + 0.5));
  auto const enclosed = evaluate<interval>(rule, shape, boxes);
  for (int corner = 0; corner < 3; ++corner) {
    Eigen::VectorXd point = as_vector(x);
    for (Eigen::Index i = 0; i < point.size(); ++i) point(i) += corner == 0 ? 0.0 : (i + corner) % 2 == 0 ? -0.25 : 0.5;
    Eigen::VectorXd const image = map * point;
    for (std::size_t i = 0; i < enclosed.size(); ++i) {
      double const at = image(static_cast<Eigen::Index>(i));
      CHECK(enclosed[i].lower <= at + 1e-13 * scale);
      CHECK(enclosed[i].upper >= at - 1e-13 * scale);
      double const width = 0.75 * map.row(static_cast<Eigen::Index>(i)).cwiseAbs().sum();
      CHECK(enclosed[i].upper - enclosed[i].lower <= width * (1 + 1e-9) + 1e-12 * scale);
    }
  }

  std::vector<dual> directions;
  for (double const element : x) directions.push_back(dual(0.5, element));
  auto const derivative = evaluate<dual>(rule, shape, directions);
  for (std::size_t i = 0; i < derivative.size(); ++i) {
    CHECK(std::fabs(derivative[i].derivative - expected(static_cast<Eigen::Index>(i))) <= 1e-13 * scale);
  }

  auto const g = normals(static_cast<std::size_t>(map.rows()), seed + 1);
  std::vector<double> gradient(static_cast<std::size_t>(map.cols()), 1.0);
  std::vector<std::span<double>> const gradients{gradient};
  std::vector<std::span<double const>> const inputs{x};
  std::vector<tensor_shape> const shapes{shape};
  rule.pull_back(std::span<std::span<double const> const>(inputs), std::span<tensor_shape const>(shapes),
                 std::span<double const>(g), std::span<std::span<double> const>(gradients));
  Eigen::VectorXd const adjoint = map.transpose() * as_vector(g);
  double const adjoint_scale = map.cwiseAbs().colwise().sum().maxCoeff() * 10 + 1;
  CHECK((as_vector(gradient).array() - 1 - adjoint.array()).abs().maxCoeff() <= 1e-13 * adjoint_scale);

  double const l2 = spectral_norm(map);
  double const proven_l2 = bound<norm::l2_t>(rule, shape);
  CHECK(proven_l2 >= l2 * (1 - 1e-13));
  CHECK(proven_l2 <= l2 * (1 + 1e-6) + 1e-300);  // so small a map is proved by its matrix
  double const linf = map.cwiseAbs().rowwise().sum().maxCoeff();
  CHECK(bound<norm::linf_t>(rule, shape) >= linf * (1 - 1e-13));

  // rms: random differences with all rows at full length.
  std::vector<tensor_shape> const shape_list{shape};
  auto const width = static_cast<Eigen::Index>(shape.back());
  auto const out_width = static_cast<Eigen::Index>(rule.output_shape(shape_list).back());
  double largest = 0;
  for (std::uint64_t trial = 0; trial < 3; ++trial) {
    Eigen::VectorXd v = as_vector(normals(static_cast<std::size_t>(map.cols()), seed + 7 + trial));
    for (int iteration = 0; iteration < 4; ++iteration) {
      for (Eigen::Index row = 0; row < v.size(); row += width) {
        double const length = v.segment(row, width).norm();
        if (length > 0) v.segment(row, width) *= std::sqrt(static_cast<double>(width)) / length;
      }
      Eigen::VectorXd const image = map * v;
      Eigen::Index best = 0;
      double longest = 0;
      for (Eigen::Index row = 0; row < image.size(); row += out_width) {
        double const length = image.segment(row, out_width).norm() / std::sqrt(static_cast<double>(out_width));
        if (length > longest) best = row;
        longest = std::max(longest, length);
      }
      largest = std::max(largest, longest);
      v = map.middleRows(best, out_width).transpose() * image.segment(best, out_width);
    }
  }
  CHECK(bound<norm::rms_t>(rule, shape) >= largest * (1 - 1e-12));
}

}  // namespace

TEST_CASE("group 13: convolutions of hundreds of random shapes agree with their explicit matrices") {
  dice d(13);
  for (std::uint64_t i = 0; i < 300; ++i) {
    example const e = random_example(d);
    CAPTURE(i);
    CAPTURE(shape_text(e.extents));
    CAPTURE(shape_text(e.large));
    Eigen::MatrixXd const map = e.matrix();
    check_rule(e.rule<false>(), e.shape(true), map, i);
    double const norm = spectral_norm(map);
    for (auto const method : {convolution_method::torus, convolution_method::grid, convolution_method::overlap,
                              convolution_method::magnitudes}) {
      CAPTURE(static_cast<int>(method));
      CHECK(e.by(method) >= norm * (1 - 1e-13));
    }
    CHECK(e.by(convolution_method::torus) <= e.by(convolution_method::magnitudes) * (1 + 1e-6));
  }
}

TEST_CASE("group 13: transposed convolutions of hundreds of random shapes agree with their explicit matrices") {
  dice d(14);
  for (std::uint64_t i = 0; i < 200; ++i) {
    example e = random_example(d);
    // The large side as the transposed convolution makes it of the small one.
    bool fits = true;
    e.options.output_padding.clear();
    for (std::size_t axis = 0; axis < e.large.size(); ++axis) {
      e.options.output_padding.push_back(d.roll(0, 2));
    }
    auto const geometry = rules::detail::convolution_geometry::of(e.extents, e.options, "test");
    for (std::size_t axis = 0; axis < e.large.size(); ++axis) {
      e.large[axis] = geometry.axes[axis].large_extent(e.small[axis]);
      fits = fits && e.large[axis] >= 1 && e.large[axis] <= 12;
    }
    if (!fits) continue;
    CAPTURE(i);
    Eigen::MatrixXd const map = e.matrix().transpose();
    check_rule(e.rule<true>(), e.shape(false), map, i);
    for (auto const method : {convolution_method::torus, convolution_method::grid, convolution_method::overlap}) {
      CHECK(e.by(method) >= spectral_norm(map) * (1 - 1e-13));
    }
  }
}

TEST_CASE("group 13: the kernel [1, -1] on three pixels has the norm that circular padding misses") {
  example const e = convolved({1, -1}, {2}, {3}, 1, 1, {.pads_begin = {1}, .pads_end = {1}});
  // Zero padding: sqrt(2 + sqrt(2)) = 1.8477 for four outputs; the circular convolution of size 3 has 1.7321.
  CHECK(spectral_norm(e.matrix()) == doctest::Approx(std::sqrt(2 + std::sqrt(2.0))));
  for (auto const method : {convolution_method::explicit_matrix, convolution_method::torus, convolution_method::grid}) {
    CHECK(e.by(method) >= spectral_norm(e.matrix()));
    CHECK(e.by(method) <= 2 * (1 + 0.01));
  }
  example const same = convolved({1, -1}, {2}, {3}, 1, 1, {.pads_begin = {1}, .pads_end = {0}});
  CHECK(spectral_norm(same.matrix()) == doctest::Approx(1.8019377));
  CHECK(same.by(convolution_method::torus) >= 1.8019377);
}

TEST_CASE("group 13: the kernel [1, 0, -1] has norm near 2, which the grid of its own size misses") {
  example const e = convolved({1, 0, -1}, {3}, {50}, 1, 1, {.pads_begin = {1}, .pads_end = {1}});
  double const norm = spectral_norm(e.matrix());
  CHECK(norm > 1.99);
  CHECK(e.by(convolution_method::grid) >= norm);
  CHECK(e.by(convolution_method::grid) <= 2.02);
  CHECK(e.by(convolution_method::torus) >= norm);
  CHECK(e.by(convolution_method::torus) <= 2 * (1 + 1e-6));
}

TEST_CASE("group 13: a checkerboard kernel has its norm at the highest frequency") {
  std::vector<double> kernel;
  for (int i = 0; i < 9; ++i) kernel.push_back(i % 2 == 0 ? 1 : -1);
  example const e = convolved(kernel, {3, 3}, {9, 9}, 1, 1, {.pads_begin = {1, 1}, .pads_end = {1, 1}});
  double const norm = spectral_norm(e.matrix());
  CHECK(e.by(convolution_method::torus) >= norm);
  CHECK(e.by(convolution_method::torus) <= 9 * (1 + 1e-6));
  CHECK(e.by(convolution_method::grid) >= norm);
}

TEST_CASE("group 13: of two groups with norms .5 and .3 the larger one counts") {
  example const e = convolved({0.5, 0.3}, {1}, {4}, 2, 2, {.groups = 2});
  CHECK(bound<norm::l2_t>(e.rule<false>(), e.shape(true)) == doctest::Approx(0.5));
  CHECK(bound<norm::linf_t>(e.rule<false>(), e.shape(true)) == doctest::Approx(0.5));
}

TEST_CASE("group 13: dilation does not change the norm on a large image, and depthwise is the largest channel") {
  auto const kernel = normals(3, 1);
  example const dense = convolved(kernel, {3}, {64}, 1, 1);
  example const dilated = convolved(kernel, {3}, {64}, 1, 1, {.dilations = {2}});
  CHECK(dilated.by(convolution_method::grid) == doctest::Approx(dense.by(convolution_method::grid)).epsilon(1e-6));
  auto const channels = normals(5 * 9, 2);
  example const depthwise =
      convolved(channels, {3, 3}, {6, 6}, 5, 5, {.pads_begin = {1, 1}, .pads_end = {1, 1}, .groups = 5});
  CHECK(bound<norm::l2_t>(depthwise.rule<false>(), depthwise.shape(true)) <=
        spectral_norm(depthwise.matrix()) * (1 + 1e-6));
}

TEST_CASE("group 13: kernels larger than the image, paddings larger than the kernel and odd strides hold") {
  for (auto const& e : {convolved(normals(7, 3), {7}, {3}, 1, 1, {.pads_begin = {4}, .pads_end = {5}}),
                        convolved(normals(2, 4), {2}, {3}, 1, 1, {.pads_begin = {6}, .pads_end = {5}}),
                        convolved(normals(3, 5), {3}, {7}, 1, 1, {.strides = {2}, .pads_begin = {1}, .pads_end = {1}}),
                        convolved(normals(3, 6), {3}, {8}, 1, 1, {.strides = {3}, .pads_begin = {0}, .pads_end = {2}}),
                        convolved(normals(2, 7), {2}, {9}, 1, 1, {.strides = {4}})}) {
    double const norm = spectral_norm(e.matrix());
    for (auto const method : {convolution_method::torus, convolution_method::grid, convolution_method::overlap}) {
      CHECK(e.by(method) >= norm * (1 - 1e-14));
    }
  }
}

TEST_CASE("group 13: the torus is close to the truth for padded images and the grid is never far from the supremum") {
  std::size_t const c = 6;
  example const e = convolved(normals(c * c * 9, 8), {3, 3}, {7, 7}, static_cast<index_t>(c), static_cast<index_t>(c),
                              {.pads_begin = {1, 1}, .pads_end = {1, 1}});
  double const norm = spectral_norm(e.matrix());
  double const torus = e.by(convolution_method::torus);
  double const grid = e.by(convolution_method::grid);
  MESSAGE("explicit " << norm << ", torus " << torus << ", grid " << grid << ", overlap "
                      << e.by(convolution_method::overlap) << ", magnitudes " << e.by(convolution_method::magnitudes));
  CHECK(torus >= norm);
  CHECK(torus <= 1.2 * norm);
  CHECK(grid <= 1.3 * norm);
}

TEST_CASE("group 15: gains that follow a convolution are counted with the width of their intervals") {
  example const e = convolved(normals(4 * 3 * 3, 9), {3}, {6}, 4, 3, {.pads_begin = {1}, .pads_end = {1}});
  std::vector<interval> const gains{interval(2), interval(-3, -2.5), interval(0), interval(0.1, 0.2)};
  auto const rule = e.rule<false>(gains);
  Eigen::MatrixXd const map = e.matrix();
  for (int pick = 0; pick < 16; ++pick) {
    Eigen::MatrixXd scaled = map;
    for (int c = 0; c < 4; ++c) {
      scaled.middleRows(6 * c, 6) *=
          (pick >> c) % 2 == 0 ? gains[static_cast<std::size_t>(c)].lower : gains[static_cast<std::size_t>(c)].upper;
    }
    CHECK(bound<norm::l2_t>(rule, e.shape(true)) >= spectral_norm(scaled) * (1 - 1e-13));
    CHECK(bound<norm::linf_t>(rule, e.shape(true)) >= scaled.cwiseAbs().rowwise().sum().maxCoeff() * (1 - 1e-13));
  }
  std::vector<interval> const points{interval(2), interval(-3), interval(1e-3), interval(0.1)};
  Eigen::MatrixXd scaled = map;
  for (int c = 0; c < 4; ++c) scaled.middleRows(6 * c, 6) *= points[static_cast<std::size_t>(c)].lower;
  check_rule(e.rule<false>(points), e.shape(true), scaled, 5);
  // Of a transposed convolution the gains are those of the large side.
  std::vector<interval> const three{interval(2), interval(-3), interval(1e-3)};
  Eigen::MatrixXd transposed = map.transpose();
  for (int c = 0; c < 3; ++c) transposed.middleRows(6 * c, 6) *= three[static_cast<std::size_t>(c)].lower;
  check_rule(e.rule<true>(three), e.shape(false), transposed, 6);
}

TEST_CASE("group 13: kernels of any scale are bounded, zero kernels by zero") {
  for (double const factor : {1e-310, 1e-200, 1e150, 1e300}) {
    auto kernel = normals(9, 10);
    for (double& k : kernel) k *= factor;
    example const e = convolved(kernel, {3}, {5}, 3, 1);
    auto const unscaled = convolved(normals(9, 10), {3}, {5}, 3, 1);
    CHECK(bound<norm::l2_t>(e.rule<false>(), e.shape(true)) / factor ==
          doctest::Approx(spectral_norm(unscaled.matrix())).epsilon(1e-6));
  }
  example const zero = convolved(std::vector<double>(9, 0.0), {3}, {5}, 3, 1);
  CHECK(bound<norm::l2_t>(zero.rule<false>(), zero.shape(true)) == 0);
  CHECK(bound<norm::linf_t>(zero.rule<false>(), zero.shape(true)) == 0);
  example nan = convolved(std::vector<double>(9, std::nan("")), {3}, {5}, 3, 1);
  CHECK_THROWS_AS(bound<norm::l2_t>(nan.rule<false>(), nan.shape(true)), numeric_error);
}

TEST_CASE("Convolutions refuse what does not fit") {
  auto const make = [](tensor_shape kernel, convolution_options const& o) {
    return rules::convolution(weight_from(normals(18, 1), 2), std::move(kernel), o);
  };
  CHECK_THROWS_AS(make({4}, {}), shape_error);
  CHECK_THROWS_AS(make({3, 3}, {.strides = {1}}), domain_error);
  CHECK_THROWS_AS(make({3, 3}, {.strides = {0, 1}}), domain_error);
  CHECK_THROWS_AS(make({3, 3}, {.groups = 3}), shape_error);
  CHECK_THROWS_AS(make({3, 3}, {.pads_begin = {-1, 0}}), domain_error);
  std::vector<tensor_shape> const few{{2, 3, 3}};
  CHECK_THROWS_AS(make({3, 3}, {}).output_shape(few), shape_error);
  std::vector<tensor_shape> const small{{1, 2, 3}};
  CHECK_THROWS_AS(make({3, 3}, {}).output_shape(small), shape_error);
  std::vector<tensor_shape> const fits{{5, 1, 4, 3}};
  CHECK(make({3, 3}, {}).output_shape(fits) == tensor_shape{5, 2, 2, 1});
}
