# cmake -DEXECUTABLE=… -DLIST=… -DTIMEOUT=… -P discover.cmake: writes one add_test per line of EXECUTABLE --list.
execute_process(COMMAND "${EXECUTABLE}" --list OUTPUT_VARIABLE names OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
string(REPLACE "\n" ";" names "${names}")
set(out "")
foreach(name IN LISTS names)
  string(APPEND out
    "add_test([==[conformance: ${name}]==] [==[${EXECUTABLE}]==] --run [==[${name}]==])\n"
    "set_tests_properties([==[conformance: ${name}]==] PROPERTIES LABELS conformance TIMEOUT ${TIMEOUT})\n")
endforeach()
file(WRITE "${LIST}" "${out}")
