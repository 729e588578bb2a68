# How our own targets are compiled: one interface library each for strictness, sanitizers and Node-API.

add_library(nr_options INTERFACE)
target_compile_options(nr_options INTERFACE
  -Wall -Wextra -Wshadow -Wvla -Werror -Wno-unused-parameter
  -fno-strict-aliasing # fields of messages, and memory that is shared, are read by their descriptions; it costs 1% of a call
  $<$<COMPILE_LANGUAGE:C>:-Wstrict-prototypes -Wmissing-prototypes>)
# Empty, as in a source's own `#define _GNU_SOURCE`, which then is no redefinition.
target_compile_definitions(nr_options INTERFACE $<$<COMPILE_LANGUAGE:C>:_GNU_SOURCE=>)
target_include_directories(nr_options INTERFACE "${PROJECT_SOURCE_DIR}" "${PROJECT_BINARY_DIR}/generated")

if(NR_SANITIZE)
  target_compile_options(nr_options INTERFACE -fsanitize=${NR_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(nr_options INTERFACE -fsanitize=${NR_SANITIZE})
endif()

# The agent and the host are optimised as a whole, wire/ with them (their targets say NR_WHOLE): a call passes some sixty
# small functions of twenty files, and takes a tenth less time that way. Objects hold both forms, since other programs are
# linked of them too: for those the ordinary one.
if(CMAKE_C_COMPILER_ID STREQUAL "GNU" AND CMAKE_BUILD_TYPE STREQUAL "Release" AND NOT NR_SANITIZE)
  set(whole "$<BOOL:$<TARGET_PROPERTY:NR_WHOLE>>")
  target_compile_options(nr_options INTERFACE "$<${whole}:-O3;-flto=auto;-ffat-lto-objects>")
  target_link_options(nr_options INTERFACE "$<IF:${whole},-O3;-flto=auto,-fno-lto>")
endif()

add_library(nr_napi INTERFACE)
target_include_directories(nr_napi SYSTEM INTERFACE "${NR_NAPI_INCLUDE}")
target_compile_definitions(nr_napi INTERFACE NAPI_VERSION=10)

# A Node addon: <name>.node in `folder`, its napi_* symbols left for Node to give.
function(nr_add_addon target name folder)
  add_library(${target} MODULE ${ARGN})
  set_target_properties(${target} PROPERTIES
    PREFIX "" SUFFIX ".node" OUTPUT_NAME "${name}" LIBRARY_OUTPUT_DIRECTORY "${folder}")
endfunction()
