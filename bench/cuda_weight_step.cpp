// SPDX-License-Identifier: MIT
// The step of all weights of GPT-2-small as one CUDA graph: 12 x {768 x 768 four times, 768 x 3072, 3072 x 768} and 50304 x
// 768. First the distance from the same step in double on the host at small shapes, then times, then bits.
// Usage: bench_cuda_weight_step [errors|times|bits [FOLDER]] [--json FILE]; FOLDER: of Gram matrices for
// peers/singular_values_of_grams.py.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include <cuda_runtime_api.h>

#include <sigmax/core/matrix.hpp>
#include <sigmax/core/random.hpp>
#include <sigmax/cuda/kernels/status.cuh>
#include <sigmax/cuda/weight_step.hpp>
#include <sigmax/estimate/lanczos.hpp>
#include <sigmax/spectral/orthogonalize.hpp>
#include <sigmax/spectral/soft_cap.hpp>

#include "cuda/device_reference.hpp"
#include "cuda/measure.hpp"
#include "cuda/program.hpp"

namespace {

using namespace sigmax::gpu;
using sigmax::index_t;
using sigmax::SIGMAX_CUDA_LIBRARY::must;

char const* name_of(operand_kind kind) {
  return kind == operand_kind::bf16 ? "bf16" : kind == operand_kind::f16 ? "f16" : "tf32";
}

struct device_floats {
  float* data = nullptr;
  std::size_t bytes;
  explicit device_floats(index_t count) : bytes(static_cast<std::size_t>(count) * sizeof(float)) {
    must(cudaMalloc(reinterpret_cast<void**>(&data), bytes), "cudaMalloc");
  }
  device_floats(device_floats&& other) noexcept : data(std::exchange(other.data, nullptr)), bytes(other.bytes) {}
  device_floats& operator=(device_floats&&) = delete;
  device_floats(device_floats const&) = delete;
  device_floats& operator=(device_floats const&) = delete;
  ~device_floats() { cudaFree(data); }

