// SPDX-License-Identifier: MIT
#include <cmath>
#include <utility>

#include <sigmax/bound/rounding.hpp>

#include "stream_terms.hpp"

namespace transformer {

namespace {

using sigmax::add_up;
using sigmax::max_up;
using sigmax::min_up;
using sigmax::multiply_up;
using sigmax::sqrt_up;

/// Of all pairs of a larger vocabulary only what follows from single tokens is taken.
constexpr index_t most_tokens_in_pairs = 4096;

/// Images of tokens are kept up to this number, of vocabularies up to this size: their pairs take its cube.
constexpr std::size_t most_images = 100;
constexpr index_t most_tokens_in_images = 256;

/// Columns of what is seen, as rows of numbers that follow each other.
struct points {
  index_t count;
  std::size_t width;
  std::vector<double> numbers;

  explicit points(sigmax::matrix<double> const& columns)
      : count(columns.cols()), width(static_cast<std::size_t>(columns.rows())) {
    numbers.reserve(static_cast<std::size_t>(columns.size()));
    for (index_t j = 0; j < columns.cols(); ++j) {
      for (index_t i = 0; i < columns.rows(); ++i) numbers.push_back(columns(i, j));
    }
  }
  double const* operator[](index_t i) const { return numbers.data() + static_cast<std::size_t>(i) * width; }

