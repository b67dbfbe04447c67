# amphibus_add_schemas(TARGET shop_messages SCHEMAS orders.fbs …)
#
# Makes the INTERFACE library TARGET: for each schema NAME.fbs a header <NAME_amphibus.h> in the build tree with the object
# API and an amphibus::codec for every table. The compatibility major of a table is its attribute (major: 2), default 1.
# Nothing generated belongs into git: the headers fit exactly one FlatBuffers version.
function(amphibus_add_schemas)
  cmake_parse_arguments(PARSE_ARGV 0 arg "" "TARGET" "SCHEMAS")
  find_program(AMPHIBUS_FLATC flatc)
  if(NOT AMPHIBUS_FLATC OR NOT TARGET amphibus::schemac)
    message(FATAL_ERROR "amphibus_add_schemas() needs flatc: sudo apt-get install libflatbuffers-dev flatbuffers-compiler")
  endif()
  set(out "${CMAKE_CURRENT_BINARY_DIR}/${arg_TARGET}_schemas")
  set(headers)
  foreach(schema IN LISTS arg_SCHEMAS)
    cmake_path(ABSOLUTE_PATH schema)
    cmake_path(GET schema STEM name)
    add_custom_command(
      OUTPUT "${out}/${name}_amphibus.h"
      BYPRODUCTS "${out}/${name}_generated.h" "${out}/${name}.bfbs"
      COMMAND "${AMPHIBUS_FLATC}" --cpp --cpp-std c++17 --gen-object-api --gen-name-strings --scoped-enums --reflect-types -o "${out}" "${schema}"
      COMMAND "${AMPHIBUS_FLATC}" -b --schema -o "${out}" "${schema}"
      COMMAND amphibus::schemac "${out}/${name}.bfbs" "${name}_generated.h" "${out}/${name}_amphibus.h"
      DEPENDS "${schema}" amphibus::schemac
      COMMENT "Schema ${name}.fbs" VERBATIM)
    list(APPEND headers "${out}/${name}_amphibus.h")
  endforeach()
  add_custom_target(${arg_TARGET}_generate DEPENDS ${headers})
  add_library(${arg_TARGET} INTERFACE)
  add_dependencies(${arg_TARGET} ${arg_TARGET}_generate)
  target_include_directories(${arg_TARGET} SYSTEM INTERFACE "${out}")
  target_link_libraries(${arg_TARGET} INTERFACE amphibus::amphibus)
endfunction()
