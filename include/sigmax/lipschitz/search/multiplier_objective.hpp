// SPDX-License-Identifier: MIT
/// @file
/// The squared bound that multipliers allow, and how it changes with them. In plain doubles; nothing here proves anything.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

#include <sigmax/bound/rounding.hpp>
#include <sigmax/config.hpp>
#include <sigmax/core/matrix.hpp>
#include <sigmax/core/random.hpp>
#include <sigmax/lipschitz/check/multiplier_proof.hpp>
#include <sigmax/lipschitz/check/slope_system.hpp>
#include <sigmax/lipschitz/check/symmetric_blocks.hpp>

namespace sigmax::inline SIGMAX_ABI::lipschitz::search {

/// The matrix inequality of check::multipliers_prove as a function of the multipliers: the least F for which it holds.
///
/// Without the block of x_0 the form is T(Lambda), positive definite where the multipliers are feasible; with the coupling
/// G of x_0 to the rest, F = lambda_max(R), R = G T^-1 G^T - (what acts on x_0 alone). At the F found there is a null
/// vector v = (x_0, -T^-1 G^T x_0), and by the envelope theorem
///     dF / d lambda_n = -(x_n^2 - 2 c_n x_n z_n + p_n z_n^2) / ||x_0||^2        at v,
/// so a gradient costs no more than the value. R is applied, not formed; its largest eigenvalues are found by Lanczos.
template <class B>
class multiplier_objective {
 public:
  multiplier_objective(B const& on, check::slope_system const& system) : on_(on), system_(system) {
    for (std::size_t k = 1; k <= blocks(); ++k) {
      for (interval const s : system.slopes(k)) {
        auto const about = check::centred(s);
        centres_.push_back(about.centre);
        curvatures_.push_back((about.centre - about.radius) * (about.centre + about.radius));
      }
    }
    reduce_input();
  }

  std::size_t blocks() const { return system_.blocks(); }
  /// Number of neurons.
  std::size_t size() const { return centres_.size(); }

  /// log F at log-multipliers theta, +infinity where they are not feasible; the gradient where it is not.
  /// `sharpness` p > 0 replaces lambda_max by the p-norm of the largest eigenvalues, which is smooth; 0 is the maximum.
  double operator()(std::vector<double> const& theta, std::vector<double>& gradient, double sharpness) {
    ++evaluations_;
    if (!prepare(theta)) return infinity;
    auto const pairs = largest_pairs(sharpness > 0 ? 12 : 1);
    if (pairs.values.empty() || !(pairs.values[0] > 0)) return infinity;
    double const top = pairs.values[0];
    std::vector<double> weights(pairs.values.size(), 1.0);
    double total = 0;
    for (std::size_t m = 0; m < weights.size(); ++m) {
      weights[m] = sharpness > 0 ? std::pow(std::fmax(pairs.values[m], 0.0) / top, sharpness) : m == 0 ? 1.0 : 0.0;
      total += weights[m];
    }
    std::fill(gradient.begin(), gradient.end(), 0.0);
    for (std::size_t m = 0; m < weights.size(); ++m) {
      if (weights[m] < 1e-12 * total) continue;
      // d/d theta (1/p) log sum F_m^p = sum w_m dF_m / F_m / sum w
      add_gradient(pairs.vectors[m], weights[m] / total / pairs.values[m], gradient);
    }
    return std::log(top) + (sharpness > 0 ? std::log(total) / sharpness : 0.0);
  }

  /// log lambda_max alone.
  double value(std::vector<double> const& theta) {
    if (!prepare(theta)) return infinity;
    auto const pairs = largest_pairs(1);
    return pairs.values.empty() || !(pairs.values[0] > 0) ? infinity : std::log(pairs.values[0]);
  }

  long evaluations() const { return evaluations_; }
  /// Multiply-adds so far, about.
  double work() const { return work_; }

  /// The elements of A_ij, or of what stands for it where the input was reduced; nullptr where it is zero.
  matrix<double> const* map(std::size_t i, std::size_t j) const {
    if (i == 0) return input_maps_[j] ? &*input_maps_[j] : nullptr;
    auto const* const known = system_.map(i, j);
    return known != nullptr ? &known->elements : nullptr;
  }
  /// Dimensions of the reduced input.
  index_t inputs() const { return inputs_; }

 private:
  struct eigenpairs {
    std::vector<double> values;
    std::vector<std::vector<double>> vectors;
  };

