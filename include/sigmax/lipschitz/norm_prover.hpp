// SPDX-License-Identifier: MIT
/// @file
/// The spectral norm of a stored weight, proved on the backend a certificate was asked for on.
#pragma once

#include <concepts>
#include <memory>
#include <utility>
#include <vector>

#include <sigmax/backend/concept.hpp>
#include <sigmax/backend/default_backend.hpp>
#include <sigmax/bound/log_upper_bound.hpp>
#include <sigmax/bound/norm.hpp>
#include <sigmax/certified/largest_norm.hpp>
#include <sigmax/certified/operator_norm.hpp>
#include <sigmax/config.hpp>
#include <sigmax/core/workspace.hpp>
#include <sigmax/lipschitz/rule.hpp>
#include <sigmax/lipschitz/weight.hpp>

namespace sigmax::inline SIGMAX_ABI::lipschitz {

/// A backend, whatever its type, and how it proves a spectral norm: rules do not know their backend's type.
struct norm_prover {
  void const* backend;
  log_upper_bound<op<norm::l2_t, norm::l2_t>> (*prove)(void const* backend, weight const& w, double relative_gap);
  /// >= the largest spectral norm of a family (largest_norm_up); the default backend's where it is null.
  double (*prove_largest)(void const* backend, matrix_family const& family, double relative_gap) = nullptr;
  /// Rules remember what they proved from one certificate to the next; not across sessions, null being one too. Who
  /// has to see every norm that is asked for has a session of its own.
  std::shared_ptr<void const> session = nullptr;
};

/// The prover that computes on `on`, which must outlive it.
template <certifying_backend<double> B>
norm_prover prover_on(B const& on) {
  return {&on,
          [](void const* backend, weight const& stored, double relative_gap) {
            return stored.visit([&](auto const& w) {
              return certified_operator_norm<norm::l2_t>(*static_cast<B const*>(backend), w,
                                                         certified_options{.relative_gap = relative_gap});
            });
          },
          [](void const* backend, matrix_family const& family, double relative_gap) {
            workspace memory;
            return sigmax::detail::largest_norm_up(*static_cast<B const*>(backend), family, relative_gap, memory);
          }};
}

/// Proves each spectral norm once: bounds and ranges ask for the same ones.
class remembered_norms {
 public:
  /// `inner` may be null, for the default backend; else it must outlive this.
  explicit remembered_norms(norm_prover const* inner)
      : inner_(inner), prover_{this, ask, ask_largest, inner != nullptr ? inner->session : nullptr} {}
  remembered_norms(remembered_norms const&) = delete;
  remembered_norms& operator=(remembered_norms const&) = delete;

  norm_prover const& prover() const { return prover_; }

 private:
  using bound = log_upper_bound<op<norm::l2_t, norm::l2_t>>;

  static bound ask(void const* self, weight const& stored, double relative_gap) {
    auto& memory = *static_cast<remembered_norms*>(const_cast<void*>(self));
    for (auto const& [w, known] : memory.known_) {
      if (w.is_same_as(stored)) return known;
    }
    bound result =
        memory.inner_ != nullptr
            ? memory.inner_->prove(memory.inner_->backend, stored, relative_gap)
            : stored.visit([&](auto const& w) { return certified_operator_norm<norm::l2_t>(w, relative_gap); });
    memory.known_.emplace_back(stored, result);
    return result;
  }

  static double ask_largest(void const* self, matrix_family const& family, double relative_gap) {
    auto const* const inner = static_cast<remembered_norms const*>(self)->inner_;
    if (inner != nullptr && inner->prove_largest != nullptr) {
      return inner->prove_largest(inner->backend, family, relative_gap);
    }
    workspace memory;
    return sigmax::detail::largest_norm_up(default_backend<double>{}, family, relative_gap, memory);
  }

  norm_prover const* inner_;
  norm_prover prover_;
  std::vector<std::pair<weight, bound>> known_;
};

/// The session of the prover of the context.
inline std::shared_ptr<void const> session_of(rule_context const& context) {
  return context.prover != nullptr ? context.prover->session : nullptr;
}

/// `certified_operator_norm` of a stored weight: in l2 by the prover of the context.
template <norm_tag N>
log_upper_bound<op<N, N>> prove_operator_norm(weight const& stored, rule_context const& context) {
  if constexpr (std::same_as<N, norm::l2_t>) {
    if (context.prover != nullptr) return context.prover->prove(context.prover->backend, stored, context.relative_gap);
  }
  return stored.visit([&](auto const& w) { return certified_operator_norm<N>(w, context.relative_gap); });
}

/// `largest_norm_up` by the prover of the context.
template <class = void>
double prove_largest_norm(matrix_family const& family, rule_context const& context) {
  if (context.prover != nullptr && context.prover->prove_largest != nullptr) {
    return context.prover->prove_largest(context.prover->backend, family, context.relative_gap);
  }
  workspace memory;
  return sigmax::detail::largest_norm_up(default_backend<double>{}, family, context.relative_gap, memory);
}

}  // namespace sigmax::inline SIGMAX_ABI::lipschitz
