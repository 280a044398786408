// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cmath>
#include <fstream>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <sigmax/bound/rounding.hpp>
#include <sigmax/certified/spectral_norm.hpp>
#include <sigmax/core/error.hpp>
#include <sigmax/io/atomic_file.hpp>

#include "progress.hpp"

namespace transformer {

namespace {

/// Upper bound of the largest RMS of a row: squares of floats are exact in double.
double largest_row(sigmax::matrix<float> const& e) {
  double largest = 0;
  for (index_t i = 0; i < e.rows(); ++i) {
    double sum = 0;
    for (index_t j = 0; j < e.cols(); ++j) {
      double const square = static_cast<double>(e(i, j)) * static_cast<double>(e(i, j));
      sum = sigmax::add_up(sum, square);
    }
    largest = std::fmax(largest, sigmax::sqrt_up(sigmax::divide_up(sum, static_cast<double>(e.cols()))));
  }
  return largest;
}

}  // namespace

std::vector<weight_norm> weight_norms(trainer const& of) {
  std::vector<weight_norm> result;
  for_each_weight(of.weights(), [&](std::string const& name, weight_role role, sigmax::matrix<float> const& w) {
    if (role == weight_role::embedding) {
      result.push_back({name, largest_row(w)});
      return;
    }
    if (!is_map(role)) return;
    auto const norm = sigmax::certified_spectral_norm(sigmax::cpu::native(), w, {.relative_gap = 1e-3});
    double const ratio = sigmax::divide_up(static_cast<double>(w.cols()), static_cast<double>(w.rows()));
    result.push_back({name, sigmax::multiply_up(norm.upper(), sigmax::sqrt_up(ratio))});
  });
  return result;
}

std::vector<weight_spectrum> weight_spectra(sigmax::cpu::native const& on, parameters<float> const& weights) {
  std::vector<weight_spectrum> result;
  for_each_weight(weights, [&](std::string const& name, weight_role role, sigmax::matrix<float> const& w) {
    if (!is_map(role)) return;
    bool const tall = w.rows() > w.cols();
    index_t const m = tall ? w.cols() : w.rows();
    sigmax::matrix<double> wide(m, tall ? w.rows() : w.cols());
    for (index_t i = 0; i < wide.rows(); ++i) {
      for (index_t j = 0; j < wide.cols(); ++j) wide(i, j) = static_cast<double>(tall ? w(j, i) : w(i, j));
    }
    sigmax::matrix<double> gram(m, m);
    sigmax::matrix<double> vectors(m, m);
    sigmax::vector<double> values(m);
    on.gram(1.0, wide.view(), 0.0, gram.view(), gram.view());
    on.symmetric_eigen(gram.view(), values.view(), vectors.view());
    std::vector<double> all;
    double const ratio = static_cast<double>(w.cols()) / static_cast<double>(w.rows());
    for (index_t i = 0; i < m; ++i) all.push_back(std::sqrt(std::fmax(0.0, values[i]) * ratio));
    std::sort(all.begin(), all.end());
    weight_spectrum own{name, {}};
    constexpr double shares[] = {0, 0.05, 0.25, 0.5, 0.75, 0.95, 1};
    for (std::size_t k = 0; k < own.quantiles.size(); ++k) {
      own.quantiles[k] = all[static_cast<std::size_t>(std::lround(shares[k] * static_cast<double>(all.size() - 1)))];
    }
    result.push_back(own);
  });
  return result;
}

double measurement::largest_norm() const {
  double largest = 0;
  for (auto const& each : norms) largest = std::fmax(largest, each.upper);
  return largest;
}

std::string measurement::line_for_people(std::int64_t of_steps) const {
  std::string line = fmt::format("step {:>5}/{}  loss {:.4f}", step, of_steps, training.mean());
  if (validation)
    line += fmt::format("  validation {:.4f} ({:.1f} %)", validation->mean(), 100 * validation->accuracy());
  line += fmt::format("  norm {:.4g}  activation {:.3g}  {:.0f} tokens/s  optimizer {:.0f} %", largest_norm(),
                      activations.largest(), tokens_per_second, 100 * optimizer_share);
  if (caps.violations > 0) line += fmt::format("  {} VIOLATIONS", caps.violations);
  return line;
}

std::string measurement::json() const {
  nlohmann::ordered_json line;
  line["step"] = step;
  line["loss"] = training.mean();
  line["accuracy"] = training.accuracy();
  if (validation) {
    line["validation_loss"] = validation->mean();
    line["validation_accuracy"] = validation->accuracy();
    line["validation_tokens"] = validation->tokens;
  }
  line["learning_rate_share"] = rate;
  line["largest_norm"] = largest_norm();
  line["largest_activation"] = activations.largest();
  for_each_maximum(activations, [&](char const* name, double maximum) { line["activations"][name] = maximum; });
  auto& each = line["norms"];
  for (auto const& norm : norms) each[norm.name] = norm.upper;
  for (auto const& spectrum : spectra) line["spectra"][spectrum.name] = spectrum.quantiles;
  line["checks"] = caps.checks;
  line["violations"] = caps.violations;
  line["proven"] = caps.constrained.proven;
  line["rescaled"] = caps.constrained.rescaled;
  line["hard_capped"] = caps.constrained.hard_capped;
  line["tokens_per_second"] = tokens_per_second;
  line["optimizer_share"] = optimizer_share;
  return line.dump();
}

metrics_file::metrics_file(std::filesystem::path path, std::int64_t steps) : path_(std::move(path)) {
  std::string kept;
  std::ifstream old(path_);
  for (std::string line; std::getline(old, line);) {
    auto const json = nlohmann::json::parse(line, nullptr, false);
    // The last line of a run that was killed may be a part of one.
    if (!json.is_object() || !json.contains("step") || json["step"].get<std::int64_t>() > steps) continue;
    kept += line + "\n";
  }
  sigmax::io::write_file(path_, kept);
}

void metrics_file::append(measurement const& line) const {
  std::ofstream file(path_, std::ios::app | std::ios::binary);
  file << line.json() << '\n';
  file.flush();
  if (!file) throw sigmax::format_error("cannot write " + path_.string());
}

}  // namespace transformer