  /// The input enters through the maps A_0j only: their rows span a space of at most as many dimensions as they are many,
  /// so with the stacked S = [A_01; A_02; ..], S S^T = L L^T, the rows of L have all lengths and angles of those of S.
  void reduce_input() {
    input_maps_.resize(blocks() + 2);
    index_t rows = 0;
    for (std::size_t j = 1; j <= blocks() + 1; ++j) {
      if (auto const* const map = system_.map(0, j)) rows += map->rows();
    }
    inputs_ = system_.inputs();
    bool const reduced = rows < inputs_;
    matrix<double> factor(reduced ? rows : 0, reduced ? rows : 0);
    if (reduced) {
      matrix<double> stacked(rows, inputs_);
      index_t at = 0;
      for (std::size_t j = 1; j <= blocks() + 1; ++j) {
        auto const* const map = system_.map(0, j);
        if (map == nullptr) continue;
        std::copy_n(map->elements.data(), map->elements.size(), stacked.data() + at * inputs_);
        at += map->rows();
      }
      on_.gram(1.0, stacked.view(), 0.0, stacked.view(), factor.view());
      double trace = 0;
      for (index_t i = 0; i < rows; ++i) trace += factor(i, i);
      matrix<double> const gram = factor;
      for (double shift = 1e-15; shift < 1e-3; shift *= 100) {
        for (index_t i = 0; i < rows; ++i) factor(i, i) += shift * trace;
        if (on_.cholesky(factor.view()) == rows) break;
        factor = gram;
      }
      for (index_t i = 0; i < rows; ++i) {
        for (index_t j = i + 1; j < rows; ++j) factor(i, j) = 0;
      }
      inputs_ = rows;
    }
    index_t at = 0;
    for (std::size_t j = 1; j <= blocks() + 1; ++j) {
      auto const* const map = system_.map(0, j);
      if (map == nullptr) continue;
      if (reduced) {
        input_maps_[j].emplace(map->rows(), rows);
        std::copy_n(factor.data() + at * rows, map->rows() * rows, input_maps_[j]->data());
        at += map->rows();
      } else {
        input_maps_[j] = map->elements;
      }
    }
  }

  /// Forms and factors T at these multipliers, with the variables of each neuron scaled by the root of its own.
  bool prepare(std::vector<double> const& theta) {
    std::vector<index_t> sizes;
    for (std::size_t k = 1; k <= blocks(); ++k) sizes.push_back(system_.width(k));
    sizes.push_back(system_.outputs());
    form_.emplace(sizes);
    coupling_.clear();
    for (index_t const size : sizes) coupling_.emplace_back(inputs_, size);
    own_ = matrix<double>(0, 0);
    lambda_.resize(theta.size());
    root_.resize(theta.size());
    for (std::size_t n = 0; n < theta.size(); ++n) {
      if (!(std::fabs(theta[n]) < 600)) return false;
      lambda_[n] = std::exp(theta[n]);
      root_[n] = std::sqrt(lambda_[n]);
    }
    std::size_t first = 0;
    offsets_.assign(1, 0);
    for (std::size_t j = 1; j <= blocks() + 1; ++j) {
      bool const last = j == blocks() + 1;
      auto const width = static_cast<std::size_t>(sizes[j - 1]);
      auto& diagonal = form_->at(j - 1, j - 1);
      for (index_t n = 0; n < diagonal.rows(); ++n) diagonal(n, n) += 1;
      bool curved = false;
      for (std::size_t n = 0; n < width && !last; ++n) curved = curved || std::fabs(curvatures_[first + n]) > 1e-14;
      for (std::size_t i = 0; i < j; ++i) {
        auto const* const a = map(i, j);
        if (a == nullptr) continue;
        auto& block = i == 0 ? coupling_[j - 1] : form_->at(i - 1, j - 1);
        for (index_t n = 0; n < a->rows(); ++n) {
          auto const at = first + static_cast<std::size_t>(n);
          double const factor = last ? 1.0 : -centres_[at] * root_[at];
          for (index_t c = 0; c < a->cols(); ++c) block(c, n) += factor * (*a)(n, c) / root_of(i, c);
        }
      }
      if (curved) add_curvature(j, first);
      if (!last) first += width;
      offsets_.push_back(first);
    }
    account_factor();
    return form_->factor(on_);
  }

  /// A factorisation fills blocks at most as a dense one would; each solve reads them all.
  void account_factor() {
    elements_ = 0;
    for (std::size_t i = 0; i < form_->count(); ++i) {
      auto const own = static_cast<double>(form_->size(i));
      double row = 0;
      for (std::size_t j = i + 1; j < form_->count(); ++j) {
        if (form_->find(i, j) != nullptr) row += static_cast<double>(form_->size(j));
      }
      work_ += own * (own * own / 3 + own * row + row * row);
      elements_ += own * (own + row) + own * static_cast<double>(inputs_);
    }
  }

