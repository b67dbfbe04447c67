# cmake -DFROM=PREFIX -DOUTSIDE=… -DCOMPILER=… -DSOURCES=CHECKOUT -P twice.cmake
# Who brings Amphibus first provides it to the whole build; find_package knows what that one has.
include("${CMAKE_CURRENT_LIST_DIR}/run.cmake")

file(REMOVE_RECURSE "${OUTSIDE}")
file(COPY "${CMAKE_CURRENT_LIST_DIR}/twice/" DESTINATION "${OUTSIDE}")

function(uses expected)
  file(READ "${OUTSIDE}/build/uses.txt" used)
  if(NOT used MATCHES "^${expected}/")
    message(FATAL_ERROR "expected a library below ${expected}, not ${used}")
  endif()
  file(REMOVE_RECURSE "${OUTSIDE}/build")
endfunction()
set(again "amphibus is part of this build already")
set(from_sources "-DAMPHIBUS_SOURCES=${SOURCES}" -DVERSION=0.1)
configure("${OUTSIDE}" ${from_sources} -DFIRST=sources)
uses("${OUTSIDE}/build/first")
configure("${OUTSIDE}" ${from_sources} -DFIRST=installed)
uses("${FROM}")

set(ask "${CMAKE_COMMAND}" -S "${OUTSIDE}" -B "${OUTSIDE}/build" -G Ninja "-DCMAKE_CXX_COMPILER=${COMPILER}" ${from_sources})
run("${again}" ${ask})
refused("amphibus component schemas: the build that has the sources of Amphibus leaves it out" ${ask} -DWANTED=schemas)
refused("compatible with requested version \"0.2\"" ${ask} -DVERSION=0.2)
