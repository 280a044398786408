# SPDX-License-Identifier: MIT
# Sanitizers of our own executables, as a list: -DSIGMAX_SANITIZERS="address;undefined". A finding ends the program.
set(SIGMAX_SANITIZERS "" CACHE STRING "Sanitizers for tests and programs, e.g. address;undefined")

# sigmax_sanitize(<target> [<more sanitizers>...])
function(sigmax_sanitize target)
  set(sanitizers ${SIGMAX_SANITIZERS} ${ARGN})
  if(NOT sanitizers)
    return()
  endif()
  list(REMOVE_DUPLICATES sanitizers)
  list(JOIN sanitizers "," joined)
  target_compile_options(${target} PRIVATE -fsanitize=${joined} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(${target} PRIVATE -fsanitize=${joined})
endfunction()
