# SPDX-License-Identifier: MIT
# Finds ONNX's protobuf schema: targets onnx_proto and protobuf::libprotobuf. Used by the build and by the package
# configuration. ONNX's own configuration refers to protobuf's target without looking for it, so protobuf comes first.
if(NOT TARGET protobuf::libprotobuf)
  find_package(Protobuf QUIET)
endif()
if(TARGET protobuf::libprotobuf AND NOT TARGET onnx_proto)
  find_package(ONNX QUIET CONFIG)
endif()
