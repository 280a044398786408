// SPDX-License-Identifier: MIT
// The elementwise loops for one level of processors, TRANSFORMER_LEVEL, compiled with its -march. Everything but the table
// has internal linkage and no header with inline functions is included, so that the linker cannot choose code of this
// level for the rest of the program.
#include "table.hpp"

namespace transformer::pointwise_kernels {

namespace {

#if defined(__AVX512F__)
#define TRANSFORMER_REGISTER 64
#elif defined(__AVX__)
#define TRANSFORMER_REGISTER 32
#else
#define TRANSFORMER_REGISTER 16
#endif

// The arithmetic that GCC and Clang give vectors, as in sigmax/backend/simd/xsimd_compat.hpp.
typedef float pack __attribute__((vector_size(TRANSFORMER_REGISTER)));
typedef unsigned bits __attribute__((vector_size(TRANSFORMER_REGISTER)));
constexpr size lanes = TRANSFORMER_REGISTER / 4;

[[gnu::always_inline]] inline pack all(float x) { return x - pack{}; }

[[gnu::always_inline]] inline pack load(float const* from) {
  pack value;
  __builtin_memcpy(&value, from, sizeof value);
  return value;
}
[[gnu::always_inline]] inline void store(pack value, float* to) { __builtin_memcpy(to, &value, sizeof value); }

/// The first n < lanes elements, the others being `rest`.
[[gnu::always_inline]] inline pack load(float const* from, size n, float rest) {
  pack value = all(rest);
  for (size i = 0; i < n; ++i) value[i] = from[i];
  return value;
}
[[gnu::always_inline]] inline void store(pack value, float* to, size n) {
  for (size i = 0; i < n; ++i) to[i] = value[i];
}

[[gnu::always_inline]] inline pack larger(pack a, pack b) { return a > b ? a : b; }

[[gnu::always_inline]] inline float sum_of(pack value) {
  float total = 0;
  for (size i = 0; i < lanes; ++i) total += value[i];
  return total;
}
[[gnu::always_inline]] inline float largest_of(pack value) {
  float largest = value[0];
  for (size i = 1; i < lanes; ++i) largest = value[i] > largest ? value[i] : largest;
  return largest;
}

/// e^x for x <= 0, relative error below 2e-7; e^-87 where x is smaller, NaN where it is NaN. Cephes' expf: x = n log 2 + r,
/// a polynomial in r, and n added to the exponent.
[[gnu::always_inline]] inline pack exponential(pack x) {
  pack const lowest = all(-87.0f);
  x = lowest > x ? lowest : x;
  pack const magic = all(12582912.0f);  // 1.5 * 2^23: adding it rounds to an integer
  pack const shifted = x * all(1.44269504f) + magic;
  pack const n = shifted - magic;
  pack const r = (x - n * all(0.693359375f)) + n * all(2.12194440e-4f);
  pack p = all(1.9875691500e-4f);
  p = p * r + all(1.3981999507e-3f);
  p = p * r + all(8.3334519073e-3f);
  p = p * r + all(4.1665795894e-2f);
  p = p * r + all(1.6666665459e-1f);
  p = p * r + all(5.0000001201e-1f);
  p = p * (r * r) + r + all(1.0f);
  bits word;
  bits exponent;
  __builtin_memcpy(&word, &p, sizeof word);
  __builtin_memcpy(&exponent, &shifted, sizeof exponent);
  word += exponent << 23;
  __builtin_memcpy(&p, &word, sizeof p);
  return p;
}

/// y = x Phi(x) / divisor and its slope (Phi(x) + x phi(x)) / divisor. Phi from Abramowitz and Stegun 7.1.26, whose error
/// is below 7.5e-8; y and slope have absolute errors below 4e-7 (1 + |x|).
[[gnu::always_inline]] inline void gelu_of(pack x, pack factor, pack& y, pack& slope) {
  pack const magnitude = larger(x, -x);
  pack const gauss = exponential(x * x * all(-0.5f));
  pack const t = all(1.0f) / (all(1.0f) + magnitude * all(0.3275911f * 0.70710678f));
  pack p = all(1.061405429f);
  p = p * t + all(-1.453152027f);
  p = p * t + all(1.421413741f);
  p = p * t + all(-0.284496736f);
  p = p * t + all(0.254829592f);
  pack const tail = all(0.5f) * p * t * gauss;
  pack const phi = x > pack{} ? all(1.0f) - tail : tail;
  y = x * phi * factor;
  slope = (phi + x * gauss * all(0.39894228f)) * factor;
}

void gelu(float const* x, float* y, float* slope, size n, float divisor) {
  pack const factor = all(1.0f / divisor);
  size i = 0;
  pack value;
  pack derivative;
  for (; i + lanes <= n; i += lanes) {
    gelu_of(load(x + i), factor, value, derivative);
    store(value, y + i);
    store(derivative, slope + i);
  }
  gelu_of(load(x + i, n - i, 0), factor, value, derivative);
  store(value, y + i, n - i);
  store(derivative, slope + i, n - i);
}

void multiply(float const* x, float* y, size n) {
  size i = 0;
  for (; i + lanes <= n; i += lanes) store(load(x + i) * load(y + i), y + i);
  for (; i < n; ++i) y[i] *= x[i];
}

/// Replaces x by exp(scale (x - max x)), and returns the sum.
float exponentials(float* x, size n, float scale) {
  float const first = x[0];
  pack most = all(first);
  size i = 0;
  for (; i + lanes <= n; i += lanes) most = larger(load(x + i), most);
  most = larger(load(x + i, n - i, first), most);
  pack const shift = all(largest_of(most));
  pack total = pack{};
  i = 0;
  for (; i + lanes <= n; i += lanes) {
    pack const e = exponential((load(x + i) - shift) * scale);
    store(e, x + i);
    total += e;
  }
  float rest = 0;
  if (i < n) {
    pack const e = exponential((load(x + i, n - i, 0) - shift) * scale);
    store(e, x + i, n - i);
    for (size k = 0; k < n - i; ++k) rest += e[k];
  }
  return sum_of(total) + rest;
}

void scale_by(float factor, float* x, size n) {
  size i = 0;
  for (; i + lanes <= n; i += lanes) store(load(x + i) * factor, x + i);
  for (; i < n; ++i) x[i] *= factor;
}

void softmax(float* x, size n, float scale) {
  float const total = exponentials(x, n, scale);
  scale_by(1 / total, x, n);
}

void softmax_backward(float const* p, float* dp, size n, float scale) {
  pack total = pack{};
  size i = 0;
  for (; i + lanes <= n; i += lanes) total += load(p + i) * load(dp + i);
  float mean = sum_of(total);
  for (; i < n; ++i) mean += p[i] * dp[i];
  pack const shift = all(mean);
  for (i = 0; i + lanes <= n; i += lanes) store((load(dp + i) - shift) * load(p + i) * scale, dp + i);
  for (; i < n; ++i) dp[i] = (dp[i] - mean) * p[i] * scale;
}

float cross_entropy(float* x, size n, size target, float weight, bool* correct) {
  float const logit = x[target];
  size best = 0;
  for (size i = 1; i < n; ++i) best = x[i] > x[best] ? i : best;
  *correct = best == target;
  float const most = x[best];
  float const total = exponentials(x, n, 1.0f);
  scale_by(weight / total, x, n);
  x[target] -= weight;
  return most - logit + __builtin_logf(total);
}

}  // namespace

table const& TRANSFORMER_LEVEL() {
  static constexpr table functions{gelu, multiply, softmax, softmax_backward, cross_entropy};
  return functions;
}

}  // namespace transformer::pointwise_kernels
