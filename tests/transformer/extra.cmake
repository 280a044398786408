# SPDX-License-Identifier: MIT
# The transformer is a program: its tests include its headers as "transformer/model.hpp", and link what it links.
foreach(target IN ITEMS transformer_test transformer_check)
  if(TARGET ${target})
    target_include_directories(${target} PRIVATE "${PROJECT_SOURCE_DIR}/examples")
  endif()
endforeach()
