// SPDX-License-Identifier: MIT
/// @file
/// The table of elementwise activations. An activation is added by one entry here and one factory in activation.hpp;
/// everything else (certificates, attack, interval re-evaluation, the ONNX importer) reads the table.
///
/// A constant that is typed here is rounded up behind the last digit of its true value (computed with mpmath to 40
/// digits; the tests compare each with the largest slope of the formula). One that depends on parameters is computed
/// in outward arithmetic. Parameters have the names and the float defaults of the ONNX operator.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <span>
#include <type_traits>

#include <sigmax/bound/interval_functions.hpp>
#include <sigmax/bound/rounding.hpp>
#include <sigmax/config.hpp>
#include <sigmax/lipschitz/dual.hpp>
#include <sigmax/lipschitz/rules/activation_entry.hpp>
#include <sigmax/lipschitz/rules/activation_slopes.hpp>

namespace sigmax::inline SIGMAX_ABI::lipschitz::rules {

namespace detail {

/// pi in the scalar of a formula.
template <class T>
constexpr T pi() {
  if constexpr (std::is_same_v<T, interval>) {
    return sigmax::detail::interval_pi;
  } else {
    return T(3.141592653589793);
  }
}

inline double always_one(activation_parameters) { return 1.0; }
inline double never(activation_parameters) { return infinity; }
inline double one_or_first(activation_parameters p) { return max_up(1.0, std::fabs(p[0])); }

/// >= |f' - g'| everywhere, f = x / 2 (1 + tanh(sqrt(2 / pi) (x + c x^3))) and g the same with 0.044715 in place of c, where
/// c = b / alpha^2, alpha = a / sqrt(2 / pi), p = (a, b). +infinity unless 0 <= c <= 0.045.
/// Proof: with k = sqrt(2 / pi), u = k (x + c x^3) and s = 1 - tanh(u)^2 <= 4 e^(-2 k |x|) the derivative of f' by c is
///   2 s k x^3 - tanh(u) s k^2 x^4 (1 + 3 c x^2),
/// and x^m e^(-2 k x) <= (m / (2 e k))^m: at most 2.12 + 1.85 + 2.41 < 7 for 0 <= c <= 0.045; mean value theorem in c.
inline double cubic_shift(activation_parameters p) {
  interval const alpha = interval(p[0]) / sqrt(2.0 / sigmax::detail::interval_pi);
  interval const cubic = interval(p[1]) / square(alpha);
  bool const near = alpha.lower > 0 && cubic.lower >= 0 && cubic.upper <= 0.045;
  return near ? multiply_up(7.0, (cubic - interval(44715.0) / interval(1000000.0)).magnitude()) : infinity;
}

}  // namespace detail

/// All activations. This and what reads it are templates, so that a file that only includes them does not compile the
/// three versions of forty formulas.
template <class = void>
std::span<activation_entry const> activation_table() {
  using lipschitz::detail::heaviside, lipschitz::detail::sigmoid, lipschitz::detail::softplus;
  using std::abs, std::asinh, std::atan, std::ceil, std::cos, std::erf, std::exp, std::floor, std::log, std::max;
  using std::min, std::pow, std::rint, std::sin, std::sqrt, std::tanh;
  using parameters = activation_parameters;
  static constexpr char const* local = "not Lipschitz on all of R: its slope is unbounded without a range of inputs";
  static constexpr char const* jumps = "discontinuous: no Lipschitz bound exists";
  static constexpr activation_entry table[] = {
      // Slopes in [0, 1], [-1, 1] for abs, 1 for identity.
      {.name = "relu",
       .onnx_name = "Relu",
       .constant = detail::always_one,
       .slopes = slopes_of::relu<>,
       .formula = elementwise([](auto x, parameters) { return max(x, decltype(x)(0.0)); })},
      {.name = "abs",
       .onnx_name = "Abs",
       .constant = detail::always_one,
       .slopes = slopes_of::abs<>,
       .formula = elementwise([](auto x, parameters) { return abs(x); })},
      {.name = "identity",
       .onnx_name = "Identity",
       .constant = detail::always_one,
       .slopes = slopes_of::identity<>,
       .formula = elementwise([](auto x, parameters) { return x; })},
      {.name = "neg",
       .onnx_name = "Neg",
       .constant = detail::always_one,
       .slopes = slopes_of::neg<>,
       .formula = elementwise([](auto x, parameters) { return -x; })},
      {.name = "clip",
       .onnx_name = "Clip",
       .parameters = {{{"min", -infinity, false}, {"max", infinity, false}}},
       .constant = [](parameters p) { return p[0] < infinity && p[1] > -infinity ? 1.0 : infinity; },
       .slopes = slopes_of::clip<>,
       .refusal = "no real function: every value is clipped to infinity",
       .formula = elementwise([](auto x, parameters p) {
         using scalar = decltype(x);
         return min(max(x, scalar(p[0])), scalar(p[1]));
       })},
      // Piecewise linear, slopes 1 and alpha.
      {.name = "leaky_relu",
       .onnx_name = "LeakyRelu",
       .parameters = {{{"alpha", double{0.01f}}}},
       .constant = detail::one_or_first,
       .slopes = slopes_of::leaky_relu<>,
       .formula = elementwise([](auto x, parameters p) {
         using scalar = decltype(x);
         return max(x, scalar(0.0)) + p[0] * min(x, scalar(0.0));
       })},
      {.name = "prelu",
       .onnx_name = "PRelu",
       .parameters = {{{"slope", 0.25, false}}},
       .per_element = true,
       .constant = detail::one_or_first,
       .slopes = slopes_of::leaky_relu<>,
       .formula = elementwise([](auto x, parameters p) {
         using scalar = decltype(x);
         return max(x, scalar(0.0)) + p[0] * min(x, scalar(0.0));
       })},
      // alpha (e^x - 1) has slope alpha e^x on x < 0: at most |alpha|, attained at 0.
      {.name = "elu",
       .onnx_name = "Elu",
       .parameters = {{{"alpha", 1.0}}},
       .constant = detail::one_or_first,
       .slopes = slopes_of::elu<>,
       .formula = elementwise([](auto x, parameters p) {
         using scalar = decltype(x);
         return max(x, scalar(0.0)) + p[0] * (exp(min(x, scalar(0.0))) - 1.0);
       })},
      // alpha (e^(x / alpha) - 1) has slope e^(x / alpha) <= 1 on x < 0 where alpha > 0, and grows without bound else.
      {.name = "celu",
       .onnx_name = "Celu",
       .parameters = {{{"alpha", 1.0}}},
       .constant = [](parameters p) { return p[0] > 0 ? 1.0 : infinity; },
       .slopes = slopes_of::celu<>,
       .refusal = "not Lipschitz for alpha <= 0",
       .formula = elementwise([](auto x, parameters p) {
         using scalar = decltype(x);
         return max(x, scalar(0.0)) + min(p[0] * (exp(x / scalar(p[0])) - 1.0), scalar(0.0));
       })},
      // gamma times an elu: slopes gamma on x > 0 and gamma alpha e^x on x < 0.
      {.name = "selu",
       .onnx_name = "Selu",
       .parameters = {{{"alpha", double{1.67326319217681884765625f}}, {"gamma", double{1.05070102214813232421875f}}}},
       .constant = [](parameters p) { return multiply_up(std::fabs(p[1]), max_up(1.0, std::fabs(p[0]))); },
       .slopes = slopes_of::selu<>,
       .formula = elementwise([](auto x, parameters p) {
         using scalar = decltype(x);
         return p[1] * (max(x, scalar(0.0)) + p[0] * (exp(min(x, scalar(0.0))) - 1.0));
       })},
      // log(1 + e^(beta x)) / beta has slope sigmoid(beta x) in (0, 1) for beta of either sign.
      {.name = "softplus",
       .onnx_name = "Softplus",
       .parameters = {{{"beta", 1.0, false}}},
       .constant = [](parameters p) { return p[0] != 0 ? 1.0 : infinity; },
       .slopes = slopes_of::softplus<>,
       .refusal = "undefined for beta = 0",
       .formula = elementwise([](auto x, parameters p) { return softplus(p[0] * x) / decltype(x)(p[0]); })},
      {.name = "log_sigmoid",
       .constant = detail::always_one,
       .slopes = slopes_of::log_sigmoid<>,
       .formula = elementwise([](auto x, parameters) { return -softplus(-x); })},
      // Slope 1 / (1 + |x|)^2.
      {.name = "softsign",
       .onnx_name = "Softsign",
       .constant = detail::always_one,
       .slopes = slopes_of::softsign<>,
       .formula = elementwise([](auto x, parameters) { return x / (1.0 + abs(x)); })},
      {.name = "tanh",
       .onnx_name = "Tanh",
       .constant = detail::always_one,
       .slopes = slopes_of::tanh<>,
       .formula = elementwise([](auto x, parameters) { return tanh(x); })},
      // Slope s (1 - s), largest at s = 1/2.
      {.name = "sigmoid",
       .onnx_name = "Sigmoid",
       .constant = [](parameters) { return 0.25; },
       .slopes = slopes_of::sigmoid<>,
       .formula = elementwise([](auto x, parameters) { return sigmoid(x); })},
      {.name = "hard_sigmoid",
       .onnx_name = "HardSigmoid",
       .parameters = {{{"alpha", double{0.2f}}, {"beta", 0.5}}},
       .constant = [](parameters p) { return std::fabs(p[0]); },
       .slopes = slopes_of::hard_sigmoid<>,
       .formula = elementwise([](auto x, parameters p) {
         using scalar = decltype(x);
         return max(scalar(0.0), min(scalar(1.0), p[0] * x + scalar(p[1])));
       })},
      // x / 2 (1 + erf(x / sqrt 2)): 1/2 + erf(1)/2 + e^-1 / sqrt(pi) = 1.12890414518515478..., at x = sqrt 2.
      {.name = "gelu",
       .onnx_name = "Gelu",
       .onnx_variant = "none",
       .constant = [](parameters) { return 1.1289041451852; },
       .slopes = slopes_of::gelu<>,
       .formula = elementwise([](auto x, parameters) {
         using scalar = decltype(x);
         return 0.5 * x * (1.0 + erf(x / sqrt(scalar(2.0))));
       })},
      // x / 2 (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))): 1.12899306865877..., at x = 1.4185... With 0.044715 rounded
      // to float, as runtimes compute it, 1.12899306785...: covered as well.
      {.name = "gelu_tanh",
       .onnx_name = "Gelu",
       .onnx_variant = "tanh",
       .constant = [](parameters) { return 1.1289930686588; },
       .slopes = slopes_of::gelu_tanh<>,
       .formula = elementwise([](auto x, parameters) {
         using scalar = decltype(x);
         scalar const cubic = scalar(44715.0) / scalar(1000000.0);
         return 0.5 * x * (1.0 + tanh(sqrt(2.0 / detail::pi<scalar>()) * (x + cubic * x * x * x)));
       })},
      // x / 2 (1 + tanh(a (x + b x^3))), a and b being the stored numbers next to sqrt(2 / pi) and 0.044715. With
      // alpha = a / sqrt(2 / pi) it is gelu_tanh(alpha x) / alpha with another cubic coefficient, b / alpha^2: see cubic_shift.
      {.name = "gelu_cubic",
       .parameters = {{{"slope", 0.7978845608028654}, {"cubic", 0.044715}}},
       .constant = [](parameters p) { return add_up(1.1289930686588, detail::cubic_shift(p)); },
       .slopes =
           [](parameters p, interval x) {
             double const shift = detail::cubic_shift(p);
             interval const alpha = interval(p[0]) / sqrt(2.0 / sigmax::detail::interval_pi);
             return slopes_of::gelu_tanh<>(p, alpha * x) + interval(-shift, shift);
           },
       .refusal = "its numbers are not those of GELU",
       .formula = elementwise([](auto x, parameters p) {
         using scalar = decltype(x);
         return 0.5 * x * (1.0 + tanh(scalar(p[0]) * (x + scalar(p[1]) * x * x * x)));
       })},
      // x sigmoid(beta x): 1.09983932012886691... at beta x = 2.39935728..., for every beta != 0 (substitute beta x);
      // 1/2 for beta = 0.
      {.name = "silu",
       .constant = [](parameters) { return 1.0998393201289; },
       .slopes = slopes_of::silu<>,
       .formula = elementwise([](auto x, parameters) { return x * sigmoid(x); })},
      {.name = "swish",
       .onnx_name = "Swish",
       .parameters = {{{"alpha", 1.0}}},
       .constant = [](parameters p) { return p[0] == 0 ? 0.5 : 1.0998393201289; },
       .slopes = slopes_of::swish<>,
       .formula = elementwise([](auto x, parameters p) { return x * sigmoid(p[0] * x); })},
      {.name = "quick_gelu",
       .onnx_name = "QuickGelu",
       .parameters = {{{"alpha", double{1.702f}}}},
       .constant = [](parameters p) { return p[0] == 0 ? 0.5 : 1.0998393201289; },
       .slopes = slopes_of::swish<>,
       .formula = elementwise([](auto x, parameters p) { return x * sigmoid(p[0] * x); })},
      // x tanh(softplus(x)): 1.08849816125172786..., at x = 1.49...
      {.name = "mish",
       .onnx_name = "Mish",
       .constant = [](parameters) { return 1.0884981612518; },
       .slopes = slopes_of::mish<>,
       .formula = elementwise([](auto x, parameters) { return x * tanh(softplus(x)); })},
      // x clip(x / 6 + 1 / 2, 0, 1): slope x / 3 + 1 / 2 for |x| < 3, 3/2 at x = 3.
      {.name = "hard_swish",
       .onnx_name = "HardSwish",
       .constant = [](parameters) { return 1.5; },
       .slopes = slopes_of::hard_swish<>,
       .formula = elementwise([](auto x, parameters) {
         using scalar = decltype(x);
         return x * min(max(x + 3.0, scalar(0.0)), scalar(6.0)) / scalar(6.0);
       })},
      // Slope 2 / sqrt(pi) e^-x^2: 1.12837916709551257... at 0.
      {.name = "erf",
       .onnx_name = "Erf",
       .constant = [](parameters) { return 1.1283791670956; },
       .slopes = slopes_of::erf<>,
       .formula = elementwise([](auto x, parameters) { return erf(x); })},
      {.name = "sin",
       .onnx_name = "Sin",
       .constant = detail::always_one,
       .slopes = slopes_of::sin<>,
       .formula = elementwise([](auto x, parameters) { return sin(x); })},
      {.name = "cos",
       .onnx_name = "Cos",
       .constant = detail::always_one,
       .slopes = slopes_of::cos<>,
       .formula = elementwise([](auto x, parameters) { return cos(x); })},
      // Slopes 1 / (1 + x^2) and 1 / sqrt(1 + x^2).
      {.name = "atan",
       .onnx_name = "Atan",
       .constant = detail::always_one,
       .slopes = slopes_of::atan<>,
       .formula = elementwise([](auto x, parameters) { return atan(x); })},
      {.name = "asinh",
       .onnx_name = "Asinh",
       .constant = detail::always_one,
       .slopes = slopes_of::asinh<>,
       .formula = elementwise([](auto x, parameters) { return asinh(x); })},

      // Locally Lipschitz only.
      {.name = "square",
       .constant = detail::never,
       .slopes = slopes_of::square<>,
       .refusal = local,
       .formula = elementwise([](auto x, parameters) {
         using lipschitz::detail::square;
         return square(x);
       })},
      {.name = "exp",
       .onnx_name = "Exp",
       .constant = detail::never,
       .slopes = slopes_of::exp<>,
       .refusal = local,
       .formula = elementwise([](auto x, parameters) { return exp(x); })},
      {.name = "log",
       .onnx_name = "Log",
       .constant = detail::never,
       .slopes = slopes_of::log<>,
       .refusal = local,
       .formula = elementwise([](auto x, parameters) { return log(x); })},
      {.name = "sqrt",
       .onnx_name = "Sqrt",
       .constant = detail::never,
       .slopes = slopes_of::sqrt<>,
       .refusal = local,
       .formula = elementwise([](auto x, parameters) { return sqrt(x); })},
      {.name = "reciprocal",
       .onnx_name = "Reciprocal",
       .constant = detail::never,
       .slopes = slopes_of::reciprocal<>,
       .refusal = local,
       .formula = elementwise([](auto x, parameters) { return 1.0 / x; })},
      // x^1 is the identity, x^0 the constant 1.
      {.name = "pow",
       .onnx_name = "Pow",
       .parameters = {{{"exponent", 2.0, false}}},
       .constant = [](parameters p) { return p[0] == 1   ? 1.0
                                             : p[0] == 0 ? 0.0
                                                         : infinity; },
       .slopes = slopes_of::pow<>,
       .refusal = local,
       .formula = elementwise([](auto x, parameters p) { return pow(x, p[0]); })},

      // Discontinuous. The two with parameters are continuous for some of them.
      {.name = "sign",
       .onnx_name = "Sign",
       .constant = detail::never,
       .slopes = slopes_of::sign<>,
       .refusal = jumps,
       .formula = elementwise([](auto x, parameters) { return heaviside(x) - heaviside(-x); })},
      {.name = "round",
       .onnx_name = "Round",
       .constant = detail::never,
       .slopes = slopes_of::round<>,
       .refusal = jumps,
       .formula = elementwise([](auto x, parameters) { return rint(x); })},
      {.name = "floor",
       .onnx_name = "Floor",
       .constant = detail::never,
       .slopes = slopes_of::floor<>,
       .refusal = jumps,
       .formula = elementwise([](auto x, parameters) { return floor(x); })},
      {.name = "ceil",
       .onnx_name = "Ceil",
       .constant = detail::never,
       .slopes = slopes_of::ceil<>,
       .refusal = jumps,
       .formula = elementwise([](auto x, parameters) { return ceil(x); })},
      // x where x > alpha, else 0: jumps by alpha.
      {.name = "thresholded_relu",
       .onnx_name = "ThresholdedRelu",
       .parameters = {{{"alpha", 1.0}}},
       .constant = [](parameters p) { return p[0] == 0 ? 1.0 : infinity; },
       .slopes = slopes_of::thresholded_relu<>,
       .refusal = "discontinuous for alpha other than 0: no Lipschitz bound exists",
       .formula = elementwise([](auto x, parameters p) { return x * heaviside(x - decltype(x)(p[0])); })},
      // x + bias below -lambd, x - bias above lambd, else 0: jumps by lambd - bias.
      {.name = "shrink",
       .onnx_name = "Shrink",
       .parameters = {{{"bias", 0.0}, {"lambd", 0.5}}},
       .constant = [](parameters p) { return p[0] == p[1] && p[1] >= 0 ? 1.0 : infinity; },
       .slopes = slopes_of::shrink<>,
       .refusal = "discontinuous for bias other than lambd: no Lipschitz bound exists",
       .formula = elementwise([](auto x, parameters p) {
         using scalar = decltype(x);
         scalar const below = heaviside(-x - scalar(p[1]));
         scalar const above = heaviside(x - scalar(p[1])) * (1.0 - below);
         return below * (x + scalar(p[0])) + above * (x - scalar(p[0]));
       })},
  };
  return table;
}

}  // namespace sigmax::inline SIGMAX_ABI::lipschitz::rules