  /// >= ||point i - c||. Sums to nearest: differences have relative errors of u, their squares and the sum gamma_(n+3), and
  /// underflow takes n eta at most.
  double distance(index_t i, double const* c) const {
    double sum = 0;
    for (std::size_t k = 0; k < width; ++k) {
      double const step = (*this)[i][k] - (c == nullptr ? 0.0 : c[k]);
      sum += step * step;
    }
    auto const n = static_cast<double>(width);
    double const all = add_up(sum, multiply_up(n, sigmax::double_underflow));
    return sqrt_up(sigmax::divide_up(all, sigmax::subtract_down(1.0, sigmax::gamma_up(n + 4))));
  }
};

/// >= the distance of all points, and of 0 if asked, from a point that is chosen well (Badoiu and Clarkson 2003; any will do).
double radius_about_a_point(points const& all, bool with_zero) {
  std::vector<double> centre(all.width, 0.0);
  points zero{sigmax::matrix<double>(static_cast<index_t>(all.width), 1)};
  double least = sigmax::infinity;
  for (int step = 1; step <= 60; ++step) {
    index_t farthest = -1;
    double largest = with_zero ? zero.distance(0, centre.data()) : 0.0;
    for (index_t i = 0; i < all.count; ++i) {
      double const own = all.distance(i, centre.data());
      if (own > largest || farthest < 0) {
        farthest = own > largest ? i : farthest;
        largest = max_up(largest, own);
      }
    }
    least = min_up(least, largest);
    for (std::size_t k = 0; k < all.width; ++k) {
      double const target = farthest < 0 ? 0.0 : all[farthest][k];
      centre[k] += (target - centre[k]) / (step + 1.0);
    }
  }
  return least;
}

/// >= half of the largest distance of two points.
double half_diameter(points const& all) {
  double largest = 0;
  for (index_t i = 0; i < all.count; ++i) {
    for (index_t j = 0; j < i; ++j) largest = max_up(largest, all.distance(i, all[j]));
  }
  return largest / 2;
}

/// >= p^T A^T B q of all p and q in D, the convex hull of (e_v - e_w) / 2. The form is linear in both: attained at corners,
/// where it is the spread of the differences of two rows of A^T B, over 4. That product is off by gamma_(n+2) ||A||_F ||B||_F
/// in the Frobenius norm, which counts half, as members of D are at most 1 / sqrt(2) long; differences round three times.
/// A and B are their elements; `sizes` >= ||A||_F ||B||_F.
double largest_product(sigmax::cpu::native const& on, near_matrix const& a, near_matrix const& b, double sizes) {
  index_t const n = a.elements.cols();
  sigmax::matrix<double> gram(n, n);
  on.multiply(1.0, a.elements.view().transposed(), b.elements.view(), 0.0, {}, gram.view());
  double widest = 0;
  for (index_t i = 0; i < n; ++i) {
    for (index_t j = 0; j < i; ++j) {
      double const* const x = &gram(i, 0);
      double const* const y = &gram(j, 0);
      double low = x[0] - y[0];
      double high = low;
      for (index_t k = 1; k < n; ++k) {
        double const step = x[k] - y[k];
        low = step < low ? step : low;
        high = step > high ? step : high;
      }
      widest = std::fmax(widest, high - low);
    }
  }
  auto const rows = static_cast<double>(a.elements.rows());
  double const off = add_up(multiply_up(sigmax::gamma_up(rows + 2), sizes),
                            multiply_up(4 * (rows + 1) * static_cast<double>(n * n), sigmax::double_underflow));
  // Elements of the product are at most `sizes` and their errors large.
  return add_up(multiply_up(widest / 4, 1 + 0x1p-50), add_up(off, multiply_up(sizes, 0x1p-51)));
}

}  // namespace

stream_terms::stream_terms(sigmax::cpu::native const& on, near_matrix tokens) : on_(on), tokens_(std::move(tokens)) {
  whole_ = of_tokens(tokens_);
}

near_matrix stream_terms::read(near_matrix const* a, near_matrix const& m) const {
  return a == nullptr ? m : product_of(on_, *a, m);
}

seen_bound stream_terms::of_tokens(near_matrix const& seen) const {
  points const all(seen.elements);
  seen_bound result;
  for (index_t i = 0; i < all.count; ++i) {
    result.value = max_up(result.value, add_up(all.distance(i, nullptr), seen.error));
  }
  result.deviation = min_up(result.value, add_up(radius_about_a_point(all, was_projected_), seen.error));
  if (was_projected_) return result;
  result.slope = result.value;
  if (all.count > most_tokens_in_pairs) return result;
  // Both columns may be off by the error, together by sqrt(2) times it; half of that.
  result.slope = min_up(result.slope, add_up(half_diameter(all), seen.error));
  return result;
}

seen_bound stream_terms::sum_of_terms(near_matrix const* a) const {
  seen_bound sum = of_tokens(read(a, tokens_));
  for (auto const& term : terms_) {
    auto const seen = read(a, term.by);
    auto const parts = static_cast<index_t>(term.radius.size());
    index_t const width = seen.elements.cols() / parts;
    double squares[3] = {0, 0, 0};
    double apart[3] = {0, 0, 0};
    for (index_t part = 0; part < parts; ++part) {
      double const norm = norm_up(on_, seen, part * width, width);
      auto const at = static_cast<std::size_t>(part);
      double const sizes[3] = {term.radius[at], term.slope[at], term.rest.empty() ? term.slope[at] : term.rest[at]};
      for (std::size_t k = 0; k < 3; ++k) {
        squares[k] = add_up(squares[k], multiply_up(sizes[k], sizes[k]));
        apart[k] = add_up(apart[k], multiply_up(norm, sizes[k]));
      }
    }
    double const norm = parts > 1 ? norm_up(on_, seen, 0, seen.elements.cols()) : sigmax::infinity;
    auto const least = [&](std::size_t k) { return min_up(apart[k], multiply_up(norm, sqrt_up(squares[k]))); };
    sum.value = add_up(sum.value, least(0));
    sum.deviation = add_up(sum.deviation, least(0));
    sum.slope = add_up(sum.slope, least(1));
    sum.rest = add_up(sum.rest, least(2));
  }
  if (!images_.empty()) sum.slope = min_up(sum.slope, add_up(slope_of_images(a), sum.rest));
  return sum;
}

double stream_terms::slope_of_images(near_matrix const* a) const {
  std::vector<near_matrix> seen{read(a, tokens_)};
  for (auto const& image : images_) seen.push_back(read(a, image));
  std::vector<double> own;
  std::vector<double> sizes;
  double squares = 0;
  double error = 0;
  for (auto const& each : seen) {
    own.push_back(half_diameter(points(each.elements)));
    sizes.push_back(frobenius_up(each));
    squares = add_up(squares, multiply_up(own.back(), own.back()));
    error = add_up(error, each.error);
  }
  for (std::size_t i = 0; i < seen.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      double const product = largest_product(on_, seen[i], seen[j], multiply_up(sizes[i], sizes[j]));
      double const both = min_up(product, multiply_up(own[i], own[j]));
      squares = add_up(squares, 2 * both);
    }
  }
  return add_up(sqrt_up(squares), error);
}

