// SPDX-License-Identifier: MIT
#include <cstdio>

#include <sigmax/config.hpp>

int main() { std::printf("sigmax %d.%d.%d\n", SIGMAX_VERSION_MAJOR, SIGMAX_VERSION_MINOR, SIGMAX_VERSION_PATCH); }
