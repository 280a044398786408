# SPDX-License-Identifier: MIT
# The classifier is a program: its tests include its headers as "robust_mlp/classifier.hpp", and link what it links.
foreach(target IN ITEMS robust_mlp_test robust_mlp_check)
  if(TARGET ${target})
    target_include_directories(${target} PRIVATE "${PROJECT_SOURCE_DIR}/examples")
  endif()
endforeach()
