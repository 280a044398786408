// SPDX-License-Identifier: MIT
#include <cmath>
#include <numeric>
#include <utility>

#include <sigmax/core/random.hpp>

#include "data/rotations.hpp"

namespace bench {

using sigmax::index_t;

namespace {

/// Columns that are rotated together: as many as make a vectorised loop and stay in the cache.
constexpr index_t width = 16;

/// [x; y] <- [c s; -s c] [x; y] for `width` columns.
void rotate(double* x, double* y, double c, double s) {
  for (index_t k = 0; k < width; ++k) {
    double const old = x[k];
    x[k] = c * old + s * y[k];
    y[k] = c * y[k] - s * old;
  }
}

}  // namespace

rotations::rotations(index_t n, std::uint64_t seed) : size_(n) {
  sigmax::random_sequence const random(seed);
  std::uint64_t drawn = 0;
  std::vector<std::size_t> order(static_cast<std::size_t>(n));
  std::iota(order.begin(), order.end(), std::size_t{0});
  int layers = 0;
  for (index_t reached = 1; reached < n; reached *= 2) layers += 2;
  for (int layer = 0; layer < layers; ++layer) {
    for (std::size_t k = order.size(); k > 1; --k) std::swap(order[k - 1], order[random.bits(drawn++) % k]);
    for (std::size_t k = 0; k + 1 < order.size(); k += 2) {
      double const angle = 6.283185307179586 * random.uniform(drawn++);
      rotations_.push_back({order[k], order[k + 1], std::cos(angle), std::sin(angle)});
    }
  }
}

void rotations::rotate_columns(sigmax::matrix_view<double> a, bool backwards) const {
  std::vector<double> panel(static_cast<std::size_t>(size_ * width));
  for (index_t first = 0; first < a.cols(); first += width) {
    index_t const columns = a.cols() - first < width ? a.cols() - first : width;
    for (index_t i = 0; i < size_; ++i) {
      for (index_t k = 0; k < columns; ++k) panel[static_cast<std::size_t>(i * width + k)] = a(i, first + k);
    }
    auto const at = [&](std::size_t i) { return panel.data() + i * static_cast<std::size_t>(width); };
    if (backwards) {
      for (auto r = rotations_.rbegin(); r != rotations_.rend(); ++r) rotate(at(r->i), at(r->j), r->cosine, -r->sine);
    } else {
      for (auto const& r : rotations_) rotate(at(r.i), at(r.j), r.cosine, r.sine);
    }
    for (index_t i = 0; i < size_; ++i) {
      for (index_t k = 0; k < columns; ++k) a(i, first + k) = panel[static_cast<std::size_t>(i * width + k)];
    }
  }
}

}  // namespace bench
