// SPDX-License-Identifier: MIT
#include <sigmax/sigmax.hpp>

double upper_bound_of_norm(double const* data, sigmax::index_t rows, sigmax::index_t cols) {
  return sigmax::certified_spectral_norm(sigmax::matrix_view(data, rows, cols)).upper();
}

void orthogonalize(double* data, sigmax::index_t rows, sigmax::index_t cols) {
  sigmax::orthogonalize(sigmax::matrix_view(data, rows, cols));
}
