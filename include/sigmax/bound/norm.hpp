// SPDX-License-Identifier: MIT
/// @file
/// Norms as values of tag types, and the operator norm between two of them as a type.
#pragma once

#include <concepts>

#include <sigmax/config.hpp>

namespace sigmax::inline SIGMAX_ABI {

namespace norm {

/// Frobenius norm of the whole tensor.
struct l2_t {
  static constexpr char const* name = "l2";
  friend constexpr bool operator==(l2_t, l2_t) { return true; }
};
/// Largest absolute entry.
struct linf_t {
  static constexpr char const* name = "linf";
  friend constexpr bool operator==(linf_t, linf_t) { return true; }
};
/// max over tokens t of ||x_t||_2 / sqrt(width).
struct rms_t {
  static constexpr char const* name = "rms";
  friend constexpr bool operator==(rms_t, rms_t) { return true; }
};

inline constexpr l2_t l2{};
inline constexpr linf_t linf{};
inline constexpr rms_t rms{};

/// A norm known only at run time, as options hold it.
class any {
 public:
  constexpr any(l2_t) : kind_(kind::euclidean) {}
  constexpr any(linf_t) : kind_(kind::largest) {}
  constexpr any(rms_t) : kind_(kind::token_rms) {}

  constexpr char const* name() const {
    return kind_ == kind::euclidean ? l2_t::name : kind_ == kind::largest ? linf_t::name : rms_t::name;
  }
  friend constexpr bool operator==(any, any) = default;

  /// Calls f with the tag this norm stands for.
  template <class F>
  constexpr decltype(auto) visit(F&& f) const {
    switch (kind_) {
      case kind::largest:
        return f(linf);
      case kind::token_rms:
        return f(rms);
      default:
        return f(l2);
    }
  }

 private:
  enum class kind : unsigned char { euclidean, largest, token_rms };
  kind kind_;
};

}  // namespace norm

/// A norm tag.
template <class N>
concept norm_tag = std::same_as<N, norm::l2_t> || std::same_as<N, norm::linf_t> || std::same_as<N, norm::rms_t>;

/// The operator norm of maps from (R^n, In) to (R^m, Out): sup of ||f(x) - f(y)||_Out / ||x - y||_In. As a type it keeps
/// bounds of different norms from being mixed up.
template <norm_tag In, norm_tag Out = In>
struct op {
  using in = In;
  using out = Out;
};

namespace norm {

/// The spectral norm of a matrix.
using spectral = op<l2_t, l2_t>;

}  // namespace norm

}  // namespace sigmax::inline SIGMAX_ABI
