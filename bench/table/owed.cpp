// SPDX-License-Identifier: MIT
#include <string_view>

#include <fmt/format.h>

#include "table/owed.hpp"

namespace bench_table {

namespace {

/// Which rows a promise speaks about.
struct scope {
  std::string_view work;
  std::string_view scalar = "f32";
  double least_short_side = 0;
  /// 0: any.
  double aspect = 0;
  int threads = 1;

  bool contains(row const& r) const {
    return r.work == work && (scalar.empty() || r.scalar == scalar) && r.short_side() >= least_short_side &&
           (aspect == 0 || r.long_side() == aspect * r.short_side()) && r.threads == threads;
  }
};

/// >= share of P times threads.
struct share_promise {
  scope where;
  double share;
};
constexpr share_promise shares[] = {
    {{.work = "gram", .least_short_side = 512}, 0.80},
    {{.work = "symmetric_product", .least_short_side = 512}, 0.80},
    {{.work = "multiply", .least_short_side = 512}, 0.85},
    {{.work = "orthogonalize", .least_short_side = 512}, 0.75},
    {{.work = "soft_cap", .least_short_side = 512}, 0.75},
};

/// The peer takes at least `ratio` times our time.
struct ratio_promise {
  scope where;
  std::string_view peer;
  double ratio;
};
constexpr ratio_promise ratios[] = {
    {{.work = "gram", .least_short_side = 512}, "openblas-syrk", 1},
    {{.work = "symmetric_product", .least_short_side = 512}, "openblas-syrk", 1},
    {{.work = "orthogonalize", .aspect = 1}, "openblas-gemm", 1.3},
    {{.work = "orthogonalize", .aspect = 4}, "openblas-gemm", 2.8},
    {{.work = "orthogonalize", .aspect = 1}, "eigen", 2.2},
    {{.work = "orthogonalize", .aspect = 4}, "eigen", 4.5},
    {{.work = "orthogonalize_plan"}, "sigmax-muon", 1},
    {{.work = "soft_cap", .aspect = 1}, "torch", 1.4},
    {{.work = "soft_cap", .aspect = 4}, "torch", 2.0},
    {{.work = "hard_cap"}, "lapack-ssyevd", 1},
    {{.work = "power_iteration"}, "openblas-gemv", 1.6},
    {{.work = "prove_norm_at_most", .scalar = ""}, "openblas-dsyrk+dpotrf", 1 / 1.3},
    {{.work = "certified_spectral_norm", .scalar = ""}, "openblas-dsyrk+dpotrf", 1 / 2.0},
    {{.work = "orthogonalize_batch"}, "torch-baddbmm", 1.5},
    {{.work = "compile_time", .scalar = ""}, "eigen", 1},
};

/// At least 1.7 times as fast as one thread from m = 1024 on.
constexpr std::string_view scaling[] = {"gram", "symmetric_product", "multiply", "orthogonalize", "soft_cap"};

row const* on_one_thread(results const& all, row const& what) {
  for (auto const& each : all.rows) {
    if (each.work == what.work && each.variant == what.variant && each.scalar == what.scalar &&
        each.shape == what.shape && each.threads == 1) {
      return &each;
    }
  }
  return nullptr;
}

}  // namespace

std::vector<judgement> judge(results const& all, row const& what) {
  std::vector<judgement> found;
  auto const at_least = [&](std::string promise, double measured, double wanted) {
    found.push_back({std::move(promise), measured, measured >= wanted});
  };
  auto const* const ours = what.ours();
  if (ours == nullptr) return found;
  for (auto const& each : shares) {
    if (!each.where.contains(what) || !is_known(what.peak)) continue;
    at_least(fmt::format(">= {:.2f} P", each.share), ours->rate() / what.peak, each.share);
  }
  for (auto const& each : ratios) {
    auto const* const peer = what.find(std::string(each.peer));
    if (!each.where.contains(what) || peer == nullptr) continue;
    at_least(fmt::format(">= {:.2f}x {}", each.ratio, each.peer), peer->seconds / ours->seconds, each.ratio);
  }
  for (auto const work : scaling) {
    if (what.work != work || what.threads != 2 || what.short_side() < 1024) continue;
    auto const* const one = on_one_thread(all, what);
    if (one == nullptr || one->ours() == nullptr) continue;
    at_least(">= 1.70x one thread", one->ours()->seconds / ours->seconds, 1.7);
  }
  if (!ours->holds) found.push_back({"guarantee", unknown, false});
  return found;
}

}  // namespace bench_table
