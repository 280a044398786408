// SPDX-License-Identifier: MIT
#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include <sigmax/bound/rounding.hpp>
#include <sigmax/certified/operator_norm.hpp>
#include <sigmax/certified/spectral_norm.hpp>
#include <sigmax/core/workspace.hpp>
#include <sigmax/kernels.hpp>

#include "tensor_norm.hpp"

namespace certify_program {

namespace {

using sigmax::extended;
using sigmax::index_t;
using sigmax::io::stored_tensor;

/// "element [1, 0] is NaN" for the first element that is not finite; empty if all are.
template <class M>
std::string not_finite(M const& w, std::vector<index_t> const& shape) {
  for (index_t i = 0; i < w.size(); ++i) {
    auto const value = static_cast<double>(w.data()[i]);
    if (sigmax::is_finite(value)) continue;
    std::string position;
    index_t rest = i;
    for (auto extent = shape.rbegin(); extent != shape.rend(); ++extent) {
      position = fmt::format("{}{}{}", rest % *extent, position.empty() ? "" : ", ", position);
      rest /= *extent;
    }
    char const* const what = sigmax::is_nan(value) ? "NaN" : value > 0 ? "+infinity" : "-infinity";
    return fmt::format("element [{}] is {}", position, what);
  }
  return {};
}

/// Bytes of scratch memory that certified_spectral_norm takes for this shape, not less: a copy in double, the Lanczos
/// basis, two squares of the short side and a dozen vectors.
double scratch_bytes(index_t rows, index_t cols) {
  auto const m = static_cast<double>(std::min(rows, cols));
  auto const n = static_cast<double>(std::max(rows, cols));
  double const basis = std::min(n, 62 + 2 * std::sqrt(m));
  return 8 * (m * n + (basis + 12) * n + 2 * m * m + 12 * m) + 65536;
}

/// >= sqrt(columns / rows) norm. ||W x||_rms = ||W x|| / sqrt(rows) and ||x||_rms = ||x|| / sqrt(columns).
extended rms_norm_up(extended const& norm, index_t rows, index_t cols) {
  if (norm.is_zero() || rows == cols) return norm;
  return norm * extended(sigmax::sqrt_up(sigmax::divide_up(static_cast<double>(cols), static_cast<double>(rows))));
}

template <class M>
void prove(sigmax::cpu::native const& on, M const& w, stored_tensor const& stored, tensor_norm_options const& options,
           sigmax::workspace& scratch, tensor_norm& result) {
  result.reason = not_finite(w, stored.shape);
  if (!result.reason.empty()) return;
  double const needed =
      scratch_bytes(w.rows(), w.cols()) + (w.is_copy() ? static_cast<double>(stored.end - stored.begin) : 0.0);
  if (needed > static_cast<double>(options.max_memory)) {
    result.reason = fmt::format("proving its norm takes {:.0f} bytes beside the file; --max-memory leaves {}", needed,
                                options.max_memory);
    return;
  }
  sigmax::certified_options const how{.relative_gap = options.relative_gap, .scratch = &scratch};
  auto const box = sigmax::certified_spectral_norm(on, w, how);
  result.lower = box.lower();
  result.upper = extended(box.upper());
  if (result.upper.is_infinite()) {
    // Beyond the range of double the bound needs an exponent of its own.
    result.upper = sigmax::certified_operator_norm<sigmax::norm::l2_t>(on, w, how).extended_value();
  }
  if (result.upper.is_infinite()) {
    result.reason = "no finite bound could be proved";
    return;
  }
  static constexpr std::array kinds{tensor_kind::scalar, tensor_kind::vector, tensor_kind::matrix};
  result.kind = stored.shape.size() < kinds.size() ? kinds[stored.shape.size()] : tensor_kind::flattened;
  if (result.kind == tensor_kind::matrix) result.rms_upper = rms_norm_up(result.upper, w.rows(), w.cols());
}

}  // namespace

char const* name_of(tensor_kind kind) {
  static constexpr std::array names{"matrix", "flattened", "vector", "scalar", "skipped", "refused"};
  return names[static_cast<std::size_t>(kind)];
}

std::vector<tensor_norm> tensor_norms(sigmax::cpu::native const& on, sigmax::io::safetensors_file const& file,
                                      tensor_norm_options const& options, progress& work) {
  std::vector<tensor_norm> result;
  work.all = file.tensors().size();
  for (auto const& stored : file.tensors()) {
    tensor_norm norm{.name = stored.name, .type = stored.type, .shape = stored.shape};
    // Its own workspace for each: what one large tensor took is not kept beside what the next one takes.
    sigmax::workspace scratch;
    if (sigmax::io::is_integer(stored.type)) {
      norm.kind = tensor_kind::skipped;
      norm.reason = stored.type == sigmax::io::element_type::boolean ? "truth values" : "integers";
    } else {
      try {
        file.visit(stored, [&](auto const& w) { prove(on, w, stored, options, scratch, norm); });
      } catch (sigmax::unsupported_error const&) {
        norm.reason = fmt::format("sigmax does not compute with {}", name_of(stored.type));
      }
    }
    result.push_back(std::move(norm));
    ++work.done;
  }
  return result;
}

}  // namespace certify_program
