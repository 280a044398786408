// SPDX-License-Identifier: MIT
// Runs the programs that were built beside it and fails if one of them does.
#include <cstdio>
#include <cstdlib>
#include <string>

int main() {
  int failed = 0;
  for (char const* const program : {PROGRAMS}) {
    std::printf("%s\n", program);
    std::fflush(stdout);
    if (std::system(("\"" + std::string(program) + "\"").c_str()) != 0) ++failed;
  }
  std::printf("%d programs failed\n", failed);
  return failed == 0 ? 0 : 1;
}
