# What the build needs from outside: Node (runs the generator), Node-API's headers, protobuf-c, libuv and elfutils.

find_package(Threads REQUIRED)
find_program(NR_NODE NAMES node nodejs REQUIRED)
find_program(NR_PROTOC_C NAMES protoc-c protoc-gen-c REQUIRED)

# A static archive when there is one and it is wanted, the shared library otherwise.
function(nr_find_library result name archive)
  if(NR_STATIC_LIBS)
    find_library(${result} NAMES ${archive} ${name})
  else()
    find_library(${result} NAMES ${name})
  endif()
  if(NOT ${result})
    message(FATAL_ERROR "${name} is not installed. `sh scripts/test` installs what is missing on Debian.")
  endif()
endfunction()

nr_find_library(NR_PROTOBUF_C protobuf-c libprotobuf-c.a)
nr_find_library(NR_UV uv libuv_a.a)
if(NOT NR_FUZZ)
  find_library(NR_DW dw) # a static one would want five more
  if(NOT NR_DW)
    message(FATAL_ERROR "libdw of elfutils is not installed. `sh scripts/test` installs what is missing on Debian.")
  endif()
endif()

set(NR_NODE_MODULES "${PROJECT_SOURCE_DIR}/node_modules" CACHE PATH "Where npm has put node-api-headers and node-addon-api")
set(NR_NAPI_INCLUDE "${NR_NODE_MODULES}/node-api-headers/include")
if(NOT EXISTS "${NR_NAPI_INCLUDE}/node_api.h")
  message(FATAL_ERROR "${NR_NAPI_INCLUDE} has no node_api.h: run `npm ci --ignore-scripts` first.")
endif()
