// expect: orthogonalize.*(writable_argument|writable_matrix)
// SPDX-License-Identifier: MIT
// Verbs work in place: a constant matrix has to be copied, by the participle.
#include <sigmax/core/matrix.hpp>
#include <sigmax/spectral/orthogonalize.hpp>

int main() {
  sigmax::matrix<float> const w(2, 2);
  sigmax::orthogonalize(w);
}
