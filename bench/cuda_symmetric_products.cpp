// SPDX-License-Identifier: MIT
// Symmetric products on tensor cores: errors against double at odd shapes, then the time beside cuBLASLt's general
// product of the same shape in the same run, and the share of the rate the tensor cores were measured at.
// Usage: bench_cuda_symmetric_products [errors|times [KERNEL]] [--json FILE]
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <string>
#include <vector>

#include <cuda_runtime_api.h>

#include <sigmax/cuda/kernels/status.cuh>
#include <sigmax/cuda/product_plans.hpp>
#include <sigmax/cuda/symmetric.hpp>

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

char const* name_of(tensor_kernel kernel) {
  switch (kernel) {
    case tensor_kernel::any_shape:
      return "any_shape";
    case tensor_kernel::hopper_128:
      return "hopper_128";
    case tensor_kernel::hopper_128x2:
      return "hopper_128x2";
    case tensor_kernel::hopper_256:
      return "hopper_256";
    case tensor_kernel::hopper_256x2:
      return "hopper_256x2";
    default:
      return "automatic";
  }
}

struct memory {
  void* data = nullptr;
  explicit memory(std::size_t bytes) {
    must(cudaMalloc(&data, bytes), "cudaMalloc");
    must(cudaMemset(data, 0xff, bytes), "cudaMemset");  // NaN: what is not written shows
  }
  memory(memory const&) = delete;
  memory& operator=(memory const&) = delete;
  ~memory() { cudaFree(data); }
};

struct batch {
  memory own;
  device_batch view;
  batch(operand_kind kind, index_t rows, index_t cols, index_t row_stride, int count)
      : own(static_cast<std::size_t>(rows * row_stride * count * size_of(kind))),
        view{own.data, rows, cols, row_stride, rows * row_stride, count} {}
};

/// Milliseconds of one call, of `times` in a row.
template <class Run>
double milliseconds(cudaStream_t stream, int times, Run const& run) {
  cudaEvent_t begin = nullptr;
  cudaEvent_t end = nullptr;
  must(cudaEventCreate(&begin), "cudaEventCreate");
  must(cudaEventCreate(&end), "cudaEventCreate");
  run();
  cudaEventRecord(begin, stream);
  for (int i = 0; i < times; ++i) run();
  cudaEventRecord(end, stream);
  must(cudaEventSynchronize(end), "cudaEventSynchronize");
  float ms = 0;
  cudaEventElapsedTime(&ms, begin, end);
  cudaEventDestroy(begin);
  cudaEventDestroy(end);
  return static_cast<double>(ms) / times;
}

/// The median of one call's time and of a peer's, measured in turns: the clock of a card follows its power. What takes
/// long is measured after a tenth of a second of both, when the clock has settled.
struct contest {
  double own, peer;
};
template <class Own, class Peer>
contest in_turns(cudaStream_t stream, int times, Own const& own, Peer const& peer) {
  constexpr std::size_t rounds = 7;
  std::vector<double> a;
  std::vector<double> b;
  auto const begin = std::chrono::steady_clock::now();
  bool const settle = milliseconds(stream, 1, peer) > 0.1;
  while (a.size() < rounds) {
    double const x = milliseconds(stream, times, own);
    double const y = milliseconds(stream, times, peer);
    if (settle && std::chrono::steady_clock::now() - begin < std::chrono::milliseconds(100)) continue;
    a.push_back(x);
    b.push_back(y);
  }
  std::sort(a.begin(), a.end());
  std::sort(b.begin(), b.end());
  return {a[rounds / 2], b[rounds / 2]};
}

int failures = 0;
sigmax::bench::rows table;

/// A row of ours and one of the peer's.
void add_rows(std::string const& work, std::string const& shape, char const* kernel, contest const& time,
              double flops) {
  table.add({work, shape, std::string("sigmax ") + kernel, time.own, flops / 2, 0, -1});
  table.add({work, shape, "cuBLASLt, whole", time.peer, flops, 0, -1});
}

std::string shape_of(index_t height, index_t width) { return std::to_string(height) + " x " + std::to_string(width); }

