# SPDX-License-Identifier: MIT
# The first C++ block of README.md is examples/quickstart/quickstart.cpp without its comment lines at the top.
# usage: cmake -D ROOT=<repository> -P tests/readme.cmake
file(READ "${ROOT}/README.md" readme)
file(READ "${ROOT}/examples/quickstart/quickstart.cpp" program)
string(REGEX REPLACE "^(//[^\n]*\n)+" "" program "${program}")
string(FIND "${readme}" "```cpp\n${program}```" position)
if(position EQUAL -1)
  message(FATAL_ERROR "README.md does not show examples/quickstart/quickstart.cpp as it is; copy it into the first ```cpp block")
endif()