  double root_of(std::size_t source, index_t n) const {
    return source == 0 ? 1.0 : root_[offsets_[source - 1] + static_cast<std::size_t>(n)];
  }

  void add_curvature(std::size_t j, std::size_t first) {
    std::vector<std::pair<std::size_t, matrix<double>>> maps;
    for (std::size_t i = 0; i < j; ++i) {
      auto const* const a = map(i, j);
      if (a == nullptr) continue;
      matrix<double> scaled = *a;
      for (index_t n = 0; n < scaled.rows(); ++n) {
        for (index_t c = 0; c < scaled.cols(); ++c) scaled(n, c) /= root_of(i, c);
      }
      maps.emplace_back(i, std::move(scaled));
    }
    for (auto const& [i, a] : maps) {
      matrix<double> weighted = a;
      for (index_t n = 0; n < a.rows(); ++n) {
        auto const at = first + static_cast<std::size_t>(n);
        for (index_t c = 0; c < a.cols(); ++c) weighted(n, c) *= lambda_[at] * curvatures_[at];
      }
      for (auto const& [m, b] : maps) {
        if (m > i || weighted.empty() || b.empty()) continue;
        if (i == 0 && own_.empty()) own_ = matrix<double>(inputs_, inputs_);
        auto& block = i == 0 ? own_ : m == 0 ? coupling_[i - 1] : form_->at(m - 1, i - 1);
        on_.multiply(1.0, b.view().transposed(), weighted.view(), 1.0, block.view(), block.view());
      }
    }
  }

  /// T^-1 G^T x, block by block.
  std::vector<matrix<double>> hidden_of(std::vector<double> const& x) const {
    work_ += 8 * elements_;  // vectors pass through memory several times more slowly than products of matrices
    std::vector<matrix<double>> h;
    vector_view<double const> const from(x.data(), inputs_);
    for (auto const& block : coupling_) {
      h.emplace_back(block.cols(), 1);
      if (block.empty()) continue;
      on_.times_vector(1.0, block.view().transposed(), from, 0.0, h.back().view().col(0));
    }
    form_->solve(on_, h);
    return h;
  }

  std::vector<double> apply(std::vector<double> const& x) const {
    std::vector<double> y(x.size(), 0.0);
    vector_view<double> const to(y.data(), inputs_);
    auto const h = hidden_of(x);
    for (std::size_t k = 0; k < h.size(); ++k) {
      if (coupling_[k].empty()) continue;
      on_.times_vector(1.0, coupling_[k].view(), h[k].view().col(0), 1.0, to);
    }
    if (!own_.empty()) {
      on_.times_vector(-1.0, own_.view(), vector_view<double const>(x.data(), inputs_), 1.0, to);
    }
    return y;
  }

  /// The largest eigenpairs of R by Lanczos with full reorthogonalisation, from where the last call ended.
  eigenpairs largest_pairs(std::size_t wanted) {
    auto const n = static_cast<std::size_t>(inputs_);
    eigenpairs result;
    if (n == 0) return result;
    if (start_.size() != n) {
      random_sequence const numbers(1);
      start_.resize(n);
      for (std::size_t i = 0; i < n; ++i) start_[i] = numbers.normal(i);
    }
    std::size_t const most = std::min<std::size_t>(n, 40 + 4 * wanted);
    std::vector<std::vector<double>> basis;
    std::vector<double> alpha;
    std::vector<double> beta;
    std::vector<double> q = start_;
    double length = std::sqrt(dot(q, q));
    for (double& v : q) v /= length;
    matrix<double> vectors;
    std::vector<double> values;
    for (std::size_t step = 0; step < most; ++step) {
      basis.push_back(q);
      auto w = apply(q);
      alpha.push_back(dot(w, q));
      for (int pass = 0; pass < 2; ++pass) {
        for (auto const& b : basis) {
          double const c = dot(w, b);
          for (std::size_t i = 0; i < n; ++i) w[i] -= c * b[i];
        }
      }
      length = std::sqrt(dot(w, w));
      bool const ends = !(length > 1e-14 * std::fabs(alpha[0])) || step + 1 == most;
      if (ends || (step % 6 == 5 && step >= 2 * wanted)) {
        solve_tridiagonal(alpha, beta, values, vectors);
        auto const last = static_cast<index_t>(alpha.size()) - 1;
        double worst = 0;
        for (std::size_t m = 0; m < std::min(wanted > 1 ? std::size_t{4} : wanted, values.size()); ++m) {
          worst = std::fmax(worst, length * std::fabs(vectors(static_cast<index_t>(m), last)));
        }
        if (ends || worst < (wanted > 1 ? 1e-5 : 1e-6) * values[0]) break;
      }
      beta.push_back(length);
      for (std::size_t i = 0; i < n; ++i) q[i] = w[i] / length;
    }
    for (std::size_t m = 0; m < std::min(wanted, values.size()); ++m) {
      std::vector<double> x(n, 0.0);
      for (std::size_t k = 0; k < basis.size(); ++k) {
        double const c = vectors(static_cast<index_t>(m), static_cast<index_t>(k));
        for (std::size_t i = 0; i < n; ++i) x[i] += c * basis[k][i];
      }
      result.values.push_back(values[m]);
      result.vectors.push_back(std::move(x));
    }
    std::fill(start_.begin(), start_.end(), 0.0);
    for (std::size_t m = 0; m < result.vectors.size(); ++m) {
      for (std::size_t i = 0; i < n; ++i) start_[i] += result.vectors[m][i] / static_cast<double>(m + 1);
    }
    return result;
  }

