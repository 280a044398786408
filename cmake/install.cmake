# SPDX-License-Identifier: MIT
# The package: find_package(sigmax) after an install, or with the build tree as sigmax_DIR; pkg-config for the rest.
# Every component has an export set of its own, so that a consumer who lacks a library loses one component only.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(SIGMAX_PACKAGE_DIR "${CMAKE_INSTALL_DATADIR}/cmake/sigmax")
set_property(GLOBAL PROPERTY SIGMAX_COMPONENTS "")

# sigmax_install_component(<name> [<libraries behind it>...])
function(sigmax_install_component name)
  set_property(GLOBAL APPEND PROPERTY SIGMAX_COMPONENTS ${name})
  install(TARGETS sigmax_${name} ${ARGN} EXPORT sigmax_${name}
    ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}"
    FILE_SET HEADERS DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
  install(EXPORT sigmax_${name} NAMESPACE sigmax:: DESTINATION "${SIGMAX_PACKAGE_DIR}" FILE target_${name}.cmake)
endfunction()

function(sigmax_install_package)
  get_property(components GLOBAL PROPERTY SIGMAX_COMPONENTS)
  foreach(name IN LISTS components)
    export(EXPORT sigmax_${name} NAMESPACE sigmax:: FILE "${PROJECT_BINARY_DIR}/target_${name}.cmake")
  endforeach()

  set(package_files
    "${PROJECT_BINARY_DIR}/sigmaxConfig.cmake"
    "${PROJECT_BINARY_DIR}/sigmaxConfigVersion.cmake"
    "${PROJECT_SOURCE_DIR}/cmake/find_xsimd.cmake"
    "${PROJECT_SOURCE_DIR}/cmake/find_onnx.cmake")
  configure_package_config_file(cmake/sigmaxConfig.cmake.in "${PROJECT_BINARY_DIR}/sigmaxConfig.cmake"
    INSTALL_DESTINATION "${SIGMAX_PACKAGE_DIR}" NO_SET_AND_CHECK_MACRO)
  write_basic_package_version_file("${PROJECT_BINARY_DIR}/sigmaxConfigVersion.cmake"
    COMPATIBILITY SameMinorVersion ARCH_INDEPENDENT)
  file(COPY cmake/find_xsimd.cmake cmake/find_onnx.cmake DESTINATION "${PROJECT_BINARY_DIR}")
  install(FILES ${package_files} DESTINATION "${SIGMAX_PACKAGE_DIR}")

  configure_file(cmake/sigmax.pc.in "${PROJECT_BINARY_DIR}/sigmax.pc" @ONLY)
  install(FILES "${PROJECT_BINARY_DIR}/sigmax.pc" DESTINATION "${CMAKE_INSTALL_DATADIR}/pkgconfig")
  install(FILES LICENSE DESTINATION "${CMAKE_INSTALL_DOCDIR}")
endfunction()
