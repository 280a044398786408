# SPDX-License-Identifier: MIT
# cmake -D OBJCOPY=<tool> -D NM=<tool> -D IN=<object> -D OUT=<object> -D SYMBOL=<name> -P isolate.cmake
#
# An object file of which nothing but SYMBOL can be seen. A file compiled for one level of processors holds copies of
# inline functions of the standard library and of xsimd as well, and of equal ones the linker keeps the first it meets,
# for the whole program: a plain file could end up calling one that is full of AVX-512. So the functions leave the
# groups in which the linker compares them and become local, as if all of them were static. That nothing else is left
# is checked every time, whatever the compiler and its flags.
cmake_minimum_required(VERSION 3.25)

execute_process(COMMAND "${OBJCOPY}" --remove-section=.group "--keep-global-symbol=${SYMBOL}" "${IN}" "${OUT}"
  COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND "${NM}" --defined-only --format=posix "${OUT}" OUTPUT_VARIABLE symbols
  COMMAND_ERROR_IS_FATAL ANY)

# Lines are `name type value size`; the type is a small letter for what is local, but also for weak and unique symbols.
string(REPLACE "\n" ";" symbols "${symbols}")
set(seen "")
foreach(symbol IN LISTS symbols)
  if(symbol MATCHES "^([^ ]+) ([A-Zuvw])" AND NOT CMAKE_MATCH_2 STREQUAL "N")
    list(APPEND seen "${CMAKE_MATCH_1}")
  endif()
  if(symbol MATCHES "_GLOBAL__sub_I_")
    list(APPEND seen "${symbol}: runs when a program starts, on any processor")
  endif()
endforeach()
if(NOT seen STREQUAL SYMBOL)
  file(REMOVE "${OUT}")
  list(JOIN seen "\n  " seen)
  message(FATAL_ERROR "${OUT} should show nothing but ${SYMBOL}; it shows\n  ${seen}")
endif()
