// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <stdexcept>
#include <string>

#include "peers/lapack_clip.hpp"

extern "C" {
void ssyevd_(char const* jobz, char const* uplo, int const* n, float* a, int const* lda, float* w, float* work,
             int const* lwork, int* iwork, int const* liwork, int* info);
void sgesdd_(char const* jobz, int const* m, int const* n, float* a, int const* lda, float* s, float* u, int const* ldu,
             float* vt, int const* ldvt, float* work, int const* lwork, int* iwork, int* info);
}

namespace bench::peers {

namespace {

void require_success(char const* routine, int info) {
  if (info != 0) throw std::runtime_error(std::string(routine) + " failed with info " + std::to_string(info));
}

/// Overwrites `a` with eigenvectors in rows, in ascending order of `values`. Empty work space is asked for first.
void symmetric_eigen(matrix_view<float> a, std::vector<float>& values, std::vector<float>& work,
                     std::vector<int>& integer_work) {
  auto const n = static_cast<int>(a.rows());
  int info = 0;
  if (work.empty()) {
    float size = 0;
    int integer_size = 0;
    int const query = -1;
    ssyevd_("V", "U", &n, a.data(), &n, values.data(), &size, &query, &integer_size, &query, &info);
    require_success("ssyevd", info);
    work.resize(static_cast<std::size_t>(size * 1.01f) + 16);
    integer_work.resize(static_cast<std::size_t>(integer_size));
  }
  auto const size = static_cast<int>(work.size());
  auto const integer_size = static_cast<int>(integer_work.size());
  ssyevd_("V", "U", &n, a.data(), &n, values.data(), work.data(), &size, integer_work.data(), &integer_size, &info);
  require_success("ssyevd", info);
}

}  // namespace

eigenvector_clip::eigenvector_clip(index_t m, index_t n)
    : result(m, n), gram_(m, m), along_(m, n), values_(static_cast<std::size_t>(m)) {}

index_t eigenvector_clip::run(float cap, matrix_view<float const> w) {
  std::copy_n(w.data(), w.size(), result.data());
  syrk(1.0f, w, 0.0f, gram_.view());
  symmetric_eigen(gram_.view(), values_, work_, integer_work_);
  auto const first = std::upper_bound(values_.begin(), values_.end(), cap * cap);
  auto const above = static_cast<index_t>(values_.end() - first);
  if (above == 0) return 0;
  auto const q = gram_.view().block(w.rows() - above, 0, above, w.rows());
  auto const along = along_.view().block(0, 0, above, w.cols());
  gemm<float>(transpose::no, transpose::no, 1.0f, q, w, 0.0f, along);
  for (index_t i = 0; i < above; ++i) {
    float const factor = cap / std::sqrt(first[i]) - 1.0f;
    for (index_t j = 0; j < w.cols(); ++j) along(i, j) *= factor;
  }
  gemm<float>(transpose::yes, transpose::no, 1.0f, q, along, 1.0f, result.view());
  return above;
}

svd_clip::svd_clip(index_t m, index_t n)
    : result(m, n), copy_(m, n), u_(m, m), vt_(m, n), values_(static_cast<std::size_t>(m)) {}

/// LAPACK sees the row-major W as W^T = V S U^T: its U is our V, whose transpose in columns is V^T in rows.
void svd_clip::run(float cap, matrix_view<float const> w) {
  auto const m = static_cast<int>(w.rows());
  auto const n = static_cast<int>(w.cols());
  std::copy_n(w.data(), w.size(), copy_.data());
  int info = 0;
  if (work_.empty()) {
    float size = 0;
    int const query = -1;
    integer_work_.resize(8 * static_cast<std::size_t>(m));
    sgesdd_("S", &n, &m, copy_.data(), &n, values_.data(), vt_.data(), &n, u_.data(), &m, &size, &query,
            integer_work_.data(), &info);
    require_success("sgesdd", info);
    work_.resize(static_cast<std::size_t>(size * 1.01f) + 16);
  }
  auto const size = static_cast<int>(work_.size());
  sgesdd_("S", &n, &m, copy_.data(), &n, values_.data(), vt_.data(), &n, u_.data(), &m, work_.data(), &size,
          integer_work_.data(), &info);
  require_success("sgesdd", info);
  for (index_t i = 0; i < u_.rows(); ++i) {
    for (index_t k = 0; k < u_.cols(); ++k) u_(i, k) *= std::min(values_[static_cast<std::size_t>(k)], cap);
  }
  gemm<float>(transpose::no, transpose::no, 1.0f, u_.view(), vt_.view(), 0.0f, result.view());
}

}  // namespace bench::peers
