# SPDX-License-Identifier: MIT
# cmake -D PROGRAM=<fuzzer> -D CORPUS=<folder> -D SEEDS=<folder, may be missing> -P run.cmake
cmake_minimum_required(VERSION 3.25)

set(seconds "$ENV{SIGMAX_FUZZ_SECONDS}")
if(seconds STREQUAL "")
  set(seconds 60)
endif()
file(MAKE_DIRECTORY "${CORPUS}")
if(NOT IS_DIRECTORY "${SEEDS}")
  set(SEEDS "")
endif()
# The first folder grows with what the fuzzer finds; a crashing input is kept beside it.
execute_process(COMMAND "${PROGRAM}" -max_total_time=${seconds} -timeout=10 -rss_limit_mb=2048 -print_final_stats=1
  "-artifact_prefix=${CORPUS}-" "${CORPUS}" ${SEEDS}
  RESULT_VARIABLE result)
if(NOT result EQUAL 0)
  message(FATAL_ERROR "${PROGRAM}: ${result}; the input is ${CORPUS}-crash-* (or -oom-*, -timeout-*)")
endif()