void check(cudaStream_t stream, operand_kind kind, tensor_kernel kernel, index_t m, index_t n, index_t padding,
           int count, bool addend, bool in_place, bool square, float* scratch, std::size_t scratch_bytes) {
  batch a(kind, m, n, n + padding, count);
  batch b(kind, m, n, n + padding, count);
  batch c(kind, m, m, (m + 7) / 8 * 8 + padding, count);
  batch d(kind, m, m, (m + 7) / 8 * 8 + padding, count);
  reference::fill_normal(stream, kind, a.view, 1, 1);
  reference::fill_normal(stream, kind, b.view, 1, 2);
  if (addend) {  // symmetric: a Gram matrix
    device_batch none;
    symmetric_options options;
    options.kernel = tensor_kernel::any_shape;
    gram(stream, kind, a.view, none, c.view, options);
  }
  symmetric_options options;
  options.kernel = kernel;
  options.owns_padding = true;  // no columns to the right here
  options.same = {0.5f, addend ? -1.25f : 0.0f, 3.0f};
  options.scratch = scratch;
  options.scratch_bytes = scratch_bytes;
  auto const& right = square ? a.view : b.view;
  device_batch const none;
  batch kept(kind, m, m, c.view.row_stride, count);
  if (addend) {
    must(cudaMemcpyAsync(kept.view.data, c.view.data,
                         static_cast<std::size_t>(m * c.view.row_stride * count * size_of(kind)),
                         cudaMemcpyDeviceToDevice, stream),
         "cudaMemcpyAsync");
  }
  auto const& to = in_place ? c.view : d.view;
  if (square) {
    gram(stream, kind, a.view, addend ? c.view : none, to, options);
  } else {
    symmetric_product(stream, kind, a.view, right, addend ? c.view : none, to, options);
  }
  auto const found = reference::compare(stream, kind, a.view, right, addend ? kept.view : none, to, options.same);
  double const relative = found.largest_error / found.largest_value;
  double const tolerance = kind == operand_kind::bf16 ? 0x1p-8 : kind == operand_kind::f16 ? 0x1p-11 : 0x1p-9;
  bool const good = relative < tolerance && found.unsymmetric == 0 && found.not_finite == 0;
  if (!good) ++failures;
  if (!good || m >= 1000) {
    std::printf(
        "%s %-4s %-12s %s m %5td n %5td padding %td batch %d%s%s: error %.2e, unsymmetric %lld, not finite %lld\n",
        good ? "ok  " : "FAIL", name_of(kind), name_of(kernel), square ? "gram" : "pq  ", m, n, padding, count,
        addend ? ", C" : "", in_place ? " in place" : "", relative, found.unsymmetric, found.not_finite);
  }
}

void errors(cudaStream_t stream, std::vector<tensor_kernel> const& kernels, float* scratch, std::size_t scratch_bytes,
            bool split) {
  int cases = 0;
  for (auto const kind : {operand_kind::bf16, operand_kind::f16, operand_kind::tf32}) {
    for (auto const kernel : kernels) {
      for (index_t const m : {1, 7, 8, 65, 127, 128, 129, 200, 257, 384, 1000}) {
        for (index_t const n : {8, 72, 128, 1032}) {
          bool const odd = kernel == tensor_kernel::any_shape && n == 72;
          check(stream, kind, kernel, m, n, 0, 1, false, false, true, nullptr, 0);
          check(stream, kind, kernel, m, odd ? n - 3 : n, odd ? 0 : 8, 3, true, m % 2 == 0, false, nullptr, 0);
          cases += 2;
        }
      }
      check(stream, kind, kernel, 768, 768, 0, 4, true, true, false, nullptr, 0);
      check(stream, kind, kernel, 4104, 520, 0, 1, true, false, false, nullptr, 0);
      cases += 2;
    }
    if (split) {
      for (index_t const m : {8, 72, 129, 768}) {
        check(stream, kind, tensor_kernel::automatic, m, 8192 + 40, 0, 1, true, false, true, scratch, scratch_bytes);
        check(stream, kind, tensor_kernel::automatic, m, 8192 + 40, 0, 2, false, false, false, scratch, scratch_bytes);
        cases += 2;
      }
    }
  }
  std::printf("errors: %d cases, %d failed\n", cases, failures);
}

