# SPDX-License-Identifier: MIT
# cmake -D SOURCE=<sigmax> -D SCRATCH=<folder> -D COMPILER=<cross compiler> -D EMULATOR=<qemu> -D XSIMD=<xsimd_DIR>
#   -D GENERATOR=<name> -P run.cmake
cmake_minimum_required(VERSION 3.25)

execute_process(COMMAND "${CMAKE_COMMAND}" -S "${CMAKE_CURRENT_LIST_DIR}" -B "${SCRATCH}" -G "${GENERATOR}"
  -D "SIGMAX_SOURCE_DIR=${SOURCE}" -D CMAKE_SYSTEM_NAME=Linux -D CMAKE_SYSTEM_PROCESSOR=aarch64
  -D "CMAKE_CXX_COMPILER=${COMPILER}" -D "xsimd_DIR=${XSIMD}" -D CMAKE_BUILD_TYPE=Release -D CMAKE_CXX_FLAGS_RELEASE=-O2
  COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND "${CMAKE_COMMAND}" --build "${SCRATCH}" --parallel 2 COMMAND_ERROR_IS_FATAL ANY)
# The reference is left out: plain loops are the same everywhere, and the long double the results are judged by, which
# this processor computes in software, makes them slow.
execute_process(COMMAND "${EMULATOR}" "${SCRATCH}/backend_test" "--test-case-exclude=*cpu::scalar*"
  COMMAND_ERROR_IS_FATAL ANY)
