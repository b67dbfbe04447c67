# cmake -DFROM=PREFIX -DOUTSIDE=… -DCOMPILER=… -P plugins.cmake
# A program and two plug-ins, one that hides its symbols, on one bus; each knows the message type by its own means.
include("${CMAKE_CURRENT_LIST_DIR}/run.cmake")

file(REMOVE_RECURSE "${OUTSIDE}")
file(COPY "${CMAKE_CURRENT_LIST_DIR}/plugins/" DESTINATION "${OUTSIDE}")
configure("${OUTSIDE}")
run("" "${CMAKE_COMMAND}" --build "${OUTSIDE}/build")
run("^ok: 9 checks\n$" "${OUTSIDE}/build/host" "${OUTSIDE}/build/libseen.so" "${OUTSIDE}/build/libhidden.so")
