# SPDX-License-Identifier: MIT
# cmake -D ROOT=<folder that holds sigmax/> -P floors.cmake
#
# Greps the includes. A header may include its own folder and lower floors, never a higher floor or a sibling. Headers
# begin with the SPDX line, hold #pragma once, and name sigmax's headers as <sigmax/...>; third-party headers stay in
# the component that links their library.
cmake_minimum_required(VERSION 3.25)

# folder = floor. Equal numbers are siblings.
set(floor_of_config 0)
set(floor_of_core 10)
set(floor_of_polynomial 15) # stands on bound: ranges are proved by interval arithmetic
set(floor_of_bound 10)
set(floor_of_backend 20)
set(floor_of_estimate 30)
set(floor_of_certified 40)
set(floor_of_spectral 50)
set(floor_of_constraint 60)
set(floor_of_optimizer 70)
set(floor_of_lipschitz 70)
set(floor_of_io 80)
set(floor_of_kernels 90) # for programs: the header-only library includes none of it
set(floor_of_umbrella 75) # sigmax.hpp: everything that needs no library but xsimd
# Errors stand below everything but the configuration: all of floor 10 may use them.
set(floor_of_error 5)

# third-party prefix = who may include it, as a pattern on the path below sigmax/.
set(libraries Eigen xsimd nlohmann onnx google)
set(users_of_Eigen "^backend/eigen")
set(users_of_xsimd "^backend/simd")
set(users_of_nlohmann "^io/(safetensors|[^/]*json)")
set(users_of_onnx "^io/onnx")
set(users_of_google "^io/onnx")

# The room a header lives in: its folder, or `config`, `umbrella`, `error`.
function(room_of header out)
  if(header STREQUAL "config.hpp")
    set(room config)
  elseif(header STREQUAL "sigmax.hpp")
    set(room umbrella)
  elseif(header STREQUAL "core/error.hpp")
    set(room error)
  else()
    string(REGEX REPLACE "(/.*|\\.hpp)$" "" room "${header}") # sigmax/core.hpp is a header of core
  endif()
  set(${out} "${room}" PARENT_SCOPE)
endfunction()

set(violations 0)
macro(violation text)
  message("${text}")
  math(EXPR violations "${violations} + 1")
endmacro()

if(NOT IS_DIRECTORY "${ROOT}/sigmax")
  message(FATAL_ERROR "no folder ${ROOT}/sigmax")
endif()
file(GLOB_RECURSE headers RELATIVE "${ROOT}/sigmax" "${ROOT}/sigmax/*.hpp")
list(LENGTH headers count)

foreach(header IN LISTS headers)
  set(file "${ROOT}/sigmax/${header}")
  room_of("${header}" room)
  if(NOT DEFINED floor_of_${room})
    violation("sigmax/${header}: the folder stands on no floor")
    continue()
  endif()

  file(READ "${file}" head LIMIT 200)
  if(NOT head MATCHES "^// SPDX-License-Identifier: MIT\n")
    violation("sigmax/${header}: the first line is not `// SPDX-License-Identifier: MIT`")
  endif()
  file(STRINGS "${file}" pragma REGEX "^#pragma once$" LIMIT_COUNT 1)
  if(NOT pragma)
    violation("sigmax/${header}: no `#pragma once`")
  endif()

  file(STRINGS "${file}" includes REGEX "^[ \t]*#[ \t]*include")
  foreach(include IN LISTS includes)
    if(include MATCHES "include[ \t]*\"")
      violation("sigmax/${header}: ${include}: write <sigmax/...>")
    elseif(include MATCHES "<sigmax/([^>]*)>")
      set(other "${CMAKE_MATCH_1}")
      room_of("${other}" other_room)
      if(header MATCHES "^lipschitz/(check/|verify|certificate_maker|segment_pass|plain_methods|method_runner)"
         AND other MATCHES "^lipschitz/(search/|certify|propose|segment_methods)")
        violation("sigmax/${header}: includes sigmax/${other}: what checks proofs knows nothing of what finds them")
      endif()
      if(NOT EXISTS "${ROOT}/sigmax/${other}")
        violation("sigmax/${header}: includes sigmax/${other}, which does not exist")
      elseif(NOT DEFINED floor_of_${other_room})
        violation("sigmax/${header}: includes sigmax/${other}, which stands on no floor")
      elseif(room STREQUAL other_room)
        continue()
      elseif(floor_of_${other_room} GREATER floor_of_${room})
        violation("sigmax/${header}: includes sigmax/${other} from the higher floor `${other_room}`")
      elseif(floor_of_${other_room} EQUAL floor_of_${room})
        violation("sigmax/${header}: includes sigmax/${other} from the sibling floor `${other_room}`")
      endif()
    elseif(include MATCHES "<([A-Za-z0-9_]+)[/>]")
      set(library "${CMAKE_MATCH_1}")
      if(library IN_LIST libraries AND NOT header MATCHES "${users_of_${library}}")
        violation("sigmax/${header}: ${include}: not in this component")
      endif()
    endif()
  endforeach()
endforeach()

if(violations GREATER 0)
  message(FATAL_ERROR "${violations} violations in ${count} headers")
endif()
message("${count} headers, no violation")