void times(cudaStream_t stream, product_plans& plans, std::vector<tensor_kernel> const& kernels, bool every) {
  for (auto const kind : {operand_kind::bf16, operand_kind::f16, operand_kind::tf32}) {
    auto const peak = reference::tensor_core_rate(stream, kind);
    double const rate = peak.flops / peak.milliseconds * 1e-9;
    table.add({std::string("tensor cores alone ") + name_of(kind), "", "wgmma", peak.milliseconds, peak.flops, 0, -1});
    for (index_t const m : {1024, 2048, 4096, 8192}) {
      batch p(kind, m, m, m, 1);
      batch q(kind, m, m, m, 1);
      batch c(kind, m, m, m, 1);
      batch d(kind, m, m, m, 1);
      reference::fill_normal(stream, kind, p.view, 1, 1);
      reference::fill_normal(stream, kind, q.view, 1, 2);
      reference::fill_normal(stream, kind, c.view, 1, 3);
      int const repeat = m >= 8192 ? 4 : m >= 4096 ? 20 : 50;
      device_batch const none;
      double const flops = 2.0 * static_cast<double>(m) * static_cast<double>(m) * static_cast<double>(m);
      auto const general = [&] { plans.multiply(stream, kind, 1, p.view, q.view, 0, none, d.view); };
      for (auto const kernel : kernels) {
        if (kernel == tensor_kernel::any_shape && every && m > 2048) continue;
        if (kind != operand_kind::bf16 &&
            (kernel == tensor_kernel::hopper_128 || kernel == tensor_kernel::hopper_256)) {
          continue;
        }
        symmetric_options options;
        options.kernel = kernel;
        symmetric_options added = options;
        added.same = {0.5f, 0.25f, 1.0f};
        auto const product = in_turns(
            stream, repeat, [&] { symmetric_product(stream, kind, p.view, q.view, none, d.view, options); }, general);
        auto const sum = in_turns(
            stream, repeat, [&] { symmetric_product(stream, kind, p.view, q.view, c.view, d.view, added); }, general);
        auto const square = in_turns(
            stream, repeat, [&] { gram(stream, kind, p.view, none, d.view, options); }, general);
        add_rows(std::string("symmetric_product ") + name_of(kind), shape_of(m, m), name_of(kernel), product, flops);
        add_rows(std::string("the same + C ") + name_of(kind), shape_of(m, m), name_of(kernel), sum, flops);
        add_rows(std::string("gram ") + name_of(kind), shape_of(m, m), name_of(kernel), square, flops);
        std::printf(
            "  of the whole product's time: %.3f, with C %.3f, gram %.3f; of the rate of the tensor cores: %.2f\n",
            product.own / product.peer, sum.own / sum.peer, square.own / square.peer,
            flops / 2 / product.own * 1e-9 / rate);
        std::fflush(stdout);
      }
    }
  }
}

/// The batches of GPT-2-small: 48 products of 768 x 768, and 24 Gram matrices of 768 x 3072, beside cuBLASLt.
void batches(cudaStream_t stream, product_plans& plans, std::vector<tensor_kernel> const& kernels) {
  for (auto const kind : {operand_kind::bf16, operand_kind::f16}) {
    for (bool const wide : {false, true}) {
      index_t const m = 768;
      index_t const n = wide ? 3072 : 768;
      int const count = wide ? 24 : 48;
      batch x(kind, m, n, n, count);
      batch turned(kind, n, m, m, count);
      batch d(kind, m, m, m, count);
      reference::fill_normal(stream, kind, x.view, 1, 1);
      reference::fill_normal(stream, kind, turned.view, 1, 2);
      reference::fill_normal(stream, kind, d.view, 1, 3);
      device_batch const none;
      double const flops = static_cast<double>(count) * static_cast<double>(m * m) * static_cast<double>(n);
      auto const general = [&] { plans.multiply(stream, kind, 1, x.view, turned.view, 0, none, d.view); };
      for (auto const kernel : kernels) {
        if (kernel == tensor_kernel::any_shape) continue;
        symmetric_options options;
        options.kernel = kernel;
        symmetric_options sum = options;
        sum.same = {0.5f, 0.25f, 1};
        auto const time = in_turns(
            stream, 20, [&] { gram(stream, kind, x.view, none, d.view, options); }, general);
        auto const added = in_turns(
            stream, 20, [&] { gram(stream, kind, x.view, d.view, d.view, sum); }, general);
        std::string const shape = std::to_string(count) + " x (" + shape_of(m, n) + ")";
        add_rows(std::string("gram ") + name_of(kind), shape, name_of(kernel), time, 2 * flops);
        add_rows(std::string("gram + C ") + name_of(kind), shape, name_of(kernel), added, 2 * flops);
        std::printf("  of the whole product's time: %.3f, with C %.3f\n", time.own / time.peer, added.own / added.peer);
      }
    }
  }
}

int run(std::string const& half, std::string const& only) {
  cudaStream_t stream = nullptr;
  must(cudaStreamCreate(&stream), "cudaStreamCreate");
  std::size_t const bytes = std::size_t{64} << 20;
  memory workspace(bytes);
  memory scratch(bytes);
  product_plans plans(workspace.data, bytes);
  std::vector<tensor_kernel> kernels;
  for (auto const kernel : {
         tensor_kernel::any_shape,
#if defined(SIGMAX_CUDA_ALL_VARIANTS)
             tensor_kernel::hopper_128, tensor_kernel::hopper_256,
#endif
             tensor_kernel::hopper_128x2, tensor_kernel::hopper_256x2
       }) {
    if (only.empty() || only == name_of(kernel)) kernels.push_back(kernel);
  }
  if (half != "times") {
    errors(stream, kernels, static_cast<float*>(scratch.data), bytes, only == "automatic" || only.empty());
  }
  std::fflush(stdout);
  if (half != "errors") {
    batches(stream, plans, kernels);
    times(stream, plans, kernels, kernels.size() > 1);
  }
  return failures == 0 ? 0 : 1;
}

}  // namespace

int main(int count, char** arguments) {
  return sigmax::bench::run_program("bench_cuda_symmetric_products", count, arguments, table,
                                    [](std::vector<std::string> const& words) { return run(words[0], words[1]); });
}
