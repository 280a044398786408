// SPDX-License-Identifier: MIT
/// @file
/// The schedules in circulation, under their names.
///
/// Each states its image of [lower, upper], rounded outwards; tests prove the statements with `range`, and tie the
/// generated ones to `minimax_schedule`. `upper` is what singular values are scaled to, 1, and with a safety factor the
/// end of its margin. A fixed table is a guarantee for spectra above `lower` only: generate a schedule where the
/// smallest singular value is known. Which inputs above 1 stay bounded differs: up to 1.26 for `muon`, 1.32 for `you`,
/// 1.08 for `you_1024`, 1.000 for `polar_express_raw` and `cans`.
#pragma once

#include <sigmax/config.hpp>
#include <sigmax/core/error.hpp>
#include <sigmax/polynomial/odd_polynomial.hpp>
#include <sigmax/polynomial/polynomial_schedule.hpp>
#include <sigmax/polynomial/taylor_polynomials.hpp>

namespace sigmax::inline SIGMAX_ABI {

namespace detail {

constexpr polynomial_schedule repeated(char const* name, odd_polynomial<> const& step, int times) {
  polynomial_schedule result(name, {});
  for (int t = 0; t < times; ++t) result.append(step);
  return result;
}

/// The first `steps` steps, the first `contracted` of them as x -> p(x / safety).
constexpr polynomial_schedule first_steps(char const* name, polynomial_schedule const& schedule, int steps,
                                          int contracted = 0, double safety = 1) {
  polynomial_schedule result(name, {});
  for (int t = 0; t < steps; ++t) result.append(t < contracted ? schedule[t].scaled(1, safety) : schedule[t]);
  return result;
}

}  // namespace detail

/// Presets for `schedule` options. All but `hard_cap` take singular values to 1.
namespace schedules {

/// Keller Jordan's quintic five times, the default of Muon (KellerJordan/Muon, torch.optim.Muon, optax). Never
/// converges: more steps only reach further down, into the band [0.68, 1.14].
inline constexpr polynomial_schedule muon =
    detail::repeated("muon", {3.4445, -4.7750, 2.0315}, 5).stating(1e-3, 1, 0.47054, 1.20237);

/// You Jiacheng's five quintics (modded-nanogpt, dion, NanoGPT of lipschitz-transformers).
inline constexpr polynomial_schedule you = polynomial_schedule("you", {{4.0848, -6.8946, 2.9270},
                                                                       {3.9505, -6.3029, 2.6377},
                                                                       {3.7418, -5.5913, 2.3037},
                                                                       {2.8769, -3.1427, 1.2046},
                                                                       {2.8366, -3.0525, 1.2012}})
                                               .stating(1e-3, 1, 0.47498, 1.14503);

/// You Jiacheng's six quintics in 1/1024 (lipschitz-transformers). Never above 1.
inline constexpr polynomial_schedule you_1024 =
    polynomial_schedule("you_1024", {{3955.0 / 1024, -8306.0 / 1024, 5008.0 / 1024},
                                     {3735.0 / 1024, -6681.0 / 1024, 3463.0 / 1024},
                                     {3799.0 / 1024, -6499.0 / 1024, 3211.0 / 1024},
                                     {4019.0 / 1024, -6385.0 / 1024, 2906.0 / 1024},
                                     {2677.0 / 1024, -3029.0 / 1024, 1162.0 / 1024},
                                     {2172.0 / 1024, -1833.0 / 1024, 682.0 / 1024}})
        .stating(1e-3, 1, 0.8663, 0.99934);

/// Polar Express as published (arXiv 2505.16932): minimax_schedule<8>(1e-3, {.cushion = 0.02407327424182761}). No
/// safety: a singular value above 1 by rounding may leave the basin. For 16-bit matrices take `polar_express`.
inline constexpr polynomial_schedule polar_express_raw =
    polynomial_schedule("polar_express_raw", {{8.28721201814563, -23.595886519098837, 17.300387312530933},
                                              {4.107059111542203, -2.9478499167379106, 0.5448431082926601},
                                              {3.9486908534822946, -2.908902115962949, 0.5518191394370137},
                                              {3.3184196573706015, -2.488488024314874, 0.51004894012372},
                                              {2.300652019954817, -1.6689039845747493, 0.4188073119525673},
                                              {1.891301407787398, -1.2679958271945868, 0.37680408948524835},
                                              {1.8750014808534479, -1.2500016453999487, 0.3750001645474248},
                                              {1.875, -1.25, 0.375}})
        .stating(1e-3, 1, 1 - 1e-12, 1 + 1e-12);

/// Its first five steps.
inline constexpr polynomial_schedule polar_express_raw_5 =
    detail::first_steps("polar_express_raw_5", polar_express_raw, 5).stating(1e-3, 1, 0.87644, 1.12356);

/// Polar Express with the safety factor 1.01 as in its published code: all rows but the last are p(x / 1.01).
inline constexpr polynomial_schedule polar_express =
    detail::first_steps("polar_express", polar_express_raw, 8, 7, 1.01).stating(1e-3, 1.01, 1 - 1e-12, 1 + 1e-12);

/// The first five rows of `polar_express`, the fifth divided as well.
inline constexpr polynomial_schedule polar_express_5 =
    detail::first_steps("polar_express_5", polar_express_raw, 5, 5, 1.01).stating(1e-3, 1.01, 0.84617, 1.12356);

/// The table of modded-nanogpt, microsoft/dion and nanochat, minimax_schedule<5>(1e-3, {.safety = 0.02, .cushion =
/// 0.02}).
inline constexpr polynomial_schedule modded_nanogpt =
    polynomial_schedule("modded_nanogpt", {{8.156554524902461, -22.48329292557795, 15.878769915207462},
                                           {4.042929935166739, -2.808917465908714, 0.5000178451051316},
                                           {3.8916678022926607, -2.772484153217685, 0.5060648178503393},
                                           {3.285753657755655, -2.3681294933425376, 0.46449024233003106},
                                           {2.3465413258596377, -1.7097828382687081, 0.42323551169305323}})
        .stating(1e-3, 1.02, 0.85887, 1.14113);

/// Eight of Muon's quintics, then two of slope 2 that converge (DeepSeek-V4, as tabulated in Emerging-Optimizers).
inline constexpr polynomial_schedule deepseek =
    [] {
      polynomial_schedule result = detail::repeated("deepseek", {3.4445, -4.7750, 2.0315}, 8);
      for (int t = 0; t < 2; ++t) result.append({2, -1.5, 0.5});
      return result;
    }()
        .stating(1e-3, 1, 0.99999, 1.00202);

/// CANS (arXiv 2506.10935): minimax_schedule<5>(1e-3).
inline constexpr polynomial_schedule cans =
    polynomial_schedule("cans", {{8.470328803848069, -25.10807470666187, 18.629275599118009},
                                 {4.182834183293942, -3.108701109889241, 0.580606681350049},
                                 {3.961857278961599, -2.954063746359379, 0.562976117953896},
                                 {3.286586217027960, -2.464720134531282, 0.507357693861455},
                                 {2.273749994434039, -1.644660367908068, 0.416190927497886}})
        .stating(1e-3, 1, 0.88655, 1.11345);

/// Cesista's first five quintics (leloykun/adaptive-muon).
inline constexpr polynomial_schedule cesista = polynomial_schedule("cesista", {{2.9145, -4.3663, 2.4515},
                                                                               {2.9131, -4.3582, 2.4446},
                                                                               {2.9030, -4.3145, 2.4106},
                                                                               {2.8317, -4.0251, 2.1928},
                                                                               {2.8392, -3.3535, 1.5149}})
                                                   .stating(1e-3, 1, 0.19682, 1.10067);

/// Five cubics aiming at [0.7, 1.3], two products a step (arXiv 2606.00371).
inline constexpr polynomial_schedule cubic5 = polynomial_schedule("cubic5", {{3.3656576, -3.3420992},
                                                                             {2.5744352, -1.4957376},
                                                                             {2.5368962, -1.4312570},
                                                                             {2.4418906, -1.2764040},
                                                                             {2.2230472, -0.9630650}})
                                                  .stating(1e-3, 1, 0.11913, 1.3);

/// The classical Newton-Schulz cubic fifteen times.
inline constexpr polynomial_schedule cubic =
    detail::repeated("cubic", {1.5, -0.5}, 15).stating(1e-3, 1, 0.41652, 1 + 1e-12);

/// The classical quintic ten times.
inline constexpr polynomial_schedule quintic =
    detail::repeated("quintic", {1.875, -1.25, 0.375}, 10).stating(1e-3, 1, 0.49871, 1 + 1e-12);

/// min(1, x) on [0, 3.5] by four quintics (code of the paper, lipschitz-transformers): off by 0.034 at 1, and small
/// singular values shrink by 5 %. States the image of [1, 3.5].
inline constexpr polynomial_schedule hard_cap = polynomial_schedule("hard_cap", {{0.805032, 0.206361, -0.019763},
                                                                                 {0.649867, 0.162935, -0.011150},
                                                                                 {1.810259, -0.200265, 0.008251},
                                                                                 {1.004384, -0.183490, 0.014413}})
                                                    .stating(1, 3.5, 0.96607, 1.01089);

/// x sum_k binom(2k, k) 4^-k (1 - x^2)^k, k <= (degree - 1)/2, `steps` times: the Newton-Schulz iterations of order
/// (degree + 1)/2. Slow from far away, exact near 1: one such step after any schedule cubes its error (degree 5).
/// States [0, 1] -> [0, 1], on which every step rises and keeps 1: p' = p'(0) (1 - x^2)^q, and coefficients are exact.
/// @throws domain_error for degree not 3, 5, 7, 9 or steps not in [0, 32].
constexpr polynomial_schedule classical(int degree, int steps) {
  if (degree != 3 && degree != 5 && degree != 7 && degree != 9) {
    detail::raise<domain_error>({"schedules::classical: degree is ", degree, "; it must be 3, 5, 7 or 9"});
  }
  if (steps < 0 || steps > polynomial_schedule::capacity) {
    detail::raise<domain_error>({"schedules::classical: steps is ", steps, "; it must lie in [0, 32]"});
  }
  return detail::repeated("classical", detail::taylor_polynomials[(degree - 1) / 2], steps).stating(0, 1, 0, 1);
}

}  // namespace schedules

}  // namespace sigmax::inline SIGMAX_ABI
