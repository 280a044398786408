# SPDX-License-Identifier: MIT
# The warnings our own executables are built with. Never applied to an INTERFACE target: consumers choose their own.
option(SIGMAX_WERROR "Warnings of our own executables are errors" ${PROJECT_IS_TOP_LEVEL})

function(sigmax_warnings target)
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wpedantic -Wconversion -Wshadow)
  if(SIGMAX_WERROR)
    target_compile_options(${target} PRIVATE -Werror)
  endif()
endfunction()