seen_bound stream_terms::seen_by(near_matrix const& a, double norm) const {
  seen_bound result = sum_of_terms(&a);
  result.value = min_up(result.value, multiply_up(norm, whole_.value));
  result.slope = min_up(result.slope, multiply_up(norm, whole_.slope));
  result.deviation = min_up(result.deviation, result.value);
  return result;
}

void stream_terms::add_to_whole(double factor, stream_term term, seen_bound const& branch) {
  terms_.push_back(std::move(term));
  double const size = std::fabs(factor);
  seen_bound const sum = sum_of_terms(nullptr);
  whole_.value = min_up(sum.value, add_up(multiply_up(size, whole_.value), branch.value));
  whole_.slope = min_up(sum.slope, add_up(multiply_up(size, whole_.slope), branch.slope));
  whole_.deviation = min_up(sum.deviation, whole_.value);
}

bool stream_terms::has_room_for_images(index_t heads) const {
  std::size_t const more = (1 + images_.size()) * (1 + static_cast<std::size_t>(heads));
  return !was_projected_ && more <= most_images && tokens_.elements.cols() <= most_tokens_in_images;
}

std::vector<near_matrix> stream_terms::images_of_tokens(near_matrix const& a) const {
  std::vector<near_matrix> result;
  result.push_back(read(&a, tokens_));
  for (auto const& image : images_) result.push_back(read(&a, image));
  return result;
}

void stream_terms::add(double factor, stream_term term, seen_bound const& branch, std::vector<near_matrix> images) {
  auto const scale = [&](near_matrix& m) {
    near_matrix const zero{sigmax::matrix<double>(m.elements.rows(), m.elements.cols())};
    m = sum_of(factor, m, zero);
  };
  scale(tokens_);
  for (auto& each : terms_) scale(each.by);
  for (auto& each : images_) scale(each);
  for (auto& each : images) images_.push_back(std::move(each));
  add_to_whole(factor, std::move(term), branch);
}

void stream_terms::add(double factor, near_matrix const& a, near_matrix const& b, stream_term term,
                       seen_bound const& branch) {
  auto const mix = [&](near_matrix& m) { m = sum_of(factor, m, product_of(on_, a, product_of(on_, b, m))); };
  mix(tokens_);
  for (auto& each : terms_) mix(each.by);
  for (auto& each : images_) mix(each);
  add_to_whole(factor, std::move(term), branch);
}

void stream_terms::project(double rms) {
  auto const width = static_cast<double>(tokens_.elements.rows());
  if (whole_.value <= sigmax::multiply_down(rms, sigmax::sqrt_down(width))) return;
  was_projected_ = true;
  double const radius = multiply_up(rms, sqrt_up(width));
  whole_.value = min_up(whole_.value, radius);
  whole_.deviation = min_up(whole_.deviation, radius);
  images_.clear();
  for (auto& term : terms_) {
    term.slope.assign(term.slope.size(), 0.0);
    term.rest.clear();
  }
  stream_term moved{.by = {sigmax::matrix<double>(tokens_.elements.rows(), tokens_.elements.rows())},
                    .radius = {0.0},
                    .slope = {whole_.slope}};
  for (index_t i = 0; i < moved.by.elements.rows(); ++i) moved.by.elements(i, i) = 1;
  terms_.push_back(std::move(moved));
}

}  // namespace transformer