  static double dot(std::vector<double> const& a, std::vector<double> const& b) {
    double sum = 0;
    for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
    return sum;
  }

  /// All eigenpairs of a symmetric tridiagonal matrix, the largest first; vector m is row m.
  void solve_tridiagonal(std::vector<double> const& alpha, std::vector<double> const& beta, std::vector<double>& values,
                         matrix<double>& vectors) const {
    auto const n = static_cast<index_t>(alpha.size());
    matrix<double> t(n, n);
    for (index_t i = 0; i < n; ++i) {
      t(i, i) = alpha[static_cast<std::size_t>(i)];
      if (i > 0) t(i, i - 1) = t(i - 1, i) = beta[static_cast<std::size_t>(i - 1)];
    }
    std::vector<double> unsorted(alpha.size());
    matrix<double> rows(n, n);
    on_.symmetric_eigen(t.view(), vector_view<double>(unsorted.data(), n), rows.view());
    std::vector<std::size_t> order(alpha.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::sort(order.begin(), order.end(), [&](auto a, auto b) { return unsorted[a] > unsorted[b]; });
    values.resize(alpha.size());
    vectors = matrix<double>(n, n);
    for (std::size_t m = 0; m < order.size(); ++m) {
      values[m] = unsorted[order[m]];
      for (index_t k = 0; k < n; ++k) vectors(static_cast<index_t>(m), k) = rows(static_cast<index_t>(order[m]), k);
    }
  }

  /// gradient += factor * dF / d theta at the null vector that belongs to the unit vector x.
  void add_gradient(std::vector<double> const& x, double factor, std::vector<double>& gradient) const {
    auto hidden = hidden_of(x);
    std::vector<std::vector<double>> value{x};  // of the sources
    for (std::size_t k = 1; k <= blocks(); ++k) {
      value.emplace_back(hidden[k - 1].data(), hidden[k - 1].data() + hidden[k - 1].size());
      for (std::size_t n = 0; n < value[k].size(); ++n) value[k][n] /= -root_[offsets_[k - 1] + n];
    }
    for (std::size_t j = 1; j <= blocks(); ++j) {
      std::vector<double> z(value[j].size(), 0.0);
      for (std::size_t i = 0; i < j; ++i) {
        auto const* const a = map(i, j);
        if (a == nullptr || a->empty()) continue;
        on_.times_vector(1.0, a->view(), vector_view<double const>(value[i].data(), a->cols()), 1.0,
                         vector_view<double>(z.data(), a->rows()));
      }
      for (std::size_t n = 0; n < z.size(); ++n) {
        std::size_t const at = offsets_[j - 1] + n;
        double const v = value[j][n];
        gradient[at] -= factor * lambda_[at] * (v * v - 2 * centres_[at] * v * z[n] + curvatures_[at] * z[n] * z[n]);
      }
    }
  }

  B const& on_;
  check::slope_system const& system_;
  std::vector<double> centres_;
  std::vector<double> curvatures_;
  index_t inputs_ = 0;
  std::vector<std::optional<matrix<double>>> input_maps_;
  std::optional<check::symmetric_blocks> form_;
  std::vector<matrix<double>> coupling_;
  matrix<double> own_;
  std::vector<double> lambda_;
  std::vector<double> root_;
  std::vector<std::size_t> offsets_;
  std::vector<double> start_;
  long evaluations_ = 0;
  mutable double work_ = 0;
  double elements_ = 0;
};

}  // namespace sigmax::inline SIGMAX_ABI::lipschitz::search
