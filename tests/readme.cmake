# SPDX-License-Identifier: MIT
# README.md shows the programs below as they are, without their comment lines at the top, in ```cpp blocks.
# usage: cmake -D ROOT=<repository> -P tests/readme.cmake
file(READ "${ROOT}/README.md" readme)
foreach(example IN ITEMS quickstart/quickstart.cpp spectral/spectral.cpp device/device.cpp)
  file(READ "${ROOT}/examples/${example}" program)
  string(REGEX REPLACE "^(//[^\n]*\n)+" "" program "${program}")
  string(FIND "${readme}" "```cpp\n${program}```" position)
  if(position EQUAL -1)
    message(FATAL_ERROR "README.md does not show examples/${example} as it is; copy it into its ```cpp block")
  endif()
endforeach()
