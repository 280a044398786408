// SPDX-License-Identifier: MIT
// What is known and proved row by row, however many rows there are.
#include <cmath>
#include <cstddef>
#include <vector>

#include <doctest/doctest.h>

#include <sigmax/core/matrix.hpp>
#include <sigmax/core/random.hpp>
#include <sigmax/lipschitz/attention_layers.hpp>
#include <sigmax/lipschitz/certify.hpp>
#include <sigmax/lipschitz/check/segment.hpp>
#include <sigmax/lipschitz/combinators.hpp>
#include <sigmax/lipschitz/layers.hpp>
#include <sigmax/lipschitz/rules/activation.hpp>
#include <sigmax/lipschitz/rules/rearrange.hpp>
#include <sigmax/lipschitz/value_range.hpp>

using namespace sigmax;
using namespace sigmax::lipschitz;

namespace {

matrix<double> normals(index_t rows, index_t cols, double scale, std::uint64_t seed) {
  matrix<double> result(rows, cols);
  fill_normal(result.view(), seed);
  for (index_t i = 0; i < result.size(); ++i) result.data()[i] *= scale;
  return result;
}

}  // namespace

TEST_CASE("a bound of the length of rows bounds their distance from the centre") {
  value_range range;
  range.centre = {interval(3.0), interval(4.0), interval(0.0), interval(0.0)};
  range.longest_row = 7;
  lipschitz::detail::sharpen(range, {2, 2});
  CHECK(range.row_distance >= 12);
  CHECK(range.row_distance <= 12 * (1 + 1e-12));
  range.row_distance = 1;
  lipschitz::detail::sharpen(range, {2, 2});
  CHECK(range.longest_row <= 6 * (1 + 1e-12));
}

TEST_CASE("an MLP on a long sequence is bounded as it is on one token") {
  auto const mlp = residual(0.25, sequential(linear(normals(64, 16, 0.1, 1)), gelu(), linear(normals(16, 64, 0.1, 2))));
  certify_options const options{.norm = norm::rms, .attack = false, .methods = {.search_work = 1e8}};
  double const one = certify(network_of(mlp, {1, 16}), options).upper();
  auto const many = certify(network_of(mlp, {4096, 16}), options);  // 262,144 elements between the layers
  CHECK(many.upper() == doctest::Approx(one).epsilon(1e-9));
  CHECK(many.method() != "product");
  CHECK(many.upper() < 0.9 * certify(network_of(mlp, {4096, 16}),
                                     {.norm = norm::rms, .attack = false, .methods = {.which = method::product}})
                                 .upper());
}

TEST_CASE("values too large for a dense matrix begin a segment unless all of it acts on rows") {
  auto const segments_of = [](network const& net) {
    std::vector<char> const all(static_cast<std::size_t>(net.size()), 1);
    return check::find_segments(net, all, all, 32);
  };
  network rows({8, 8});
  rows.add(rules::linear(weight::owning(normals(8, 8, 1, 1))), {0});
  rows.add(rules::linear(weight::owning(normals(8, 8, 1, 2))), {1});
  REQUIRE(segments_of(rows).size() == 1);
  CHECK(segments_of(rows)[0].source == 0);
  CHECK(segments_of(rows)[0].end == 2);
  std::vector<index_t> transposed;
  for (index_t i = 0; i < 64; ++i) transposed.push_back(i % 8 * 8 + i / 8);
  network mixed({8, 8});
  mixed.add(rules::linear(weight::owning(normals(8, 8, 1, 1))), {0});
  mixed.add(rules::rearrange({8, 8}, transposed), {1});
  mixed.add(rules::linear(weight::owning(normals(8, 8, 1, 2))), {2});
  mixed.add(rules::linear(weight::owning(normals(2, 8, 1, 3))), {3});
  auto const found = segments_of(mixed);
  REQUIRE(found.size() == 1);
  CHECK(found[0].source == 2);
  CHECK(found[0].end == 4);
}
