# SPDX-License-Identifier: MIT
# How the INTERFACE targets of sigmax are made. No warning flag, no global setting ever goes on one of them.

# Moves the entries of `headers` that match the pattern to `<name>_headers`.
macro(sigmax_take_headers name pattern)
  set(${name}_headers ${headers})
  list(FILTER ${name}_headers INCLUDE REGEX "${pattern}")
  list(FILTER headers EXCLUDE REGEX "${pattern}")
endmacro()

# sigmax_component(<name> [REQUIRED] [LIBRARY <target>] [HEADERS <files>...] [LINK <targets>...]
#   [DEFINE <definitions>...] [BASE <folder>])
#
# Makes sigmax::<name> with the headers as its file set (each is compiled alone by the target
# all_verify_interface_header_sets) and puts it into the package. All but the core link the core. A component whose
# libraries are missing is switched off, with one line that names the packages to install. LIBRARY is a compiled library
# of ours behind the headers. The headers are below BASE, which is `include` unless it is given.
function(sigmax_component name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "REQUIRED" "LIBRARY;BASE" "HEADERS;LINK;DEFINE")
  if(NOT arg_BASE)
    set(arg_BASE include)
  endif()
  sigmax_missing(missing ${arg_LINK})
  list(JOIN missing ", " missing)
  if(missing AND arg_REQUIRED)
    message(FATAL_ERROR "sigmax: ${missing} is missing (Debian: ${missing_packages})")
  elseif(missing)
    message(STATUS "sigmax: sigmax::${name} is off, ${missing} is missing (Debian: ${missing_packages})")
    return()
  endif()

  set(target sigmax_${name})
  add_library(${target} INTERFACE)
  add_library(sigmax::${name} ALIAS ${target})
  set_target_properties(${target} PROPERTIES
    EXPORT_NAME ${name}
    VERIFY_INTERFACE_HEADER_SETS ${PROJECT_IS_TOP_LEVEL})
  target_compile_features(${target} INTERFACE cxx_std_20)
  target_compile_definitions(${target} INTERFACE ${arg_DEFINE})
  target_link_libraries(${target} INTERFACE ${arg_LINK} ${arg_LIBRARY})
  if(NOT name STREQUAL "sigmax")
    target_link_libraries(${target} INTERFACE sigmax_sigmax)
  endif()
  target_sources(${target} INTERFACE
    FILE_SET HEADERS BASE_DIRS "${PROJECT_SOURCE_DIR}/${arg_BASE}" FILES ${arg_HEADERS})
  if(SIGMAX_INSTALL)
    sigmax_install_component(${name} ${arg_LIBRARY})
  endif()
endfunction()
