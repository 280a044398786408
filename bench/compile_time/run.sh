#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What does including sigmax cost? CPU seconds of `g++ -O2 -c` for sigmax.hpp with orthogonalize and a certified norm on raw
# buffers, and for <Eigen/Dense> with one product, in turn. Prints the median of each and their ratio; fails if the ratio is
# above the limit. What is owed is 1; CTest, which shares its machine with other work, only guards against getting worse.
# usage: bench/compile_time/run.sh [runs [limit]]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
runs=${1:-5}
limit=${2:-1.00}
eigen=$(pkg-config --cflags eigen3 2>/dev/null || echo -I/usr/include/eigen3)
object=$(mktemp)
trap 'rm -f "$object"' EXIT

cpu_seconds() { # <source> <flags>...
  local source=$1 TIMEFORMAT='%U %S'
  shift
  { time g++ -std=c++20 -O2 "$@" -c "bench/compile_time/$source" -o "$object"; } 2>&1 |
    awk '{ printf "%.2f\n", $1 + $2 }'
}

median() { sort -n | awk '{ value[NR] = $1 } END { print value[int((NR + 1) / 2)] }'; }

ours=() theirs=()
for ((run = 0; run < runs; ++run)); do
  ours+=("$(cpu_seconds sigmax.cpp -Iinclude)")
  # shellcheck disable=SC2086
  theirs+=("$(cpu_seconds eigen.cpp $eigen)")
done
our_median=$(printf '%s\n' "${ours[@]}" | median)
their_median=$(printf '%s\n' "${theirs[@]}" | median)
printf 'g++ -O2 -c, CPU seconds, median of %d:\n' "$runs"
printf '  sigmax.hpp + orthogonalize + certified_spectral_norm   %s\n' "$our_median"
printf '  <Eigen/Dense> + one product                            %s\n' "$their_median"
awk -v a="$our_median" -v b="$their_median" -v limit="$limit" \
  'BEGIN { printf "  ratio                                                  %.2f\n", a / b; exit !(a <= limit * b) }'
