# SPDX-License-Identifier: MIT
# The choice among the levels on processors this one is not: an emulator that has no more than their instructions, and
# stops at any other, runs the tests of the choice and of what is quick.
find_program(SIGMAX_X86_64_EMULATOR qemu-x86_64)
mark_as_advanced(SIGMAX_X86_64_EMULATOR)
if(NOT SIGMAX_X86_64_EMULATOR)
  message(STATUS "sigmax: cpu::native is not tested on other processors, qemu-x86_64 is missing (Debian: qemu-user)")
elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64|amd64)$" AND NOT SIGMAX_SANITIZERS)
  foreach(processor IN ITEMS qemu64:x86-64 Nehalem:x86-64-v2 Haswell:x86-64-v3)
    string(REPLACE ":" ";" processor ${processor})
    list(GET processor 1 level)
    list(GET processor 0 processor)
    add_test(NAME kernels_on_${processor}_check COMMAND "${SIGMAX_X86_64_EMULATOR}" -cpu ${processor}
      "$<TARGET_FILE:kernels_test>" "--test-case-exclude=*within their rounding error*,*triangular solves*")
    set_tests_properties(kernels_on_${processor}_check PROPERTIES
      LABELS check
      PASS_REGULAR_EXPRESSION "cpu::native is ${level}, .*Status: SUCCESS")
  endforeach()
endif()