  void put(float const* from) const { must(cudaMemcpy(data, from, bytes, cudaMemcpyHostToDevice), "cudaMemcpy"); }
  void get(float* to) const { must(cudaMemcpy(to, data, bytes, cudaMemcpyDeviceToHost), "cudaMemcpy"); }
};

int failures = 0;
sigmax::bench::rows table;

/// One weight beside the same step in double on the host.
void compare(cudaStream_t stream, operand_kind kind, sigmax::polynomial_schedule const& schedule, index_t rows,
             index_t cols, bool steep, double sigma_max) {
  sigmax::matrix<float> g(rows, cols);
  sigmax::matrix<float> w(rows, cols);
  sigmax::fill_normal(g.view(), 3);
  sigmax::fill_normal(w.view(), 4);
  for (index_t i = 0; i < rows; ++i) {
    for (index_t j = 0; j < cols; ++j) {
      if (steep)
        g(i, j) *= std::exp(-3.0f * static_cast<float>(std::min(i, j)) / static_cast<float>(std::min(rows, cols)));
      w(i, j) *= 0.9f / (std::sqrt(static_cast<float>(rows)) + std::sqrt(static_cast<float>(cols)));
    }
  }
  weight_step_options options;
  options.kind = kind;
  options.schedule = schedule;
  options.learning_rate = sigma_max > 0 ? 0.1 : 1;
  options.weight_decay = sigma_max > 0 ? 0.05 : 0;
  options.adjust = sigmax::adjustment::none;
  options.sigma_max = sigma_max;
  device_floats const on_device_g(rows * cols);
  device_floats const on_device_w(rows * cols);
  on_device_g.put(g.data());
  on_device_w.put(w.data());
  std::vector<weight_entry> const list = {{on_device_w.data, on_device_g.data, rows, cols}};
  weight_step step(list, options);
  step.launch(stream);
  step.check(stream);
  sigmax::matrix<float> result(rows, cols);
  on_device_w.get(result.data());

  sigmax::matrix<double> exact(rows, cols);
  for (index_t i = 0; i < rows * cols; ++i) exact.data()[i] = static_cast<double>(g.data()[i]);
  sigmax::polynomial_schedule as_applied("with margin", {});  // a step divides by a little more than the bound
  for (int t = 0; t < schedule.size(); ++t) {
    as_applied.append(t == 0 ? schedule[t].scaled(1, 1 + detail::step_margin(kind)) : schedule[t]);
  }
  as_applied = as_applied.stating(schedule.lower(), schedule.upper(), schedule.least(), schedule.greatest());
  sigmax::orthogonalize(exact, {.schedule = as_applied, .form = sigmax::polynomial_form::standard});
  double const keep = 1 - options.learning_rate * options.weight_decay;
  double update = 0;
  for (index_t i = 0; i < rows * cols; ++i) {
    double& o = exact.data()[i];
    update += o * o;
    o = keep * static_cast<double>(w.data()[i]) - options.learning_rate * o;
  }
  if (sigma_max > 0) {
    double const norm = schedule.greatest() * (1 + detail::result_margin(kind)) * options.learning_rate;
    sigmax::soft_cap(exact, {.sigma_max = sigma_max,
                             .update_norm = norm,
                             .weight_decay = options.learning_rate * options.weight_decay,
                             .check_domain = false});
  }
  double squares = 0;
  double largest = 0;
  for (index_t i = 0; i < rows * cols; ++i) {
    double const e = static_cast<double>(result.data()[i]) - exact.data()[i];
    squares += e * e;
    largest = std::fabs(e) > largest ? std::fabs(e) : largest;
  }
  double const scale = options.learning_rate * std::sqrt(update);
  double const relative = std::sqrt(squares) / scale;
  auto const norm = sigmax::lanczos(result).sigma;
  bool const good = relative < (kind == operand_kind::f16 ? 0.02 : kind == operand_kind::bf16 ? 0.05 : 0.15);
  if (!good) ++failures;
  std::printf(
      "%s %-4s %-16s %4td x %4td%s%s: error %.2e of the update's Frobenius norm, largest %.1e, norm of W %.4f\n",
      good ? "ok  " : "FAIL", name_of(kind), schedule.name(), rows, cols, steep ? " steep" : "",
      sigma_max > 0 ? " capped" : "", relative, largest, static_cast<double>(norm));
}

void errors(cudaStream_t stream) {
  for (auto const kind : {operand_kind::f16, operand_kind::bf16, operand_kind::tf32}) {
    for (bool const steep : {false, true}) {
      compare(stream, kind, sigmax::schedules::polar_express_5, 96, 96, steep, 0);
      compare(stream, kind, sigmax::schedules::polar_express_5, 200, 520, steep, 0);
      compare(stream, kind, sigmax::schedules::polar_express_5, 523, 197, steep, 0);
      compare(stream, kind, sigmax::schedules::muon, 128, 512, steep, 0);
      compare(stream, kind, sigmax::schedules::cubic5, 128, 256, steep, 0);
    }
    compare(stream, kind, sigmax::schedules::polar_express_5, 1, 40, false, 0);
    compare(stream, kind, sigmax::schedules::polar_express_5, 40, 1, false, 0);
    compare(stream, kind, sigmax::schedules::polar_express_5, 256, 256, false, 1);
    compare(stream, kind, sigmax::schedules::polar_express_5, 300, 128, false, 1);
    compare(stream, kind, sigmax::schedules::polar_express_5, 128, 300, false, 1);
  }
  // Nothing is written where an element is not finite; a zero direction is no update.
  device_floats const g(64 * 64);
  device_floats const w(64 * 64);
  std::vector<float> numbers(64 * 64, 0.0f);
  std::vector<float> const before(64 * 64, 0.5f);
  std::vector<float> after(64 * 64);
  g.put(numbers.data());
  w.put(before.data());
  weight_step_options options;
  options.weight_decay = 0;
  std::vector<weight_entry> const list = {{w.data, g.data, 64, 64}};
  weight_step step(list, options);
  step.launch(stream);
  step.check(stream);
  w.get(after.data());
  bool const kept = after == before;
  numbers[77] = INFINITY;
  g.put(numbers.data());
  step.launch(stream);
  bool refused = false;
  try {
    step.check(stream);
  } catch (sigmax::numeric_error const& error) {
    refused = true;
    std::printf("%s\n", error.what());
  }
  w.get(after.data());
  bool const untouched = after == before;
  step.check(stream);  // throws no more
  if (!kept || !refused || !untouched) ++failures;
  std::printf("%s zero direction kept W: %d, infinity refused: %d, W untouched: %d\n",
              kept && refused && untouched ? "ok  " : "FAIL", kept, refused, untouched);
}

struct model {
  std::vector<device_floats> weights, originals, directions;
  std::vector<weight_entry> entries;

