// expect: enclosure.*is private within this context|calling a private constructor of class '[^']*enclosure
// SPDX-License-Identifier: MIT
// Two numbers are not an enclosure.
#include <sigmax/bound/enclosure.hpp>

int main() { return sigmax::enclosure<sigmax::norm::spectral>(0.0, 1.0).width() > 0 ? 0 : 1; }
