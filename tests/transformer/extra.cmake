# SPDX-License-Identifier: MIT
# The transformer is a program, not a library: its tests include its headers as "transformer/model.hpp" and compile what
# they need of it.
foreach(target IN ITEMS transformer_test transformer_check)
  if(TARGET ${target})
    target_include_directories(${target} PRIVATE "${PROJECT_SOURCE_DIR}/examples")
    foreach(source IN ITEMS checkpoint corpus trainer weight_optimizer)
      target_sources(${target} PRIVATE "${PROJECT_SOURCE_DIR}/examples/transformer/${source}.cpp")
    endforeach()
    target_link_libraries(${target} PRIVATE fmt::fmt)
  endif()
endforeach()
