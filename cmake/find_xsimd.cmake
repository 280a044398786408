# SPDX-License-Identifier: MIT
# Finds xsimd 8.1 or newer. Used by the build and, installed beside it, by the package configuration.
#
# Two things need care. xsimd calls only equal major versions compatible, while sigmax works with 8.1 up to 14: so the
# version is compared here. And Debian 12 builds xsimd with xtl, so that its target links a target `xtl` which nothing
# defines and the linker looks for a library of that name: xsimd's headers need none, the entry is removed.
if(NOT TARGET xsimd)
  find_package(xsimd QUIET CONFIG)
  if(xsimd_FOUND AND xsimd_VERSION VERSION_LESS 8.1)
    message(FATAL_ERROR "sigmax needs xsimd 8.1 or newer; ${xsimd_DIR} holds ${xsimd_VERSION}")
  endif()
endif()
if(TARGET xsimd AND NOT TARGET xtl)
  get_target_property(sigmax_xsimd_links xsimd INTERFACE_LINK_LIBRARIES)
  if("xtl" IN_LIST sigmax_xsimd_links)
    list(REMOVE_ITEM sigmax_xsimd_links xtl)
    set_property(TARGET xsimd PROPERTY INTERFACE_LINK_LIBRARIES "${sigmax_xsimd_links}")
  endif()
  unset(sigmax_xsimd_links)
endif()
