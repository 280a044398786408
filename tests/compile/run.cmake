# SPDX-License-Identifier: MIT
# cmake -D COMPILER=... -D FLAGS=<file> -D SOURCE=<file> -P run.cmake
#
# Compiles SOURCE. With a first line `// expect: <regex>` the compiler has to reject it with a message that matches;
# without one it has to accept it. A second line `// flags: <flags>` adds flags of its own.
cmake_minimum_required(VERSION 3.25)

file(STRINGS "${SOURCE}" lines LIMIT_COUNT 2)
list(GET lines 0 first)
list(GET lines 1 second)
get_filename_component(name "${SOURCE}" NAME)
set(expect "")
if(first MATCHES "^// expect: *(.*[^ ]) *$")
  set(expect "${CMAKE_MATCH_1}")
elseif(name MATCHES "^fail_")
  message(FATAL_ERROR "${name}: the first line has to be `// expect: <regex>`")
endif()

set(flags "")
if(second MATCHES "^// flags: *(.*[^ ]) *$")
  separate_arguments(flags UNIX_COMMAND "${CMAKE_MATCH_1}")
endif()

set(ENV{LC_ALL} C)
execute_process(COMMAND "${COMPILER}" "@${FLAGS}" ${flags} -c "${SOURCE}" -o /dev/null
  RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE output)

if(expect STREQUAL "")
  if(NOT result EQUAL 0)
    message(FATAL_ERROR "${name} has to compile:\n${output}")
  endif()
elseif(result EQUAL 0)
  message(FATAL_ERROR "${name} compiles; expected a rejection that matches: ${expect}")
elseif(NOT output MATCHES "${expect}")
  message(FATAL_ERROR "${name} is rejected, but no message matches: ${expect}\n${output}")
endif()
