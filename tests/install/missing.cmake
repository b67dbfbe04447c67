# cmake -DFROM=PREFIX -DOUTSIDE=… -DCOMPILER=… -DNEEDED=… -P missing.cmake
# Hides one thing at a time from an installation: each absence has a message that says how to mend it. NEEDED: the files
# outside FROM that a complete installation needs, separated by commas.
include("${CMAKE_CURRENT_LIST_DIR}/run.cmake")

string(REPLACE "," ";" NEEDED "${NEEDED}")
find_program(ninja ninja REQUIRED)
file(REMOVE_RECURSE "${OUTSIDE}")
file(COPY "${CMAKE_CURRENT_LIST_DIR}/missing/" DESTINATION "${OUTSIDE}")

# prepare(HIDDEN): the prefixes OUTSIDE/here (a copy of FROM) and OUTSIDE/system have everything but files that match HIDDEN.
function(prepare hidden)
  file(REMOVE_RECURSE "${OUTSIDE}/here" "${OUTSIDE}/system" "${OUTSIDE}/build")
  file(GLOB_RECURSE files RELATIVE "${FROM}" "${FROM}/*")
  list(FILTER files EXCLUDE REGEX "\\.hpp$")
  foreach(file IN LISTS files)
    place("${FROM}/${file}" "here/${file}")
  endforeach()
  file(MAKE_DIRECTORY "${OUTSIDE}/here/include")
  foreach(file IN LISTS NEEDED)
    string(REGEX MATCH "(include/.*|bin/.*|lib[^/]*\\.(so|a))$" inside "${file}")
    place("${file}" "system/${inside}")
  endforeach()
endfunction()
function(place file to)
  if(hidden STREQUAL "" OR NOT to MATCHES "${hidden}")
    cmake_path(GET to PARENT_PATH folder)
    file(MAKE_DIRECTORY "${OUTSIDE}/${folder}")
    file(CREATE_LINK "${file}" "${OUTSIDE}/${to}" SYMBOLIC)
  endif()
endfunction()

# Without CMake's own ideas of where to look.
set(ENV{CMAKE_PREFIX_PATH} "${OUTSIDE}/here:${OUTSIDE}/system")
set(ENV{CMAKE_LIBRARY_PATH} "${OUTSIDE}/system")
set(ask "${CMAKE_COMMAND}" -S "${OUTSIDE}" -B "${OUTSIDE}/build" -G Ninja "-DCMAKE_MAKE_PROGRAM=${ninja}" "-DCMAKE_CXX_COMPILER=${COMPILER}"
  -DCMAKE_FIND_USE_CMAKE_SYSTEM_PATH=OFF -DCMAKE_FIND_USE_SYSTEM_ENVIRONMENT_PATH=OFF)

prepare("")
run("" ${ask} "-DWANTED=zeromq testing schemas tools" -DVERSION=0.1)
foreach(version IN ITEMS 0.0 0.2 1.0)
  refused("compatible with requested version \"${version}\"" ${ask} "-DVERSION=${version}")
endforeach()
refused("amphibus component nats: there is no such component; there are zeromq, testing, schemas and tools" ${ask} -DWANTED=nats -DVERSION=0.1)

function(hides hidden wanted expected)
  prepare("${hidden}")
  refused("amphibus component ${expected}" ${ask} "-DWANTED=${wanted}" -DVERSION=0.1)
  if(NOT expected MATCHES "^amphibus:")  # the rest stays usable
    run("" ${ask} -DWANTED= -DVERSION=0.1)
  endif()
endfunction()
if(EXISTS "${library_folder}/libamphibus.a")
  hides("libisal" "" "amphibus: it needs: sudo apt-get install libisal-dev")
  hides("libzmq" zeromq "zeromq: it needs: sudo apt-get install libzmq3-dev")
endif()
hides("flatbuffers\\.h" schemas "schemas: it needs: sudo apt-get install libflatbuffers-dev flatbuffers-compiler")
hides("flatc" schemas "schemas: it needs: sudo apt-get install libflatbuffers-dev flatbuffers-compiler")
foreach(component IN ITEMS zeromq testing schemas tools)
  hides("amphibus-${component}\\.cmake" ${component} "${component}: it is not part of this installation; where Debian packages \
are used: sudo apt-get install libamphibus-dev amphibus-tools")
endforeach()
