# amphibus_add_schemas(TARGET shop_messages SCHEMAS orders.fbs … [LOCK schemas.lock] [INCLUDES folder …])
#
# Makes the INTERFACE library TARGET: for each schema NAME.fbs a header <NAME_amphibus.h> in the build tree with the object
# API, and for every table that NAME.fbs declares its traits, its codec and, with the attribute topic, its topic constant.
# The compatibility major of a table is its attribute (major: 2), default 1. A change of a schema, or of one it includes,
# regenerates exactly what depends on it. A schema may include others of SCHEMAS, or, through INCLUDES, those of another
# target, which the user links then.
#
# LOCK: the text file of what was promised before (docs/schemas.md). A change that programs built before would misread
# fails the build; the target TARGET_lock writes the lock. AMPHIBUS_SCHEMAS_EXACT=ON also refuses a lock that does not
# know everything yet.
#
# Nothing generated belongs into git: the headers fit exactly one FlatBuffers version.
option(AMPHIBUS_SCHEMAS_EXACT "Refuse a schema lock that does not know everything yet" OFF)

function(amphibus_add_schemas)
  cmake_parse_arguments(PARSE_ARGV 0 arg "" "TARGET;LOCK" "SCHEMAS;INCLUDES")
  if(arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "amphibus_add_schemas(): unknown arguments: ${arg_UNPARSED_ARGUMENTS}; known: TARGET, SCHEMAS, LOCK, INCLUDES")
  endif()
  if(NOT arg_TARGET OR NOT arg_SCHEMAS)
    message(FATAL_ERROR "amphibus_add_schemas() needs at least TARGET name SCHEMAS a.fbs")
  endif()
  find_program(AMPHIBUS_FLATC flatc)
  if(NOT AMPHIBUS_FLATC OR NOT TARGET amphibus::schemac)
    message(FATAL_ERROR "amphibus_add_schemas() needs flatc: sudo apt-get install libflatbuffers-dev flatbuffers-compiler")
  endif()
  set(out "${CMAKE_CURRENT_BINARY_DIR}/${arg_TARGET}_schemas")
  file(MAKE_DIRECTORY "${out}")
  set(search)
  foreach(folder IN LISTS arg_INCLUDES)
    cmake_path(ABSOLUTE_PATH folder)
    list(APPEND search -I "${folder}")
  endforeach()
  set(headers)
  set(schemas)
  set(names)
  foreach(schema IN LISTS arg_SCHEMAS)
    cmake_path(ABSOLUTE_PATH schema NORMALIZE)
    cmake_path(GET schema STEM LAST_ONLY name)
    if(name IN_LIST names)
      message(FATAL_ERROR "amphibus_add_schemas(TARGET ${arg_TARGET}): two schemas are called ${name}.fbs, and generated "
        "headers are named after them: rename ${schema}")
    endif()
    add_custom_command(
      OUTPUT "${out}/${name}_amphibus.h"
      BYPRODUCTS "${out}/${name}_generated.h" "${out}/${name}.bfbs"
      COMMAND amphibus::schemac generate --root "${CMAKE_CURRENT_SOURCE_DIR}" --out "${out}" ${search} "${schema}"
      COMMAND "${AMPHIBUS_FLATC}" --cpp --cpp-std c++17 --gen-object-api --gen-name-strings --scoped-enums --reflect-types
        ${search} -o "${out}" "${schema}"
      DEPENDS "${schema}" amphibus::schemac
      DEPFILE "${out}/${name}.d"
      COMMENT "Schema ${name}.fbs" VERBATIM)
    list(APPEND headers "${out}/${name}_amphibus.h")
    list(APPEND schemas "${schema}")
    list(APPEND names "${name}")
  endforeach()
  if(arg_LOCK)
    amphibus_check_schemas("${arg_TARGET}" "${arg_LOCK}" "${out}" "${schemas}" "${search}")
    list(APPEND headers "${stamp}")
  endif()
  add_custom_target(${arg_TARGET}_generate DEPENDS ${headers})
  add_library(${arg_TARGET} INTERFACE)
  add_dependencies(${arg_TARGET} ${arg_TARGET}_generate)
  target_include_directories(${arg_TARGET} SYSTEM INTERFACE "${out}")
  target_link_libraries(${arg_TARGET} INTERFACE amphibus::amphibus)
endfunction()

# The check of amphibus_add_schemas(LOCK …), whose output is named in `stamp`, and the target that writes the lock.
function(amphibus_check_schemas target lock out schemas search)
  cmake_path(ABSOLUTE_PATH lock NORMALIZE)
  # A stamp of its own, because make does not run a command again when only its options change.
  set(exact)
  set(stamp "${out}/checked")
  if(AMPHIBUS_SCHEMAS_EXACT)
    set(exact --exact)
    set(stamp "${out}/checked_exactly")
  endif()
  set(stamp "${stamp}" PARENT_SCOPE)
  # The lock is watched through the depfile: it need not be there yet, and what is missing cannot be a dependency.
  add_custom_command(
    OUTPUT "${stamp}"
    COMMAND amphibus::schemac check --lock "${lock}" --stamp "${stamp}" ${exact} --root "${CMAKE_CURRENT_SOURCE_DIR}"
      --accept "cmake --build ${CMAKE_BINARY_DIR} --target ${target}_lock" ${search} ${schemas}
    DEPENDS ${schemas} amphibus::schemac
    DEPFILE "${stamp}.d"
    COMMENT "Schemas of ${target} against their lock" VERBATIM)
  add_custom_target(${target}_lock
    COMMAND amphibus::schemac lock --lock "${lock}" --root "${CMAKE_CURRENT_SOURCE_DIR}" ${search} ${schemas}
    COMMENT "Writing ${lock}" VERBATIM)
endfunction()
