// expect: use of deleted function '[^']*view|call to deleted member function 'view'
// SPDX-License-Identifier: MIT
// The member says no as well.
#include <sigmax/core/matrix.hpp>

int main() { return sigmax::matrix<double>(2, 2).view().empty() ? 1 : 0; }
