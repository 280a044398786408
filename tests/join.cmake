# SPDX-License-Identifier: MIT
# Writes OUT, one translation unit of the test files FILES (separated by commas): what they instantiate in common is
# compiled once. First comes what they include, then each of them in a namespace of its own, so that their helpers and
# using-directives do not meet: all headers have been seen by then, and guards leave nothing of them in the namespace.
string(REPLACE "," ";" files "${FILES}")
set(includes "")
set(bodies "")
set(number 0)
foreach(file IN LISTS files)
  get_filename_component(folder "${file}" DIRECTORY)
  # Conditions come along, for the includes that stand in them. What stands beside the file is included from there.
  file(STRINGS "${file}" lines REGEX "^#[ ]*(include|if|ifdef|ifndef|elif|else|endif)")
  foreach(line IN LISTS lines)
    if(line MATCHES "^#include \"(.*)\"")
      if(EXISTS "${folder}/${CMAKE_MATCH_1}")
        set(line "#include \"${folder}/${CMAKE_MATCH_1}\"")
      endif()
    endif()
    string(APPEND includes "${line}\n")
  endforeach()
  string(APPEND bodies "namespace file_${number} {\n#include \"${file}\"\n}\n")
  math(EXPR number "${number} + 1")
endforeach()
file(WRITE "${OUT}" "${includes}${bodies}")