  explicit model(cudaStream_t stream, int layers, bool squares, bool wide, bool head) {
    auto const add = [&](index_t rows, index_t cols) {
      auto const& w = weights.emplace_back(rows * cols);
      auto const& original = originals.emplace_back(rows * cols);
      auto const& g = directions.emplace_back(rows * cols);
      auto const scale =
          static_cast<float>(0.9 / (std::sqrt(static_cast<double>(rows)) + std::sqrt(static_cast<double>(cols))));
      auto const seed = static_cast<unsigned>(entries.size());
      reference::fill_normal(stream, operand_kind::tf32, {original.data, rows, cols, cols, 0, 1}, scale, 2 * seed + 1);
      reference::fill_normal(stream, operand_kind::tf32, {g.data, rows, cols, cols, 0, 1}, 0.01f, 2 * seed + 2);
      entries.push_back({w.data, g.data, rows, cols});
    };
    for (int layer = 0; layer < layers; ++layer) {
      for (int i = 0; i < 4 && squares; ++i) add(768, 768);
      if (wide) {
        add(768, 3072);
        add(3072, 768);
      }
    }
    if (head) add(50304, 768);
    reset(stream);
  }

  void reset(cudaStream_t stream) const {
    for (std::size_t i = 0; i < weights.size(); ++i) {
      must(cudaMemcpyAsync(weights[i].data, originals[i].data, weights[i].bytes, cudaMemcpyDeviceToDevice, stream),
           "cudaMemcpyAsync");
    }
  }
};

double milliseconds(cudaStream_t stream, weight_step& step, int times) {
  cudaEvent_t begin = nullptr;
  cudaEvent_t end = nullptr;
  must(cudaEventCreate(&begin), "cudaEventCreate");
  must(cudaEventCreate(&end), "cudaEventCreate");
  for (int i = 0; i < 3; ++i) step.launch(stream);
  double best = 1e30;
  for (int round = 0; round < 3; ++round) {
    cudaEventRecord(begin, stream);
    for (int i = 0; i < times; ++i) step.launch(stream);
    cudaEventRecord(end, stream);
    must(cudaEventSynchronize(end), "cudaEventSynchronize");
    float ms = 0;
    cudaEventElapsedTime(&ms, begin, end);
    best = std::min(best, static_cast<double>(ms) / times);
  }
  cudaEventDestroy(begin);
  cudaEventDestroy(end);
  step.check(stream);
  return best;
}

void time_one(cudaStream_t stream, char const* what, model const& of, weight_step_options const& options, double rate) {
  of.reset(stream);
  weight_step step(of.entries, options);
  double const ms = milliseconds(stream, step, 10);
  table.add({std::string("orthogonalize ") + (options.sigma_max > 0 ? "+ soft cap " : "") + name_of(options.kind), what,
             "sigmax, one graph", ms, step.flops(), 0, -1});
  std::printf("  of the rate of the tensor cores: %.2f; memory: %zu MiB\n", step.flops() / ms * 1e-9 / rate,
              step.memory_bytes() >> 20);
}

void times(cudaStream_t stream) {
  model const all(stream, 12, true, true, true);
  model const squares(stream, 12, true, false, false);
  model const wide(stream, 12, false, true, false);
  model const head(stream, 0, false, false, true);
  for (auto const kind : {operand_kind::f16, operand_kind::bf16, operand_kind::tf32}) {
    auto const peak = reference::tensor_core_rate(stream, kind);
    double const rate = peak.flops / peak.milliseconds * 1e-9;
    table.add({std::string("tensor cores alone ") + name_of(kind), "", "wgmma", peak.milliseconds, peak.flops, 0, -1});
    weight_step_options options;
    options.kind = kind;
    options.learning_rate = 0.02;
    for (double const cap : {0.0, 1.0}) {
      options.sigma_max = cap;
      options.norm = sigmax::norm::rms;
      options.adjust = sigmax::adjustment::spectral_norm;
      time_one(stream, "GPT-2-small, all weights", all, options, rate);
      if (kind == operand_kind::tf32) continue;
      time_one(stream, "48 x 768 x 768", squares, options, rate);
      time_one(stream, "24 x 768 x 3072 and 3072 x 768", wide, options, rate);
      time_one(stream, "50304 x 768", head, options, rate);
    }
  }
}

/// Gram matrices of -O in double, for peers/singular_values_of_grams.py: those of weights 0, 4, 5 and the last.
void bits(cudaStream_t stream, char const* folder) {
  model const all(stream, 12, true, true, true);
  for (auto const kind : {operand_kind::f16, operand_kind::bf16}) {
    weight_step_options options;
    options.kind = kind;
    options.learning_rate = 0.02;
    options.sigma_max = 1;
    options.norm = sigmax::norm::rms;
    options.adjust = sigmax::adjustment::spectral_norm;
    weight_step step(all.entries, options);
    std::vector<unsigned long long> first;
    int different = 0;
    for (int run = 0; run < 100; ++run) {
      all.reset(stream);
      step.launch(stream);
      unsigned long long sum = 0;
      for (auto const& w : all.weights) sum = sum * 31 + reference::fingerprint(stream, w.data, w.bytes);
      if (first.empty()) first.push_back(sum);
      if (sum != first[0]) ++different;
    }
    step.check(stream);
    if (different > 0) ++failures;
    std::printf("%s %s: 100 runs, %d with other bits\n", different == 0 ? "ok  " : "FAIL", name_of(kind), different);
    if (folder == nullptr) continue;
    options.sigma_max = 0;
    options.learning_rate = 1;
    options.weight_decay = 1;  // W = -O
    options.adjust = sigmax::adjustment::none;
    weight_step plain(all.entries, options);
    all.reset(stream);
    plain.launch(stream);
    plain.check(stream);
    std::vector<double> gram(768 * 768);
    for (std::size_t const i : {std::size_t{0}, std::size_t{4}, std::size_t{5}, all.entries.size() - 1}) {
      auto const& e = all.entries[i];
      reference::gram_in_double(stream, all.weights[i].data, e.rows, e.cols, e.rows > e.cols, gram.data());
      std::string const path = std::string(folder) + "/gram_" + name_of(kind) + "_" + std::to_string(e.rows) + "x" +
                               std::to_string(e.cols) + ".f64";
      if (std::FILE* const file = std::fopen(path.c_str(), "wb")) {
        std::fwrite(gram.data(), sizeof(double), gram.size(), file);
        std::fclose(file);
      }
    }
  }
}

}  // namespace

int main(int count, char** arguments) {
  return sigmax::bench::run_program(
      "bench_cuda_weight_step", count, arguments, table, [](std::vector<std::string> const& words) {
        auto const wanted = [&](char const* part) { return words[0].empty() || words[0] == part; };
        cudaStream_t stream = nullptr;
        must(cudaStreamCreate(&stream), "cudaStreamCreate");
        if (wanted("errors")) errors(stream);
        std::fflush(stdout);
        if (wanted("times")) times(stream);
        if (wanted("bits")) bits(stream, words[1].empty() ? nullptr : words[1].c_str());
        return failures == 0 ? 0 : 1;
      });
}
