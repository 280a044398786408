# SPDX-License-Identifier: MIT
# Everything a contributor builds: tests, programs, formatting, lint. A project that only uses sigmax never comes here.
include("${CMAKE_CURRENT_LIST_DIR}/warnings.cmake")
include("${CMAKE_CURRENT_LIST_DIR}/sanitizers.cmake")

set(SIGMAX_DATA_DIR "${PROJECT_SOURCE_DIR}/../shared/data" CACHE PATH
  "Networks and data sets that tests and the demo use where they exist")
set(SIGMAX_PROGRAM_DIR "${PROJECT_BINARY_DIR}/bin")
set_property(GLOBAL PROPERTY SIGMAX_PROGRAMS "")

find_package(fmt 9 QUIET CONFIG)
find_package(CLI11 2.1 QUIET CONFIG)
find_package(OpenSSL QUIET)
find_package(OpenMP QUIET COMPONENTS CXX)
sigmax_fetch(fmt::fmt GIT https://github.com/fmtlib/fmt.git TAG 9.1.0 INCLUDE include DEFINE FMT_HEADER_ONLY=1)
sigmax_fetch(CLI11::CLI11 GIT https://github.com/CLIUtils/CLI11.git TAG v2.1.2 INCLUDE include)

# sigmax_program(<name> SOURCES <files>... [LINK <targets>...])
#
# A program of ours, with warnings and sanitizers, placed in <build>/bin. sigmax::sigmax is always linked. If a target
# of LINK does not exist the program is switched off, with one line that names the packages to install.
function(sigmax_program name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;LINK")
  sigmax_missing(missing ${arg_LINK})
  if(missing)
    list(JOIN missing ", " missing)
    message(STATUS "sigmax: program ${name} is off, ${missing} is missing (Debian: ${missing_packages})")
    return()
  endif()
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE sigmax::sigmax ${arg_LINK})
  set_target_properties(${name} PROPERTIES
    RUNTIME_OUTPUT_DIRECTORY "${SIGMAX_PROGRAM_DIR}"
    CXX_EXTENSIONS OFF)
  sigmax_warnings(${name})
  sigmax_sanitize(${name})
  set_property(GLOBAL APPEND PROPERTY SIGMAX_PROGRAMS ${name})
endfunction()

if(SIGMAX_BUILD_EXAMPLES)
  add_subdirectory(examples)
endif()
if(SIGMAX_BUILD_BENCHMARKS AND EXISTS "${PROJECT_SOURCE_DIR}/bench/CMakeLists.txt")
  add_subdirectory(bench)
endif()
if(SIGMAX_BUILD_TESTS)
  enable_testing()
  add_subdirectory(tests)
endif()

if(PROJECT_IS_TOP_LEVEL)
  add_custom_target(format COMMAND "${PROJECT_SOURCE_DIR}/dev" format USES_TERMINAL VERBATIM)
  add_custom_target(tidy COMMAND "${PROJECT_SOURCE_DIR}/dev" lint USES_TERMINAL VERBATIM)
endif()
