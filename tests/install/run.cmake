# run(EXPECTED COMMAND…): runs it in OUTSIDE; a failure, or output that does not match EXPECTED, ends the script. The output
# is left in `output`.
function(run expected)
  execute_process(COMMAND ${ARGN} WORKING_DIRECTORY "${OUTSIDE}" OUTPUT_VARIABLE out ERROR_VARIABLE out RESULT_VARIABLE code)
  if(NOT code EQUAL 0 OR NOT out MATCHES "${expected}")
    string(REPLACE ";" " " command "${ARGN}")
    message(FATAL_ERROR "${command}\nended with ${code}, expected '${expected}':\n${out}")
  endif()
  string(STRIP "${out}" out)
  set(output "${out}" PARENT_SCOPE)
endfunction()

# refused(EXPECTED COMMAND…): the same for a command that must fail.
function(refused expected)
  execute_process(COMMAND ${ARGN} WORKING_DIRECTORY "${OUTSIDE}" OUTPUT_VARIABLE out ERROR_VARIABLE out RESULT_VARIABLE code)
  string(REGEX REPLACE "[ \n]+" " " out "${out}")  # CMake breaks the lines of its messages
  string(FIND "${out}" "${expected}" at)
  if(code EQUAL 0 OR at EQUAL -1)
    string(REPLACE ";" " " command "${ARGN}")
    message(FATAL_ERROR "${command}\nended with ${code}, expected a refusal with '${expected}':\n${out}")
  endif()
  message("refused: ${expected}")
endfunction()

# configure(FOLDER ARGUMENTS…): FOLDER/build from FOLDER, against FROM, cheap to compile.
function(configure folder)
  run("" "${CMAKE_COMMAND}" -S "${folder}" -B "${folder}/build" -G Ninja "-DCMAKE_PREFIX_PATH=${FROM}" -DCMAKE_BUILD_TYPE=Debug
    "-DCMAKE_CXX_COMPILER=${COMPILER}" "-DCMAKE_CXX_FLAGS=${FLAGS}" "-DCMAKE_CXX_FLAGS_DEBUG=-O0" ${ARGN})
endfunction()

# Where the shared libraries of an installation in FROM lie.
set(package cmake/amphibus/amphibusConfig.cmake)
file(GLOB library_folder "${FROM}/lib*/${package}" "${FROM}/lib/*/${package}")
if(library_folder)
  cmake_path(GET library_folder PARENT_PATH library_folder)
  cmake_path(SET library_folder NORMALIZE "${library_folder}/../..")
endif()
